"""The registry of one user or one server: SQLite and files in a directory."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from sclbl import manifest, verbs
from sclbl.errors import (
    BusyError,
    ConflictError,
    CorruptedError,
    NotFoundError,
    StorageError,
)
from sclbl.plain_file import MAX_FILE
from sclbl.registry import aliases, pending, queries
from sclbl.registry.base import AliasEvent, Record
from sclbl.registry.blobs import PLACES, Content, LocalBlobs, digest
from sclbl.registry.database import Database
from sclbl.registry.failures import failure
from sclbl.registry.metadata import About, check_edit
from sclbl.registry.refs import Ref, check_alias, check_name, parse_deletable, parse_ref
from sclbl.registry.schema import deployments, now, read_json, versions
from sclbl.registry.store import Pending, Store

log = logging.getLogger("sclbl.registry")

#: What `prune` leaves alone: a writer may still be about to record it.
GRACE = timedelta(hours=1)
_COLUMNS = {"program": versions.c.sha256, "spec": versions.c.spec_sha256}


class LocalRegistry(Store):
    """A registry in a directory, for any number of threads and processes at once.

    Where the directory can only be read, so can the registry.

    Programs and specs are files named after their SHA-256. They are on the disk before the row
    that names them is, so a crash leaves at most a file that nothing names, which `prune` removes.

    Parameters
    ----------
    path : str or Path
        The directory; made, for its owner alone, where it does not exist.

    Raises
    ------
    RegistryError
        The directory cannot be used, or a newer sclbl wrote it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser().absolute()
        self.location = str(self.path)
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._blobs = LocalBlobs(self.path / "blobs")
            self._database = Database(self.path / "registry.db")
        except OSError as error:
            raise failure(
                error,
                f"the registry {self.path} cannot be opened: {error.strerror or error}; "
                "set SCLBL_HOME to a directory that you can write to",
            ) from error

    def __reduce__(self) -> tuple[Any, ...]:
        return LocalRegistry, (self.location,)

    def recorded(self, about: About, spec_sha256: str) -> Record | None:
        """See `Store.recorded`."""
        if about.request_id is None:
            return None
        with self._database.read() as connection:
            version = _repeated(connection, about, spec_sha256)
            if version is None:
                return None
            return queries.resolve(connection, Ref(about.name, version=version))

    def record(
        self, about: About, wasm: bytes, spec: bytes, checked: Mapping[str, Any] | None
    ) -> Record:
        """See `Store.record`."""
        self._tidy()
        row = self._put(about, wasm, spec, checked)
        with self._database.write() as connection:
            version = _repeated(connection, about, row["spec_sha256"])
            if version is None:
                # `prune` holds the same lock, so from here on the files stay.
                self._ensure("program", row["sha256"], wasm)
                self._ensure("spec", row["spec_sha256"], spec)
                version = _add(connection, row, about.alias)
            return queries.resolve(connection, Ref(about.name, version=version))

    def hold(
        self, about: About, wasm: bytes, spec: bytes, checked: Mapping[str, Any] | None
    ) -> Pending | Record:
        """See `Store.hold`."""
        self._tidy()
        row = self._put(about, wasm, spec, checked)
        with self._database.write() as connection:
            version = _repeated(connection, about, row["spec_sha256"])
            if version is not None:
                return queries.resolve(connection, Ref(about.name, version=version))
            waiting = pending.repeated(connection, about, row["spec_sha256"])
            if waiting is None:
                waiting = pending.add(
                    connection,
                    about,
                    row["sha256"],
                    row["spec_sha256"],
                    len(wasm) + len(spec),
                    checked,
                )
                self._ensure("program", row["sha256"], wasm)
                self._ensure("spec", row["spec_sha256"], spec)
            return pending.describe(waiting)

    def held(self, id: str) -> bytes:
        """See `Store.held`."""
        with self._database.read() as connection:
            row = pending.find(connection, id)
        return self._blobs.get("program", row.sha256)

    def confirm(self, id: str, sha256: str, stated: Mapping[str, Any]) -> Record:
        """See `Store.confirm`."""
        with self._database.read() as connection:
            row = pending.find(connection, id)
            if row.version is not None:
                return _confirmed(connection, row, sha256)
        wasm = manifest.restate(self._blobs.get("program", row.sha256), stated)
        manifest.read(wasm)
        if digest(wasm) != sha256:
            raise ConflictError(
                f"what waits as {id} has the SHA-256 {digest(wasm)} with what is stated of it, "
                f"and {sha256[:64]} was confirmed; fetch it and verify it again"
            )
        spec = self._blobs.get("spec", row.spec_sha256)
        about, checked = pending.about(row), row.checked
        new = self._put(about, wasm, spec, None if checked is None else read_json(checked))
        with self._database.write() as connection:
            row = pending.find(connection, id)
            if row.version is not None:
                return _confirmed(connection, row, sha256)
            version = _repeated(connection, about, row.spec_sha256)
            if version is None:
                self._ensure("program", sha256, wasm)
                self._ensure("spec", row.spec_sha256, spec)
                version = _add(connection, new, about.alias)
            pending.settle(connection, id, version, sha256)
            return queries.resolve(connection, Ref(about.name, version=version))

    def is_tagged(self, kind: Content, sha256: str, tag: str) -> bool:
        """See `Store.is_tagged`."""
        query = select(versions.c.tags).where(
            _COLUMNS[kind] == sha256, versions.c.deleted_at.is_(None)
        )
        with self._database.read() as connection:
            found = [tag in (row.tags or {}) for row in connection.execute(query)]
        return bool(found) and all(found)

    def drop(self, id: str) -> None:
        """See `Store.drop`."""
        with self._database.write() as connection:
            pending.remove(connection, id)

    def deployments(self) -> list[Record]:
        """See `Registry.deployments`."""
        with self._database.read() as connection:
            return queries.newest(connection)

    def versions(self, name: str) -> list[Record]:
        """See `Registry.versions`."""
        check_name(name)
        with self._database.read() as connection:
            return queries.live(connection, name)

    def get(self, ref: str) -> Record:
        """See `Registry.get`."""
        parsed = parse_ref(ref)
        with self._database.read() as connection:
            return queries.resolve(connection, parsed)

    def program(self, source: str | Record) -> bytes:
        """See `Registry.program`."""
        if isinstance(source, Record):
            return self._read("program", source.sha256, source.size)
        return self._read("program", source)

    def spec(self, source: str | Record) -> bytes:
        """See `Registry.spec`."""
        return self._read("spec", source.spec_sha256 if isinstance(source, Record) else source)

    def delete(self, ref: str) -> None:
        """See `Registry.delete`."""
        parsed = parse_deletable(ref)
        with self._database.write() as connection:
            if parsed.version is not None:
                gone = [queries.resolve(connection, parsed)]
                aliases.refuse_if_named(gone[0])
            else:
                gone = queries.live(connection, parsed.name)
                aliases.drop_all(connection, parsed.name)
            _mark_deleted(connection, gone)
        # Only now that this is durable: a crash in between leaves files for `prune`.
        self._drop_unnamed({("program", record.sha256) for record in gone})
        self._drop_unnamed({("spec", record.spec_sha256) for record in gone})

    def edit(
        self,
        ref: str,
        *,
        docs: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        metrics: Mapping[str, float | None] | None = None,
    ) -> Record:
        """See `Registry.edit`."""
        parsed = parse_ref(ref)
        change = check_edit(docs, tags, metrics)
        with self._database.write() as connection:
            record = queries.resolve(connection, parsed)
            after = change.apply(record.docs, record.tags, record.metrics)
            this = (versions.c.name == record.name, versions.c.version == record.version)
            connection.execute(update(versions).where(*this).values(after))
            return replace(record, **after)

    def promote(self, ref: str, alias: str) -> Record:
        """See `Registry.promote`."""
        parsed = parse_ref(ref)
        check_alias(alias)
        with self._database.write() as connection:
            version = queries.resolve(connection, parsed).version
            aliases.move(connection, parsed.name, alias, version, "promote")
            return queries.resolve(connection, Ref(parsed.name, version=version))

    def rollback(self, name: str, alias: str) -> Record:
        """See `Registry.rollback`."""
        check_name(name)
        check_alias(alias)
        with self._database.write() as connection:
            version = aliases.before_current(connection, name, alias)
            aliases.move(connection, name, alias, version, "rollback")
            return queries.resolve(connection, Ref(name, version=version))

    def history(self, name: str, alias: str) -> list[AliasEvent]:
        """See `Registry.history`."""
        check_name(name)
        check_alias(alias)
        with self._database.read() as connection:
            return aliases.history(connection, name, alias)

    def prune(self, older_than: timedelta = GRACE) -> int:
        """Remove files that no live version names, and return how many were removed.

        Such files stay behind when a writer is killed, or an upload is not confirmed. This
        runs by itself, with a change and at most once an hour.

        Parameters
        ----------
        older_than : timedelta, default 1 hour
            Younger ones stay, because a writer may be about to record them.
        """
        limit = datetime.now(UTC) - older_than
        with self._database.write() as connection:
            pending.sweep(connection)
        old = {(kind, sha256) for kind in PLACES for sha256 in self._blobs.older_than(kind, limit)}
        return self._drop_unnamed(old) + self._blobs.sweep(limit)

    def _tidy(self) -> None:
        """Prune, once in a while, after a change."""
        marker = self.path / "pruned"
        try:
            if marker.stat().st_mtime > time.time() - GRACE.total_seconds():
                return
        except OSError:
            pass  # never yet
        try:
            marker.touch(mode=0o600)  # first, so that others leave it to this one
            self.prune()
        except (OSError, StorageError, BusyError) as error:
            log.warning("the registry %s could not be pruned: %s", self.path, error)

    def revision(self) -> int | None:
        """See `Registry.revision`."""
        return self._database.revision()

    def close(self) -> None:
        """See `Registry.close`."""
        self._database.close()

    def _put(
        self, about: About, wasm: bytes, spec: bytes, checked: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        """Store both files, and return the row of the version that they become."""
        return {
            "name": about.name,
            "size": len(wasm),
            "docs": about.docs,
            "tags": dict(about.tags),
            "metrics": dict(about.metrics),
            "request_id": about.request_id,
            "manifest": json.dumps(manifest.read(wasm), separators=(",", ":")),
            "checked": None if checked is None else json.dumps(checked, separators=(",", ":")),
            "sha256": self._blobs.put("program", wasm),
            "spec_sha256": self._blobs.put("spec", spec),
        }

    def _ensure(self, kind: Content, sha256: str, data: bytes) -> None:
        if not self._blobs.has(kind, sha256):
            self._blobs.put(kind, data)

    def _drop_unnamed(self, blobs: set[tuple[Content, str]]) -> int:
        removed = 0
        # A writer makes sure of its files under the same lock, so none is taken from it.
        with self._database.write() as connection:
            for kind, sha256 in blobs:
                if not _is_live(connection, kind, sha256) and not pending.names(connection, sha256):
                    self._blobs.delete(kind, sha256)
                    removed += 1
        return removed

    def _read(self, kind: Content, sha256: str, size: int = MAX_FILE) -> bytes:
        self._require_live(kind, sha256)
        try:
            return self._blobs.get(kind, sha256, size)
        except CorruptedError:
            self._require_live(kind, sha256)  # it may have been deleted and pruned meanwhile
            raise

    def _require_live(self, kind: Content, sha256: str) -> None:
        with self._database.read() as connection:
            if not _is_live(connection, kind, sha256):
                raise NotFoundError(
                    verbs.say(
                        f"no live version has the {kind} {sha256!r}; ",
                        verbs.deployments(),
                        " lists what there is",
                    )
                )


def _add(connection: Connection, row: Mapping[str, Any], alias: str | None) -> int:
    at = now()
    known = deployments.c.name == row["name"]
    last = connection.execute(select(deployments.c.last_version).where(known)).scalar()
    version = (last or 0) + 1
    if last is None:
        head = {"name": row["name"], "last_version": version, "created_at": at}
        connection.execute(insert(deployments).values(head))
    else:
        connection.execute(update(deployments).where(known).values(last_version=version))
    connection.execute(insert(versions).values(**row, version=version, created_at=at))
    if alias is not None:
        aliases.move(connection, row["name"], alias, version, "promote")
    return version


def _repeated(connection: Connection, about: About, spec_sha256: str) -> int | None:
    if about.request_id is None:
        return None
    query = select(versions).where(versions.c.request_id == about.request_id)
    made = connection.execute(query).first()
    if made is None:
        return None
    # By its spec: the program may have become another where it was compiled again.
    if (made.name, made.spec_sha256) != (about.name, spec_sha256):
        raise ConflictError(
            f"the request id {about.request_id!r} made {made.name}@{made.version} from other "
            "bytes; use a new id for each upload"
        )
    version: int = made.version
    if made.deleted_at is None and not _says(connection, made, about):
        raise ConflictError(
            f"the request id {about.request_id!r} made {made.name}@{version} with another alias, "
            "docs, tags or metrics, or they were edited since; use a new id for each upload, and "
            "change what is written about a version by an edit"
        )
    return version


def _says(connection: Connection, made: Row[Any], about: About) -> bool:
    """Return whether what is kept beside a version is what a request says."""
    if not pending.says(made, about):
        return False
    # An alias may have moved on, but what it named is remembered.
    return about.alias is None or aliases.named(connection, made.name, about.alias, made.version)


def _confirmed(connection: Connection, row: Row[Any], sha256: str) -> Record:
    """Return the version that a pending upload became, to who confirms it again."""
    if row.confirmed != sha256:
        raise ConflictError(
            f"the upload {row.id} was confirmed as {row.confirmed} and is "
            f"{row.name}@{row.version}; {sha256[:64]} is other bytes"
        )
    return queries.resolve(connection, Ref(row.name, version=row.version))


def _mark_deleted(connection: Connection, gone: list[Record]) -> None:
    # What the owner deleted is not kept, save what tells that it was there.
    empty: dict[str, Any] = {"docs": "", "tags": {}, "metrics": {}, "manifest": "{}"}
    empty |= {"checked": None, "deleted_at": now()}
    for record in gone:
        this = (versions.c.name == record.name, versions.c.version == record.version)
        connection.execute(update(versions).where(*this).values(empty))


def _is_live(connection: Connection, kind: Content, sha256: str) -> bool:
    query = select(versions.c.version).where(
        _COLUMNS[kind] == sha256, versions.c.deleted_at.is_(None)
    )
    return connection.execute(query.limit(1)).first() is not None
