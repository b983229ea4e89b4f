"""CSV and NDJSON as rows."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sclbl
from sclbl.errors import ColumnError, DtypeError, RequestError, SclblError, ShapeError
from sclbl.rows import encode
from sclbl.server.payload import read_table
from sclbl.signature import Column, Signature
from sclbl.tabular import not_utf8, read_csv, read_ndjson

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


@pytest.mark.parametrize("header", ['"x","n","b","t"', "x,n,b,t", '"x",n,b,"t"'])
def test_a_mark_stands_before_the_first_name(header: str) -> None:
    ((_, rows),) = csv(f"\ufeff{header}\n1.5,,,\n")
    assert rows["x"].tolist() == [1.5]
    with pytest.raises(ColumnError, match="lacks 'x'"):
        csv(f"\ufeff\ufeff{header}\n1.5,,,\n")


def test_decimals_are_the_nearest_numbers_of_a_column() -> None:
    halves = Signature((Column("h", "float32", "float16"), Column("s", "float32")), "table")
    frame = pd.DataFrame({"h": [0.1, 65504, 1e-9], "s": [0.1, 1e38, 1e-46]})
    frame = frame.astype({"h": "float16", "s": "float32"})
    ((_, rows),) = csv(frame.to_csv(index=False), halves)
    for name in frame:
        assert rows[name].dtype == np.float32
        assert rows[name].tolist() == frame[name].tolist()
    # Rounded once: through float32 it would be 1.
    ((_, rows),) = csv("h,s\n1.0004882812500002,1\n", halves)
    assert rows["h"].tolist() == [1 + 2**-10]
    with pytest.raises(
        DtypeError, match=r"column h holds 65520\.0, which is too large for float16"
    ):
        csv("h,s\n65520,1\n", halves)


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
        (
            "x,n,b,t\n1,2,1\n",
            ColumnError,
            "row 0 has 3 fields and the header has 4; a ",
            0,
            None,
        ),
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
        (
            b'{"a": 1, "b": NaN}',
            RequestError,
            "line 4 is not JSON: row 3, column 'b' is NaN; se",
        ),
        (b"[1, -Infinity]", RequestError, "row 3, column '1' is -Infinity; JSON holds no infinity"),
        (b"[" * 100_000, RequestError, "line 4 is not JSON"),
        (b"null", ShapeError, "line 4 holds NoneType; every line must be one row"),
        (b'"a"', ShapeError, "line 4 holds str"),
    ],
)
def test_bad_ndjson(line: bytes, error: type[SclblError], message: str) -> None:
    for rows in (1, 2, 100):
        with pytest.raises(error, match=message):
            list(read_ndjson([b"[1]\n", b"[1]\n", b"[1]\n", line], rows=rows))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x;n;b;t\n1,5;2;true;a\n", r"separated by semicolons; .*sep=';', decimal=','"),
        ("\ufeffx;n;b;t\n", r"separated by semicolons"),
        ("x\tn\tb\tt\n", r"separated by tabs; .*sep='\\t'"),
        ("x|n|b|t\n", r"separated by bars; .*sep='\|'"),
        ("sep=;\nx;n;b;t\n", r"^the first line of the CSV is 'sep=;', which only spreadsheets"),
        ("sep=,\nx,n,b,t\n", r"^the first line of the CSV is 'sep=,', .*; delete that line"),
        (" x,N,b,t\n", r"lacks 'x' \(did you mean ' x'\?\), 'n' \(did you mean 'N'"),
        ("x,t,b,q\n", r"lacks 'n'; its columns are"),
    ],
)
def test_headers_of_other_files_are_told_with_the_cause(text: str, said: str) -> None:
    with pytest.raises(ColumnError, match=said):
        csv(text)


def test_quotes_that_are_not_closed_are_told() -> None:
    with pytest.raises(
        RequestError, match=r"line 3 is not CSV: it ends within double quotes, .* tw"
    ):
        csv('x,n,b,t\n1,2,true,"a\n1,2,true,b\n')


@pytest.mark.parametrize("text", ["a;b\n1;2\n", "sep=;\na;b\n"])
def test_other_separators_where_columns_have_no_names(text: str) -> None:
    with pytest.raises(ColumnError, match=r"separated by (semicolons|commas)"):
        csv(text, ARRAY)


def test_a_column_may_have_a_semicolon_in_its_name() -> None:
    one = Signature((Column("a;b", "float64"),), "table")
    ((_, rows),) = csv("a;b\n1.5\n", one)
    assert rows["a;b"].tolist() == [1.5]


@pytest.mark.parametrize("field", ["40,5", "-1.234,5", " 0,1"])
def test_decimal_commas_are_told(field: str) -> None:
    with pytest.raises(DtypeError, match=r"is not a number; write decimals with a point"):
        csv(f'x,n,b,t\n"{field}",1,true,a\n')


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("1,234", r"a point \(.* decimal=',', or thousands with thousands=','\)"),
        ("1,234.5", r"write numbers without marks between thousands \(pandas.read_csv reads"),
        ("1,234,567", "without marks between thousands"),
        ("1 234", "without marks between thousands"),
        ("-1\u202f234,5", "without marks between thousands"),
        ("1'234.50", "without marks between thousands"),
        ("$1.5", "write the number alone, without its unit"),
        ("5 %", "write the number alone, without its unit"),
        ("n/a", "an empty field is a missing value"),
        ("1,2,3", "an empty field is a missing value"),
    ],
)
def test_numbers_written_otherwise_are_told(field: str, said: str) -> None:
    for line in (f'"{field}",1,true,a', f'1,"{field}",true,a'):
        with pytest.raises(DtypeError, match=said):
            csv(f"x,n,b,t\n{line}\n")


@pytest.mark.parametrize(
    ("begins", "said"),
    [
        (
            b"PK\x03\x04\x14\x00\xff",
            "is no CSV but a spreadsheet, or a zip file; save the sheet",
        ),
        (b"\xd0\xcf\x11\xe0\xa1", "a spreadsheet of an old kind"),
        (b"\x1f\x8b\x08\x00\xff", "compressed; decompress it first"),
    ],
)
def test_files_that_are_no_text_are_told(begins: bytes, said: str) -> None:
    with pytest.raises(UnicodeDecodeError) as raised:
        begins.decode()
    assert said in str(not_utf8("rows.csv", raised.value))


@pytest.mark.parametrize(
    ("codec", "said"), [("utf-16", "probably UTF-16; .*'utf-16'"), ("cp1252", "Windows-1252")]
)
def test_other_encodings_are_told(codec: str, said: str) -> None:
    body = "x,n,b,t\n1,1,true,é\n".encode(codec)
    with pytest.raises(UnicodeDecodeError) as raised:
        body.decode()
    assert re.search(
        rf"^the CSV is not UTF-8 \(byte 0x.*{said}", str(not_utf8("the CSV", raised.value))
    )
    with pytest.raises(RequestError, match=said):
        read_table(body, TABLE, 10)


def test_an_integer_of_hundreds_of_digits_is_not_written_out() -> None:
    with pytest.raises(
        DtypeError, match=r"1000.*, which is no float64; it is beyond 2\*\*53"
    ) as raised:
        encode([[10**400, 1.0]], ARRAY)
    assert len(str(raised.value)) < 250


def test_python_runs_the_package() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sclbl", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{sclbl.__version__}\n"
