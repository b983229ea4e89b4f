"""CSV and NDJSON as rows."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sclbl.errors import ColumnError, DtypeError, RequestError, SclblError, ShapeError
from sclbl.rows import encode
from sclbl.spec import Column, Signature
from sclbl.tabular import read_csv, read_ndjson

TABLE = Signature(
    (
        Column("x", "float64"),
        Column("n", "integer"),
        Column("b", "boolean"),
        Column("t", "text"),
    ),
    "table",
)
ARRAY = Signature((Column(None, "float64"),) * 2, "array")


def csv(text: str, signature: Signature = TABLE, rows: int = 100) -> list[tuple[int, Any]]:
    return list(read_csv(io.StringIO(text, newline=""), signature, rows=rows))


def test_kinds_and_missing_values() -> None:
    text = (
        "\ufefft,b,unused,n,x\n"
        'gold,true,9,3,1.5\n"a, ""b""\n€",FALSE,,,\n,,x,-9007199254740993,inf\n'
    )
    ((count, rows),) = csv(text)
    assert count == 3
    assert rows["x"][[0, 2]].tolist() == [1.5, np.inf]
    assert np.isnan(rows["x"][1])
    assert rows["n"].tolist() == [3, None, -9007199254740993]
    assert rows["b"].tolist() == [True, False, None]
    assert rows["t"].tolist() == ["gold", 'a, "b"\n€', None]


def test_numbers_are_read_to_the_bit() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2**63, size=500).view(np.float64)
    frame = pd.DataFrame({"a": x, "b": np.nextafter(x, 1)})
    text = frame.to_csv(index=False)
    found = np.concatenate([rows for _, rows in csv(text, ARRAY, rows=64)])
    assert found.dtype == np.float64
    assert np.array_equal(found, frame.to_numpy(), equal_nan=True)


@pytest.mark.parametrize(
    ("count", "sizes"), [(0, [0]), (1, [1]), (4, [4]), (5, [4, 1]), (8, [4, 4])]
)
def test_chunks(count: int, sizes: list[int]) -> None:
    text = "a,b\n" + "1,2\n" * count
    assert [size for size, _ in csv(text, ARRAY, rows=4)] == sizes
    lines = [b"[1, 2]\n", b" \n"] * count
    assert [len(rows) for rows in read_ndjson(lines, rows=4)] == sizes


def test_one_column_keeps_blank_lines_as_missing() -> None:
    one = Signature((Column("x", "float64"),), "table")
    ((count, rows),) = csv("x\n1\n\n3\n", one)
    assert count == 3
    assert np.isnan(rows["x"][1])
    ((count, _),) = csv("a,b\n1,2\n\n3,4\n", ARRAY)
    assert count == 2


def test_what_is_read_is_what_programs_take() -> None:
    ((_, rows),) = csv("x,n,b,t\n1.5,,true,\n")
    blocks = encode(rows, TABLE)
    assert np.array_equal(blocks.numeric, [[1.5, np.nan, 1.0]], equal_nan=True)
    assert blocks.text[0].tolist() == [None]


@pytest.mark.parametrize(
    ("text", "error", "message", "row", "column"),
    [
        ("", ColumnError, "the CSV is empty", None, None),
        ("x,n,t\n", ColumnError, "lacks 'b'; its columns are 'x', 'n', 't'", None, "b"),
        ("x,n,b,t,x\n", ColumnError, "more than one column 'x'", None, "x"),
        ("x,n,b,t\n1,2,1\n", ColumnError, "row 0 has 3 fields and the header has 4", 0, None),
        ("x,n,b,t\n1,2,1,a\n1,2,1,a,\n", ColumnError, "row 1 has 5 fields", 1, None),
        ("x,n,b,t\n1,2,1,a\none,2,1,a\n", DtypeError, "'one', which is not a number", 1, "x"),
        ("x,n,b,t\n1_0,2,1,a\n", DtypeError, "'1_0', which is not a number", 0, "x"),
        ("x,n,b,t\n1,two,1,a\n", DtypeError, "'two', which is not an integer", 0, "n"),
        ("x,n,b,t\n1,2,yes,a\n", DtypeError, "'yes', which is not true or false", 0, "b"),
        ('x,n,b,t\n1,2,1,"a', RequestError, "line 2 is not CSV", None, None),
    ],
)
def test_bad_csv(
    text: str, error: type[SclblError], message: str, row: int | None, column: str | None
) -> None:
    for rows in (1, 100):
        with pytest.raises(error, match=message) as raised:
            csv(text, rows=rows)
        found = raised.value
        assert (getattr(found, "row", None), getattr(found, "column", None)) == (row, column)


def test_an_array_needs_its_width() -> None:
    with pytest.raises(ColumnError, match="the CSV header has 3 columns and the model takes 2"):
        csv("a,b,c\n", ARRAY)


@pytest.mark.parametrize(
    ("line", "error", "message"),
    [
        (b"{", RequestError, "line 4 is not JSON: Input data was truncated"),
        (b"\xff", RequestError, "line 4 is not JSON"),
        (b"[" * 100_000, RequestError, "line 4 is not JSON"),
        (b"null", ShapeError, "line 4 holds NoneType; every line must be one row"),
        (b'"a"', ShapeError, "line 4 holds str"),
    ],
)
def test_bad_ndjson(line: bytes, error: type[SclblError], message: str) -> None:
    for rows in (1, 2, 100):
        with pytest.raises(error, match=message):
            list(read_ndjson([b"[1]\n", b"[1]\n", b"[1]\n", line], rows=rows))
