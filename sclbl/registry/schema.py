"""The tables. A new registry is made from them, an older one by migrations; tests hold both equal.

Times are integer microseconds since 1970 UTC, which every database stores and orders alike.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from sclbl.errors import CorruptedError

#: The newest migration, which a registry made from these tables has no need of.
REVISION = "0002"

metadata = MetaData()

#: A row stays for ever, because it remembers the last number given.
deployments = Table(
    "deployments",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("last_version", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

#: A deleted version keeps its number, hashes and dates, and nothing else.
versions = Table(
    "versions",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("sha256", String(64), nullable=False),
    Column("spec_sha256", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    Column("docs", Text, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("metrics", JSON, nullable=False),
    Column("manifest", Text, nullable=False),
    Column("request_id", String(128)),
    Column("checked", Text),
    ForeignKeyConstraint(["name"], ["deployments.name"], name="fk_versions_name"),
    UniqueConstraint("request_id", name="uq_versions_request_id"),
    Index("ix_versions_sha256", "sha256"),
    Index("ix_versions_spec_sha256", "spec_sha256"),
)

#: What each alias names now.
aliases = Table(
    "aliases",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("alias", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
    ForeignKeyConstraint(
        ["name", "version"], ["versions.name", "versions.version"], name="fk_aliases_version"
    ),
)

#: What each alias ever named; rows are only added.
alias_events = Table(
    "alias_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("alias", String(64), nullable=False),
    Column("version", Integer),
    Column("at", BigInteger, nullable=False),
    Column("action", String(16), nullable=False),
    ForeignKeyConstraint(["name"], ["deployments.name"], name="fk_alias_events_name"),
    Index("ix_alias_events_name_alias", "name", "alias"),
)

#: Programs that were compiled here to other bytes than those that their uploader verified. They
#: have no number until he has verified these; `version` is the number that they then got.
pending = Table(
    "pending",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("spec_sha256", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("alias", String(64)),
    Column("docs", Text, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("metrics", JSON, nullable=False),
    Column("checked", Text),
    Column("request_id", String(128)),
    Column("version", Integer),
    Column("confirmed", String(64)),
    UniqueConstraint("request_id", name="uq_pending_request_id"),
    Index("ix_pending_created_at", "created_at"),
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def now() -> int:
    """Return the time as it is stored."""
    return (datetime.now(UTC) - _EPOCH) // _MICROSECOND


def read_time(stored: int) -> datetime:
    """Return a stored time as an aware datetime; raise `CorruptedError` where it is none."""
    try:
        return _EPOCH + stored * _MICROSECOND
    except (TypeError, OverflowError):
        raise CorruptedError(
            f"the registry holds {stored!r:.40} where a time belongs; restore its database from a "
            "backup"
        ) from None


def read_json(text: str) -> Any:
    """Return stored JSON; raise `CorruptedError` where it is none."""
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError):
        raise CorruptedError(
            f"the registry holds {text!r:.40} where JSON belongs; restore its database from a "
            "backup"
        ) from None
