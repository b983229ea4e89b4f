"""Rows of every container, encoded as the blocks that a program reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sclbl.errors import ColumnError, DtypeError, ShapeError
from sclbl.rows import Blocks, Encoder, OneNull, encode
from sclbl.rows.infer import infer
from sclbl.signature import Column, Signature
from sclbl.spec import MISSING_TEXTS

MIXED = pd.DataFrame(
    {
        "age": [31.5, np.nan, -0.0],
        "city": ["Utrecht", None, "Köln"],
        "rooms": [3, 4, 5],
        "new": [True, False, True],
        "kind": pd.Categorical(["a", "b", "a"]),
    }
)
NUMBERS = np.array([[31.5, 3, 1], [np.nan, 4, 0], [-0.0, 5, 1]])
KINDS = ["a", "b", "a"]


def same(blocks: Blocks, missing: Any = np.nan) -> None:
    assert blocks.rows == 3
    assert blocks.numeric is not None
    assert blocks.numeric.dtype == np.float64
    assert blocks.numeric.flags.c_contiguous
    np.testing.assert_array_equal(blocks.numeric, NUMBERS)
    assert np.signbit(blocks.numeric[2, 0])
    city, kind = blocks.text
    assert [*map(repr, city.tolist())] == ["'Utrecht'", repr(missing), "'Köln'"]
    assert kind.tolist() == KINDS
    assert city.offsets.dtype == np.uint32
    assert city.data.dtype == np.uint8
    assert city.kinds is not None
    assert city.kinds.dtype == np.uint8
    assert kind.kinds is None
    # numpy's own UTF-8 is the second opinion
    assert city.data.tobytes() == "UtrechtKöln".encode()


CONTAINERS = {
    "pandas": MIXED,
    "reordered, with an extra column": MIXED[["kind", "new", "city", "age", "rooms"]].assign(z=1),
    "index": MIXED.set_axis([7, 7, 8]),
    "object columns": MIXED.astype(object),
    "convert_dtypes": MIXED.convert_dtypes(),
    "pyarrow dtypes": MIXED.convert_dtypes(dtype_backend="pyarrow"),
    "string[python]": MIXED.astype({"city": "string[python]", "kind": "string[pyarrow]"}),
    "polars": pl.from_pandas(MIXED),
    "polars lazy": pl.from_pandas(MIXED).lazy(),
    "arrow": pa.Table.from_pandas(MIXED),
    "arrow chunks": pa.concat_tables(
        [pa.Table.from_pandas(MIXED[:1]), pa.Table.from_pandas(MIXED[1:])]
    ),
    "dict of lists": {c: MIXED[c].tolist() for c in MIXED},
    "dict of arrays": {c: MIXED[c].to_numpy() for c in MIXED},
    "dict of series": {c: MIXED[c] for c in MIXED},
    "records": MIXED.to_dict("records"),
    "object array": MIXED.to_numpy(dtype=object),
    "list of lists": MIXED.to_numpy(dtype=object).tolist(),
    "list of rows": list(MIXED.to_numpy(dtype=object)),
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_gives_the_same_blocks(container: str) -> None:
    # A cell keeps its own missing value; the one null of polars and Arrow is the column's, NaN.
    nullable = container in ("convert_dtypes", "pyarrow dtypes", "string[python]")
    same(encode(CONTAINERS[container], infer(MIXED)), pd.NA if nullable else np.nan)


def test_sliced_arrow_text() -> None:
    frame = pl.DataFrame({"t": ["aaa", "b", None, "cé", ""]})
    for rows in (frame[1:4], frame.to_arrow().slice(1, 3), frame[1:4].to_pandas()):
        column = encode(rows, infer(frame)).text[0]
        # What polars makes of a null for pandas depends on their releases.
        wanted = repr(rows["t"].iloc[1]) if isinstance(rows, pd.DataFrame) else "None"
        assert [*map(repr, column.tolist())] == ["'b'", wanted, "'cé'"]
        assert column.offsets[0] == 0


def test_contiguous_array_passes_untouched() -> None:
    rows = np.random.default_rng(0).normal(size=(5, 3))
    assert encode(rows, infer(rows)).numeric is rows
    single = rows.astype(np.float32)
    assert encode(single, infer(single)).numeric is single
    turned = encode(np.asfortranarray(rows), infer(rows)).numeric
    assert turned is not None
    assert turned.flags.c_contiguous
    np.testing.assert_array_equal(turned, rows)
    swapped = encode(rows.astype(">f8"), infer(rows)).numeric
    assert swapped is not None
    assert swapped.dtype.isnative
    np.testing.assert_array_equal(swapped, rows)


def test_rows_are_never_written_into() -> None:
    columns = (Column(None, "float64"), Column(None, "boolean", dtype="bool"))
    signature = Signature(columns, "array")
    rows = np.array([[1.5, -0.0], [2.5, 1.0]])
    rows.flags.writeable = False
    blocks = encode(rows, signature)
    np.testing.assert_array_equal(blocks.numeric, rows)
    assert np.signbit(rows[0, 1])
    assert not np.signbit(blocks.numeric[0, 1])
    one = pd.DataFrame(rows[1:])
    np.testing.assert_array_equal(encode(one, signature).numeric, rows[1:])


@pytest.mark.parametrize("turn", [1, 2])
def test_an_encoder_serves_frames_of_other_columns(turn: int) -> None:
    """What it knows of one frame's columns says nothing of another's."""
    encoder = Encoder(infer(MIXED))
    other = MIXED[["kind", "new", "rooms", "city", "age"]]
    for rows in (MIXED, MIXED[:2], other, other[1:], MIXED, MIXED.rename(columns=str.upper)):
        if rows.columns[0].isupper():
            with pytest.raises(ColumnError, match="the rows lack"):
                encoder.encode(rows)
            continue
        want, got = encode(rows.to_dict("records"), infer(MIXED)), encoder.encode(rows)
        np.testing.assert_array_equal(got.numeric, want.numeric)
        assert [c.constants() for c in got.text] == [c.constants() for c in want.text]


class OwnFrame(pd.DataFrame):
    """A frame of a class of its own, whose columns are read in public ways alone."""


def test_frames_of_other_classes() -> None:
    for rows in (MIXED, MIXED.convert_dtypes(), MIXED.astype({"kind": "category"})):
        want, got = encode(rows, infer(MIXED)), encode(OwnFrame(rows), infer(MIXED))
        np.testing.assert_array_equal(got.numeric, want.numeric)
        assert [c.constants() for c in got.text] == [c.constants() for c in want.text]


PLAIN = {
    "lists": [[1, 2.5], [True, -0.0]],
    "dicts": [{"a": 1, "b": 2.5}, {"b": 3, "a": 4}],
    "one dict": [{"b": 1, "a": 2}],
    "extra keys": [{"a": 1, "b": 2.5, "c": "x"}, {"b": 3, "a": 4}],
    "none": [[1.0, None], [float("nan"), 2]],
    "infinite": [[1.0, float("inf")]],
}


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("kind", ["float64", "float32"])
def test_plain_numbers_take_a_short_way(
    name: str, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    signature = Signature((Column("a", kind), Column("b", kind)), "table")
    for rows in (PLAIN[name], OneNull(PLAIN[name])):
        got = encode(rows, signature).numeric
        with monkeypatch.context() as patched:
            patched.setattr(Encoder, "plain", lambda self, rows: None)
            want = encode(rows, signature).numeric
        assert got.dtype == want.dtype == kind
        assert got.tobytes() == want.tobytes()


def test_the_short_way_leaves_the_rules_to_the_long_one() -> None:
    signature = Signature((Column("a", "float32"), Column("b", "float32")), "table")
    encoder = Encoder(signature)
    keeps = Encoder(Signature((Column("a", "float64", takes=("nan",)),) * 2, "array"))
    assert encoder.plain([[1.0, 2.0]]) is not None
    assert encoder.plain(OneNull([{"a": 1, "b": 2}])) is not None
    assert keeps.plain([[1.0, 2.0]]) is not None
    for rows in (
        [[1.0, 1e39]],
        [[1.0, 2**53]],
        [[1.0, 10**400]],
        [[1.0, "2"]],
        [[1.0], [2.0]],
        [[1.0, 2.0], (3.0, 4.0)],
        [{"a": 1}],
        [{"a": 1, "b": 2, 3: 4}],
        [],
        [1.0, 2.0],
        ([1.0, 2.0],),
    ):
        assert encoder.plain(rows) is None
    assert keeps.plain([[1.0, None]]) is None
    with pytest.raises(DtypeError, match="None is another value to the model"):
        keeps.encode([[1.0, None]])


@pytest.mark.parametrize(
    "row",
    [
        np.array([1.0, 2.0]),
        [1, 2],
        (1.0, 2.0),
        [[1, 2]],
        pd.Series([1.0, 2.0]),
        pl.Series([1.0, 2.0]),
        np.array([1, 2], dtype=object),
        np.array([[1, 2]], dtype=np.float16),
        {"0": 1, "1": 2},
        pd.DataFrame({"x": [1], "y": [2]}),
    ],
)
def test_one_row_of_an_array_model(row: object) -> None:
    blocks = encode(row, infer(np.zeros((1, 2))))
    assert blocks.rows == 1
    np.testing.assert_array_equal(blocks.numeric, [[1.0, 2.0]])


def test_one_row_of_a_table_model() -> None:
    signature = infer(MIXED)
    row = MIXED.iloc[0]
    for given_row in (row, row.to_dict(), [row.to_dict()], row.tolist(), row.to_numpy()):
        blocks = encode(given_row, signature)
        np.testing.assert_array_equal(blocks.numeric, NUMBERS[:1])
        assert [c.tolist() for c in blocks.text] == [["Utrecht"], ["a"]]
    words = infer(pd.DataFrame({"a": ["x"], "b": ["y"]}))
    assert [c.tolist() for c in encode(["p", "q"], words).text] == [["p"], ["q"]]


def test_rows_of_one_text_column() -> None:
    signature = infer(["good", "bad"])
    for rows in (["a", "é"], np.array(["a", "é"]), pd.Series(["a", "é"]), pl.Series(["a", "é"])):
        blocks = encode(rows, signature)
        assert blocks.rows == 2
        assert blocks.numeric is None
        assert blocks.text[0].tolist() == ["a", "é"]


def test_missing_numbers() -> None:
    signature = infer(pd.DataFrame({"a": [1.0]}))
    for values in (
        pd.array([None, 1], "Int64"),
        pd.array([None, 1], "float[pyarrow]"),
        pd.Series([None, 1], dtype=object),
        pl.Series([None, 1]),
        [None, 1],
        [float("nan"), 1],
    ):
        np.testing.assert_array_equal(encode({"a": values}, signature).numeric, [[np.nan], [1.0]])
    for nothing in (pd.Series([None, None], dtype="str"), pl.Series([None, None]), [None, None]):
        got = encode({"a": nothing}, signature).numeric
        np.testing.assert_array_equal(got, [[np.nan], [np.nan]])
    # float(pandas.NA) and float(pandas.NaT) are errors, to the model as well
    with pytest.raises(DtypeError, match=r"pandas\.NA is another value .* which is None or NaN"):
        encode({"a": pd.Series([pd.NA, 1], dtype=object)}, signature)
    with pytest.raises(
        DtypeError,
        match=r"row 0, column 'a' holds a NaTType, which is no float64; turn dates into numb",
    ):
        encode({"a": pd.Series([pd.NaT, True], dtype=object)}, signature)


def test_missing_text() -> None:
    signature = infer(pd.DataFrame({"a": ["x"]}))
    for values, missing in (
        (["x", None], None),
        (["x", float("nan")], np.nan),
        (pd.Series(["x", pd.NA], dtype=object), pd.NA),
        (pd.Series(["x", None], dtype="category"), np.nan),
        (pd.Series(["x", None], dtype="string").astype("category"), pd.NA),
        (pd.Series(["x", None], dtype="str"), np.nan),
        (pd.array(["x", None], "string[python]"), pd.NA),
        (pd.array(["x", None], "string[pyarrow]"), pd.NA),
        (pd.array(["x", None], pd.ArrowDtype(pa.string())), pd.NA),
    ):
        found = encode({"a": values}, signature).text[0].tolist()
        assert [*map(repr, found)] == ["'x'", repr(missing)]
    # a column that pandas read as empty is float64 NaN
    assert np.isnan(encode(pd.DataFrame({"a": [np.nan]}), signature).text[0].tolist()[0])


@pytest.mark.parametrize("own", ["none", "nan", "na"])
def test_one_null_is_the_columns_own_missing_value(own: str) -> None:
    signature = Signature(
        (Column("a", "text", missing=own), Column("b", "float64", missing=own)), "table"
    )
    given = {"a": ["x", None], "b": [1.0, None]}
    for rows in (pl.DataFrame(given), pa.table(given), OneNull(given)):
        found = encode(rows, signature)
        wanted = {"none": None, "nan": np.nan, "na": pd.NA}[own]
        assert [*map(repr, found.text[0].tolist())] == ["'x'", repr(wanted)]
        assert found.numeric is not None
        np.testing.assert_array_equal(found.numeric, [[1.0], [np.nan]])


def test_missing_numbers_that_the_model_tells_apart() -> None:
    signature = Signature((Column("a", "float64", missing="none", takes=("none",)),), "table")
    message = (
        r"1, column 'a' holds .* (NaN|pandas\.NA) is another value to the model than the missing "
        "number of this column, which is None: give that one, or a number"
    )
    for rows in (
        pd.DataFrame({"a": [1.0, np.nan]}),
        pd.DataFrame({"a": pd.array([1.0, None], "Float64")}),
        {"a": [1.0, np.nan]},
        [{"a": 1.0}, {"a": pd.NA}],
        np.array([[1.0], [np.nan]]),
    ):
        with pytest.raises(DtypeError, match=message) as refused:
            encode(rows, signature)
        assert (refused.value.row, refused.value.column) == (1, "a")
    for rows in ({"a": [1.0, None]}, pl.DataFrame({"a": [1.0, None]}), OneNull([{"a": None}])):
        assert np.isnan(encode(rows, signature).numeric[-1, 0])


def test_text_in_a_numeric_column() -> None:
    signature = infer(pd.DataFrame({"age": [1.0], "size": [2.0]}))
    message = r"row 3, column 'age' holds 'abc'.* it is text, but the model takes numbers"
    ages = [1.0, 2.0, None, "abc"]
    for rows in (
        pd.DataFrame({"age": ages, "size": 1.0}, dtype=object),
        {"age": ages, "size": [1.0] * 4},
        [{"age": a, "size": 1.0} for a in ages],
        [[a, 1.0] for a in ages],
    ):
        with pytest.raises(DtypeError, match=message) as caught:
            encode(rows, signature)
        assert (caught.value.row, caught.value.column) == (3, "age")
    with pytest.raises(DtypeError, match=r"row 0, column 'age' holds '1.5', .* it is text"):
        encode(pl.DataFrame({"age": ["1.5"], "size": [1.0]}), signature)
    with pytest.raises(DtypeError, match=r"row 1, column '1' holds 'x', .* it is text"):
        encode(np.array([[1, 2], [3, "x"]], dtype=object), infer(np.zeros((1, 2))))
    with pytest.raises(DtypeError, match=r"row 0, column '0' holds '1', .* it is text"):
        encode(np.array([["1", "2"]]), infer(np.zeros((1, 2))))


def test_wrong_values_in_a_text_column() -> None:
    signature = infer(pd.DataFrame({"city": ["x"]}))
    with pytest.raises(
        DtypeError,
        match=r"row 1, column 'city' holds 5, which is no text; it is a number, but the model",
    ):
        encode({"city": ["a", 5]}, signature)
    with pytest.raises(DtypeError, match=r"row 0, column 'city' holds 1\.5, .* it is a number"):
        encode(pd.DataFrame({"city": [1.5]}), signature)
    with pytest.raises(DtypeError, match=r"row 0, column 'city' holds True, .* it is a number"):
        encode(pd.DataFrame({"city": [True]}), signature)
    with pytest.raises(
        DtypeError, match=r"row 0, column 'city' holds a bytes, which is no text; decode"
    ):
        encode({"city": [b"a"]}, signature)
    with pytest.raises(DtypeError, match=r"row 1, column 'city'.*lone surrogate"):
        encode({"city": ["a", "\ud800"]}, signature)
    bad = pa.StringArray.from_buffers(
        1, pa.py_buffer(np.array([0, 1], dtype=np.int32)), pa.py_buffer(b"\xff")
    )
    with pytest.raises(DtypeError, match=r"column 'city' holds text that is not UTF-8"):
        encode(pa.table({"city": bad}), signature)


def test_dates_are_refused() -> None:
    signature = infer(pd.DataFrame({"a": [1.0]}))
    for rows in (pd.DataFrame({"a": pd.to_datetime(["2020-01-01"])}), {"a": [pd.Timestamp(0)]}):
        with pytest.raises(DtypeError, match=r"column 'a' holds .*seconds since 1970"):
            encode(rows, signature)


@pytest.mark.parametrize(
    "values",
    [
        np.array([0, 2**53 + 1]),
        np.array([0, 2**64 - 1], dtype=np.uint64),
        [0, 2**53 + 1],
        [0, 10**400],
        pd.array([0, 2**53 + 1], "Int64"),
        pd.Series([None, 2**53 + 1], dtype="Int64"),
        pd.Series([None, -(2**53) - 1], dtype="int64[pyarrow]"),
        pl.Series([None, 2**53 + 1]),
    ],
)
def test_integers_that_float64_does_not_hold(values: object) -> None:
    with pytest.raises(
        DtypeError,
        match=r"row 1, column 'id' holds -?\d+(\.\.\.)?, which is no float64; it is beyond 2\*\*53",
    ):
        encode({"id": values}, infer(pd.DataFrame({"id": [1.0]})))


def test_the_largest_exact_integers() -> None:
    signature = infer(np.zeros((1, 2)))
    for rows in (np.array([[2**53, -(2**53)]]), [[2**53, -(2**53)]]):
        np.testing.assert_array_equal(encode(rows, signature).numeric, [[2.0**53, -(2.0**53)]])


def test_float32_programs_take_what_float32_holds() -> None:
    signature = infer(np.zeros((1, 2), dtype=np.float32))
    exact = np.array([[0.5, np.nan], [np.inf, -3.0]])
    got = encode(exact, signature).numeric
    assert got is not None
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, exact)
    np.testing.assert_array_equal(encode(np.array([[1, 2**24]]), signature).numeric, [[1, 2**24]])
    with pytest.raises(
        DtypeError,
        match=r"row 1, column '0' holds 0.1.* it is not a float32 number.*astype",
    ):
        encode(np.array([[0.5, 0.5], [0.1, 0.5]]), signature)
    with pytest.raises(
        DtypeError,
        match=r"row 0, column '1' holds 16777217, which is no float32; it is not a float32 number",
    ):
        encode(np.array([[1, 2**24 + 1]]), signature)
    with pytest.raises(
        DtypeError, match=r"1e\+300, which is no float32; it is not a float32 number"
    ):
        encode(np.array([[1e300, 1.0]]), signature)
    # Python's numbers have no dtype: they are read as float32, as numpy.float32 reads them
    np.testing.assert_array_equal(encode([[0.1, 1]], signature).numeric, np.float32([[0.1, 1]]))
    with pytest.raises(
        DtypeError, match=r"1e\+300, which is no float32; it is too large for float32"
    ):
        encode([[1e300, 1.0]], signature)


def test_missing_columns_are_named_with_the_nearest() -> None:
    signature = infer(MIXED)
    with pytest.raises(
        ColumnError, match=r"the rows lack 'city'; 'city' \(did you mean 'City'\?\); the rows have"
    ):
        encode(MIXED.rename(columns={"city": "City"}), signature)
    with pytest.raises(ColumnError, match=r"the rows lack 'age', 'rooms'"):
        encode(MIXED[["city", "new", "kind"]], signature)
    long = infer(pd.DataFrame({"bill_length": [1.0], "bill_depth": [2.0], "MASS": [1.0]}))
    # A column that the model takes itself is not meant by another's name; case says nothing.
    with pytest.raises(ColumnError, match=r"'MASS' \(did you mean 'mass'\?\); the"):
        encode([{"bill_length": 1.0, "mass": 2.0}], long)
    records = MIXED.to_dict("records")
    del records[1]["age"]
    with pytest.raises(ColumnError, match=r"row 1 lacks 'age'"):
        encode(records, signature)
    with pytest.raises(ColumnError, match=r"more than one column named 'age'"):
        encode(pd.concat([MIXED, MIXED[["age"]]], axis=1), signature)
    extra = pd.concat([MIXED, pd.DataFrame(np.zeros((3, 2)), columns=["z", "z"])], axis=1)
    same(encode(extra, signature))


def test_wrong_number_of_columns() -> None:
    signature = infer(np.zeros((1, 3)))
    for rows in (np.zeros((2, 2)), [[1, 2]], [1, 2], pd.DataFrame({"a": [1], "b": [2]})):
        with pytest.raises(ColumnError, match=r"have 2 columns and the model takes 3"):
            encode(rows, signature)
    with pytest.raises(ColumnError, match=r"have 2 columns and the model takes 5"):
        encode(np.zeros((2, 2)), infer(MIXED))
    with pytest.raises(ColumnError, match=r"X.reshape\(-1, 1\)"):
        encode(np.zeros(4), infer(np.zeros((1, 1))))
    with pytest.raises(ColumnError, match=r"the model's columns have no names"):
        encode({"a": 1, "b": 2, "c": 3}, signature)


@pytest.mark.parametrize("rows", [[], np.zeros((0, 3)), pd.DataFrame({"a": []}), {}, {"a": []}])
def test_empty_batches_are_refused(rows: object) -> None:
    with pytest.raises(ShapeError, match=r"no rows to predict"):
        encode(rows, infer(np.zeros((1, 3))))


def test_three_dimensions_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"3 dimensions \(1, 2, 3\)"):
        encode(np.zeros((1, 2, 3)), infer(np.zeros((1, 3))))


#: The noncharacters that stand for missing texts in constants are nobody's text.
characters = st.characters(
    exclude_categories=["Cs"], exclude_characters=list(MISSING_TEXTS.values())
)
values = st.one_of(st.none(), st.text(characters, max_size=6))


@settings(max_examples=60, deadline=None)
@given(st.lists(values, min_size=1, max_size=30))
def test_text_survives_every_container(items: list[str | None]) -> None:
    signature = infer(pd.DataFrame({"t": ["x"]}))
    for rows in (
        {"t": items},
        [{"t": v} for v in items],
        pd.DataFrame({"t": pd.array(items, "string[pyarrow]")}),
        pl.DataFrame({"t": pl.Series(items, dtype=pl.String)}),
        pa.table({"t": pa.array(items, pa.string())}),
    ):
        found = encode(rows, signature).text[0].tolist()
        assert [v if isinstance(v, str) else None for v in found] == items


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(), st.integers(-(2**53), 2**53)), min_size=1, max_size=20))
def test_numbers_survive_every_container(items: list[tuple[float, int]]) -> None:
    frame = pd.DataFrame(items, columns=["a", "b"]).astype({"a": "float64", "b": "int64"})
    expected = np.column_stack([frame["a"].to_numpy(), frame["b"].to_numpy().astype(float)])
    for rows in (
        frame,
        pl.from_pandas(frame),
        items,
        frame.to_dict("records"),
        frame.to_dict("list"),
        pa.Table.from_pandas(frame),
    ):
        np.testing.assert_array_equal(encode(rows, infer(frame)).numeric, expected)


def test_names_of_several_levels_are_told() -> None:
    rows = pd.DataFrame([[1.0, 2.0]], columns=pd.MultiIndex.from_product([["a"], ["x", "y"]]))
    signature = infer(pd.DataFrame({"x": [1.0], "y": [2.0]}))
    with pytest.raises(ColumnError, match=r"names have 2 levels \(a MultiIndex\): .*set_axis"):
        encode(rows, signature)
    flat = encode(rows.set_axis(["x", "y"], axis=1), signature).numeric
    np.testing.assert_array_equal(flat, [[1.0, 2.0]])
