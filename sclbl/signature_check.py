"""Whether a signature that comes from outside is well formed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from itertools import chain
from typing import Any, get_args

from sclbl.frame import Categories
from sclbl.shapes import elements
from sclbl.signature import (
    TABLE,
    DType,
    Input,
    InputKind,
    Kind,
    Output,
    Signature,
    Storage,
    is_held,
)

#: What a program exports beside its methods, so that no method is called so.
EXPORTS = ("memory", "alloc", "reset", "error")
#: Columns that may be written as a count, which costs a file nothing; and all columns.
MAX_COUNTED = 2**18
MAX_COLUMNS = 2**22
#: What ragged rows and values of a call hold, and what tensors hold.
_NUMBERS = ("float64", "float32", "int64", "bool")
#: What models return for ragged rows, by how these are stored; of integers, those that it holds.
_WIDER = {
    "float64": ("float64",),
    "float32": ("float16", "float32", "float64"),
    "int64": (*(f"{sign}int{n}" for sign in ("", "u") for n in (8, 16, 32)), "int64", "float64"),
    "bool": ("bool",),
}
_TENSORS = tuple(t for t in get_args(DType) if t not in ("text", "label"))
#: Largest numbers of the floats.
_LARGEST = {"float64": 2.0**1023 * (2 - 2.0**-52), "float32": 2.0**127 * (2 - 2.0**-23)}
#: Outputs of a method after its first, and inputs beside the table.
MAX_FURTHER, MAX_INPUTS = 15, 1024
#: What else a call has names for, so that no value of a call is called so.
_OF_CALLS = ("method", "rows", "output")
_METHOD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")
_MATRIX = re.compile(r"(bsr|coo|csc|csr|dia|dok|lil)_(array|matrix)")
_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
#: What models return, by what these hold. Characters of a text as NumPy's arrays have room for.
_PLAIN = re.compile(r"float(16|32|64)|u?int(8|16|32|64)|bool|object")
_CHARACTERS = re.compile(r"[<>]U([1-9][0-9]{0,3})")
#: Characters that each label may have room for where no label is so long.
MAX_ROOM = 1024


def validate(signature: Signature) -> None:
    """Check a signature that comes from outside.

    Raises
    ------
    ValueError
        Where its columns or outputs are not well formed; the message says which.
    """
    named = signature.layout == "table"
    # Columns that were written as a count are one object.
    columns = {id(c): c for c in signature.columns}.values()
    if (
        signature.layout not in ("array", "table")
        or not (columns or signature.beside)
        or any(c.kind not in get_args(Kind) for c in columns)
        or any(c.dtype is not None and not is_held(c) for c in columns)
        or any(isinstance(c.name, str) != named for c in columns)
        or (named and len({c.name for c in columns}) < len(signature.columns))
    ):
        raise ValueError("its columns are not well formed")
    _check_unicode(c.name for c in columns)
    whole = signature.one_row
    if not _is_shape(signature.shape, len(signature.columns), whole) or (
        signature.shape is not None and (named or len(columns) > 1)
    ):
        raise ValueError("its columns are not those of rows of its shape")
    if whole and (signature.inputs or not all(o.is_plain for o in signature.outputs.values())):
        raise ValueError("it takes one row, beside which nothing else comes in or goes out")
    for given in signature.inputs:
        if not isinstance(given.name, str) or not _PARAMETER.fullmatch(given.name):
            raise ValueError(f"an input cannot be called {str(given.name)[:80]!r}")
        if not _is_input(given):
            raise ValueError(f"its input {given.name!r} does not fit")
    names = [given.name for given in signature.inputs]
    if len(set(names)) < len(names):
        raise ValueError("two inputs have one name")
    if len(names) > MAX_INPUTS:
        raise ValueError(f"it has {len(names):,} inputs; programs take at most {MAX_INPUTS:,}")
    taken = {TABLE} & set(names) if signature.columns else set()
    taken |= {given.name for given in signature.parameters} & set(_OF_CALLS)
    if taken:
        raise ValueError(
            f"an input cannot be called {min(taken)!r}: calls have a use for that name"
        )
    if not signature.outputs:
        raise ValueError("it has no methods")
    for method, output in signature.outputs.items():
        if not is_method(method):
            raise ValueError(f"its output {method[:80]!r} cannot be a method")
        for one in (output, *output.further):
            _check(method, one, whole)
        if not set(output.parameters) <= {i.name for i in signature.parameters}:
            raise ValueError(f"its output {method!r} has parameters that are no inputs")
        if any(o.further for o in output.further) or len(output.further) > MAX_FURTHER:
            raise ValueError(f"its output {method!r} has too many further outputs")


def _check(method: str, output: Output, whole: bool) -> None:
    if not _is_returned(output):
        raise ValueError(
            f"its output {method!r} is of type {str(output.dtype)[:40]!r}, which programs do not "
            f"make of {str(output.storage)[:40]!r}"
        )
    if not _fits(output, whole) or not _fits_containers(output):
        raise ValueError(f"its output {method!r} does not fit")
    values = [v for column in output.labels or () for v in column]
    if not all(isinstance(v, (str, int, float, bool)) for v in values):
        raise ValueError(f"its output {method!r} has labels that are no labels")
    frame = output.frame
    _check_unicode(chain(values, output.names or (), (frame and frame.names) or ()))
    for dtype in frame.dtypes if frame else ():
        _check_unicode(dtype.values if isinstance(dtype, Categories) else ())


def _is_returned(output: Output) -> bool:
    """Return whether a model returns what is stored so as this type."""
    if not isinstance(output.dtype, str) or not isinstance(output.storage, str):
        return False
    if found := _CHARACTERS.fullmatch(output.dtype):
        texts = (v for column in output.labels or () for v in column if isinstance(v, str))
        longest = max(map(len, texts), default=0)
        return output.storage == "text" or (
            output.storage == "label" and int(found[1]) <= max(longest, MAX_ROOM)
        )
    if output.storage == "text":
        return output.dtype == "object"
    # A matrix of `scipy.sparse` has numbers.
    numbers = output.matrix is None or output.dtype != "object"
    return numbers and _PLAIN.fullmatch(output.dtype) is not None


def _check_unicode(texts: Iterable[Any]) -> None:
    """Raise where a text holds a lone surrogate, which no program and no file can."""
    try:
        for text in texts:
            if isinstance(text, str):
                text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"it holds {text!a:.80}, which is not valid Unicode text") from None


def is_method(name: str) -> bool:
    """Return whether a method may be called so."""
    return _METHOD.fullmatch(name) is not None and name not in EXPORTS


def _is_shape(shape: tuple[int, ...] | None, width: int, whole: bool = False) -> bool:
    """Return whether a shape, where there is one, has more than one axis and this product.

    A `whole` tensor always has a shape, of any number of axes.
    """
    if shape is None:
        return not whole
    return (whole or len(shape) > 1) and min(shape, default=1) > 0 and elements(shape) == width


def _is_input(given: Input) -> bool:
    kind, width = given.kind, given.width
    held = {"tensor": _TENSORS, "list": (*_NUMBERS, "text")}.get(kind, _NUMBERS)
    if kind not in get_args(InputKind) or given.dtype not in held:
        return False
    if min(given.shape, default=1) < 1 or width > MAX_COLUMNS:
        return False
    if kind == "parameter":
        return _is_default(given) and not given.shape
    fits = {"tensor": True, "list": not given.shape, "features": not given.shape}
    return given.default is None and fits.get(kind, len(given.shape) == 1)


def _is_default(given: Input) -> bool:
    """Return whether a parameter's type holds its default."""
    value = given.default
    if given.dtype == "bool" or isinstance(value, bool):
        return given.dtype == "bool" and isinstance(value, bool)
    if given.dtype == "int64":
        return isinstance(value, int) and -(2**63) <= value < 2**63
    if not isinstance(value, (int, float)):
        return False
    return abs(value) <= _LARGEST[given.dtype] or value in (math.inf, -math.inf) or value != value


def _fits_containers(output: Output) -> bool:
    """Return whether a result may stand in the containers that its description names."""
    plain = output.is_plain and output.shape is None and output.splits is None
    plain = plain and output.storage != "label"
    frame, matrix = output.frame, output.matrix
    if frame is not None and not (
        plain and frame.fits(output.width, output.names, text=output.storage == "text")
    ):
        return False
    numbers = output.ragged == "sparse" or (plain and output.storage != "text")
    return matrix is None or (
        numbers and isinstance(matrix, str) and _MATRIX.fullmatch(matrix) is not None
    )


def _fits(output: Output, whole: bool = False) -> bool:
    labels, splits = output.labels, output.splits
    if output.ragged is not None:
        plain = labels is None and splits is None and output.shape is None
        sized = output.ndim == (1 if output.ragged == "list" else 2)
        known = output.ragged in ("list", "sparse") and output.storage in _NUMBERS
        known = known and output.dtype in _WIDER[output.storage]
        named = output.names is None or len(output.names) == output.width
        return plain and sized and known and named and 0 < output.width <= MAX_COLUMNS
    return (
        output.storage in get_args(Storage)
        and 0 < output.width <= MAX_COLUMNS
        and _is_shape(output.shape, output.width, whole)
        and output.ndim in ((1, 2) if output.shape is None else (len(output.shape) + (not whole),))
        and (whole or output.ndim >= 2 or output.width == 1 or splits is not None)
        and not (whole and (labels or splits or output.empty))
        and (splits is None or (sum(splits) == output.width and min(splits, default=0) > 0))
        and (output.names is None or len(output.names) == output.width)
        and (labels is not None) == (output.storage == "label")
        and (labels is None or (len(labels) == output.width and all(labels)))
    )
