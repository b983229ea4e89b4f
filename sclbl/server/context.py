"""What the routes of one application share."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ParamSpec, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from sclbl.errors import BusyError
from sclbl.registry.base import Record
from sclbl.registry.store import Store
from sclbl.server import cookies
from sclbl.server.audit import Author
from sclbl.server.auth import Guard
from sclbl.server.budget import Budget
from sclbl.server.gate import Gate
from sclbl.server.limits import Settings
from sclbl.server.pools import Pools
from sclbl.server.predictor import Predictor
from sclbl.server.slowdown import Slowdown
from sclbl.server.workshop import Workshop

log = logging.getLogger("sclbl.server")

P = ParamSpec("P")
T = TypeVar("T")

#: How long `GET /healthz` waits for the registry.
HEALTH_SECONDS = 1.0
#: How often the file of the token is looked at.
TOKEN_SECONDS = 0.5


@dataclass(frozen=True)
class Context:
    """A registry, its gate, and the threads that work for the routes."""

    registry: Store
    guard: Guard
    settings: Settings
    predictor: Predictor
    workshop: Workshop
    gate: Gate
    budget: Budget
    pools: Pools
    slowdown: Slowdown = field(default_factory=Slowdown)
    #: URLs of predictions that were answered, with the ref and method in them.
    known_urls: dict[bytes, tuple[str, str | None]] = field(default_factory=dict)
    #: Who asks for a change; None where the request may only read.
    author: Author | None = None
    _pulse: dict[str, asyncio.Future[Any]] = field(default_factory=dict)

    async def ask(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the registry in a thread; what a writer calls is a change, and is logged."""
        author = self.author
        if author is None:
            return await self.pools.run("read", lambda: call(*args, **kwargs))
        try:
            found = await self.pools.run("change", lambda: call(*args, **kwargs))
        except Exception as error:
            author.failed(call, args, kwargs, error)
            raise
        author.done(call, args, kwargs, found)
        return found

    async def feel_pulse(self) -> None:
        """Return when the registry has answered; raise where it does not.

        Raises
        ------
        BusyError
            It did not answer in time.
        """
        # All who ask meanwhile wait for the one answer.
        pulse = self._pulse.get("now")
        if pulse is None or pulse.done():
            pulse = self.pools.run("health", self.registry.revision)
            self._pulse["now"] = pulse
        done, _ = await asyncio.wait([pulse], timeout=HEALTH_SECONDS)
        if not done:
            raise BusyError(f"the registry did not answer within {HEALTH_SECONDS:g} s")
        pulse.result()

    async def tend(self) -> None:
        """Look after the token, for as long as the application runs."""
        while True:
            try:
                await self.pools.run("read", self.guard.renew)
            except OSError as error:
                log.error("the token cannot be read again: %s", error)
            await asyncio.sleep(TOKEN_SECONDS)

    def close(self) -> None:
        """Let the threads go, and the process that compiles."""
        self.pools.close()
        self.workshop.close()


def context_of(request: Request) -> Context:
    """Return the context of the application that a request came to."""
    context: Context = request.app.state.context
    return context


def reading(request: Request) -> Context:
    """Return the context, after checking that the request may read."""
    context = context_of(request)
    authorizations = request.headers.getlist("authorization")
    cookie = cookies.token_of(request) if context.guard.private and not authorizations else None
    context.gate.check(authorizations, write=False, cookie=cookie)
    return context


def writing(request: Request) -> Context:
    """Return the context, after checking that the request may write; what it asks is logged."""
    context = context_of(request)
    context.gate.check(request.headers.getlist("authorization"), write=True)
    return replace(context, author=Author(address_of(request), context.guard.fingerprint))


def address_of(request: Request) -> str:
    """Return the address of a request's client."""
    return request.client.host if request.client else "unknown"


def json_response(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return data as JSON."""
    return Response(msgspec.json.encode(data), status, headers, media_type="application/json")


def record_json(record: Record) -> dict[str, Any]:
    """Return a record as JSON data; its ``url`` is relative to the server."""
    data = record.to_json()
    data["url"] = f"/v1/deployments/{record.ref}"
    return data
