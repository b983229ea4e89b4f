"""The ASGI application: every route over one registry."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sclbl.registry.store import Store
from sclbl.server import deployments, errors, files, openapi, predict, upload
from sclbl.server.auth import Guard
from sclbl.server.context import Context, context_of, json_response, reading
from sclbl.server.predictor import Predictor
from sclbl.server.settings import Settings
from sclbl.server.workshop import Workshop


async def health(request: Request) -> Response:
    """Answer whether the server and its registry work; needs no token."""
    context = context_of(request)
    await context.ask(context.registry.stamp)
    return json_response({"status": "ok"}, headers={"cache-control": "no-store"})


async def whoami(request: Request) -> Response:
    """Answer whether the request's token is right; a wrong one is refused."""
    reading(request)
    write = request.headers.get("authorization") is not None
    return json_response({"write": write}, headers={"cache-control": "no-store"})


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
    context = Context(registry, guard, settings, Predictor(registry, settings), Workshop(settings))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        context.close()
        registry.close()

    middleware = []
    if settings.cors:
        middleware.append(
            Middleware(
                CORSMiddleware,
                allow_origins=list(settings.cors),
                allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
                allow_headers=["authorization", "content-type", "idempotency-key"],
                expose_headers=["x-sclbl-ref", "x-sclbl-sha256", "x-sclbl-method", "etag"],
                max_age=3600,
            )
        )
    app = Starlette(
        routes=ROUTES,
        middleware=middleware,
        exception_handlers=errors.handlers(),
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.context = context
    return app
