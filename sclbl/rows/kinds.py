"""Which kind a column is, from its dtype or, for Python objects, from its values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

import numpy as np

from sclbl.errors import DtypeError
from sclbl.missing import NAMES, is_missing, kind_of
from sclbl.signature import Kind

#: What to do about values that no model here takes, by the name of their type.
_ADVICE = {
    "complex": "models take real numbers; give the parts as two columns",
    "bytes": "decode bytes to text first, for example values.astype(str)",
    "date": "turn dates into numbers first, for example seconds since 1970",
    "Decimal": "convert decimals first, for example column.astype('float64')",
    "list": "give one value a cell; spread nested values over columns",
    "int128": "no array holds them; cast to Int64, for example column.cast(pl.Int64)",
    "null[": "give the column a type, for example column.astype('float64')",
    "dictionary<": "take it apart, for example column.astype('int64')",
    "halffloat": "cast to float32 or float64",
    "float16": "libraries disagree on what to compute in; cast to float32 or float64",
    "longdouble": "programs compute in float64 at most; cast to float64",
    "binary": "decode bytes to text first",
    "struct": "give one value a cell; spread nested values over columns",
    "array(": "give one value a cell; spread nested values over columns",
    "map<": "give one value a cell; spread nested values over columns",
    "run_end": "take it apart first, for example compute.run_end_decode(column)",
    "sparse": "densify first, for example X.toarray() or frame.sparse.to_dense()",
}
_DATES = ("date", "time", "Timestamp", "Timedelta", "Period", "NaTType", "duration")


def described(name: str | None, position: int) -> str:
    """Return how messages call a column: its name in quotes, else its position."""
    return f"column {position}" if name is None else f"column {name!r}"


def article(noun: str) -> str:
    """Return a noun with its indefinite article."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def shortened(value: Any, most: int = 60) -> str:
    """Return a value as messages show it, in so many letters at most."""
    text = repr(value[: most + 1] if isinstance(value, str) else value)
    return text if len(text) <= most else f"{text[: most - 4]}..."


def shown(value: Any) -> str:
    """Return a value as refusals show it: whole numbers without a point, of objects what they are.

    The JavaScript loader shows it in the same way, and JavaScript has one kind of number.
    """
    if (missing := kind_of(value)) is not None:
        return NAMES[missing]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str) or type(value) is bool:
        return shortened(value)
    if isinstance(value, float):
        return repr(float.__float__(value) + 0.0).removesuffix(".0")
    if isinstance(value, int):
        try:
            return shortened(int.__int__(value))
        except ValueError:  # Python refuses to write very long integers, and nobody reads them
            return f"an integer of {value.bit_length()} bits"
    return article(type(value).__name__)


def refuse_cell(value: Any, row: int, label: str, dtype: str, why: str) -> NoReturn:
    """Raise `DtypeError` for a value that a column's type does not hold; `why`, and what to do."""
    raise DtypeError(
        f"row {row}, column {label!r} holds {shown(value)}, which is no {dtype}; {why}",
        row=row,
        column=label,
    )


def refuse_object(value: Any, row: int, label: str, dtype: str) -> NoReturn:
    """Raise `DtypeError` for a value of a type that no model takes."""
    refuse_cell(value, row, label, dtype, _advice(type(value).__name__))


def _advice(what: str) -> str:
    """Return what to do about values of a type that no model takes."""
    key = next((k for k in _ADVICE if k.lower() in what.lower()), None)
    if key is None and any(d.lower() in what.lower() for d in _DATES):
        key = "date"
    if key is None and what in ("tuple", "dict", "set", "ndarray", "struct", "Series"):
        key = "list"
    return _ADVICE.get(key or "", "models take numbers, booleans and text")


def refuse_type(
    what: str, column: str, *, row: int | None = None, name: str | None = None
) -> NoReturn:
    """Raise `DtypeError` for a type that no model takes, with what to do instead."""
    where = column if row is None else f"row {row}, {column}"
    raise DtypeError(f"{where} holds {what}; {_advice(what)}", row=row, column=name)


def kind_of_dtype(dtype: np.dtype[Any], column: str, name: str | None = None) -> Kind | None:
    """Return the kind of a NumPy dtype; None for objects, which must be looked into.

    Raises
    ------
    DtypeError
        For dates, complex numbers, bytes, long doubles and structured dtypes.
    """
    if dtype.kind == "f" and dtype.itemsize <= 8:
        return "float64" if dtype.itemsize == 8 else "float32"
    if dtype.kind in "iu":
        return "integer"
    if dtype.kind == "b":
        return "boolean"
    if dtype.kind in "UT":
        return "text"
    if dtype.kind == "O":
        return None
    known = {"f": "longdouble", "c": "complex", "M": "dates", "m": "durations", "S": "bytes"}
    what = known.get(dtype.kind, str(dtype))
    refuse_type("dates" if what == "durations" else what, column, name=name)


def kind_of_values(values: Iterable[Any], column: str, name: str | None = None) -> Kind:
    """Return the kind of a column of Python objects.

    Numbers with missing values are float64, as are columns that are missing throughout; text with
    missing values is text.

    Raises
    ------
    DtypeError
        Where text and numbers are mixed, or a value is neither.
    """
    first: dict[str, tuple[int, Any]] = {}
    for row, value in enumerate(values):
        if is_missing(value):
            family = "missing"
        elif isinstance(value, str):
            family = "text"
        elif isinstance(value, (bool, np.bool_)):
            family = "boolean"
        # NumPy counts durations among the integers.
        elif isinstance(value, (int, np.integer)) and not isinstance(value, np.timedelta64):
            family = "integer"
        elif isinstance(value, np.float32):
            family = "float32"
        elif isinstance(value, float):
            family = "float64"
        else:
            refuse_type(type(value).__name__, column, row=row, name=name)
        first.setdefault(family, (row, value))
    seen = first.keys() - {"missing"}
    if "text" in seen:
        if len(seen) > 1:
            number = min(first[f] for f in seen - {"text"})
            text = first["text"]
            raise DtypeError(
                f"{column} mixes text and numbers: row {text[0]} holds {shortened(text[1])}, row "
                f"{number[0]} holds {number[1]!r}; convert the column to one of them",
                row=max(text[0], number[0]),
                column=name,
            )
        return "text"
    if seen == {"boolean"}:
        return "boolean"
    if seen == {"integer"} and "missing" not in first:
        return "integer"
    return "float32" if seen == {"float32"} else "float64"
