"""Pages: the list of deployments, one page for each, their script and style, logging in and out."""

from __future__ import annotations

import logging
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs, quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sclbl import onnx_format
from sclbl.errors import AuthenticationError, NotFoundError, RequestError, SclblError
from sclbl.registry.base import Record
from sclbl.server import cookies, problems
from sclbl.server.bodies import Bounded
from sclbl.server.context import Context, context_of, reading
from sclbl.server.examples import SPEC_BYTES, examples_of
from sclbl.signature import Signature
from sclbl.web import calls, page
from sclbl.web.assets import assets, digest
from sclbl.web.known import Known, known

log = logging.getLogger("sclbl.server")

Handler = Callable[[Request], Awaitable[Response]]

#: Deployments on one page of the list.
LISTED = 50
#: Bytes of a login; what is known of specs, remembered at most.
LOGIN_BODY, REMEMBERED = 8 * 1024, 256
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
    "img-src 'self' data: blob:; connect-src 'self'; worker-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'self'"
)
_TYPES = {"js": "text/javascript", "css": "text/css"}
#: Where a login leads: the list, or the page of a ref.
_TARGET = re.compile(r"(?:d/([^/?#\\]{1,200}))?")


def html(text: str, request: Request, status: int = 200) -> Response:
    """Return a page, with the headers of every page."""
    private = context_of(request).guard.private
    headers = {
        "content-security-policy": POLICY,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store" if private else "no-cache",
    }
    return Response(text, status, headers, media_type="text/html")


def _page(handler: Handler) -> Handler:
    """Return a handler that answers what goes wrong with a page, where a page was asked for."""

    async def answered(request: Request) -> Response:
        if not _takes_html(request):
            if request.url.path == "/":
                raise HTTPException(404)
            return await handler(request)
        try:
            return await handler(request)
        except AuthenticationError as error:
            return await _ask_for_token(request, error)
        except SclblError as error:
            shown = await problems.noted(request, error)
            place = context_of(request).registry.location
            return _message(
                request,
                "There is no such page"
                if isinstance(error, NotFoundError)
                else "This did not work",
                problems.message_of(shown, place),
                problems.status_of(shown),
            )

    return answered


def _takes_html(request: Request) -> bool:
    accept = request.headers.get("accept", "*/*")
    return "text/html" in accept or "*/*" in accept


def _up(request: Request) -> str:
    """Return the way from a page to the list, which holds behind a prefix too."""
    return "../" * (request.url.path.count("/") - 1) or "./"


def _message(
    request: Request, title: str, message: str, status: int, again: str | None = None
) -> Response:
    up = _up(request)
    text = page.render_message(title, message, assets=_assets(up), up=up, again=again)
    return html(text, request, status)


def _assets(up: str) -> str:
    return f"{up}assets/{digest()}/"


async def _ask_for_token(request: Request, error: AuthenticationError) -> Response:
    """Return the page that asks for the token, at the address that needs it."""
    await problems.noted(request, error)
    elsewhere = request.headers.get("sec-fetch-site") in ("cross-site", "same-site")
    if error.fingerprint is None and elsewhere and "again" not in request.query_params:
        # The browser followed a link of another site and kept the cookie back. From a page of
        # this server it sends it.
        ref = request.path_params.get("ref")
        again = f"{'' if ref is None else quote(ref, safe='@')}?again=1"
        return _message(request, "One moment", "This page opens in a moment.", 401, again)
    up = _up(request)
    ref = request.path_params.get("ref")
    said = "" if error.fingerprint is None else "The token is not right any longer; log in again."
    text = page.render_login("" if ref is None else f"d/{ref}", said, assets=_assets(up), up=up)
    response = html(text, request, 401)
    if error.fingerprint is not None:
        cookies.forget(request, response)
    return response


async def index(request: Request) -> Response:
    """Return the list of deployments."""
    context = reading(request)
    records = await context.ask(context.registry.deployments)
    query = request.query_params.get("q", "")[:200]
    after = request.query_params.get("after", "")
    found = [r for r in records if query.strip().lower() in r.name]
    rest = [r for r in found if r.name > after]
    more = rest[LISTED - 1].name if len(rest) > LISTED else None
    text = page.render_index(
        rest[:LISTED],
        query=query,
        after=more,
        total=len(records),
        private=context.guard.private,
        assets=_assets("./"),
    )
    return html(text, request)


async def deployment(request: Request) -> Response:
    """Return the page of the version that a ref names."""
    context = reading(request)
    record = await context.ask(context.registry.get, request.path_params["ref"])
    versions = await context.ask(context.registry.versions, record.name)
    example = await examples_of(request).of(record)
    knowledge = await _known(request, context, record)
    notes = []
    widget = None
    try:
        widget = page.widget_of(record)
    except RequestError as error:
        notes.append(str(error))
    only = page.SERVER_ONLY in record.tags
    private = context.guard.private
    if only and not private:
        notes.append("Its program stays on the server, which computes the predictions.")
    server = f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}"
    place = page.Place(
        assets=_assets("../"),
        program=None if only else f"../v1/programs/{record.sha256}.wasm",
        deployment=f"../v1/deployments/{record.ref}",
        codes=calls.of_server(record, example, server, private=private, only=only),
        index="../",
        private=private,
        server=server,
    )
    # Docs may be long, and forms wide: nothing waits behind them.
    text = await context.pools.run(
        "read",
        lambda: page.render(
            record,
            place,
            widget=widget,
            known=knowledge,
            example=example,
            versions=versions,
            notes=notes,
        ),
    )
    return html(text, request)


async def _known(request: Request, context: Context, record: Record) -> Known | None:
    """Return what the version's spec knows of its columns; None where it cannot be read."""
    state = request.app.state
    if not hasattr(state, "known"):
        state.known = OrderedDict()
    held: OrderedDict[str, Known] = state.known
    if record.spec_sha256 not in held:
        try:
            held[record.spec_sha256] = await context.ask(_read, context, record)
        except SclblError as error:
            log.warning("the form of %s has no categories: %s", record.ref, error)
            return None
        while len(held) > REMEMBERED:
            held.popitem(last=False)
    return held[record.spec_sha256]


def _read(context: Context, record: Record) -> Known:
    spec = onnx_format.read(context.registry.spec(record), limit=SPEC_BYTES)
    return known(Signature.from_json(record.signature), spec.graph)


async def asset(request: Request) -> Response:
    """Return a script or the style of pages; under the name of its release it never changes."""
    name, release = request.path_params["name"], request.path_params.get("digest")
    content = assets().get(name)
    if content is None or release not in (None, digest()):
        raise NotFoundError(f"there is no {name[:80]!r} of this release; load the page again")
    etag = f'"{digest()}"'
    fixed = "public, max-age=31536000, immutable"
    headers = {
        "etag": etag,
        "cache-control": "no-cache" if release is None else fixed,
        "x-content-type-options": "nosniff",
    }
    if request.headers.get("if-none-match", "").removeprefix("W/") == etag:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=_TYPES[name.rpartition(".")[2]])


async def login(request: Request) -> Response:
    """Return the page that asks for the token."""
    return html(page.render_login("", assets=_assets("./"), up="./"), request)


async def log_in(request: Request) -> Response:
    """Check a token and let the browser keep it."""
    context = context_of(request)
    cookies.refuse_foreign(request)
    body = await Bounded(request, "the login", LOGIN_BODY, context.settings).read()
    said = parse_qs(body.decode("latin-1"), max_num_fields=4)
    token = said.get("token", [""])[0].strip()
    wanted = _TARGET.fullmatch(said.get("next", [""])[0])
    ref = wanted[1] if wanted else None
    target = "./" if ref is None else f"./d/{quote(ref, safe='@')}"
    try:
        context.gate.check([f"Bearer {token}"], write=False)
    except AuthenticationError as error:
        await problems.noted(request, error)
        text = page.render_login(
            "" if ref is None else f"d/{ref}",
            "This is not the token of this server.",
            assets=_assets("./"),
            up="./",
        )
        return html(text, request, 401)
    response = html("", request, 303)
    response.headers["location"] = target
    cookies.keep(request, response, token)
    return response


async def log_out(request: Request) -> Response:
    """Let the browser forget the token."""
    cookies.refuse_foreign(request)
    response = html("", request, 303)
    response.headers["location"] = "./"
    # Programs and descriptions that the pages kept for the next visit go too.
    response.headers["clear-site-data"] = '"cache", "storage"'
    cookies.forget(request, response)
    return response


ROUTES = [
    Route("/", _page(index), methods=["GET"]),
    Route("/d/{ref}", _page(deployment), methods=["GET"]),
    Route("/assets/{name}", asset, methods=["GET"]),
    Route("/assets/{digest}/{name}", asset, methods=["GET"]),
    Route("/login", _page(login), methods=["GET"]),
    Route("/login", _page(log_in), methods=["POST"]),
    Route("/logout", _page(log_out), methods=["POST"]),
]
