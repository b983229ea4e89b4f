"""``POST /v1/deployments/{ref}/predict``."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sclbl.errors import RequestError
from sclbl.server.bodies import Bounded
from sclbl.server.context import reading
from sclbl.server.payload import JSON, NDJSON, media_type
from sclbl.server.predictor import Target
from sclbl.server.urls import remember_url


def accepted(accept: str | None) -> str:
    """Return the media type of the answer: NDJSON where it is asked for, else JSON."""
    return NDJSON if NDJSON in (accept or "").lower() else JSON


def headers_of(target: Target) -> dict[str, str]:
    """Return what an NDJSON answer, which is all results, says in its headers."""
    return {
        "x-sclbl-ref": target.record.ref,
        "x-sclbl-sha256": target.record.sha256,
        "x-sclbl-method": target.method,
    }


async def predict(request: Request) -> Response:
    """Predict rows given as JSON, NDJSON or CSV."""
    context = reading(request)
    given = request.headers.get("content-type")
    media = media_type(given)
    unknown = [k for k in request.query_params if k != "method"]
    if unknown:
        raise RequestError(f"{unknown[0]!r} is not a parameter of predict; there is only 'method'")
    # The ref and the method first: their errors should not wait for a large body.
    what = "the body of the prediction"
    body = Bounded(request, what, context.settings.predict_bytes, context.settings)
    target = await context.predictor.find(
        request.path_params["ref"], request.query_params.get("method")
    )
    rows = await body.read()
    accept = accepted(request.headers.get("accept"))
    answer = await context.predictor.respond(target, rows, media, accept)
    url = request.scope.get("raw_path", b"")
    query = request.scope.get("query_string", b"")
    remember_url(context.known_urls, b"%b?%b" % (url, query) if query else url)
    headers = headers_of(target) if accept == NDJSON else None
    return Response(answer, headers=headers, media_type=accept)


ROUTES = [Route("/v1/deployments/{ref}/predict", predict, methods=["POST"])]
