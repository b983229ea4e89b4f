"""The audit lines: who changed what, and whose token was refused.

A client is its address and the fingerprint of its token; the token itself is nowhere. What a client
chose is written as JSON, so that it cannot look like another line.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from sclbl.errors import SclblError
from sclbl.registry.base import Record

log = logging.getLogger("sclbl.server")

#: Longest text of an argument that is shown.
_LONGEST = 128


@dataclass(frozen=True, slots=True)
class Author:
    """Who asks for changes."""

    address: str
    fingerprint: str

    def done(
        self,
        call: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        result: Any,
    ) -> None:
        """Log a change of the registry."""
        made = {"result": result.ref} if isinstance(result, Record) else {}
        self._log("audit", call, args, kwargs, made)

    def failed(
        self,
        call: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        why: Exception,
    ) -> None:
        """Log a change that the registry refused, or that failed."""
        code = why.code if isinstance(why, SclblError) else type(why).__name__
        self._log("audit", call, args, kwargs, {"failed": code})

    def _log(
        self,
        event: str,
        call: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        more: Mapping[str, str],
    ) -> None:
        # Bytes are programs and specs; of the rest, text says what it was about.
        given = [a[:_LONGEST] for a in args if isinstance(a, str)]
        named = {"alias": kwargs["alias"]} if isinstance(kwargs.get("alias"), str) else {}
        line = {
            "client": self.address,
            "token": self.fingerprint,
            "did": getattr(call, "__name__", "call"),
            "on": given,
            **named,
            **more,
        }
        log.info("%s %s", event, msgspec.json.encode(line).decode())


def refused(address: str, fingerprint: str, path: str, count: int) -> None:
    """Log a wrong token; of many from one client, ever fewer."""
    if count & (count - 1) == 0:
        line = {"client": address, "token": fingerprint, "path": path[:_LONGEST], "count": count}
        log.warning("refused token %s", msgspec.json.encode(line).decode())
