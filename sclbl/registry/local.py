"""The registry of one user or one server: SQLite and files in a directory."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select, update

from sclbl import manifest, verbs
from sclbl.errors import (
    ConflictError,
    CorruptedError,
    NotFoundError,
    RegistryError,
)
from sclbl.registry import lookup, movement
from sclbl.registry.base import AliasEvent, Record, Registry
from sclbl.registry.blobs import PLACES, Kind, LocalBlobs
from sclbl.registry.database import Database
from sclbl.registry.details import (
    check_docs,
    check_edit,
    check_metrics,
    check_request_id,
    check_tags,
)
from sclbl.registry.refs import Ref, check_alias, check_name, parse_deletable, parse_ref
from sclbl.registry.schema import deployments, now, versions

#: What `prune` leaves alone: a writer may still be about to record it.
GRACE = timedelta(hours=1)
_COLUMNS = {"program": versions.c.sha256, "spec": versions.c.spec_sha256}


class LocalRegistry(Registry):
    """A registry in a directory, for any number of threads and processes at once.

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
            raise RegistryError(
                f"the registry {self.path} cannot be opened: {error.strerror or error}; "
                "set SCLBL_HOME to a directory that you can write to"
            ) from error

    def __reduce__(self) -> tuple[Any, ...]:
        return LocalRegistry, (self.location,)

    def create(
        self,
        name: str,
        wasm: bytes,
        spec: bytes,
        *,
        alias: str | None = None,
        docs: str | None = None,
        tags: Mapping[str, str] | None = None,
        metrics: Mapping[str, float] | None = None,
        request_id: str | None = None,
    ) -> Record:
        """See `Registry.create`."""
        check_name(name)
        if alias is not None:
            check_alias(alias)
        row: dict[str, Any] = {
            "name": name,
            "size": len(wasm),
            "docs": check_docs(docs),
            "tags": check_tags(tags),
            "metrics": check_metrics(metrics),
            "request_id": check_request_id(request_id),
            "manifest": json.dumps(manifest.read(wasm), separators=(",", ":")),
            "sha256": self._blobs.put("program", wasm),
            "spec_sha256": self._blobs.put("spec", spec),
        }
        with self._database.write() as connection:
            version = _repeated(connection, row)
            if version is None:
                # `prune` holds the same lock, so from here on the files stay.
                self._ensure("program", row["sha256"], wasm)
                self._ensure("spec", row["spec_sha256"], spec)
                version = _add(connection, row)
                if alias is not None:
                    movement.move(connection, name, alias, version, "promote")
            return lookup.resolve(connection, Ref(name, version=version))

    def deployments(self) -> list[Record]:
        """See `Registry.deployments`."""
        with self._database.read() as connection:
            return lookup.newest(connection)

    def versions(self, name: str) -> list[Record]:
        """See `Registry.versions`."""
        check_name(name)
        with self._database.read() as connection:
            return lookup.live(connection, name)

    def get(self, ref: str) -> Record:
        """See `Registry.get`."""
        parsed = parse_ref(ref)
        with self._database.read() as connection:
            return lookup.resolve(connection, parsed)

    def program(self, source: str | Record) -> bytes:
        """See `Registry.program`."""
        return self._read("program", source.sha256 if isinstance(source, Record) else source)

    def spec(self, source: str | Record) -> bytes:
        """See `Registry.spec`."""
        return self._read("spec", source.spec_sha256 if isinstance(source, Record) else source)

    def delete(self, ref: str) -> None:
        """See `Registry.delete`."""
        parsed = parse_deletable(ref)
        with self._database.write() as connection:
            if parsed.version is not None:
                gone = [lookup.resolve(connection, parsed)]
                movement.refuse_if_named(gone[0])
            else:
                gone = lookup.live(connection, parsed.name)
                movement.drop_all(connection, parsed.name)
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
            record = lookup.resolve(connection, parsed)
            after = change.apply(record.docs, record.tags, record.metrics)
            this = (versions.c.name == record.name, versions.c.version == record.version)
            connection.execute(update(versions).where(*this).values(after))
            return replace(record, **after)

    def promote(self, ref: str, alias: str) -> Record:
        """See `Registry.promote`."""
        parsed = parse_ref(ref)
        check_alias(alias)
        with self._database.write() as connection:
            version = lookup.resolve(connection, parsed).version
            movement.move(connection, parsed.name, alias, version, "promote")
            return lookup.resolve(connection, Ref(parsed.name, version=version))

    def rollback(self, name: str, alias: str) -> Record:
        """See `Registry.rollback`."""
        check_name(name)
        check_alias(alias)
        with self._database.write() as connection:
            version = movement.before_current(connection, name, alias)
            movement.move(connection, name, alias, version, "rollback")
            return lookup.resolve(connection, Ref(name, version=version))

    def history(self, name: str, alias: str) -> list[AliasEvent]:
        """See `Registry.history`."""
        check_name(name)
        check_alias(alias)
        with self._database.read() as connection:
            return movement.history(connection, name, alias)

    def prune(self, older_than: timedelta = GRACE) -> int:
        """Remove files that no live version names, and return how many were removed.

        Such files stay behind when a writer is killed. `delete` removes those of its versions.

        Parameters
        ----------
        older_than : timedelta, default 1 hour
            Younger ones stay, because a writer may be about to record them.
        """
        limit = datetime.now(UTC) - older_than
        old = {(kind, sha256) for kind in PLACES for sha256 in self._blobs.older_than(kind, limit)}
        return self._drop_unnamed(old) + self._blobs.sweep(limit)

    def stamp(self) -> int | None:
        """See `Registry.stamp`."""
        return self._database.stamp()

    def close(self) -> None:
        """See `Registry.close`."""
        self._database.close()

    def _ensure(self, kind: Kind, sha256: str, data: bytes) -> None:
        if not self._blobs.has(kind, sha256):
            self._blobs.put(kind, data)

    def _drop_unnamed(self, blobs: set[tuple[Kind, str]]) -> int:
        removed = 0
        # A writer makes sure of its files under the same lock, so none is taken from it.
        with self._database.write() as connection:
            for kind, sha256 in blobs:
                if not _is_live(connection, kind, sha256):
                    self._blobs.delete(kind, sha256)
                    removed += 1
        return removed

    def _read(self, kind: Kind, sha256: str) -> bytes:
        self._require_live(kind, sha256)
        try:
            return self._blobs.get(kind, sha256)
        except CorruptedError:
            self._require_live(kind, sha256)  # it may have been deleted and pruned meanwhile
            raise

    def _require_live(self, kind: Kind, sha256: str) -> None:
        with self._database.read() as connection:
            if not _is_live(connection, kind, sha256):
                raise NotFoundError(
                    verbs.say(
                        f"no live version has the {kind} {sha256!r}; ",
                        verbs.deployments(),
                        " lists what there is",
                    )
                )


def _add(connection: Connection, row: Mapping[str, Any]) -> int:
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
    return version


def _repeated(connection: Connection, row: Mapping[str, Any]) -> int | None:
    if row["request_id"] is None:
        return None
    query = select(versions).where(versions.c.request_id == row["request_id"])
    made = connection.execute(query).first()
    if made is None:
        return None
    if (made.name, made.sha256) != (row["name"], row["sha256"]):
        raise ConflictError(
            f"the request id {row['request_id']!r} made {made.name}@{made.version} from other "
            "bytes; use a new id for each upload"
        )
    version: int = made.version
    return version


def _mark_deleted(connection: Connection, gone: list[Record]) -> None:
    # What the owner deleted is not kept, save what tells that it was there.
    empty = {"docs": "", "tags": {}, "metrics": {}, "manifest": "{}", "deleted_at": now()}
    for record in gone:
        this = (versions.c.name == record.name, versions.c.version == record.version)
        connection.execute(update(versions).where(*this).values(empty))


def _is_live(connection: Connection, kind: Kind, sha256: str) -> bool:
    query = select(versions.c.version).where(
        _COLUMNS[kind] == sha256, versions.c.deleted_at.is_(None)
    )
    return connection.execute(query.limit(1)).first() is not None
