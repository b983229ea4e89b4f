"""Finding versions in the database, and saying well what is not there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, func, select

from sclbl import verbs
from sclbl.errors import CorruptedError, DeletedError, NotFoundError
from sclbl.registry.base import Record
from sclbl.registry.refs import Ref
from sclbl.registry.schema import aliases, deployments, read_json, read_time, versions

#: How many versions or names a message lists at most.
LISTED = 12


def newest(connection: Connection) -> list[Record]:
    """Return the newest live version of each deployment, ordered by name."""
    last = (
        select(versions.c.name, func.max(versions.c.version).label("version"))
        .where(versions.c.deleted_at.is_(None))
        .group_by(versions.c.name)
        .subquery()
    )
    same = and_(versions.c.name == last.c.name, versions.c.version == last.c.version)
    rows = connection.execute(select(versions).join(last, same)).all()
    # Sorted here, because databases collate differently.
    return _records(connection, sorted(rows, key=lambda row: row.name), None)


def live(connection: Connection, name: str) -> list[Record]:
    """Return the live versions of one deployment, oldest first; raise where there are none."""
    found = (
        select(versions)
        .where(versions.c.name == name, versions.c.deleted_at.is_(None))
        .order_by(versions.c.version)
    )
    records = _records(connection, connection.execute(found).all(), name)
    if not records:
        raise _nothing_lives(connection, name)
    return records


def resolve(connection: Connection, ref: Ref) -> Record:
    """Return the live version that a ref names; raise where there is none."""
    row = connection.execute(_select(ref)).first()
    if row is None:
        raise _not_found(connection, ref)
    if row.deleted_at is not None:
        raise DeletedError(
            f"{ref} was deleted on {_day(row.deleted_at)}; its number is not reused; "
            f"{_live_versions(connection, ref.name)}"
        )
    return _records(connection, [row], ref.name)[0]


def _select(ref: Ref) -> Any:
    query = select(versions).where(versions.c.name == ref.name)
    if ref.version is not None:
        return query.where(versions.c.version == ref.version)
    if ref.alias is not None:
        named = select(aliases.c.version).where(
            aliases.c.name == ref.name, aliases.c.alias == ref.alias
        )
        return query.where(versions.c.version == named.scalar_subquery())
    query = query.where(versions.c.deleted_at.is_(None))
    return query.order_by(versions.c.version.desc()).limit(1)


def _records(connection: Connection, rows: Iterable[Row[Any]], name: str | None) -> list[Record]:
    query = select(aliases).order_by(aliases.c.alias)
    if name is not None:
        query = query.where(aliases.c.name == name)
    named: dict[tuple[str, int], list[str]] = {}
    for alias in connection.execute(query):
        named.setdefault((alias.name, alias.version), []).append(alias.alias)
    return [_record(row, named.get((row.name, row.version), ())) for row in rows]


def _record(row: Row[Any], named: Sequence[str]) -> Record:
    _check(row)
    return Record(
        name=row.name,
        version=row.version,
        sha256=row.sha256,
        spec_sha256=row.spec_sha256,
        size=row.size,
        created_at=read_time(row.created_at),
        docs=row.docs,
        tags=row.tags,
        metrics=row.metrics,
        aliases=tuple(sorted(named)),
        manifest=_object(row, row.manifest),
        checked=None if row.checked is None else _object(row, row.checked),
    )


def _check(row: Row[Any]) -> None:
    """Raise `CorruptedError` where a version has a column of another type: SQLite takes any."""
    texts = (row.name, row.sha256, row.spec_sha256, row.docs)
    if (
        not all(isinstance(text, str) for text in texts)
        or not all(isinstance(number, int) for number in (row.version, row.size))
        or not all(isinstance(named, dict) for named in (row.tags, row.metrics))
    ):
        raise _altered(row)


def _object(row: Row[Any], text: str) -> dict[str, Any]:
    found = read_json(text)
    if not isinstance(found, dict):
        raise _altered(row)
    return found


def _altered(row: Row[Any]) -> CorruptedError:
    return CorruptedError(
        f"the registry's row of {row.name!s:.80}@{row.version!s:.20} was altered; restore its "
        "database from a backup"
    )


def _not_found(connection: Connection, ref: Ref) -> NotFoundError:
    if ref.version is None and ref.alias is None:
        return _nothing_lives(connection, ref.name)
    if _last_version(connection, ref.name) is None:
        return no_deployment(connection, ref.name)
    if ref.version is not None:
        return NotFoundError(
            f"{ref.name} has no version {ref.version}; {_live_versions(connection, ref.name)}"
        )
    return no_alias(connection, ref.name, str(ref.alias))


def no_alias(connection: Connection, name: str, alias: str) -> NotFoundError:
    """Return the error for an alias that names nothing; the deployment itself may be missing."""
    if _last_version(connection, name) is None:
        return no_deployment(connection, name)
    known = connection.execute(select(aliases.c.alias).where(aliases.c.name == name)).scalars()
    names = sorted(known)
    listed = ", ".join(names[:LISTED]) or "none"
    if near := difflib.get_close_matches(alias, names, n=1):
        return NotFoundError(
            f"{name} has no alias {alias!r}; did you mean {near[0]!r}? its aliases: {listed}"
        )
    return NotFoundError(
        verbs.say(
            f"{name} has no alias {alias!r}; its aliases: {listed}; ",
            verbs.promote(name, alias),
            " gives it to the newest version",
        )
    )


def no_deployment(connection: Connection, name: str) -> NotFoundError:
    """Return the error for a name that was never used, with the nearest ones that are."""
    used = (
        select(versions.c.name)
        .where(versions.c.deleted_at.is_(None))
        .order_by(versions.c.name)
        .distinct()
    )
    names = connection.execute(used).scalars().all()
    if not names:
        empty = f"there is no deployment {name!r}; the registry is empty; "
        return NotFoundError(verbs.say(empty, verbs.upload(name), " makes it"))
    if near := difflib.get_close_matches(name, names, n=3):
        hint = f"did you mean {' or '.join(near)}?"
    else:
        more = ", …" if len(names) > LISTED else ""
        hint = f"there are: {', '.join(names[:LISTED])}{more}"
    return NotFoundError(f"there is no deployment {name!r}; {hint}")


def _nothing_lives(connection: Connection, name: str) -> NotFoundError:
    last = _last_version(connection, name)
    if last is None:
        return no_deployment(connection, name)
    gone = select(func.max(versions.c.deleted_at)).where(versions.c.name == name)
    day = _day(connection.execute(gone).scalar_one())
    return DeletedError(
        f"{name} was deleted on {day}; its numbers are not reused: "
        f"uploading it again makes version {last + 1}"
    )


def _last_version(connection: Connection, name: str) -> int | None:
    query = select(deployments.c.last_version).where(deployments.c.name == name)
    return connection.execute(query).scalar()


def _live_versions(connection: Connection, name: str) -> str:
    query = (
        select(versions.c.version)
        .where(versions.c.name == name, versions.c.deleted_at.is_(None))
        .order_by(versions.c.version.desc())
        .limit(LISTED + 1)
    )
    numbers = connection.execute(query).scalars().all()
    listed = ", ".join(str(number) for number in sorted(numbers[:LISTED]))
    more = "…, " if len(numbers) > LISTED else ""
    return f"live versions: {more}{listed or 'none'}"


def _day(stored: int) -> str:
    return f"{read_time(stored):%Y-%m-%d %H:%M} UTC"
