"""The fields of a form: one for each column, else one for a row of an input, and the parameters."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from sclbl.json_calls import names_of
from sclbl.printable import printable
from sclbl.signature import TABLE, Column, Input, Signature
from sclbl.web.known import Known

#: A row of more columns is one field, in JSON.
MOST_FIELDS = 200
#: More categories than anyone looks through are typed.
MOST_CATEGORIES = 500
#: The smallest number that is normal: a bound below it means "more than nothing".
_TINY = np.finfo(np.float64).smallest_normal.item()
#: The largest number of a form.
_LARGEST = np.finfo(np.float64).max.item()
#: The tag in which an uploader says more about the fields.
TAG = "form"

Kind = Literal["number", "integer", "boolean", "text", "choice", "json"]

_KINDS: Mapping[str, Kind] = {
    "float64": "number",
    "float32": "number",
    "integer": "integer",
    "boolean": "boolean",
    "text": "text",
    "int64": "integer",
    "bool": "boolean",
}
_ROWS = {
    "features": 'an object of names and values, such as {"a": 1.5}',
    "list": 'a list of items, such as ["a", "b"]',
    "sparse": 'a list of all numbers, or {"columns": [0], "values": [1.5]}',
    "tensor": "lists of numbers in the shape",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form.

    Parameters
    ----------
    role : {"column", "row", "parameter"}
        What it holds: a cell of the row, a whole row of an input, a value of the call.
    name : str or int
        The column (its position where it has no name), the input or the parameter.
    label : str
        How the form calls it.
    kind : {"number", "integer", "boolean", "text", "choice", "json"}
        How it is filled in.
    help : str
        What may be filled in, in words; empty where the kind says it all.
    minimum, maximum, step : float, optional
        Of numbers, where they are known.
    categories : tuple, optional
        Values to choose from.
    missing : bool
        Whether the field may be left out, as far as the signature says.
    long : bool
        Whether a text is one of many words.
    absent : bool
        Whether it is left out to begin with.
    example : object
        The value to begin with, as JSON has it.
    """

    role: Literal["column", "row", "parameter"]
    name: str | int
    label: str
    kind: Kind
    help: str = ""
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    categories: tuple[Any, ...] | None = None
    missing: bool = False
    long: bool = False
    absent: bool = False
    example: Any = None

    def to_json(self) -> dict[str, Any]:
        """Return the field as JSON-ready data; what is not there is left out."""
        always = ("role", "name", "label", "kind")
        unsaid = ("help", "example")
        found = {k: v for k, v in asdict(self).items() if k not in unsaid}
        return {k: v for k, v in found.items() if k in always or not (v is None or v is False)}

    @property
    def shown(self) -> str:
        """The example as text in a field."""
        if self.example is None:
            return ""
        if self.kind == "json" or isinstance(self.example, bool):
            return json.dumps(self.example, ensure_ascii=False)
        if isinstance(self.example, float) and self.example.is_integer():
            return f"{self.example:.0f}" if abs(self.example) < 1e15 else repr(self.example)
        return str(self.example)


def fields(
    signature: Signature,
    known: Known | None = None,
    example: Any = None,
    stated: Mapping[str, Any] | None = None,
) -> tuple[Field, ...]:
    """Return the fields of a form for a signature.

    Parameters
    ----------
    signature : Signature
        What the model takes.
    known : Known, optional
        What its graph knows of the columns.
    example : object, optional
        A row as JSON data; where there are several inputs, the row of each by its name.
    stated : mapping, optional
        What the uploader says about columns, see `stated_in`.
    """
    known, stated = known or Known(), stated or {}
    rows: Mapping[str, Any] = {}
    if example is not None:
        names = names_of(signature)
        rows = {names[0]: example} if len(names) == 1 else example
    found: list[Field] = []
    if signature.columns:
        found += _table(signature, known, rows.get(TABLE), stated)
    found += [_row(given, rows.get(given.name)) for given in signature.beside]
    found += [_parameter(given) for given in signature.parameters]
    return tuple(found)


def _table(signature: Signature, known: Known, row: Any, stated: Mapping[str, Any]) -> list[Field]:
    if signature.shape is not None or len(signature.columns) > MOST_FIELDS:
        sizes = " by ".join(map(str, signature.shape or (len(signature.columns),)))
        text = f"lists of {sizes} values" if signature.layout == "array" else "an object by column"
        return [Field("row", TABLE, "one row", "json", f"JSON: {text}", example=row)]
    values = list(row.values()) if isinstance(row, dict) else row or [None] * len(signature.columns)
    return [
        _column(signature, k, column, known, values[k], stated, row is not None)
        for k, column in enumerate(signature.columns)
    ]


def _column(
    signature: Signature,
    k: int,
    column: Column,
    known: Known,
    example: Any,
    stated: Mapping[str, Any],
    shown: bool,
) -> Field:
    kind = _KINDS[column.kind]
    low, high = known.bounds.get(k, (-math.inf, math.inf))
    step = None
    if kind == "integer" and column.dtype is not None:
        held = np.iinfo(column.dtype)
        low, high, step = max(low, held.min), min(high, held.max), 1.0
    categories = known.categories.get(k)
    if categories is not None and len(categories) <= MOST_CATEGORIES and kind != "boolean":
        kind = "choice"
    name = column.name if signature.layout == "table" and column.name is not None else k
    label = signature.label_of(k) if column.name is not None else f"column {k}"
    field: dict[str, Any] = {
        "label": label,
        "minimum": low if math.isfinite(low) else None,
        "maximum": high if math.isfinite(high) else None,
        "step": step,
        "categories": tuple(categories) if kind == "choice" and categories else None,
        "example": example,
        **stated.get(label, {}),
    }
    bounds = _range(field["minimum"], field["maximum"])
    field["help"] = "; ".join(filter(None, (field.get("help"), bounds)))
    return Field(
        "column",
        name,
        kind=kind,
        missing=True,
        long=k in known.read and kind == "text",
        absent=shown and field["example"] is None,
        **field,
    )


def _range(low: float | None, high: float | None) -> str:
    """Return bounds in words."""
    above = low is not None and 0 < low < _TINY
    least = "" if low is None else "more than 0" if above else f"at least {low:g}"
    most = "" if high is None else f"at most {high:g}"
    if low is not None and high is not None and not above:
        return f"{low:g} to {high:g}"
    return ", ".join(filter(None, (least, most)))


def _row(given: Input, row: Any) -> Field:
    sizes = f" {' by '.join(map(str, given.shape))}" if given.kind == "tensor" else ""
    help = f"JSON: {_ROWS[given.kind]}{sizes}"
    return Field("row", given.name, given.name, "json", help, example=row)


def _parameter(given: Input) -> Field:
    example = given.default
    if isinstance(example, float) and not math.isfinite(example):
        example = None  # JSON has no infinities; left empty, the field is the default
    help = "a value of the whole call"
    if given.default is not None:
        help += f"; {given.default} where it is left empty"
    return Field("parameter", given.name, given.name, _KINDS[given.dtype], help, example=example)


#: What an uploader may say of a column, and its type.
_STATED: Mapping[str, tuple[type, ...]] = {
    "label": (str,),
    "help": (str,),
    "minimum": (int, float),
    "maximum": (int, float),
    "step": (int, float),
    "example": (int, float, str, bool),
}


def stated_in(tags: Mapping[str, str]) -> tuple[dict[str, dict[str, Any]], str]:
    """Return what the tag ``form`` says about columns, and what is wrong with it, if anything.

    The tag is JSON: by column, any of `label`, `help`, `minimum`, `maximum`, `step` and `example`.
    They are advice to whoever fills in the form; what is refused is the program's own affair.
    """
    text = tags.get(TAG)
    if text is None:
        return {}, ""
    try:
        data = json.loads(text, parse_constant=_no_constant)
        if not isinstance(data, dict):
            raise TypeError(f"it is {type(data).__name__}, not an object by column")
        for column, said in data.items():
            if not isinstance(said, dict):
                raise TypeError(f"{column[:80]!r} is {type(said).__name__}, not an object")
            for key, value in said.items():
                if key not in _STATED:
                    raise ValueError(f"{key[:80]!r} is none of {', '.join(_STATED)}")
                wrong = isinstance(value, bool) and bool not in _STATED[key]
                if wrong or not isinstance(value, _STATED[key]):
                    raise TypeError(f"{key} of {column[:80]!r} is {type(value).__name__}")
                if isinstance(value, (int, float)) and not abs(value) <= _LARGEST:
                    raise ValueError(f"{key} of {column[:80]!r} is too large")
    except (ValueError, TypeError, RecursionError) as error:
        return {}, printable(f"The tag {TAG} cannot be read, so the form goes without it: {error}")
    return data, ""


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is no JSON")
