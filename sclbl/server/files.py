"""Programs and specs by their SHA-256: the bytes never change, so they are cached for ever."""

from __future__ import annotations

import re
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sclbl.errors import NotFoundError
from sclbl.server.context import Context, reading

_SHA256 = re.compile(r"[0-9a-f]{64}")


async def _file(
    request: Request, context: Context, read: Callable[[str], bytes], media_type: str
) -> Response:
    sha256 = request.path_params["sha256"]
    if not _SHA256.fullmatch(sha256):
        raise NotFoundError(f"{sha256[:80]!r} is not a SHA-256 (64 lower-case hex digits)")
    etag = f'"{sha256}"'
    # A private answer must not stay in a cache that others share.
    scope = "private" if context.guard.private else "public"
    headers = {
        "etag": etag,
        "cache-control": f"{scope}, max-age=31536000, immutable",
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
    return await _file(request, context, context.registry.program, "application/wasm")


async def spec(request: Request) -> Response:
    """Return the ONNX file of a spec."""
    context = reading(request)
    return await _file(request, context, context.registry.spec, "application/octet-stream")


ROUTES = [
    Route("/v1/programs/{sha256}.wasm", program, methods=["GET"]),
    Route("/v1/specs/{sha256}.onnx", spec, methods=["GET"]),
]
