"""Rows, in any container that a model takes, to the blocks that a program reads."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from sclbl.errors import ColumnError, InputError, SclblError, ShapeError
from sclbl.rows.blocks import Blocks, TextColumn
from sclbl.rows.numbers import numeric_block, refuse_typed_nan
from sclbl.rows.source import Source, open_source
from sclbl.rows.texts import text_column
from sclbl.signature import Signature


def encode(rows: Any, signature: Signature, *, empty: bool = False) -> Blocks:
    """Encode rows for a program.

    Parameters
    ----------
    rows : object
        What `sclbl.rows.infer.infer` takes. In a ``table`` signature columns are found by name,
        extra columns are ignored, and rows without names must have exactly the signature's
        columns in its order. In an ``array`` signature columns are found by position. A
        `sclbl.rows.OneNull` holds rows of a text with one null: None in them becomes each column's
        own missing value, as a null of Arrow and polars does. Elsewhere a cell of text keeps the
        missing value that it is.
    signature : Signature
        What the program takes.
    empty : bool
        Whether there may be no rows.

    Returns
    -------
    Blocks
        Numbers in ``signature.numeric_dtype``: booleans as 0 and 1, missing ones as NaN. Each is
        exact in its column's type. Numbers without a dtype of their own (Python's, in lists and
        dicts) are read as the nearest number of that type.

    Raises
    ------
    ShapeError
        Where there are no rows, unless there may be none, or more than two dimensions.
    ColumnError
        Where columns are missing, too few or too many.
    DtypeError
        Where a value has the wrong type: text among numbers, numbers among text, dates, integers
        beyond 2**53, or a missing value that the model tells apart from the one that a numeric
        column holds.
    InputError
        Where an object among the rows fails when it is read.
    """
    columns = signature.columns
    if (
        type(rows) is np.ndarray
        and rows.ndim == 2
        and rows.dtype == signature.numeric_dtype
        and rows.dtype.isnative
        and rows.flags.c_contiguous
        and rows.shape[1] == len(columns) == len(signature.numeric)
        and len(rows)
        and signature.is_uniform
        and signature.takes_nan
    ):
        return Blocks(len(rows), rows)
    try:
        return _encode(rows, signature, empty)
    except (SclblError, MemoryError):
        raise
    except Exception as error:  # what objects of others raise when they are read is up to them
        raise InputError(
            f"the rows cannot be read: reading them raised {type(error).__name__}; give an array, "
            "a DataFrame, or plain lists or dicts of numbers and text"
        ) from error


def _encode(rows: Any, signature: Signature, empty: bool) -> Blocks:
    source = open_source(rows, rows_of_text=len(signature.columns) == 1)
    if source.rows == 0 and empty:
        if source.width:
            match(source, signature)
        none = np.empty((0, len(signature.numeric)), dtype=signature.numeric_dtype)
        texts = tuple(text_column(np.empty(0, object), "") for _ in signature.text)
        return Blocks(0, none if signature.numeric else None, texts)
    if source.rows == 0:
        raise ShapeError(
            "there are no rows to predict (0 rows); give at least one, and skip empty batches"
        )
    positions = match(source, signature)
    numeric = None
    if signature.numeric:
        places = [positions[c] for c in signature.numeric]
        numeric = numeric_block(source, places, signature)
        if not signature.takes_nan:
            refuse_typed_nan(source, places, signature, numeric)
    text = tuple(_text(source, positions[c], signature, c) for c in signature.text)
    return Blocks(source.rows, numeric, text)


def _text(source: Source, position: int, signature: Signature, column: int) -> TextColumn:
    null, values = source.null(position), source.values(position)
    label = signature.label_of(column)
    if null != "column":
        return text_column(values, label, None if null == "own" else null)
    if isinstance(values, np.ndarray) and values.dtype.kind == "f":
        # Floats, of which all must be missing: the container's null, or NaN.
        nulls = source.nulls(position)
        values = values.astype(object)
        if nulls is not None:
            values[nulls] = None
    return text_column(values, label, signature.columns[column].missing, one_null=True)


def match(source: Source, signature: Signature) -> Sequence[int]:
    """Return, for each column of a signature, its position in the rows.

    Raises
    ------
    ColumnError
        Where one is missing, or the number of columns is wrong.
    """
    wanted = [c.name for c in signature.columns]
    names = source.names
    if signature.layout == "array":
        if names is None or not source.strict_names:
            return _by_position(source, len(wanted))
        wanted = [str(i) for i in range(len(wanted))]
        if set(wanted) - set(names):
            raise ColumnError(
                f"the model's columns have no names, and the rows name theirs "
                f"({_listed(names)}); give each row as a list of {len(wanted)} values, "
                "or compile the model with a DataFrame as example_input"
            )
    if names is None:
        return _by_position(source, len(wanted))
    place = {name: i for i, name in enumerate(names)}
    missing = [str(w) for w in wanted if w not in place]
    if missing:
        _refuse_missing(missing, names)
    if len(place) < len(names):
        counts = Counter(names)
        repeated = [str(w) for w in wanted if counts[str(w)] > 1]
        if repeated:
            raise ColumnError(
                f"the rows have more than one column named {_listed(repeated)}; "
                "keep the one that the model was fitted on",
                column=repeated[0],
            )
    return [place[str(w)] for w in wanted]


def _by_position(source: Source, width: int) -> range:
    if source.width != width:
        hint = ""
        if width == 1 and source.rows == 1:
            hint = "; for many rows of one column give two dimensions, X.reshape(-1, 1)"
        raise ColumnError(
            f"the rows have {source.width} columns and the model takes {width}{hint or ''}; "
            "give the columns of example_input, in its order"
        )
    return range(width)


def suggested(name: str, names: Sequence[str]) -> str:
    """Return how messages call a column that is not among `names`, with the nearest that is."""
    found = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"{name!r} (did you mean {found[0]!r}?)" if found else repr(name)


def _refuse_missing(missing: Sequence[str], names: Sequence[str]) -> None:
    near = [suggested(name, names) for name in missing[:10]]
    more = f" and {len(missing) - 10} more" if len(missing) > 10 else ""
    plural = "columns are" if len(missing) > 1 else "column is"
    raise ColumnError(
        f"{len(missing)} {plural} missing: {', '.join(near)}{more}; the rows have "
        f"{_listed(names)}. Add what is missing, with None for a value that is not known",
        column=missing[0],
    )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ", ".join(map(repr, names[:10])) + more
