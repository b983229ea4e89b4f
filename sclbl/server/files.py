"""Programs and specs by their SHA-256: the bytes never change, so they are cached for ever."""

from __future__ import annotations

import re
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sclbl.errors import NotFoundError, ServerOnlyError
from sclbl.registry.blobs import Content
from sclbl.server.context import Context, reading
from sclbl.web.page import SERVER_ONLY

_SHA256 = re.compile(r"[0-9a-f]{64}")


async def _file(
    request: Request,
    context: Context,
    kind: Content,
    read: Callable[[str], bytes],
    media_type: str,
) -> Response:
    sha256 = request.path_params["sha256"]
    if not _SHA256.fullmatch(sha256):
        raise NotFoundError(f"{sha256[:80]!r} is not a SHA-256 (64 lower-case hex digits)")
    etag = f'"{sha256}"'
    # Who asks with a header, or of a private server, showed the token; a wrong one was refused.
    shown = context.guard.private or "authorization" in request.headers
    if not shown and await context.ask(context.registry.is_tagged, kind, sha256, SERVER_ONLY):
        raise ServerOnlyError(
            f"this {kind} is marked {SERVER_ONLY}: it is given to those with the token alone; "
            "predict over REST, or send the header `Authorization: Bearer TOKEN`"
        )
    # What was shown for a token stays in no cache that others share, and is asked for again, so
    # that the token is.
    held = "private, no-cache" if shown else "public, max-age=31536000, immutable"
    headers = {
        "etag": etag,
        "cache-control": held,
        "x-content-type-options": "nosniff",
    }
    content = await context.ask(read, sha256)
    given = request.headers.get("if-none-match", "")
    if given.strip() == "*" or etag in [t.strip().removeprefix("W/") for t in given.split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=media_type)


async def program(request: Request) -> Response:
    """Return a program."""
    context = reading(request)
    return await _file(request, context, "program", context.registry.program, "application/wasm")


async def spec(request: Request) -> Response:
    """Return the ONNX file of a spec."""
    context = reading(request)
    return await _file(request, context, "spec", context.registry.spec, "application/octet-stream")


ROUTES = [
    Route("/v1/programs/{sha256}.wasm", program, methods=["GET"]),
    Route("/v1/specs/{sha256}.onnx", spec, methods=["GET"]),
]
