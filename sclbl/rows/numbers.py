"""Columns of numbers as one dense block, every value exact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from sclbl.missing import NAMES, kind_of, value_of
from sclbl.rows.kinds import refuse_cell, refuse_object
from sclbl.rows.source import Source
from sclbl.signature import MISSING, TAKES, Missing, Signature

#: float64 holds every integer up to here.
EXACT = 2**53
_TEXT = (
    "it is text, but the model takes numbers: convert the column to numbers, with NaN where a "
    "value is missing"
)
_PLAIN = frozenset((float, int, bool, type(None), np.float64, np.float32, np.bool_))


class NumericColumns:
    """The numeric columns of a signature: how they become one dense block.

    Attributes
    ----------
    columns : tuple of int
        Their positions in the signature.
    dtype : numpy.dtype
        Of the block.
    """

    __slots__ = ("_held", "_labels", "_narrow", "_takes", "_takes_nan", "columns", "dtype")

    def __init__(self, signature: Signature) -> None:
        columns = [signature.columns[c] for c in signature.numeric]
        self.columns = signature.numeric
        self.dtype = np.dtype(signature.numeric_dtype)
        self._labels = [signature.label_of(c) for c in signature.numeric]
        self._takes = [c.takes for c in columns]
        self._takes_nan = signature.takes_nan
        self._held = [np.dtype(c.stored) for c in columns]
        #: Which columns are of another type than the block, by type.
        self._narrow: dict[np.dtype[Any], list[int]] = {}
        for i, held in enumerate(self._held):
            if held != self.dtype:
                self._narrow.setdefault(held, []).append(i)

    def block(self, source: Source, positions: Sequence[int]) -> np.ndarray:
        """Return the columns as ``[rows, k]``, C-contiguous, in the signature's type.

        Parameters
        ----------
        source : Source
            The rows.
        positions : sequence of int
            For each column, its position in `source`.

        Raises
        ------
        DtypeError
            Where a value is no number, one that its column's type does not hold exactly, or a
            missing value that the model tells apart from the column's own.
        """
        block = self._block(source, positions)
        if not self._takes_nan:
            self._refuse_typed_nan(source, positions, block)
        return block

    def _block(self, source: Source, positions: Sequence[int]) -> np.ndarray:
        dtype, labels, takes = self.dtype, self._labels, self._takes
        whole = source.block(positions)
        if whole is not None:
            parts = [
                (c, _exact(whole[:, c], held, [labels[i] for i in c], literal=False))
                for held, c in self._narrow.items()
            ]
            block = np.ascontiguousarray(_exact(whole, dtype, labels, literal=False))
            if parts and np.may_share_memory(block, whole):
                block = block.copy()  # the rows are the caller's
            for columns, part in parts:
                block[:, columns] = part
            return block
        flat = source.flat(positions)
        if flat is not None:
            known = [_with_null(t) if source.one_null else t for t in takes]
            names = [held.name for held in self._held]
            wide = floats(flat, labels, known, names).reshape(source.rows, len(positions))
            literal = _literals(flat, wide.shape) if source.literal else False
            parts = []
            for held, columns in self._narrow.items():
                chosen = literal if isinstance(literal, bool) else literal[:, columns]
                part = _exact(wide[:, columns], held, [labels[c] for c in columns], literal=chosen)
                parts.append((columns, part))
            block = _exact(wide, dtype, labels, literal=literal)
            for columns, part in parts:
                block[:, columns] = part
            return block
        out = np.empty((source.rows, len(positions)), dtype=dtype)
        for i, (held, position) in enumerate(zip(self._held, positions, strict=True)):
            values = source.values(position)
            null = source.null(position)
            taken: Sequence[Missing] = MISSING
            if null == "column":
                taken = _with_null(takes[i])
            elif null == "own":
                taken = takes[i]
            out[:, i] = column_of_numbers(
                values, held, labels[i], taken, literal=source.is_literal(position)
            )
        return out

    def _refuse_typed_nan(
        self, source: Source, positions: Sequence[int], block: np.ndarray
    ) -> None:
        """Refuse NaN in typed columns where the column's missing value is another one, not the
        null of a container that knows both."""
        for i, (takes, position) in enumerate(zip(self._takes, positions, strict=True)):
            null = source.null(position)
            if "nan" in takes or null in ("own", *takes):
                continue
            bad = np.isnan(block[:, i])
            if null == "column":
                nulls = source.nulls(position)
                if nulls is None:
                    continue
                bad &= ~nulls
            if bad.any():
                dtype = self._held[i].name
                refuse_missing("nan", takes, int(np.argmax(bad)), self._labels[i], dtype)


def _with_null(takes: Sequence[Missing]) -> Sequence[Missing]:
    """Return what a column takes of objects among which None is the container's one null."""
    return takes if "none" in takes else (*takes, "none")


def _literals(values: list[Any], shape: tuple[int, ...]) -> np.ndarray | bool:
    """Return which values have no dtype of their own: Python's have none, NumPy's have."""
    if not any(issubclass(t, np.generic) for t in set(map(type, values))):
        return True
    return np.array([not isinstance(v, np.generic) for v in values], dtype=bool).reshape(shape)


def array_of(rows: Any) -> np.ndarray:
    """Return an array, or lists as one: of objects where NumPy would change what they hold.

    Raises
    ------
    ValueError
        Where lists differ in their length.
    """
    try:
        array = np.asarray(rows)
    except OverflowError:
        array = np.empty(0, dtype=str)  # an integer that no float holds, beside floats
    if hasattr(rows, "dtype"):
        return array
    with np.errstate(invalid="ignore"):
        # Numbers beside text stay numbers, integers beside floats, or above 2**63, integers.
        large = array.dtype.kind == "f" and bool((np.abs(array) >= EXACT).any())
    return np.asarray(rows, dtype=object) if large or array.dtype.kind in "UT" else array


def beyond(values: np.ndarray) -> np.ndarray:
    """Return which integers float64 may not hold."""
    large: np.ndarray = values > EXACT
    return large if values.dtype.kind == "u" else large | (values < -EXACT)


def column_of_numbers(
    values: Any, dtype: np.dtype[Any], label: str, takes: Sequence[Missing], *, literal: bool
) -> np.ndarray:
    """Return one column ``[rows]`` of numbers in `dtype`; objects may be missing as `takes`."""
    if not isinstance(values, np.ndarray) or values.dtype.kind in "UT":
        items = values.tolist() if isinstance(values, np.ndarray) else values.to_pylist()
        for row, text in enumerate(items):
            if text is not None:
                refuse_cell(text, row, label, dtype.name, _TEXT)
        values = np.full(len(values), np.nan)
    if values.dtype == object:
        items = values.tolist()
        wide = floats(items, [label], [takes], [dtype.name])
        literals = _literals(items, wide.shape) if literal else False
        return _exact(wide, dtype, [label], literal=literals)
    return _exact(values, dtype, [label], literal=False)


def floats(
    values: list[Any],
    labels: Sequence[str],
    takes: Sequence[Sequence[Missing]],
    dtypes: Sequence[str],
) -> np.ndarray:
    """Return Python values (row after row) as flat float64.

    Parameters
    ----------
    values : list
        Numbers and missing values.
    labels : sequence of str
        The columns, for messages.
    takes : sequence of sequence of {"none", "nan", "na"}
        Which missing values each column takes.
    dtypes : sequence of str
        What each column holds, for messages.

    Raises
    ------
    DtypeError
        Where a value is no number, or an integer that float64 does not hold.
    """
    types = set(map(type, values))
    if types <= _PLAIN:
        try:
            out = np.array(values, dtype=np.float64)
        except OverflowError:
            out = None
        if (
            out is not None
            and (int not in types or not (np.abs(out) >= EXACT).any())
            and (all(set(TAKES) <= set(t) for t in takes) or not np.isnan(out).any())
        ):
            return out
    width = len(labels)
    return np.array(
        [
            _float(v, i // width, labels[i % width], takes[i % width], dtypes[i % width])
            for i, v in enumerate(values)
        ],
        dtype=np.float64,
    )


def _float(value: Any, row: int, label: str, takes: Sequence[Missing], dtype: str) -> float:
    kind = kind_of(value)
    if kind is not None:
        if kind not in takes:
            refuse_missing(kind, takes, row, label, dtype)
        return np.nan
    if isinstance(value, str):
        refuse_cell(value, row, label, dtype, _TEXT)
    # Of a subclass the number that it holds, as NumPy reads it, not the one that it says.
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, (bool, np.bool_, np.float32, np.float16)):
        return float(value)
    if isinstance(value, (int, np.integer)) and not isinstance(value, np.timedelta64):
        whole = int.__int__(value) if isinstance(value, int) else int(value)
        if not -EXACT <= whole <= EXACT:
            _refuse_integer(whole, row, label, dtype)
        return float(whole)
    refuse_object(value, row, label, dtype)


def _exact(
    values: np.ndarray,
    dtype: np.dtype[Any],
    labels: Sequence[str],
    *,
    literal: bool | np.ndarray,
) -> np.ndarray:
    """Convert numbers ``[rows]`` or ``[rows, k]``, refusing what would change.

    Literals, which have no dtype of their own, become the nearest number of a float type.
    """
    if values.dtype == dtype and (dtype.kind == "f" or dtype.itemsize < 8):
        return values
    if values.dtype.kind in "iu" and values.dtype.itemsize == 8 and values.size:
        large = beyond(values)
        if large.any():
            row, column = _first(large)
            whole = int(values.reshape(len(values), -1)[row, column])
            _refuse_integer(whole, row, labels[column], dtype.name)
    if dtype.kind != "f":
        return _whole(values, dtype, labels)
    with np.errstate(over="ignore"):
        out = values.astype(dtype)
    if not np.can_cast(values.dtype, dtype) and dtype != np.float64:
        changed = (out.astype(np.float64) != values) & ~np.isnan(out)
        if literal is not False:
            changed &= ~np.asarray(literal) | np.isinf(out)
        if changed.any():
            row, column = _first(changed)
            value = values.reshape(len(values), -1)[row, column].item()
            written = np.broadcast_to(literal, values.shape).reshape(len(values), -1)[row, column]
            refuse_cell(
                value,
                row,
                labels[column],
                dtype.name,
                f"it is {f'too large for {dtype}' if written else f'not a {dtype} number'}, and "
                f"the column was {dtype} in the model's example_input: cast the column with "
                f".astype('{dtype}') if that is meant, or compile the model with a float64 "
                "example_input",
            )
    return out


def _whole(values: np.ndarray, dtype: np.dtype[Any], labels: Sequence[str]) -> np.ndarray:
    """Check numbers against an integer type, or bool, that enters the computation."""
    low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    with np.errstate(invalid="ignore"):
        # float64 rounds the limits of 64 bits; numbers there are refused as beyond 2**53.
        held = (values >= max(low, -EXACT)) & (values <= min(high, EXACT))
        if values.dtype.kind == "f":
            held &= values == np.rint(values)
    if not held.all():
        row, column = _first(~held)
        value = values.reshape(len(values), -1)[row, column].item()
        refuse_cell(
            value,
            row,
            labels[column],
            dtype.name,
            f"the column was {dtype} in the model's example_input, and the model computes in that "
            "type. Give such numbers, or compile the model with .astype('float64') on this column",
        )
    return values.astype(dtype)


def refuse_missing(
    kind: Missing, takes: Sequence[Missing], row: int, label: str, dtype: str
) -> NoReturn:
    """Raise `DtypeError` for a missing value that a numeric column cannot carry."""
    known = " or ".join(NAMES[k] for k in takes) or "none at all"
    refuse_cell(
        value_of(kind),
        row,
        label,
        dtype,
        f"{NAMES[kind]} is another value to the model than the missing number of this column, "
        f"which is {known}: give that one, or a number",
    )


def _first(bad: np.ndarray) -> tuple[int, int]:
    row, column = np.argwhere(bad.reshape(len(bad), -1))[0].tolist()
    return row, column


def _refuse_integer(value: int, row: int, label: str, dtype: str) -> NoReturn:
    refuse_cell(
        value,
        row,
        label,
        dtype,
        "it is beyond 2**53, where float64 no longer holds every integer: give identifiers as "
        "text, or scale the numbers",
    )
