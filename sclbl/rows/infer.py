"""The signature of an example input: names and kinds of the columns that a model takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from sclbl.errors import ColumnError, ShapeError
from sclbl.missing import is_missing, kind_of
from sclbl.rows.containers import open_source
from sclbl.rows.kinds import refuse_type
from sclbl.rows.source import Source
from sclbl.signature import MISSING, TAKES, Column, Missing, Signature


def named(signature: Signature, names: Sequence[str], model: str) -> Signature:
    """Return a signature whose columns have the names that a model was fitted on.

    Parameters
    ----------
    signature : Signature
        Of an example without names.
    names : sequence of str
        One a column.
    model : str
        The model, for messages.

    Raises
    ------
    ColumnError
        Where two columns have one name.
    """
    repeated = [n for n, count in Counter(names).items() if count > 1]
    if repeated:
        raise ColumnError(
            f"{model} was fitted on more than one column named "
            f"{', '.join(map(repr, repeated[:5]))}, so rows cannot be matched by name; rename the "
            "columns and fit it again, or fit it on an array",
            column=repeated[0],
        )
    columns = tuple(replace(c, name=n) for c, n in zip(signature.columns, names, strict=True))
    return replace(signature, columns=columns, layout="table")


def infer(example: Any) -> Signature:
    """Return the signature of an example input, without outputs.

    Parameters
    ----------
    example : object
        NumPy array ``[rows, columns]`` (one dimension is one row), list of rows, list of numbers
        (one row), list of strings (rows of one text column), pandas or polars DataFrame, Series
        (one row; its index holds the names), dict of columns, list of dicts, or pyarrow Table.

    Returns
    -------
    Signature
        ``table`` layout where the columns have names, ``array`` where they do not. Object columns
        are looked into: numbers with missing values are float64, text with missing values is text.
        A column's own missing value is the one that the example shows, else the one of its dtype.

    Raises
    ------
    ShapeError
        Where there are no rows, no columns, or more than two dimensions.
    ColumnError
        Where two columns have one name.
    DtypeError
        Where a column holds dates, complex numbers, bytes, nested values, or text among numbers.
    """
    source = open_source(example)
    if source.rows == 0 or source.width == 0:
        what = "rows" if source.rows == 0 else "columns"
        raise ShapeError(
            f"example_input has no {what}; give at least one row with every column that the "
            "model takes, for example X_train[:5]"
        )
    names = source.names
    if names is not None and len(set(names)) < len(names):
        repeated = [n for n, count in Counter(names).items() if count > 1]
        raise ColumnError(
            f"example_input has more than one column named {', '.join(map(repr, repeated[:5]))}; "
            "rename them, so that rows can be matched by name",
            column=repeated[0],
        )
    layout: Literal["array", "table"] = "array" if names is None else "table"
    columns = tuple(
        _column(source, i, None if names is None else names[i]) for i in range(source.width)
    )
    return Signature(columns=columns, layout=layout)


def undecided(example: Any) -> tuple[int, ...]:
    """Return the columns of which an example does not show whether they hold numbers or text.

    These are columns of objects, or of a container's null type, that are missing in every row;
    `infer` takes them for numbers.
    """
    source = open_source(example)
    return tuple(i for i in range(source.width) if _is_undecided(source, i))


def _is_undecided(source: Source, position: int) -> bool:
    if source.kind(position) != "float64":
        return False
    values = source.values(position)
    if values.dtype == object:
        return all(is_missing(v) for v in values.tolist())
    # A column of floats without any: Arrow and polars have a type of its own for nulls alone.
    return source.is_null_type(position)


def as_text(signature: Signature, positions: Sequence[int]) -> Signature:
    """Return a signature in which these columns hold text."""
    columns = list(signature.columns)
    for i in positions:
        columns[i] = replace(columns[i], kind="text", takes=TAKES)
    return replace(signature, columns=tuple(columns))


def _column(source: Source, position: int, name: str | None) -> Column:
    if only := source.only_of_rows(position):
        refuse_type(only, source.label(position), name=source.name(position))
    kind, null = source.kind(position), source.null(position)
    takes = TAKES
    if kind == "float32" and getattr(source.values(position), "dtype", None) == np.float16:
        return Column(name, kind, "float16")
    if null == "na" and kind != "text":
        takes = MISSING  # NA is how such a column of numbers holds what is NaN to the model
    if null in MISSING:
        return Column(name, kind, missing=null, takes=takes)
    if null == "column":
        return Column(name, kind, missing="none", takes=takes)
    shown = _shown(source.values(position))
    return Column(name, kind, missing=shown or "nan", takes=takes)


def _shown(values: Any) -> Missing | None:
    """Return the missing value that objects hold, None (as for a model) where they hold two."""
    if not isinstance(values, np.ndarray) or values.dtype != object:
        return None
    kinds = {kind_of(v) for v in values.tolist()} - {None}
    return "none" if len(kinds) > 1 else next(iter(kinds), None)
