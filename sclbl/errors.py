"""Every exception that sclbl raises, in one tree.

A message says what failed, on which object, and what to do next. Each class carries a stable
``code``: the server sends it, the client turns it back into the class.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, ClassVar

#: Characters of a message beyond which its middle is left out, and what stays of its end.
MOST, END = 4000, 1000


def cut(message: str) -> str:
    """Return a message without its middle where it is too long to be read: names of columns may
    have a million characters, and what to do stands at its end."""
    if len(message) <= MOST:
        return message
    left = len(message) - MOST
    return f"{message[: MOST - END]} [{left:,} characters left out] {message[-END:]}"


class SclblError(Exception):
    """Base of every error that sclbl raises on purpose."""

    code: ClassVar[str] = "error"

    @property
    def shell(self) -> str:
        """The message for a terminal: it advises commands where `str` advises calls in Python."""
        said = self.args[0] if self.args else ""
        return str(getattr(said, "shell", self))


# ------------------------------------------------------------------ the model


class ModelError(SclblError):
    """The fitted object cannot become a program."""

    code = "model"


class NotFittedError(ModelError):
    """The object was not fitted."""

    code = "not_fitted"


class UnsupportedModelError(ModelError):
    """No stripper knows this class, or this option of it."""

    code = "unsupported_model"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        refused = REFUSED.get()
        if refused is not None:
            refused.append(self)


#: What was refused while code of users is followed, which may catch it; None at other times.
REFUSED: ContextVar[list[UnsupportedModelError] | None] = ContextVar("REFUSED", default=None)


class UnsupportedMethodError(ModelError, AttributeError):
    """The model, or the program, does not offer the requested method."""

    code = "unsupported_method"


class SpecError(ModelError):
    """A spec or an ONNX file is malformed, too large, or uses what the compiler does not know."""

    code = "spec"


class CompileError(SclblError):
    """The compiler or the linker failed; always a defect of sclbl, never of the input."""

    code = "compile"


class FidelityError(SclblError):
    """The program does not predict what the model predicts.

    Attributes
    ----------
    report : object or None
        The fidelity report, worst row included.
    """

    code = "fidelity"

    def __init__(self, message: str, report: object | None = None) -> None:
        super().__init__(message)
        self.report = report


# ------------------------------------------------------------------- the rows


class InputError(SclblError, ValueError):
    """The rows given for prediction are refused.

    Attributes
    ----------
    row : int or None
        Position of the first offending row, counted from 0.
    column : str or None
        Name (or position, as text) of the offending column.
    input : str or None
        Name of the offending input, where the model has several with rows.
    """

    code = "input"

    def __init__(
        self,
        message: str,
        *,
        row: int | None = None,
        column: str | None = None,
        input: str | None = None,
    ) -> None:
        super().__init__(cut(message))
        self.row = row
        self.column = column
        self.input = input


class ColumnError(InputError):
    """Columns are missing, too few, too many, or repeated."""

    code = "columns"


class DtypeError(InputError, TypeError):
    """A value has the wrong type: text in a numeric column, a date, an object."""

    code = "dtype"


class ShapeError(InputError):
    """The input is not one row or a table of rows."""

    code = "shape"


class ParameterError(InputError, TypeError):
    """A value of the call that the method does not take, or of another type."""

    code = "parameter"


class MissingValueError(InputError):
    """A missing value (NaN, None) where the model refuses it."""

    code = "missing_value"


class InfiniteValueError(InputError):
    """An infinity, or a number too large for the model's own precision."""

    code = "infinite_value"


class UnknownCategoryError(InputError):
    """A category that the model did not see when it was fitted."""

    code = "unknown_category"


class OutOfRangeError(InputError):
    """A number outside of the range that the model takes: a negative one, for example."""

    code = "out_of_range"


class OutOfReachError(InputError):
    """A row so far from those that the model was fitted on that it has no answer."""

    code = "out_of_reach"


# ---------------------------------------------------------------- the program


class ProgramError(SclblError):
    """The program itself is at fault."""

    code = "program"


class InvalidProgramError(ProgramError):
    """The bytes are not a sclbl program: truncated, altered, or foreign."""

    code = "invalid_program"


class LimitError(ProgramError):
    """A program or an upload passed its limit of size, memory or time."""

    code = "limit"


class DeadlineError(LimitError):
    """A program took longer than it may."""

    code = "deadline"


# --------------------------------------------------------------- the registry


class RegistryError(SclblError):
    """The registry refused or failed."""

    code = "registry"


class InvalidNameError(RegistryError, ValueError):
    """A deployment name or alias is not well formed."""

    code = "invalid_name"


class InvalidRefError(RegistryError, ValueError):
    """A ref is not ``name``, ``name@version`` or ``name@alias``."""

    code = "invalid_ref"


class NotFoundError(RegistryError, LookupError):
    """No such deployment, version or alias."""

    code = "not_found"


class DeletedError(NotFoundError):
    """The version existed and was deleted."""

    code = "deleted"


class ConflictError(RegistryError):
    """The request contradicts the registry's state."""

    code = "conflict"


class CorruptedError(RegistryError):
    """Stored bytes do not match their SHA-256."""

    code = "corrupted"


class BusyError(RegistryError):
    """Too much of this is under way; the same request may succeed later."""

    code = "busy"


class StorageError(RegistryError):
    """The disk or the system below the registry failed; the request itself was right."""

    code = "storage"


class StorageFullError(StorageError):
    """The disk, or the quota on it, is full."""

    code = "storage_full"


class ReadOnlyError(StorageError):
    """The registry can be read and not written."""

    code = "read_only"


class ExhaustedError(StorageError):
    """The process or the system has no file descriptors or memory left."""

    code = "exhausted"


# ----------------------------------------------------------------- the server


class RemoteError(SclblError):
    """Talking to a server failed."""

    code = "remote"


class ServerUnreachableError(RemoteError, ConnectionError):
    """No answer from the server."""

    code = "unreachable"


class AuthenticationError(RemoteError, PermissionError):
    """The token is missing or wrong.

    Attributes
    ----------
    fingerprint : str or None
        Eight hex digits of the SHA-256 of a wrong token, for the log; None where there was none.
    """

    code = "authentication"

    def __init__(self, message: str, *, fingerprint: str | None = None) -> None:
        super().__init__(message)
        self.fingerprint = fingerprint


class RequestError(RemoteError):
    """The server refused a request as malformed, or answered what the client cannot read."""

    code = "request"


class ServerOnlyError(RemoteError):
    """The version is marked server-only, and its program is given to those with the token alone."""

    code = "server_only"


class MediaTypeError(RequestError):
    """The body of a request is of a type that the server does not read."""

    code = "media_type"


class HostError(RequestError):
    """The request is for a host that this server does not answer for."""

    code = "host"


class RequestTimeoutError(RequestError):
    """The body of a request arrived too slowly."""

    code = "request_timeout"


# --------------------------------------------------------------------- warnings


class SclblWarning(UserWarning):
    """Base of every warning that sclbl gives: the work was done, and there is something to know."""


class ColumnsWarning(SclblWarning):
    """A new version takes other columns than the one before it."""


def _subclasses(root: type[SclblError]) -> list[type[SclblError]]:
    found = [root]
    for child in root.__subclasses__():
        found.extend(_subclasses(child))
    return found


def by_code(code: str) -> type[SclblError]:
    """Return the exception class for a stable error code.

    Parameters
    ----------
    code : str
        The ``code`` attribute of one class in this module.

    Returns
    -------
    type
        The class; `SclblError` where the code is unknown (a newer server).
    """
    return {cls.code: cls for cls in _subclasses(SclblError)}.get(code, SclblError)
