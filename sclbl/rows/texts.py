"""Columns of text in Arrow's layout."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from sclbl.errors import DtypeError, LimitError
from sclbl.missing import CODES, PRESENT, kind_of, of_text
from sclbl.rows.blocks import TextColumn
from sclbl.rows.kinds import refuse_cell, refuse_object
from sclbl.signature import Missing

#: Why a text is refused that UTF-8 cannot hold.
LONE = (
    "it is not valid Unicode text (it holds a lone surrogate): decode the source with its right "
    "encoding"
)


def text_column(
    values: Any, label: str, null: Missing | None = None, *, one_null: bool = False
) -> TextColumn:
    """Return one column of text.

    Parameters
    ----------
    values : array of text, objects or numbers ``[rows]``, or a pyarrow array of text
        None, NaN and pandas.NA are missing text.
    label : str
        The column, for messages.
    null : {"none", "nan", "na"}, optional
        Which missing value each missing text is, where the values have one; by default each is the
        one that it is in Python.
    one_null : bool
        Whether `null` is what None stands for alone, and NaN is NaN.

    Raises
    ------
    DtypeError
        Where a value is no text, or text that UTF-8 cannot hold (a lone surrogate).
    LimitError
        Where the column holds more than 4 GiB.
    """
    if not isinstance(values, np.ndarray):
        return _from_arrow(values, label, null or "none")
    items = values.tolist()
    types = set(map(type, items))
    if types == {str}:
        return column_of_texts(items, label)
    kinds = np.full(len(items), PRESENT, dtype=np.uint8)
    for row, value in enumerate(items):
        if isinstance(value, str):
            items[row] = str.__str__(value)  # of a subclass the text that it holds
            continue
        kind = kind_of(value)
        if kind is None:
            _refuse(value, row, label)
        kinds[row] = CODES[kind if null is None or (one_null and kind != "none") else null]
        items[row] = ""
    return column_of_texts(items, label, kinds)


def text_of_constants(values: np.ndarray, label: str) -> TextColumn:
    """Return one column of text in which `sclbl.spec.MISSING_TEXTS` are missing."""
    items = values.tolist()
    kinds = np.full(len(items), PRESENT, dtype=np.uint8)
    for row, text in enumerate(items):
        kind = of_text(text)
        if kind is not None:
            kinds[row], items[row] = CODES[kind], ""
    return column_of_texts(items, label, None if (kinds == PRESENT).all() else kinds)


def _refuse(value: Any, row: int, label: str) -> NoReturn:
    if isinstance(value, (bool, int, float, np.number, np.bool_)):
        refuse_cell(
            value,
            row,
            label,
            "text",
            "it is a number, but the model takes text: give the text that the model was fitted on",
        )
    refuse_object(value, row, label, "text")


def column_of_texts(items: list[str], label: str, kinds: np.ndarray | None = None) -> TextColumn:
    """Return one column of texts, in which `kinds` says which are missing."""
    try:
        joined = "".join(items)
        raw = joined.encode()
        if len(raw) == len(joined):  # ASCII: as many bytes as characters
            sizes = map(len, items)
        else:
            sizes = map(len, [item.encode() for item in items])
    except UnicodeEncodeError:
        _refuse_surrogate(items, label)
    offsets = np.zeros(len(items) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(sizes, dtype=np.int64, count=len(items)), out=offsets[1:])
    _check_size(len(raw), label)
    return TextColumn(offsets.astype(np.uint32), np.frombuffer(raw, dtype=np.uint8), kinds)


def _from_arrow(values: Any, label: str, null: Missing) -> TextColumn:
    import pyarrow as pa

    kind = values.type
    narrow = pa.types.is_string(kind)
    if not narrow and not pa.types.is_large_string(kind):
        values = values.cast(pa.large_string())
    if isinstance(values, pa.ChunkedArray):
        if values.num_chunks == 1:
            values = values.chunk(0)
        else:
            narrow = False
            values = values.cast(pa.large_string()).combine_chunks()
    try:
        values.validate(full=True)
    except pa.ArrowInvalid as error:
        raise DtypeError(
            f"column {label!r} holds text that is not UTF-8 ({error}); decode it first",
            column=label,
        ) from None
    _, offset_buffer, data_buffer = values.buffers()
    first, count = values.offset, len(values)
    offsets = np.frombuffer(offset_buffer, dtype=np.int32 if narrow else np.int64)
    offsets = offsets[first : first + count + 1]
    start, end = int(offsets[0]), int(offsets[-1])
    _check_size(end - start, label)
    data = np.frombuffer(data_buffer or b"", dtype=np.uint8)[start:end]
    kinds = None
    if values.null_count:
        there = values.is_valid().to_numpy(zero_copy_only=False)
        kinds = np.where(there, PRESENT, CODES[null]).astype(np.uint8)
    return TextColumn((offsets - start).astype(np.uint32), data, kinds)


def _check_size(size: int, label: str) -> None:
    if size >= 2**32:
        raise LimitError(
            f"column {label!r} holds {size:,} bytes of text; a program reads less than 4 GiB at "
            "once, so predict in smaller batches"
        )


def _refuse_surrogate(items: list[str], label: str) -> NoReturn:
    for row, item in enumerate(items):
        try:
            item.encode()
        except UnicodeEncodeError:
            refuse_cell(item, row, label, "text", LONE)
    raise DtypeError(f"column {label!r} is not valid Unicode text", column=label)
