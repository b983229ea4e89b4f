"""The ASGI application: every route over one registry."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sclbl.errors import SclblError
from sclbl.registry.store import Store
from sclbl.server import deployments, files, openapi, pages, predict, problems, upload
from sclbl.server.auth import Guard
from sclbl.server.budget import Budget
from sclbl.server.context import Context, context_of, json_response, reading
from sclbl.server.gate import Gate
from sclbl.server.limits import Settings
from sclbl.server.pools import Pools
from sclbl.server.predictor import Predictor
from sclbl.server.workshop import Workshop


async def health(request: Request) -> Response:
    """Answer whether the server and its registry work; needs no token."""
    context = context_of(request)
    await context.feel_pulse()
    return json_response({"status": "ok"}, headers={"cache-control": "no-store"})


async def whoami(request: Request) -> Response:
    """Answer whether the request's token is right; a wrong one is refused."""
    reading(request)
    write = request.headers.get("authorization") is not None
    return json_response({"write": write}, headers={"cache-control": "no-store"})


class HostCheck:
    """Refuses requests for other hosts, before anything else looks at them."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http":
            try:
                self._gate.check_host(Headers(scope=scope).get("host"))
            except SclblError as error:
                await problems.response_of(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


ROUTES = [
    Route("/healthz", health, methods=["GET"]),
    Route("/v1/whoami", whoami, methods=["GET"]),
    *predict.ROUTES,
    *upload.ROUTES,
    *deployments.ROUTES,
    *files.ROUTES,
    *openapi.ROUTES,
]


def create_app(registry: Store, guard: Guard, settings: Settings | None = None) -> Starlette:
    """Return an ASGI application over a registry.

    Parameters
    ----------
    registry : Store
        What is served.
    guard : Guard
        Checks tokens.
    settings : Settings, optional
        Limits and policies.
    """
    settings = settings or Settings()
    gate = Gate(guard, settings)
    budget = Budget(settings.flight_bytes)
    pools = Pools()
    predictor, workshop = Predictor(registry, settings, pools), Workshop(settings)
    context = Context(registry, guard, settings, predictor, workshop, gate, budget, pools)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        tending = asyncio.create_task(context.tend())
        yield
        tending.cancel()
        context.close()
        registry.close()

    middleware = [Middleware(HostCheck, gate=gate)]
    if settings.cors:
        middleware.append(
            Middleware(
                CORSMiddleware,
                allow_origins=list(settings.cors),
                allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
                allow_headers=["authorization", "content-type", "idempotency-key"],
                expose_headers=[
                    "x-sclbl-ref",
                    "x-sclbl-sha256",
                    "x-sclbl-method",
                    "etag",
                    "retry-after",
                ],
                max_age=3600,
            )
        )
    app = Starlette(
        routes=[*ROUTES, *pages.ROUTES],
        middleware=middleware,
        exception_handlers=problems.handlers(),
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.context = context
    return app
