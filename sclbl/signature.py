"""The signature of an example input: names and kinds of the columns that a model takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from sclbl.errors import ColumnError, ShapeError
from sclbl.rows.source import open_source
from sclbl.spec import Column, Signature


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
        Column(None if names is None else names[i], source.kind(i)) for i in range(source.width)
    )
    return Signature(columns=columns, layout=layout)
