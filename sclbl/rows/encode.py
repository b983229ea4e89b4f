"""Rows, in any container that a model takes, to the blocks that a program reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np

from sclbl.errors import ColumnError, DtypeError, InputError, SclblError, ShapeError
from sclbl.rows.beside import parameter, rows_beside
from sclbl.rows.blocks import Blocks, TextColumn
from sclbl.rows.containers import open_source
from sclbl.rows.kinds import refuse_object
from sclbl.rows.match import match
from sclbl.rows.numbers import EXACT, NumericColumns, array_of, beyond
from sclbl.rows.one_row import record_of
from sclbl.rows.source import OneNull, Source
from sclbl.rows.texts import column_of_texts, text_column
from sclbl.signature import TABLE, TAKES, Missing, Signature

#: Python's numbers, and the null of JSON.
_PLAIN = frozenset((float, int, bool, type(None)))
#: Texts, and what is missing among them.
_TEXTS = frozenset((str, float, type(None)))


class Encoder:
    """Turns rows in any container into the blocks of one signature.

    It is made once for a signature, and may be used by many threads at once.

    Parameters
    ----------
    signature : Signature
        What the program takes.
    """

    __slots__ = (
        "_known", "_numbers", "_one_text", "_pick", "_plain", "_record", "_takes_missing", "_texts",
        "signature",
    )  # fmt: skip

    def __init__(self, signature: Signature) -> None:
        self.signature = signature
        self._numbers = NumericColumns(signature) if signature.numeric else None
        self._texts = [
            (c, signature.label_of(c), signature.columns[c].missing) for c in signature.text
        ]
        width = len(signature.columns)
        #: Whether a list of texts is the rows of the only column, which has no name.
        self._one_text = width == len(self._texts) == 1 and signature.layout == "array"
        self._one_text = self._one_text and signature.shape is None
        uniform = signature.is_uniform and signature.takes_nan
        self._plain = width > 0 and not signature.text and uniform
        self._takes_missing = all(set(TAKES) <= set(c.takes) for c in signature.columns)
        self._pick: itemgetter[Any] | None = None
        # With one name, itemgetter would not return a tuple.
        if signature.layout == "table" and width > 1:
            self._pick = itemgetter(*(str(c.name) for c in signature.columns))
        #: How text and numbers of one row become blocks.
        named = signature.layout == "table" and signature.shape is None
        self._record = record_of(signature, self._numbers) if named else None
        #: The last header of a frame, which never changes, and where it has the columns.
        self._known: tuple[Any, Sequence[int]] = (None, ())

    def encode(
        self, rows: Any, *, empty: bool = False, parameters: Mapping[str, Any] | None = None
    ) -> Blocks:
        """Encode rows.

        Parameters
        ----------
        rows : object
            What `sclbl.rows.infer.infer` takes. In a ``table`` signature columns are found by name,
            extra columns are ignored, and rows without names must have exactly the signature's
            columns in its order. In an ``array`` signature columns are found by position. A
            `sclbl.rows.OneNull` holds rows of a text with one null: None in them becomes each
            column's own missing value, as a null of Arrow and polars does. Elsewhere a cell of text
            keeps the missing value that it is.
            Where the signature has one input beside the table and no table, the rows of that; where
            it has several inputs with rows, a dict of them by name, the table's name being
            ``table``; see `sclbl.rows.beside`.
        empty : bool
            Whether there may be no rows.
        parameters : mapping, optional
            Values of the call, by name; the others are their defaults.

        Returns
        -------
        Blocks
            Numbers in ``signature.numeric_dtype``: booleans as 0 and 1, missing ones as NaN. Each
            is exact in its column's type. Numbers without a dtype of their own (Python's, in lists
            and dicts) are read as the nearest number of that type.

        Raises
        ------
        ShapeError
            Where there are no rows, unless there may be none, or more than two dimensions.
        ColumnError
            Where columns are missing, too few or too many.
        DtypeError
            Where a value has the wrong type: text among numbers, numbers among text, dates,
            integers beyond 2**53, or a missing value that the model tells apart from the one that a
            numeric column holds.
        InputError
            Where an object among the rows fails when it is read.
        """
        if self.signature.inputs:
            return self._with_inputs(rows, empty, parameters or {})
        return self._table(rows, empty)

    def _with_inputs(self, rows: Any, empty: bool, parameters: Mapping[str, Any]) -> Blocks:
        """Encode the inputs beside the table too."""
        signature = self.signature
        names = [given.name for given in signature.beside]
        if signature.columns:
            names.insert(0, TABLE)
        several = len(names) > 1
        parts = _by_name(rows, names) if several else {names[0]: rows}
        found: dict[str, Any] = {}
        table = None
        for name in (*(given.name for given in signature.beside), TABLE):
            if name not in parts:
                continue
            try:
                if name == TABLE and signature.columns:
                    table = self._table(parts[TABLE], True)
                else:
                    given = next(g for g in signature.beside if g.name == name)
                    found[name] = rows_beside(given, parts[name])
            except InputError as error:
                error.input = name if several else None
                raise
            except (SclblError, MemoryError):
                raise
            except Exception as error:
                raise _unreadable(error, name if several else None) from error
        counts = {name: len(block) for name, block in found.items()}
        if table is not None:
            counts[TABLE] = table.rows
        if len(set(counts.values())) > 1:
            said = ", ".join(f"{name!r} {count:,}" for name, count in counts.items())
            raise ShapeError(f"the inputs have different numbers of rows: {said}")
        count = next(iter(counts.values()))
        if count == 0 and not empty:
            raise _no_rows()
        for given in signature.parameters:
            if parameters.get(given.name) is not None:
                found[given.name] = parameter(given, parameters[given.name])
        beside = tuple(found.get(given.name) for given in signature.inputs)
        if table is None:
            return Blocks(count, None, (), beside)
        return Blocks(count, table.numeric, table.text, beside)

    def _table(self, rows: Any, empty: bool) -> Blocks:
        """Encode the rows of the table."""
        if self.signature.shape is not None:
            rows = _flat(rows, self.signature)
        kind, numbers = type(rows), self._numbers
        if self._record is not None:
            one = rows[0] if kind is list and len(rows) == 1 else rows
            blocks = self._one(one) if type(one) is dict else None
            if blocks is not None:
                return blocks
        if kind is np.ndarray:
            if (
                self._plain
                and numbers is not None
                and rows.ndim == 2
                and rows.dtype == numbers.dtype
                and rows.dtype.isnative
                and rows.flags.c_contiguous
                and rows.shape[1] == len(numbers.columns)
                and len(rows)
            ):
                return Blocks(len(rows), rows)
        elif self._one_text and (column := self._only_text(rows)) is not None:
            return Blocks(len(column.offsets) - 1, None, (column,))
        elif kind is list or kind is OneNull:
            block = self.plain(rows)
            if block is not None:
                return Blocks(len(block), block)
        try:
            return self._encode(rows, empty)
        except (SclblError, MemoryError):
            raise
        except Exception as error:  # what objects of others raise when they are read is up to them
            raise _unreadable(error) from error

    def _one(self, row: dict[Any, Any]) -> Blocks | None:
        """Return a row of plain values by name, none of them missing; None for any other."""
        columns = self.signature.columns
        if self._record is None or len(row) != len(columns):
            return None
        try:
            return self._record((row[columns[0].name],) if self._pick is None else self._pick(row))
        except KeyError:
            return None

    def _only_text(self, rows: Any) -> TextColumn | None:
        """Return a list of texts, some of them missing, as the only column; None for other rows."""
        one_null = type(rows) is OneNull
        items = rows.rows if one_null else rows
        types = set(map(type, items)) if type(items) is list else set()
        if not types or not types <= _TEXTS:
            return None
        _, label, missing = self._texts[0]
        if types == {str}:
            return column_of_texts(items, label)
        cells = np.array([*items, None], dtype=object)[:-1]
        return text_column(cells, label, missing if one_null else None, one_null=one_null)

    def plain(self, rows: Any) -> np.ndarray | None:
        """Return rows as a block of numbers, where they are plainly that.

        None where they are not lists or dicts of plain numbers, all complete, with or without a
        `OneNull` around them: `encode` knows every rule, and says what is wrong.
        """
        one_null = type(rows) is OneNull
        if one_null:
            rows = rows.rows
        numbers = self._numbers
        if not self._plain or numbers is None or type(rows) is not list or not rows:
            return None
        values = self._values(rows, one_null)
        if values is None:
            return None
        types = set(map(type, values))
        if not types <= _PLAIN:
            return None
        try:
            wide = np.array(values, dtype=np.float64)
        except OverflowError:
            return None
        if int in types and (np.abs(wide) >= EXACT).any():
            return None
        if not (one_null or self._takes_missing) and np.isnan(wide).any():
            return None
        if numbers.dtype != wide.dtype:
            with np.errstate(over="ignore"):
                wide = wide.astype(numbers.dtype)
            if np.isinf(wide).any():
                return None
        return wide.reshape(len(rows), len(numbers.columns))

    def _values(self, rows: list[Any], one_null: bool) -> Any:
        """Return the values of lists or dicts, row after row, where all are there."""
        kind, width = type(rows[0]), len(self.signature.columns)
        if kind is list:
            if len(rows) == 1:
                return rows[0] if len(rows[0]) == width else None
            if all(type(row) is list and len(row) == width for row in rows):
                return list(chain.from_iterable(rows))
        # Keys of Python dicts may be other things than text, of which two are one name. Where there
        # are as many as names, each of which is there, there are no others.
        elif kind is dict and self._pick is not None and (one_null or len(rows[0]) == width):
            try:
                if len(rows) == 1:
                    return self._pick(rows[0])
                if all(type(row) is dict for row in rows):
                    return list(chain.from_iterable(map(self._pick, rows)))
            except KeyError:
                return None
        return None

    def _encode(self, rows: Any, empty: bool) -> Blocks:
        signature, numbers = self.signature, self._numbers
        source = open_source(rows, rows_of_text=len(signature.columns) == 1)
        if source.rows == 0 and empty:
            if source.width:
                match(source, signature)
            none = None if numbers is None else np.empty((0, len(numbers.columns)), numbers.dtype)
            texts = tuple(text_column(np.empty(0, object), "") for _ in signature.text)
            return Blocks(0, none, texts)
        if source.rows == 0:
            raise _no_rows()
        header, positions = self._known
        if not source.has_header(header):
            positions = match(source, signature)
            self._known = (source.header, positions)
        if source.rows == 1 and self._record is not None:
            values = source.record(positions)
            blocks = None if values is None else self._record(values)
            if blocks is not None:
                return blocks
        block = None
        if numbers is not None:
            block = numbers.block(source, [positions[c] for c in numbers.columns])
        text = tuple(_text(source, positions[c], label, null) for c, label, null in self._texts)
        return Blocks(source.rows, block, text)


def _unreadable(error: Exception, name: str | None = None) -> InputError:
    return InputError(
        f"the rows cannot be read: reading them raised {type(error).__name__}; give an "
        "array, a DataFrame, or plain lists or dicts of numbers and text",
        input=name,
    )


def _no_rows() -> ShapeError:
    return ShapeError(
        "there are no rows to predict (0 rows); give at least one, and skip empty batches"
    )


def _by_name(rows: Any, names: Sequence[str]) -> Mapping[str, Any]:
    """Return the rows of several inputs."""
    if not isinstance(rows, Mapping):
        raise ShapeError(
            f"the model takes several inputs; give a dict with {', '.join(map(repr, names))}"
        )
    lost = [name for name in names if name not in rows]
    more = [name for name in rows if name not in names]
    if lost or more:
        wrong = f"lack {lost[0]!r}" if lost else f"have {more[0]!r:.80}"
        raise ColumnError(f"the inputs {wrong}; the model takes {', '.join(map(repr, names))}")
    return rows


def _flat(rows: Any, signature: Signature) -> Any:
    """Return rows of several axes as rows of columns; one row alone has no axis in front.

    Where a call takes one row, it may have an axis of length one in front, as a list of rows has.
    """
    if isinstance(rows, OneNull):
        return OneNull(_flat(rows.rows, signature))
    shape = signature.shape or ()
    try:
        array = array_of(rows)
    except ValueError:
        array = np.empty(0, dtype=object)  # of rows that differ in their shape
    if array.shape == shape:
        array = array[None]
    one, text = signature.one_row, bool(signature.text)
    fits = (
        array.ndim == 1 + len(shape) and array.shape[1:] == shape and not (one and len(array) > 1)
    )
    takes = str(shape) if one else f"(rows, {', '.join(map(str, shape))})"
    wanted = f"the model takes {'text' if text else 'numbers'} of shape {takes}"
    if not fits:
        raise ShapeError(
            f"the rows have shape {array.shape}; {wanted}{', one tensor a call' * one}"
        )
    cells = array.reshape(len(array), len(signature.columns))
    if hasattr(rows, "dtype"):
        return cells
    if array.dtype.kind not in "fiub":
        for place, value in enumerate(cells.ravel().tolist()):
            if hasattr(value, "__len__") and not isinstance(value, (str, bytes)):
                row, column = divmod(place, cells.shape[1])
                dtype = signature.columns[column].stored
                refuse_object(value, row, signature.label_of(column), dtype)
        return cells.tolist()  # each cell is read as one of a table
    # Python's numbers have no width: each is the nearest of the type. Beyond it, refused below, as
    # are integers that float64 does not hold.
    if array.dtype.kind == "f" or not beyond(cells).any():
        with np.errstate(over="ignore"):
            nearest = cells.astype(signature.numeric_dtype)
        held = np.isinf(nearest) == np.isinf(cells)
        return nearest if held.all() else np.where(held, nearest, cells)
    return cells


def encode(rows: Any, signature: Signature, *, empty: bool = False) -> Blocks:
    """Encode rows for a signature that is used once; see `Encoder.encode`."""
    return Encoder(signature).encode(rows, empty=empty)


def _text(source: Source, position: int, label: str, missing: Missing) -> TextColumn:
    if missing != "nan" and (dtype := source.nan_type(position)):
        raise DtypeError(
            f"column {label!r} is of polars' type {dtype}, whose nulls are NaN to models, and no "
            "missing text; cast it, for example column.cast(pl.String)",
            column=label,
        )
    null, values = source.null(position), source.values(position)
    if null != "column":
        return text_column(values, label, None if null == "own" else null)
    if isinstance(values, np.ndarray) and values.dtype.kind == "f":
        # Floats, of which all must be missing: the container's null, or NaN.
        nulls = source.nulls(position)
        values = values.astype(object)
        if nulls is not None:
            values[nulls] = None
    return text_column(values, label, missing, one_null=True)
