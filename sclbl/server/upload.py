"""``POST /v1/deployments/{name}/versions``: a program with its spec, verified again here."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import unquote

import msgspec
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sclbl import fidelity
from sclbl.errors import InvalidProgramError, LimitError, MediaTypeError, RequestError, SclblError
from sclbl.registry.base import Record
from sclbl.registry.refs import check_alias, check_name
from sclbl.server.bodies import Bounded
from sclbl.server.context import Context, json_response, record_json, writing

log = logging.getLogger("sclbl.server")

_FORM = (
    "send multipart/form-data with the files 'program' (.wasm) and 'spec' (.onnx) and, if wanted, "
    "the field 'details' (JSON: alias, docs, tags, metrics)"
)
#: Most bytes of the details; what each of them may hold is checked by the registry.
DETAILS_BYTES = 32 * 1024 * 1024


class Details(msgspec.Struct, forbid_unknown_fields=True):
    """What is kept with a version."""

    alias: str | None = None
    docs: str | None = None
    tags: dict[str, str] | None = None
    metrics: dict[str, float] | None = None


class Upload(msgspec.Struct):
    """One upload, read and not yet verified."""

    program: bytes
    spec: bytes
    details: Details


async def read_upload(request: Request, context: Context) -> Upload:
    """Read the body of an upload.

    Raises
    ------
    LimitError
        It is too large: known from Content-Length at once, else while it arrives.
    MediaTypeError, RequestError
        It is not a form, or a part is missing, unknown or unreadable.
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
        request.headers, stream(), max_files=2, max_fields=1, max_part_size=DETAILS_BYTES
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError) as error:
        why = error.message if isinstance(error, MultiPartException) else "it names no boundary"
        raise RequestError(f"the upload cannot be read: {why}; {_FORM}") from None
    try:
        parts: dict[str, bytes] = {}
        for name, value in form.multi_items():
            if name not in ("program", "spec", "details") or name in parts:
                raise RequestError(f"the upload has a part {name[:80]!r} too many; {_FORM}")
            parts[name] = await value.read() if isinstance(value, UploadFile) else value.encode()
    finally:
        await form.close()
    for name in ("program", "spec"):
        if name not in parts:
            raise RequestError(f"the upload has no part {name!r}; {_FORM}")
    try:
        details = msgspec.json.decode(parts.get("details", b"{}"), type=Details)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(f"the upload's details cannot be read: {error}; {_FORM}") from None
    return Upload(parts["program"], parts["spec"], details)


async def upload(request: Request) -> Response:
    """Verify a program against its spec and record it as the next version."""
    context = writing(request)
    name = check_name(request.path_params["name"])
    # Percent-encoded, because headers hold no text beyond ASCII.
    key = request.headers.get("idempotency-key")
    found = await read_upload(request, context)
    if found.details.alias is not None:
        check_alias(found.details.alias)
    await context.verify(verify, found)
    record: Record = await context.ask(
        context.registry.create,
        name,
        found.program,
        found.spec,
        alias=found.details.alias,
        docs=found.details.docs,
        tags=found.details.tags,
        metrics=found.details.metrics,
        request_id=None if key is None else unquote(key),
    )
    context.predictor.forget()
    location = {"location": f"/v1/deployments/{record.ref}"}
    return json_response(record_json(record), 201, location)


def verify(found: Upload) -> None:
    """Check that a program is one, within its limits, and computes what its spec says.

    Raises
    ------
    InvalidProgramError, SpecError, FidelityError, LimitError
        It is not, does not, or tries to take more than it may.
    """
    try:
        fidelity.verify_program(found.program, found.spec)
    except SclblError:
        raise
    except MemoryError:
        raise LimitError("verifying this program takes more memory than there is") from None
    except Exception as error:
        # Bytes from outside: what they provoke is taken for their fault, and looked into.
        log.warning("an upload made verification fail", exc_info=error)
        raise InvalidProgramError(
            f"the program or its spec cannot be verified ({type(error).__name__}: {error}); "
            "compile the model again with sclbl.compile"
        ) from error


ROUTES = [Route("/v1/deployments/{name}/versions", upload, methods=["POST"])]
