"""An example row of a program: the first one of `example_input`, where its owner allows it.

It stands in the manifest, so a registry can show how the program is called without running it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sclbl.errors import InputError
from sclbl.methods import default_method
from sclbl.missing import value_of
from sclbl.rows import OneNull
from sclbl.rows.containers import open_source
from sclbl.rows.match import match
from sclbl.signature import Signature

if TYPE_CHECKING:
    from sclbl.program import Program

#: Most bytes of an example row as JSON: it is there to be read.
MAX_BYTES = 64 * 1024


def first_row(rows: Any, signature: Signature) -> list[Any]:
    """Return the first of some rows as JSON values, in the signature's order.

    Raises
    ------
    InputError
        It holds an infinity, which JSON cannot, it is too wide to be shown, or it is no row of
        columns.
    """
    if signature.beside:
        raise InputError(
            "example=True shows a row of columns, and the model takes other inputs than a table; "
            "leave it out, and say in docs what the rows look like"
        )
    source = open_source(rows, rows_of_text=len(signature.columns) == 1)
    places = match(source, signature)
    found = []
    for position, (column, place) in enumerate(zip(signature.columns, places, strict=True)):
        value = _plain(source.values(place)[0])
        if isinstance(value, float):
            if math.isinf(value):
                label = signature.label_of(position)
                raise InputError(
                    f"the first row of example_input holds an infinity in column {label}, which "
                    "JSON cannot show; put another row first, or leave example=True out",
                    row=0,
                    column=label,
                )
            if column.kind in ("integer", "boolean"):
                value = int(value)
        found.append(bool(value) if column.kind == "boolean" and value is not None else value)
    size = len(json.dumps(found))
    if size > MAX_BYTES:
        raise InputError(
            f"the first row of example_input takes {size:,} bytes as JSON and an example may take "
            f"{MAX_BYTES:,}; leave example=True out"
        )
    return found


def tried(program: Program, values: list[Any]) -> list[Any]:
    """Return an example after the program has taken it as JSON brings it.

    Raises
    ------
    InputError
        The program refuses it.
    """
    row = json.loads(json.dumps(as_row(values, program.signature)))
    try:
        program.run(default_method(program.methods), OneNull([row]))
    except InputError as error:
        raise InputError(
            f"the first row of example_input is no example of what the model takes: {error}; put "
            "another row first, or leave example=True out"
        ) from None
    return values


def as_row(values: list[Any], signature: Signature) -> Any:
    """Return an example as a row: an object where columns have names, else an array."""
    if signature.layout == "table":
        names = [str(column.name) for column in signature.columns]
        return dict(zip(names, values, strict=True))
    return values


def in_python(row: Any, signature: Signature) -> Any:
    """Return an example row for a call from Python: its nulls are the columns' own missing values.

    Python tells None, NaN and pandas.NA apart where JSON has one null.
    """
    values = list(row.values()) if isinstance(row, dict) else row
    own = [
        value_of(column.missing) if value is None else value
        for column, value in zip(signature.columns, values, strict=True)
    ]
    return as_row(own, signature)


def read(manifest: Mapping[str, Any]) -> Any:
    """Return the example row in a manifest; None where there is none that can be read."""
    values = manifest.get("example")
    if not isinstance(values, list) or not all(map(_is_plain, values)):
        return None
    try:
        signature = Signature.from_json(manifest["signature"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    if signature.beside or len(values) != len(signature.columns):
        return None
    return as_row(values, signature)


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (str, bool, int, float))


def _plain(value: Any) -> Any:
    """Return a cell as JSON has it; whatever stands for a missing value is None."""
    for name in ("as_py", "item"):  # of pyarrow's and NumPy's scalars
        if hasattr(value, name):
            value = getattr(value, name)()
    if not _is_plain(value) or value != value:
        return None
    return value
