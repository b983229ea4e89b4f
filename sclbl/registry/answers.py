"""What a server's answers must look like: types, ranges and shapes, before they are used.

A name ends in paths and messages, a version in refs, so each must be what a registry makes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from sclbl.errors import RegistryError, RequestError
from sclbl.registry.base import AliasEvent, Record
from sclbl.registry.refs import MAX_VERSION, Ref, check_alias, check_name

T = TypeVar("T")

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
Version = Annotated[int, Meta(ge=1, le=MAX_VERSION)]
Moment = Annotated[datetime, Meta(tz=True)]


class _Source(msgspec.Struct):
    model: str = ""
    libraries: dict[str, str] = {}


class _Signature(msgspec.Struct):
    outputs: dict[str, dict[str, Any]] = {}


class _Manifest(msgspec.Struct):
    source: _Source | None = None
    signature: _Signature | None = None
    report: dict[str, Any] | None = None


class _Record(msgspec.Struct):
    name: str
    version: Version
    sha256: Sha256
    spec_sha256: Sha256
    size: Annotated[int, Meta(ge=0)]
    created_at: Moment
    docs: str
    tags: dict[str, str]
    metrics: dict[str, float]
    aliases: list[str]
    manifest: _Manifest
    checked: dict[str, Any] | None = None


class _Event(msgspec.Struct):
    alias: str
    version: Version | None
    at: Moment
    action: Literal["promote", "rollback", "delete"]


class _Events(msgspec.Struct):
    history: list[_Event]


class _Pending(msgspec.Struct):
    id: Annotated[str, Meta(pattern="^[0-9A-Za-z_-]{1,128}$", max_length=128)]
    sha256: Sha256


class _Made(msgspec.Struct):
    pending: _Pending


class _Who(msgspec.Struct):
    write: bool


def record(data: Any, location: str, ref: Ref | None = None) -> Record:
    """Return one version, as a server describes it.

    Parameters
    ----------
    data : object
        What its JSON holds.
    location : str
        The server's URL.
    ref : Ref, optional
        What was asked for.

    Raises
    ------
    RequestError
        It is no version, or another one.
    """

    def read() -> Record:
        found = msgspec.convert(data, _Record)
        check_name(found.name)
        for alias in found.aliases:
            check_alias(alias)
        url = f"{location}/v1/deployments/{found.name}@{found.version}"
        return Record.from_json({**data, "url": url})

    made = _read(read)
    if ref is not None and (made.name, ref.version or made.version) != (ref.name, made.version):
        raise _unreadable(f"it is of {made.ref} where {ref} was asked for")
    return made


def records(data: Any, key: str, location: str, name: str | None = None) -> list[Record]:
    """Return versions under a key, of one deployment where `name` is given."""
    listed = _read(lambda: msgspec.convert(data, dict[str, Any])[key])
    if not isinstance(listed, list):
        raise _unreadable(f"{key} is {type(listed).__name__}, not a list")
    ref = None if name is None else Ref(name)
    return [record(item, location, ref) for item in listed]


def events(data: Any) -> list[AliasEvent]:
    """Return what an alias has named."""
    found = _read(lambda: msgspec.convert(data, _Events)).history
    return [AliasEvent(e.alias, e.version, e.at, e.action) for e in found]


def pending(data: Any) -> tuple[str, str]:
    """Return the id of an upload that waits, and the SHA-256 of its program."""
    found = _read(lambda: msgspec.convert(data, _Made)).pending
    return found.id, found.sha256


def may_write(data: Any) -> bool:
    """Return whether the token allows changes."""
    return _read(lambda: msgspec.convert(data, _Who)).write


def _read(read: Callable[[], T]) -> T:
    try:
        return read()
    # OverflowError: a time that is none in UTC.
    except (msgspec.MsgspecError, KeyError, ValueError, OverflowError, RegistryError) as error:
        raise _unreadable(f"{type(error).__name__}: {str(error)[:500]}") from None


def _unreadable(why: str) -> RequestError:
    return RequestError(
        f"the server's answer cannot be read ({why}); check that the URL is that of an sclbl "
        "server, and that its version matches this one"
    )
