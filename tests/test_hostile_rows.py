"""Rows made of objects that lie, raise or are of odd kinds: the number, or an `InputError`."""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import random
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sclbl.errors import ColumnError, InputError
from sclbl.rows import encode
from sclbl.rows.infer import infer


class LyingList(list):  # type: ignore[type-arg]
    def __len__(self) -> int:
        return 2

    def __iter__(self) -> Any:
        return iter([7.0, 7.0])

    def __getitem__(self, index: Any) -> Any:
        return 7.0


class RaisingList(list):  # type: ignore[type-arg]
    def __len__(self) -> int:
        raise RuntimeError("no")


class Lies(float):
    def __float__(self) -> float:
        return 99.0

    def __ne__(self, other: object) -> bool:
        return True


class LyingInt(int):
    def __int__(self) -> int:
        return 99

    def __float__(self) -> float:
        return 99.0


class LyingText(str):
    def __len__(self) -> int:
        return 9

    def encode(self, *args: Any) -> bytes:
        return b"zzz"


class Raises:
    def __getattr__(self, name: str) -> Any:
        raise ZeroDivisionError(name)

    def __repr__(self) -> str:
        raise RuntimeError("no")


class Array:
    def __init__(self, value: Any) -> None:
        self.value = value

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


class RaisingDict(dict):  # type: ignore[type-arg]
    def __getitem__(self, key: Any) -> Any:
        raise ZeroDivisionError


def nested() -> list[Any]:
    rows: list[Any] = []
    rows.append(rows)
    return rows


NUMBERS = infer(np.array([[1.0, 2.0], [3.0, 4.0]]))
MIXED = infer(pd.DataFrame({"a": [1.0, 2.0], "t": ["x", "y"]}))
TEXTS = infer(np.array([["a", "b"], ["c", "d"]], dtype=object))

#: Cells, and the number that each is; None where it is none that may pass.
CELLS: list[tuple[Any, float | None]] = [
    (Lies(1.5), 1.5), (LyingInt(3), 3.0), (np.float32(0.1), float(np.float32(0.1))),
    (np.float16(1.5), 1.5), (np.int8(-3), -3.0), (True, 1.0), (np.True_, 1.0), (2**53, 2.0**53),
    (-0.0, -0.0), (5e-324, 5e-324), (np.uint64(7), 7.0),
    (10**400, None), (-(10**400), None), (2**53 + 1, None), (LyingInt(2**60), None),
    (np.uint64(2**64 - 1), None), (1 + 0j, None), (b"1", None), (bytearray(b"1"), None),
    (memoryview(b"1"), None), (decimal.Decimal(1), None), (decimal.Decimal("sNaN"), None),
    (fractions.Fraction(1, 2), None), (datetime.date(2020, 1, 1), None), (pd.NaT, None),
    (np.datetime64("NaT"), None), (np.timedelta64(1), None), (np.longdouble(1), None),
    (np.str_("1"), None), (LyingText("1"), None), ("1", None), ("nan", None), ("\ud800", None),
    (np.array([3.0]), None), ([1.0], None), ({}, None), (set(), None), (object(), None),
    (range(1), None), (Raises(), None), (np.void(b"x"), None), (np.ma.masked, None),
    ((i for i in [1.0]), None),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "number"), CELLS, ids=lambda c: type(c).__name__)
def test_a_cell_is_its_number_or_refused(cell: Any, number: float | None) -> None:
    array = np.empty((1, 2), dtype=object)
    array[0, 0], array[0, 1] = cell, 2.0
    forms: list[tuple[Any, Any]] = [([[cell, 2.0]], NUMBERS), (((cell, 2.0),), NUMBERS)]
    forms += [
        (array, NUMBERS),
        ({"a": [cell], "t": ["x"]}, MIXED),
        ([{"a": cell, "t": "x"}], MIXED),
    ]
    for rows, signature in forms:
        if number is None:
            with pytest.raises(InputError):
                encode(rows, signature)
        else:
            numeric = encode(rows, signature).numeric
            assert numeric is not None
            assert numeric[0, 0].tobytes() == np.float64(number).tobytes()


@pytest.mark.parametrize(
    "rows",
    [
        [LyingList([1.0, 2.0, 3.0])], {"a": RaisingDict(), "t": ["x"]},
        [LyingList([1.0, 2.0, 3.0]), LyingList([4.0])], Array(RuntimeError("x")), Array([1.0, 2.0]),
        Array(None), Array(np.array(3.0)), Array(np.zeros((1, 2), dtype="M8[s]")), nested(),
        [RaisingDict(a=1.0, t="x")], Raises(), [Raises()],
        {"a": Raises(), "t": ["x"]}, {"a": Array(RuntimeError("x")), "t": ["x"]},
        np.array(3.0), np.zeros((1, 2, 2)), memoryview(b"12"), (x for x in [[1.0, 2.0]]), "ab",
        b"ab",
        {1.0, 2.0}, None, np.ma.array([[1.0, 2.0]], mask=[[1, 0]]),
        np.zeros(2, dtype=[("a", "f8"), ("t", "U1")]), np.array([["2020", "2021"]], dtype="M8[s]"),
        np.zeros((1, 2), "g"), np.zeros((1, 2), "V8"), np.array([[1j, 2]]), np.array([[b"a",
        b"b"]]),
    ],
    ids=lambda r: type(r).__name__,
)  # fmt: skip
def test_containers_that_are_refused(rows: Any) -> None:
    for signature in (NUMBERS, MIXED):
        with pytest.raises(InputError):
            encode(rows, signature)


def test_what_an_object_raises_is_said() -> None:
    with pytest.raises(InputError, match="the rows cannot be read: reading them raised RuntimeErr"):
        encode(Array(RuntimeError("x")), NUMBERS)


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a.astype(">f8"), lambda a: a.astype(">i4"), np.asfortranarray,
        lambda a: np.repeat(a, 2, axis=1)[:, ::2], lambda a: a[::-1][::-1], Array, LyingList,
        lambda a: [LyingList(row) for row in a.tolist()], lambda a: a.astype(object), tuple,
        lambda a: [memoryview(row) for row in a], lambda a: [collections.UserList(r) for r in a],
        lambda a: np.broadcast_to(a, a.shape), lambda a: a.astype("f2"),
        lambda a: a.view(np.matrix),
        lambda a: [RaisingList(row) for row in a.tolist()], lambda a: RaisingList(a.tolist()),
    ],
)  # fmt: skip
def test_the_same_numbers_in_other_forms(change: Any) -> None:
    array = np.arange(6.0).reshape(3, 2)
    array.flags.writeable = False
    numeric = encode(change(array), NUMBERS).numeric
    assert numeric is not None
    assert numeric.tolist() == array.tolist()


@pytest.mark.parametrize("text", ["a\0b", "\0", "", "naïve", "x" * 1000])
def test_text_is_the_text_that_it_holds(text: str) -> None:
    for cell in (text, np.str_(text) if text.strip("\0") else text, LyingText(text)):
        blocks = encode([[cell, "b"], ["c", cell]], TEXTS)
        assert [column.tolist() for column in blocks.text] == [[text, "c"], ["b", text]]


def test_a_mapping_that_makes_values_up_is_not_asked_to() -> None:
    rows = [collections.defaultdict(float, a=1.0, t="x"), collections.defaultdict(float, t="y")]
    with pytest.raises(ColumnError, match="row 1 lacks 'a'"):
        encode(rows, MIXED)
    assert "a" not in rows[1]


def test_seeded_mixtures_are_encoded_or_refused() -> None:
    chance = random.Random(5)
    cells = [cell for cell, _ in CELLS] + [None, float("nan"), pd.NA, 1.0, "a", LyingList([1.0])]
    for _ in range(3_000):
        width, height = chance.randrange(4), chance.randrange(4)
        rows: Any = [[chance.choice(cells) for _ in range(width)] for _ in range(height)]
        how = chance.randrange(7)
        if how == 0:
            rows = {key: [row[0] for row in rows if row] for key in ("a", "t")}
        elif how == 1:
            rows = [dict(zip("at", row, strict=False)) for row in rows]
        elif how == 2:
            rows = [LyingList(row) for row in rows]
        elif how == 3 and width and height:
            array = np.empty((height, width), dtype=object)
            for i, row in enumerate(rows):
                for j, cell in enumerate(row):
                    array[i, j] = cell
            rows = array
        elif how == 4:
            rows = tuple(map(tuple, rows))
        elif how == 5 and rows:
            rows = rows[0]
        for signature in (NUMBERS, MIXED, TEXTS):
            try:
                blocks = encode(rows, signature)
            except InputError:
                continue
            else:
                assert blocks.rows > 0
                for column in blocks.text:
                    assert len(column.tolist()) == blocks.rows
