"""Errors as JSON: one table from error class to status, one shape of body."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from sclbl.errors import (
    AuthenticationError,
    BusyError,
    CompileError,
    ConflictError,
    CorruptedError,
    DeadlineError,
    DeletedError,
    FidelityError,
    HostError,
    InputError,
    InvalidNameError,
    InvalidProgramError,
    InvalidRefError,
    LimitError,
    MediaTypeError,
    ModelError,
    NotFoundError,
    ProgramError,
    RegistryError,
    RemoteError,
    RequestError,
    RequestTimeoutError,
    SclblError,
    ServerOnlyError,
    SpecError,
    StorageError,
    StorageFullError,
    UnsupportedMethodError,
)
from sclbl.registry import failures
from sclbl.server import audit
from sclbl.server.context import address_of, context_of

log = logging.getLogger("sclbl.server")

#: Status of each class of error; a class that is not here has the status of its nearest base.
STATUS: Mapping[type[SclblError], int] = {
    SclblError: 500,
    # what was uploaded
    ModelError: 422,
    SpecError: 422,
    FidelityError: 422,
    InvalidProgramError: 422,
    CompileError: 500,
    ProgramError: 500,
    LimitError: 413,
    # what was asked for
    UnsupportedMethodError: 404,
    InputError: 422,
    InvalidNameError: 400,
    InvalidRefError: 400,
    NotFoundError: 404,
    DeletedError: 410,
    ConflictError: 409,
    RegistryError: 422,
    CorruptedError: 500,
    BusyError: 503,
    StorageError: 503,
    StorageFullError: 507,
    # how it was asked
    RequestError: 400,
    MediaTypeError: 415,
    HostError: 421,
    RequestTimeoutError: 408,
    AuthenticationError: 401,
    ServerOnlyError: 403,
    RemoteError: 502,
}


_STORAGE = "the server's storage does not work just now: {}; the server's log says more"


def status_of(error: SclblError) -> int:
    """Return the HTTP status of an error."""
    return next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)


def of_storage(error: BaseException) -> SclblError | None:
    """Return what a failure of the disk or the system is called; None where it is none.

    The cause is looked at, whatever class it was wrapped in: a client can do nothing about it, so
    it must not be told that its request was wrong.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, StorageError):
            return cause
        if isinstance(cause, OSError) and failures.is_storage(cause):
            return failures.failure(cause, _STORAGE.format(cause.strerror))
        cause = cause.__cause__
    return None


def body_of(error: SclblError, place: str | None = None) -> bytes:
    """Return the JSON body of an error: code, message, and where in the rows it was.

    Where the registry lies, at `place`, is the server's own affair.
    """
    message, shell = _without(place, str(error)), _without(place, error.shell)
    row, column = getattr(error, "row", None), getattr(error, "column", None)
    given = getattr(error, "input", None)
    return error_body(error.code, message, row, column, shell, given)


def _without(place: str | None, text: str) -> str:
    return text.replace(f"{place}/", "").replace(f" {place}", "") if place else text


def error_body(
    code: str,
    message: str,
    row: int | None = None,
    column: str | None = None,
    shell: str | None = None,
    given: str | None = None,
) -> bytes:
    """Return the JSON body of an error; `given` is the input that it is of."""
    # The column's position can arrive as a number from the program; it is text on the wire.
    place = None if column is None else str(column)
    said = {"code": code, "message": message, "row": row, "column": place}
    if given is not None:
        said["input"] = given
    if shell is not None and shell != message:
        said["shell"] = shell
    return msgspec.json.encode({"error": said})


def headers_of(error: SclblError) -> dict[str, str]:
    """Return the headers that go with an error."""
    headers = {"cache-control": "no-store"}
    if isinstance(error, AuthenticationError):
        headers["www-authenticate"] = 'Bearer realm="sclbl"'
    if isinstance(error, RequestTimeoutError) or (
        isinstance(error, LimitError) and not isinstance(error, DeadlineError)
    ):
        # The rest of the body is not read, so the connection cannot carry another request.
        headers["connection"] = "close"
    if isinstance(error, (BusyError, StorageError)):
        headers["retry-after"] = "1"
    return headers


def response_of(error: SclblError, place: str | None = None) -> Response:
    """Return the answer to a request that failed."""
    return Response(
        body_of(error, place), status_of(error), headers_of(error), media_type="application/json"
    )


def message_of(error: SclblError, place: str | None = None) -> str:
    """Return what a person is told of an error."""
    return _without(place, str(error))


async def noted(request: Request, error: SclblError) -> SclblError:
    """Log an error as it deserves, let who sent a wrong token wait, and return what is answered."""
    context = context_of(request)
    shown = of_storage(error) or error
    if status_of(shown) >= 500 and not isinstance(error, BusyError):
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    if isinstance(error, AuthenticationError) and error.fingerprint is not None:
        address = address_of(request)
        count = context.slowdown.count(address)
        audit.refused(address, error.fingerprint, request.url.path, count)
        await context.slowdown.wait(count)
    return shown


async def on_error(request: Request, error: Exception) -> Response:
    """Answer an error of sclbl's own tree."""
    if not isinstance(error, SclblError):
        raise error
    return response_of(await noted(request, error), context_of(request).registry.location)


async def on_os_error(request: Request, error: Exception) -> Response:
    """Answer a failure of the system that nobody gave a name."""
    shown = of_storage(error)
    if shown is None:
        raise error
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return response_of(shown)


async def on_http_error(request: Request, error: Exception) -> Response:
    """Answer an unknown path, or a method that a path does not have."""
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == 404:
        code, message = "not_found", f"there is nothing at {request.url.path}; see /openapi.json"
    elif error.status_code == 405:
        code = "request"
        message = f"{request.url.path} does not take {request.method}; see /openapi.json"
    else:
        code, message = "request", str(error.detail)
    headers = dict(error.headers or {})
    return Response(
        error_body(code, message), error.status_code, headers, media_type="application/json"
    )


async def on_defect(request: Request, error: Exception) -> Response:
    """Answer anything unforeseen; the details stay in the server's log."""
    message = "the server failed on this request; its log says why"
    return Response(error_body("error", message), 500, media_type="application/json")


def handlers() -> dict[Any, Any]:
    """Return the table of handlers that Starlette takes."""
    return {
        SclblError: on_error,
        OSError: on_os_error,
        HTTPException: on_http_error,
        Exception: on_defect,
    }
