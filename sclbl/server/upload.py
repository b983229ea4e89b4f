"""``POST /v1/deployments/{name}/versions``: a spec, compiled here to the program that is stored."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Annotated, Any, BinaryIO, TypeVar
from urllib.parse import unquote

import msgspec
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sclbl.errors import MediaTypeError, RequestError
from sclbl.registry.base import Record
from sclbl.registry.blobs import digest
from sclbl.registry.metadata import About, check_about
from sclbl.registry.refs import check_name
from sclbl.server.bodies import Bounded
from sclbl.server.context import Context, json_response, record_json, writing

T = TypeVar("T")
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}\\Z")]

_FORM = (
    "send multipart/form-data with the file 'spec' (.onnx, compressed with zlib) and the field "
    "'details' (JSON: sha256, spec_sha256 and, if wanted, stated, alias, docs, tags, metrics)"
)
#: Most bytes of the details; what each of them may hold is checked by the registry.
DETAILS_BYTES = 32 * 1024 * 1024
#: Most bytes of JSON that are read on the event loop.
AT_ONCE_BYTES = 64 * 1024


class Details(msgspec.Struct, forbid_unknown_fields=True):
    """What is said of an upload: what the client verified, and what is kept with the version."""

    sha256: Sha256
    spec_sha256: Sha256
    stated: dict[str, Any] = {}
    alias: str | None = None
    docs: str | None = None
    tags: dict[str, str] | None = None
    metrics: dict[str, float] | None = None


def read_json(data: bytes | str, kind: type[T], what: str) -> T:
    """Return JSON as a structure; raise `RequestError` where it is not one.

    Python's own reader: it keeps the order of keys and the digits of numbers, so that what a client
    stated becomes the same bytes here as it is there.
    """
    try:
        return msgspec.convert(json.loads(data, object_pairs_hook=once), kind)
    except (ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise RequestError(f"{what} cannot be read: {error}") from None


async def aside(read: Callable[..., T], data: bytes | str, *more: Any) -> T:
    """Return what a function reads, where it is long in a thread, while others are answered."""
    if len(data) <= AT_ONCE_BYTES:
        return read(data, *more)
    return await asyncio.to_thread(read, data, *more)


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; raise `ValueError` where a key is there twice, as two readers differ."""
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        double = next(key for key, count in counts.items() if count > 1)
        raise ValueError(f"the key {double[:80]!r} is there more than once")
    return found


async def read_form(request: Request, context: Context) -> FormData:
    """Read the body of an upload, large files to the disk.

    Raises
    ------
    LimitError
        It is too large: known from Content-Length at once, else while it arrives.
    MediaTypeError, RequestError
        It is not a form, or unreadable.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    bounded = Bounded(request, "the upload", context.settings.upload_bytes, context.settings)
    if kind != "multipart/form-data":
        raise MediaTypeError(f"an upload has the Content-Type {kind!r}; {_FORM}")

    async def stream() -> Any:
        more = True
        while more:
            message = await bounded.receive()
            more = message.get("more_body", False)
            yield message.get("body", b"")

    # Files go to a temporary file above a megabyte, fields are bounded by max_part_size.
    parser = MultiPartParser(
        request.headers, stream(), max_files=1, max_fields=1, max_part_size=DETAILS_BYTES
    )
    try:
        return await parser.parse()
    except (MultiPartException, KeyError) as error:
        why = error.message if isinstance(error, MultiPartException) else "it names no boundary"
        raise RequestError(f"the upload cannot be read: {why}; {_FORM}") from None


async def parts(form: FormData) -> tuple[BinaryIO, Details]:
    """Return the file and the details of an upload; raise `RequestError` where it has others."""
    found = dict(form)
    for name in form:
        if name not in ("spec", "details"):
            raise RequestError(f"the upload has a part {name[:80]!r} too many; {_FORM}")
    for name, kind in (("spec", UploadFile), ("details", str)):
        if not isinstance(found.get(name), kind):
            what = "file" if kind is UploadFile else "field"
            raise RequestError(f"the upload has no {what} {name!r}; {_FORM}")
    spec, details = found["spec"], found["details"]
    read = await aside(read_json, str(details), Details, "the upload's details")
    return spec.file, read  # type: ignore[union-attr]  # looked at above


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Do some work for as long as the client waits for it; cancel it when he does not."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(disconnected(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise RequestError("the client closed the connection before its upload was compiled")
        return task.result()
    finally:
        for left in (task, gone):
            left.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await left


async def disconnected(request: Request) -> None:
    """Wait until the client closes the connection; its body was read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def upload(request: Request) -> Response:
    """Compile a spec and record its program as the next version, or keep it until confirmed."""
    context = writing(request)
    name = check_name(request.path_params["name"])
    # Percent-encoded, because headers hold no text beyond ASCII.
    key = request.headers.get("idempotency-key")
    opening = asyncio.ensure_future(asyncio.to_thread(context.workshop.open))
    form = await read_form(request, context)
    try:
        spec, details = await parts(form)
        about = check_about(
            name,
            alias=details.alias,
            docs=details.docs,
            tags=details.tags,
            metrics=details.metrics,
            request_id=None if key is None else unquote(key),
        )
        record = await context.ask(context.registry.recorded, about, details.spec_sha256)
        if record is not None:
            return _created(record)
        await opening
        made = await while_connected(request, context.workshop.compile(spec, details.stated))
    finally:
        await form.close()
    return await settle(context, about, details, made.wasm, made.spec, made.report)


async def settle(
    context: Context, about: About, details: Details, wasm: bytes, spec: bytes, report: Any
) -> Response:
    """Record what was compiled here where the client verified these bytes, else keep it a while."""
    if digest(spec) != details.spec_sha256:
        raise RequestError(
            f"the upload's spec has the SHA-256 {digest(spec)}, and its details say "
            f"{details.spec_sha256[:64]!r}; it was altered on its way, so send it again"
        )
    if digest(wasm) == details.sha256:
        record = await context.ask(context.registry.record, about, wasm, spec, report)
        context.predictor.forget()
        return _created(record)
    held = await context.ask(context.registry.hold, about, wasm, spec, report)
    if isinstance(held, Record):
        return _created(held)
    path = f"/v1/pending/{held.id}"
    return json_response({"pending": {**held.to_json(), "url": path}}, 202, {"location": path})


def _created(record: Record) -> Response:
    location = {"location": f"/v1/deployments/{record.ref}"}
    return json_response(record_json(record), 201, location)


class Confirmation(msgspec.Struct, forbid_unknown_fields=True):
    """What a client verified of a pending program."""

    sha256: Sha256
    stated: dict[str, Any] = {}


async def confirm(request: Request) -> Response:
    """Record a pending program, which its uploader has verified."""
    context = writing(request)
    body = await Bounded(request, "the confirmation", DETAILS_BYTES, context.settings).read()
    found = await aside(read_json, body, Confirmation, "the confirmation")
    record = await context.ask(
        context.registry.confirm, request.path_params["id"], found.sha256, found.stated
    )
    context.predictor.forget()
    return _created(record)


async def fetch(request: Request) -> Response:
    """Return a pending program."""
    context = writing(request)
    wasm = await context.ask(context.registry.held, request.path_params["id"])
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    return Response(wasm, headers=headers, media_type="application/wasm")


async def drop(request: Request) -> Response:
    """Forget a pending program."""
    context = writing(request)
    await context.ask(context.registry.drop, request.path_params["id"])
    return Response(status_code=204)


ROUTES = [
    Route("/v1/deployments/{name}/versions", upload, methods=["POST"]),
    Route("/v1/pending/{id}.wasm", fetch, methods=["GET"]),
    Route("/v1/pending/{id}", confirm, methods=["POST"]),
    Route("/v1/pending/{id}", drop, methods=["DELETE"]),
]
