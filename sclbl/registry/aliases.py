"""Moving aliases, and what they remember."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, insert, select, update

from sclbl import verbs
from sclbl.errors import ConflictError
from sclbl.registry.base import Action, AliasEvent, Record
from sclbl.registry.queries import no_alias
from sclbl.registry.schema import alias_events, aliases, now, read_time, versions


def current(connection: Connection, name: str, alias: str) -> int | None:
    """Return the version that an alias names, None where it names none."""
    query = select(aliases.c.version).where(aliases.c.name == name, aliases.c.alias == alias)
    return connection.execute(query).scalar()


def move(connection: Connection, name: str, alias: str, version: int, action: Action) -> None:
    """Make an alias name a version, and remember it; nothing where it does already."""
    before = current(connection, name, alias)
    if before == version:
        return
    row = {"name": name, "alias": alias, "version": version}
    if before is None:
        connection.execute(insert(aliases).values(row))
    else:
        this = (aliases.c.name == name, aliases.c.alias == alias)
        connection.execute(update(aliases).where(*this).values(version=version))
    connection.execute(insert(alias_events).values(**row, at=now(), action=action))


def drop_all(connection: Connection, name: str) -> None:
    """Take all aliases from a deployment, and remember that."""
    gone = connection.execute(select(aliases.c.alias).where(aliases.c.name == name)).scalars().all()
    connection.execute(delete(aliases).where(aliases.c.name == name))
    for alias in gone:
        row = {"name": name, "alias": alias, "version": None, "at": now(), "action": "delete"}
        connection.execute(insert(alias_events).values(row))


def refuse_if_named(record: Record) -> None:
    """Raise `ConflictError` where aliases name a version that is about to be deleted."""
    if record.aliases:
        first = record.aliases[0]
        raise ConflictError(
            verbs.say(
                f"{record.ref} is what {', '.join(record.aliases)} names, and deleting it would "
                "change what is served; move the alias first: ",
                verbs.promote_some(record.name, first),
                " or ",
                verbs.rollback(record.name, first),
                f"; or delete all of {record.name}",
            )
        )


def history(connection: Connection, name: str, alias: str) -> list[AliasEvent]:
    """Return what an alias named, oldest first; raise where it never named anything."""
    this = (alias_events.c.name == name, alias_events.c.alias == alias)
    rows = connection.execute(select(alias_events).where(*this).order_by(alias_events.c.id)).all()
    if not rows:
        raise no_alias(connection, name, alias)
    return [AliasEvent(alias, row.version, read_time(row.at), row.action) for row in rows]


def named(connection: Connection, name: str, alias: str, version: int) -> bool:
    """Return whether an alias ever named a version."""
    wanted = {"name": name, "alias": alias, "version": version}
    query = select(alias_events.c.id).filter_by(**wanted).limit(1)
    return connection.execute(query).first() is not None


def before_current(connection: Connection, name: str, alias: str) -> int:
    """Return the version that `rollback` goes to; raise where there is none."""
    if current(connection, name, alias) is None:
        raise no_alias(connection, name, alias)
    trail = trail_of(history(connection, name, alias))
    here = trail.pop()
    query = select(versions.c.version).where(
        versions.c.name == name, versions.c.deleted_at.is_(None)
    )
    live = set(connection.execute(query).scalars())
    earlier = [version for version in trail if version in live and version != here]
    if not earlier:
        raise ConflictError(
            verbs.say(
                f"{name}@{alias} cannot be rolled back: it named no other version before "
                f"{name}@{here} that still lives; choose one with ",
                verbs.promote_some(name, alias),
            )
        )
    return earlier[-1]


def trail_of(events: Iterable[AliasEvent]) -> list[int]:
    """Return the versions that lead to what an alias names now, that one last.

    A promotion goes one step on. A rollback takes steps back until it stands on its version, so
    that rolling back twice goes back twice. A deletion ends the trail.
    """
    trail: list[int] = []
    for event in events:
        if event.version is None:
            trail.clear()
        elif event.action == "rollback":
            while trail[-1] != event.version:
                trail.pop()
        else:
            trail.append(event.version)
    return trail
