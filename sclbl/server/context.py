"""What the routes of one application share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from sclbl.registry.base import Record
from sclbl.registry.store import Store
from sclbl.server.auth import Guard
from sclbl.server.predictor import Predictor
from sclbl.server.settings import Settings
from sclbl.server.workshop import Workshop

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Context:
    """A registry, its guard, and the threads that work for the routes."""

    registry: Store
    guard: Guard
    settings: Settings
    predictor: Predictor
    workshop: Workshop
    #: URLs of predictions that were answered, with the ref and method in them.
    known_urls: dict[bytes, tuple[str, str | None]] = field(default_factory=dict)
    _io: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(8, thread_name_prefix="registry")
    )

    async def ask(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the registry in a thread."""
        return await asyncio.get_running_loop().run_in_executor(
            self._io, lambda: call(*args, **kwargs)
        )

    def close(self) -> None:
        """Let the threads go, and the process that compiles."""
        self.predictor.close()
        self._io.shutdown(wait=False, cancel_futures=True)
        self.workshop.close()


def context_of(request: Request) -> Context:
    """Return the context of the application that a request came to."""
    context: Context = request.app.state.context
    return context


def reading(request: Request) -> Context:
    """Return the context, after checking that the request may read."""
    context = context_of(request)
    context.guard.check(request.headers.get("authorization"), write=False)
    return context


def writing(request: Request) -> Context:
    """Return the context, after checking that the request may write."""
    context = context_of(request)
    context.guard.check(request.headers.get("authorization"), write=True)
    return context


def json_response(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return data as JSON."""
    return Response(msgspec.json.encode(data), status, headers, media_type="application/json")


def record_json(record: Record) -> dict[str, Any]:
    """Return a record as JSON data; its ``url`` is relative to the server."""
    data = record.to_json()
    data["url"] = f"/v1/deployments/{record.ref}"
    return data
