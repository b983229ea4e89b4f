"""``POST /v1/deployments/{ref}/predict``."""

from __future__ import annotations

from collections import deque

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sclbl.errors import MediaTypeError, RequestError
from sclbl.server.bodies import Bounded
from sclbl.server.budget import Hold
from sclbl.server.context import Context, reading
from sclbl.server.payload import JSON, NDJSON, media_type
from sclbl.server.programs import Target
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


class PredictionResponse(Response):
    """An answer in pieces, sent as fast as the client reads; counted until it is sent."""

    def __init__(
        self, parts: list[bytes], hold: Hold, headers: dict[str, str] | None, media_type: str
    ) -> None:
        super().__init__(parts[0] if len(parts) == 1 else b"", 200, headers, media_type)
        self._parts = deque(parts)
        self._hold = hold
        self.headers["content-length"] = str(sum(map(len, parts)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""
        try:
            if len(self._parts) == 1:
                await super().__call__(scope, receive, send)
                return
            start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
            await send(start)
            self._hold.begin()
            while self._parts:
                part = self._parts.popleft()
                with self._hold.waiting():
                    await send({"type": "http.response.body", "body": part, "more_body": True})
                self._hold.moved(len(part))
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._hold.free()


async def predict(request: Request) -> Response:
    """Predict rows given as JSON, NDJSON or CSV."""
    context = reading(request)
    hold = context.budget.hold()
    try:
        # The answer frees the hold when it is sent.
        return await _predict(request, context, hold)
    except BaseException:
        hold.free()
        raise


async def _predict(request: Request, context: Context, hold: Hold) -> Response:
    given = request.headers.get("content-type")
    media = media_type(given)
    coding = request.headers.get("content-encoding", "identity")
    if coding.strip().lower() not in ("", "identity"):
        raise MediaTypeError(
            f"the rows have the Content-Encoding {coding[:80]!r}; send them uncompressed"
        )
    unknown = [k for k in request.query_params if k != "method"]
    if unknown:
        raise RequestError(f"{unknown[0]!r} is not a parameter of predict; there is only 'method'")
    # The ref and the method first: their errors should not wait for a large body.
    what = "the body of the prediction"
    body = Bounded(request, what, context.settings.predict_bytes, context.settings, hold)
    target = await context.predictor.find(
        request.path_params["ref"], request.query_params.get("method")
    )
    rows = await body.read()
    accept = accepted(request.headers.get("accept"))
    parts = await context.predictor.respond(target, rows, media, accept, gone=request.receive)
    url = request.scope.get("raw_path", b"")
    query = request.scope.get("query_string", b"")
    remember_url(context.known_urls, b"%b?%b" % (url, query) if query else url)
    hold.free()
    hold.take(sum(map(len, parts)))
    return PredictionResponse(parts, hold, headers_of(target) if accept == NDJSON else None, accept)


ROUTES = [Route("/v1/deployments/{ref}/predict", predict, methods=["POST"])]
