"""Pending uploads in the database."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, insert, or_, select, update

from sclbl.errors import BusyError, ConflictError, NotFoundError
from sclbl.registry.metadata import About
from sclbl.registry.schema import now, pending, read_time
from sclbl.registry.store import Pending

#: How long an upload waits to be confirmed.
PATIENCE = timedelta(hours=1)
#: Most uploads that wait at a time, and the bytes of their programs and specs.
MOST, MOST_BYTES = 64, 2 * 1024**3
_MICROSECOND = timedelta(microseconds=1)


def oldest() -> int:
    """Return the time before which what was made is gone."""
    return now() - PATIENCE // _MICROSECOND


def describe(row: Row[Any]) -> Pending:
    """Return what a client is told of a pending upload."""
    return Pending(row.id, row.name, row.sha256, row.size, read_time(row.created_at) + PATIENCE)


def repeated(connection: Connection, about: About, spec_sha256: str) -> Row[Any] | None:
    """Return the upload that the same request left here; raise `ConflictError` for another's."""
    if about.request_id is None:
        return None
    made = connection.execute(
        select(pending).where(
            pending.c.request_id == about.request_id, pending.c.created_at >= oldest()
        )
    ).first()
    if made is not None and (made.name, made.spec_sha256) != (about.name, spec_sha256):
        raise ConflictError(
            f"the request id {about.request_id!r} is that of an upload of {made.name} with other "
            "bytes; use a new id for each upload"
        )
    if made is None or made.version is not None:
        return made
    if not (says(made, about) and made.alias == about.alias):
        raise ConflictError(
            f"the request id {about.request_id!r} is that of an upload of {made.name} with "
            "another alias, docs, tags or metrics; use a new id for each upload"
        )
    return made


def says(row: Row[Any], about: About) -> bool:
    """Return whether the docs, tags and metrics of a row are those of a request."""
    return (row.docs, row.tags, row.metrics) == (about.docs, about.tags, about.metrics)


def add(
    connection: Connection,
    about: About,
    sha256: str,
    spec_sha256: str,
    size: int,
    checked: Mapping[str, Any] | None,
) -> Row[Any]:
    """Add a pending upload; raise `BusyError` where too many wait."""
    sweep(connection)
    waiting = pending.c.version.is_(None)
    count, held = connection.execute(
        select(func.count(), func.coalesce(func.sum(pending.c.size), 0)).where(waiting)
    ).one()
    if count >= MOST or held + size > MOST_BYTES:
        raise BusyError(
            f"{count} uploads wait to be confirmed, and no more are kept; "
            f"try again later (each is gone after {PATIENCE.seconds // 60} minutes)"
        )
    row = {
        "id": secrets.token_hex(16),
        "name": about.name,
        "sha256": sha256,
        "spec_sha256": spec_sha256,
        "size": size,
        "created_at": now(),
        "alias": about.alias,
        "docs": about.docs,
        "tags": dict(about.tags),
        "metrics": dict(about.metrics),
        "checked": None if checked is None else json.dumps(checked, separators=(",", ":")),
        "request_id": about.request_id,
    }
    connection.execute(insert(pending).values(row))
    return find(connection, str(row["id"]))


def find(connection: Connection, id: str) -> Row[Any]:
    """Return a pending upload; raise `NotFoundError` where it is not, or no longer."""
    row = connection.execute(
        select(pending).where(pending.c.id == id, pending.c.created_at >= oldest())
    ).first()
    if row is None:
        raise NotFoundError(
            f"no upload {id[:64]!r} waits to be confirmed (each is gone after "
            f"{PATIENCE.seconds // 60} minutes); upload the model again"
        )
    return row


def about(row: Row[Any]) -> About:
    """Return what the uploader wrote."""
    return About(row.name, row.alias, row.docs, row.tags, row.metrics, row.request_id)


def settle(connection: Connection, id: str, version: int, sha256: str) -> None:
    """Remember which version an upload became, for as long as its answer may be asked again."""
    # What was written beside it is with the version from now on.
    done = {"version": version, "confirmed": sha256, "docs": "", "tags": {}, "metrics": {}}
    connection.execute(update(pending).where(pending.c.id == id).values(done))


def remove(connection: Connection, id: str) -> None:
    """Remove an upload that waits."""
    connection.execute(delete(pending).where(pending.c.id == id, pending.c.version.is_(None)))


def sweep(connection: Connection) -> None:
    """Remove what waited too long."""
    connection.execute(delete(pending).where(pending.c.created_at < oldest()))


def names(connection: Connection, sha256: str) -> bool:
    """Return whether an upload that waits needs this blob."""
    query = select(pending.c.id).where(
        and_(
            or_(pending.c.sha256 == sha256, pending.c.spec_sha256 == sha256),
            pending.c.version.is_(None),
            pending.c.created_at >= oldest(),
        )
    )
    return connection.execute(query.limit(1)).first() is not None
