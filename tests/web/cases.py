"""Rows that Python and the JavaScript loader read alike, and rows that both refuse alike.

A case is a signature and rows as JSON has them, with objects for what JSON has not:
``{"$": "nan"}``, ``{"$": "int", "v": "9007199254740993"}``, for a typed array
``{"$": "float32", "v": [1, 2], "shape": [1, 2]}``, and so on. `tests/web/reading.mjs` and
`python_rows` make the rows of each language of them.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sclbl.rows import OneNull
from sclbl.signature import Column, Input, Output, Signature

NAN, INF, MINUS_INF, DATE = ({"$": name} for name in ("nan", "inf", "-inf", "date"))
LARGEST = 3.4028234663852886e38
HALF = 1.7014118346046923e38
ONE = Output("float64", "float64", 1, 1)


def integer(value: int) -> dict[str, Any]:
    """Return an integer: Python's, JavaScript's BigInt."""
    return {"$": "int", "v": str(value)}


def typed(dtype: str, values: list[Any], *shape: int) -> dict[str, Any]:
    """Return a typed array, which in NumPy has a shape."""
    return {"$": dtype, "v": values, "shape": list(shape) or [len(values)]}


@dataclass(frozen=True)
class Case:
    """Rows for a signature; of `refused` rows, whether the error is one of the rows'."""

    name: str
    signature: Signature
    rows: Any
    refused: bool = False
    parameters: dict[str, Any] = field(default_factory=dict)


def signature(*columns: Any, empty: bool = False, **more: Any) -> Signature:
    """Return a table's signature; a column is a kind, or the arguments of `Column` after it."""
    named = all(isinstance(c, tuple) for c in columns) and columns != ()
    read = tuple(Column(*c) if isinstance(c, tuple) else Column(None, c) for c in columns)
    output = Output("float64", "float64", 1, 1, empty=empty, parameters=more.pop("own", ()))
    layout = "table" if named else "array"
    return Signature(read, more.pop("layout", layout), {"predict": output}, **more)


PEOPLE = signature(("age", "float64"), ("city", "text", None, "none"))
NUMBERS = signature("float64", "float64")
SINGLES = signature("float32", "float32")
TEXTS = signature("text")
NAMED_TEXT = signature(("say", "text", None, "nan"))
NARROW = {
    name: signature(("a", "float64"), ("n", kind, name))
    for name, kind in (
        *((f"{sign}int{bits}", "integer") for sign in ("", "u") for bits in (8, 16, 32, 64)),
        ("bool", "boolean"),
    )
}
HALVES = signature(("a", "float32", "float16"), ("b", "float32"))
MARKED = signature(
    ("none", "float64", None, "none", ("none",)),
    ("na", "float64", None, "na", ("na",)),
    ("t", "text", None, "na"),
    ("u", "text", None, "nan"),
    ("v", "text", None, "none"),
)
MIXED = signature(("s", "float64"), ("t", "text"), ("i", "integer", "int8"), ("u", "text"))
EMPTY = signature(("a", "float64"), ("t", "text"), empty=True)
PICTURES = signature(*["float32"] * 6, shape=(2, 3))
WHOLE = Signature(
    (Column(None, "float64"),) * 4, "array",
    {"predict": Output("float64", "float64", 4, 2, shape=(2, 2))}, (2, 2), True,
)  # fmt: skip
GRIDS = signature(*["text"] * 4, shape=(2, 2))


def beside(*inputs: Input, columns: tuple[Any, ...] = (), own: tuple[str, ...] = ()) -> Signature:
    """Return a signature with inputs beside a table."""
    return signature(*columns, inputs=tuple(inputs), own=own)


TENSORS = {
    dtype: beside(Input("x", "tensor", dtype, (2,)))
    for dtype in (
        "float64", "float32", "float16", "int8", "int16", "int32", "int64",
        "uint8", "uint16", "uint32", "uint64", "bool",
    )
}  # fmt: skip
SCALARS = beside(Input("x", "tensor", "float64", ()))
CUBES = beside(Input("x", "tensor", "float32", (1, 2, 2)))
LISTS = {d: beside(Input("x", "list", d)) for d in ("float64", "float32", "int64", "bool", "text")}
SPARSE = {d: beside(Input("x", "sparse", d, (4,))) for d in ("float64", "float32", "int64")}
FEATURES = {d: beside(Input("x", "features", d)) for d in ("float64", "float32")}
SEVERAL = beside(
    Input("tokens", "list", "text"),
    Input("x", "tensor", "float32", (2,)),
    columns=(("a", "float64"),),
)
LEVELS = beside(
    Input("k", "parameter", "int64", (), 3), Input("r", "parameter", "float32", (), 1.0),
    Input("deep", "parameter", "bool", (), True), columns=(("a", "float64"),),
    own=("k", "r", "deep"),
)  # fmt: skip
ROW = {"age": 1, "city": "Ede"}
NUMBERS_OF = {
    "int8": (-128, 127), "int16": (-32768, 32767), "int32": (-(2**31), 2**31 - 1),
    "uint8": (0, 255), "uint16": (0, 65535), "uint32": (0, 2**32 - 1),
}  # fmt: skip


def cases() -> Iterator[Case]:
    """Yield every case, each under a name of its own."""
    for kind, refused in ((accepted, False), (refusals, True)):
        for number, (where, rows, *parameters) in enumerate(kind()):
            yield Case(f"{kind.__name__}-{number}", where, rows, refused, *parameters)


def accepted() -> Iterator[tuple[Any, ...]]:
    """Yield signatures and rows that are read."""
    yield PEOPLE, [ROW]
    yield PEOPLE, [{"city": "Ede", "more": [1], "age": 1}]
    yield PEOPLE, ROW
    yield PEOPLE, {"age": [1, 2.5], "city": ["Ede", None]}
    yield PEOPLE, {"age": typed("float64", [1, NAN]), "city": ["Ede", "'"]}
    yield PEOPLE, {"age": typed("int8", [1, -3]), "city": ["Ede", "\U0001f600é\u0000"]}
    yield PEOPLE, [[1, "Ede"], [None, None], [NAN, NAN], [True, ""]]
    yield PEOPLE, [1, "Ede"]
    yield PEOPLE, [{"age": integer(2**53), "city": "x"}, {"age": integer(-(2**53)), "city": "x"}]
    for value in (
        0, -0.0, 0.1, 1e20, 2.0**53 + 2, 5e-324, 1.7976931348623157e308, INF, MINUS_INF, NAN, None,
        True, False, -1e-7,
    ):  # fmt: skip
        yield NUMBERS, [[value, 2]]
        yield SINGLES, [[value if value != 1.7976931348623157e308 else LARGEST, 2]]
        yield (
            HALVES,
            [{"a": value if isinstance(value, dict) or (value or 0) < 65520 else 1, "b": 2}],
        )
    for value in (LARGEST, HALF, 3.4028235677973362e38, 1e-45, 7e-46, 0.1, 16777217):
        yield SINGLES, [[value, -value]]
    for value in (
        65519.99,
        2.98e-8,
        2.9802322387695312e-08,
        6.1e-5,
        0.1,
        2049,
        2051,
        1e-20,
        1023.75,
    ):
        yield HALVES, [{"a": value, "b": 1}, {"a": -value, "b": 1}]
    for name, narrow in NARROW.items():
        low, high = NUMBERS_OF.get(name, (0, 1))
        yield narrow, [{"a": None, "n": low}, {"a": 1, "n": high}, {"a": 1, "n": True}]
        yield narrow, {"a": typed("float32", [0.5, 2]), "n": typed("uint8", [0, 1])}
    yield NARROW["int64"], [{"a": 0, "n": integer(-(2**53))}, {"a": 0, "n": 2**53 - 1}]
    yield NARROW["uint64"], {"a": [0], "n": typed("uint64", [integer(2**53)])}
    yield MARKED, [{"none": None, "na": None, "t": None, "u": None, "v": None}]
    yield MARKED, [{"none": 1, "na": 2, "t": NAN, "u": NAN, "v": NAN}]
    for dtype in ("float64", "float32"):
        yield NUMBERS, typed(dtype, [1, NAN, 3, 4.5], 2, 2)
    for dtype in ("int8", "uint8", "int16", "uint16", "int32", "uint32"):
        yield NUMBERS, typed(dtype, [1, 2, 3, 4], 2, 2)
        yield NUMBERS, [typed(dtype, [1, 2]), typed(dtype, [3, 4])]
    yield NUMBERS, typed("int64", [integer(1), integer(-(2**53))], 1, 2)
    yield SINGLES, typed("float64", [0.5, NAN], 1, 2)
    yield SINGLES, typed("int32", [1, 2**24], 1, 2)
    yield NUMBERS, [typed("float64", [1, 2]), [3, None]]
    yield NUMBERS, {"1": [1, 2], "0": [3, 4]}
    yield TEXTS, ["a", None, "b"]
    yield TEXTS, ["a", "b"]
    yield TEXTS, [["a"], [None]]
    yield TEXTS, [None, NAN]
    yield TEXTS, {"0": ["\ufeffa", "a\u0000b"]}
    yield NAMED_TEXT, ["a", "b", ""]
    yield NAMED_TEXT, [{"say": "x" * 3000}, {"say": "é" * 500}, {"say": "\ufeff"}]
    yield EMPTY, []
    yield EMPTY, {"a": [], "t": []}
    yield PICTURES, [[[1, 2, 3], [4, 5, 0.1]], [[NAN, 2, 3], [4, 5, 6]]]
    yield PICTURES, [[1, 2, 3], [4, None, 6.1]]
    yield PICTURES, [[[16777217, 2, 3], [4, 5, 6]]]
    yield PICTURES, typed("float32", [1, 2, 3, 4, 5, 6] * 2, 2, 2, 3)
    yield PICTURES, [[[True, False, True], [True, True, False]]]
    yield WHOLE, [[1, 2], [3, 4]]
    yield WHOLE, [[[1, 2], [3, 4]]]
    yield WHOLE, typed("int16", [1, 2, 3, 4], 2, 2)
    yield GRIDS, [[["a", None], [NAN, ""]]]
    for dtype, where in TENSORS.items():
        yield where, [[0, 1], [1, 0]]
        yield where, [1, 0]
        yield where, {"x": [[1, True]]}
        yield where, typed("uint8", [0, 1, 1, 1], 2, 2)
        yield where, typed("float64", [0, 1], 1, 2)
        if dtype in NUMBERS_OF:
            yield where, [list(NUMBERS_OF[dtype])]
    yield TENSORS["int64"], typed("int64", [integer(2**63 - 1), integer(-(2**63))], 1, 2)
    yield TENSORS["int64"], [[integer(2**63 - 1), integer(-(2**63))]]
    yield TENSORS["uint64"], [[integer(2**64 - 1), integer(2**63)]]
    for dtype in ("float64", "float32", "float16"):
        yield TENSORS[dtype], [[None, NAN], [INF, -0.0]]
        yield TENSORS[dtype], [[0.1, 1e-7], [6.1e-5, 65504]]
    yield SCALARS, [1, 2.5, None]
    yield CUBES, [[[[1, 2], [3, 0.1]]], [[[5, 6], [7, 8]]]]
    yield CUBES, typed("float32", [1, 2, 3, 4], 1, 1, 2, 2)
    for dtype in ("float64", "float32"):
        yield LISTS[dtype], [[1, 0.1, None, NAN], [], [True, integer(2**53)]]
        yield FEATURES[dtype], [{"a": 1, "b": "x", "c": None}, {}, {"é": 0.1, "a": True}]
        yield SPARSE[dtype], [[0, 0.1, None, -0.0], {"columns": [3, 1], "values": [0, NAN]}]
        yield SPARSE[dtype], typed(dtype, [0, 1, NAN, 0.5, 0, 0, 0, 0], 2, 4)
    yield LISTS["int64"], [[1, integer(2**63 - 1)], [integer(-(2**63)), True, 2**53 + 2.0]]
    yield LISTS["bool"], [[True, False, 1, 0]]
    yield LISTS["text"], [["a", "é", ""], [], ["\U0001f600"]]
    yield LISTS["text"], [[]]
    yield FEATURES["float64"], {"b": 1, "a": "x=y"}
    yield FEATURES["float64"], [[], {"a": 1}]
    yield SPARSE["float64"], {"columns": [], "values": []}
    yield SPARSE["float64"], [0, 0, 2, 0]
    yield SPARSE["int64"], [{"columns": [0], "values": [integer(2**63 - 1)]}, [0, 0, 1, 0]]
    yield SEVERAL, {"x": [[1, 2]], "tokens": [["a"]], "table": [{"a": 1}]}
    yield LEVELS, [{"a": 1}], {}
    yield LEVELS, [{"a": 1}], {"k": 5, "r": 0.1, "deep": False}
    yield LEVELS, [{"a": 1}], {"k": integer(2**63 - 1), "r": INF}
    yield LEVELS, [{"a": 1}], {"k": -3, "r": NAN}


def refusals() -> Iterator[tuple[Any, ...]]:
    """Yield signatures and rows that are refused."""
    for rows in (5, 1.5, "rows", True, None, integer(3), DATE, [], {}, {"age": [], "city": []}):
        yield PEOPLE, rows
    yield PEOPLE, [{}]
    yield PEOPLE, [{"age": 1}]
    yield PEOPLE, [{"Age": 1, "City": "x"}]
    yield PEOPLE, [ROW, {"age": 1}]
    yield PEOPLE, [ROW, {"age": 1}, {"city": "x"}]
    yield PEOPLE, [ROW, {"city": "x"}, {"age": "x", "city": 3}]
    yield PEOPLE, [ROW, [1, "x"]]
    yield PEOPLE, [ROW, None]
    yield PEOPLE, [ROW, 3]
    yield PEOPLE, [[1, "x"], [1]]
    yield PEOPLE, [[1, "x"], ROW]
    yield PEOPLE, [[1, "x"], 3]
    yield PEOPLE, [3, [1, "x"]]
    yield PEOPLE, [[1]]
    yield PEOPLE, [1, "x", 3]
    yield PEOPLE, ["x", 1]
    yield PEOPLE, [[1, ["x"]]]
    yield PEOPLE, [[[1], "x"]]
    yield PEOPLE, {"age": [1, 2], "city": ["x"]}
    yield PEOPLE, {"age": 1, "city": ["x"]}
    yield PEOPLE, {"age": [1], "city": "x"}
    yield PEOPLE, {"age": {"a": 1}, "city": ["x"]}
    yield PEOPLE, {"age": [1]}
    yield PEOPLE, {"age": [1, "x"], "city": [3, "x"]}
    yield PEOPLE, {"age": typed("int64", [integer(2**53 + 1)]), "city": ["x"]}
    for value in (
        "x", "it's", 'say "it\'s"', 'a"b', "\n\t\r\\\x00\x7f\x85\u00a0\u200b\u2028\U000e0001é",
        "x" * 59, "x" * 60, "x" * 80, "'" * 60, "\U0001f600" * 61, "", [], [1], {}, {"a": 1}, DATE,
        integer(2**53 + 1), integer(-(2**53) - 1), integer(10**39), integer(10**59),
        integer(10**61), integer(-(10**60)),
    ):  # fmt: skip
        yield PEOPLE, [ROW, {"age": value, "city": "x"}]
    for value in (
        0, 1, -0.0, 2.5, 1e16, 123456789012345680.0, 1e15, 1e-4, 1e-5, 1.5e-7, 1e100, -3, True,
        False, INF, MINUS_INF, integer(7), [], ["x"], {}, DATE, {"$": "lone"}, {"$": "lone tail"},
    ):  # fmt: skip
        yield PEOPLE, [ROW, {"age": 1, "city": value}]
    yield PEOPLE, {"age": ["x", 2], "city": [1, 2]}
    yield PEOPLE, [{"age": 1, "city": {"$": "lone"}}, {"age": 1, "city": 3}]
    yield PEOPLE, [{"age": 1, "city": 3}, {"age": "x", "city": "x"}]
    yield PEOPLE, {"age": [1], "city": typed("float64", [1])}
    yield PEOPLE, {"age": [1], "city": typed("int8", [1])}
    for value in (3.4028235677973366e38, 1e39, -1e300):
        yield SINGLES, [[1, 2], [value, "x"]]
        yield SINGLES, [[1, value]]
        yield SINGLES, [1, value]
        yield HALVES, [{"a": 1, "b": value}]
    for value in (65520, -1e6, 1e39):
        yield HALVES, [{"a": value, "b": 1}]
        yield HALVES, [{"a": 1, "b": 1e39}, {"a": value, "b": 1}]
    yield SINGLES, typed("float64", [1, 0.1, 0.2, 1], 2, 2)
    yield SINGLES, typed("float64", [1, 1e300], 1, 2)
    yield SINGLES, typed("int32", [1, 2**24 + 1], 1, 2)
    yield SINGLES, [typed("float64", [1, 0.1]), [1, 2]]
    yield NUMBERS, typed("int64", [integer(1), integer(2**53 + 1)], 1, 2)
    yield NUMBERS, typed("uint64", [integer(1), integer(2**64 - 1)], 1, 2)
    yield NUMBERS, typed("float64", [1, 2, 3], 3)
    yield NUMBERS, [[1, 2, 3]]
    yield NUMBERS, {"a": [1], "b": [2]}
    yield NUMBERS, [{"0": 1, "b": 2}]
    yield NUMBERS, [["x", None]]
    for name, narrow in NARROW.items():
        low, high = NUMBERS_OF.get(name, (0, 1))
        far = {"int64": 1e17, "uint64": -1}.get(name, high + 1)
        for value in (far, 0.5, NAN, None, INF, "x"):
            yield narrow, [{"a": 1, "n": 0}, {"a": 2, "n": value}]
        yield narrow, {"a": [1, 2], "n": typed("float64", [0, 0.5])}
        if name in NUMBERS_OF:
            yield narrow, [{"a": 1, "n": low - 1}, {"a": "x", "n": 1}]
            yield narrow, [{"a": 1, "n": integer(low - 1)}]
            yield narrow, {"a": [1], "n": typed("int64", [integer(high + 1)])}
    yield NARROW["bool"], [{"a": 1, "n": 2}]
    yield MARKED, [{"none": NAN, "na": 1, "t": "", "u": "", "v": ""}]
    yield MARKED, [{"none": 1, "na": NAN, "t": "", "u": "", "v": ""}]
    yield MARKED, {
        "none": typed("float64", [NAN]), "na": typed("float64", [NAN]),
        "t": [""], "u": [""], "v": [""],
    }  # fmt: skip
    yield MIXED, [{"s": 1, "t": 1, "i": 300, "u": 3}, {"s": "x", "t": 1, "i": 0, "u": 0}]
    yield MIXED, [{"s": 1, "t": "x", "i": 300, "u": 3}]
    yield MIXED, [{"s": 1, "t": "x", "i": 3, "u": 3}, {"s": 1, "t": {"$": "lone"}, "i": 3, "u": ""}]
    yield MIXED, {"s": [1, "x"], "t": ["", ""], "i": [300, 0], "u": ["", ""]}
    yield MIXED, {"s": [1, 2], "t": ["", ""], "i": [300, "x"], "u": ["", ""]}
    yield (
        MIXED,
        [{"s": 1, "t": "", "i": 1, "u": ""}, {"s": 1, "t": "", "i": "x"}, {"s": 1, "u": ""}],
    )
    yield TEXTS, ["a", 1.5]
    yield TEXTS, ["a", 3]
    yield TEXTS, [3]
    yield TEXTS, [["a", "b"]]
    yield TEXTS, [{"$": "lone"}]
    yield NAMED_TEXT, ["a", None]
    yield NAMED_TEXT, [{"say": []}]
    yield EMPTY, {"a": []}
    for rows in (
        [[1, 2, 3]], [[[1, 2], [3, 4]]], [[[1, 2, 3], [4, 5]]], 3, [], [[["x", 2, 3], [4, 5, 6]]],
        [[["", 2, 3], [4, 5, 6]]], [[[1, 2, 3], [4, 5, 1e39]]], typed("float64", [1, 2, 3, 4]),
        [[[integer(2**60), 2, 3], [4, 5, 6]]], typed("float64", [0.1, 2, 3, 4, 5, 6], 1, 2, 3),
    ):  # fmt: skip
        yield PICTURES, rows
    yield WHOLE, [[[1, 2], [3, 4]], [[1, 2], [3, 4]]]
    yield WHOLE, [1, 2, 3, 4]
    yield GRIDS, [[["a", 1], ["b", "c"]]]
    for dtype, where in TENSORS.items():
        yield where, [[1, 2, 3]]
        yield where, [[1], [2, 3]]
        yield where, 3
        yield where, [[1, "x"]]
        if dtype[0] != "f":
            low, high = NUMBERS_OF.get(dtype, (0, 1))
            yield where, [[0, 1], [0, 0.5]]
            yield where, [[0, NAN]]
            yield where, [[0, None]]
            yield where, typed("float64", [0, NAN], 1, 2)
            yield where, [[0, {"int64": 2.0**63, "uint64": 2.0**64}.get(dtype, high + 1)]]
            if dtype != "int64":
                yield where, [[0, low - 1]]
                yield where, typed("int64", [integer(0), integer(low - 1)], 1, 2)
    yield TENSORS["float32"], [[1, 1e39]]
    yield TENSORS["float16"], [[1, 70000]]
    yield TENSORS["float32"], typed("float64", [1, 0.1], 1, 2)
    yield TENSORS["float64"], typed("int64", [integer(1), integer(2**53 + 1)], 1, 2)
    yield TENSORS["float64"], []
    for dtype, where in LISTS.items():
        for rows in (3, "x", [3], [[1], "x"], [{}], [None], []):
            yield where, rows
        yield where, [["a", 1]] if dtype == "text" else [[1], [1, "a"]]
        yield where, [[[]]]
        if dtype not in ("float64", "float32"):
            yield where, [[None]]
    yield LISTS["text"], [["a"], [{"$": "lone"}]]
    yield LISTS["int64"], [[1, 2.5]]
    yield LISTS["int64"], [[1], [], [integer(2**63)]]
    yield LISTS["int64"], [[NAN]]
    yield LISTS["bool"], [[2]]
    yield LISTS["bool"], [[NAN]]
    yield LISTS["float32"], [[1e39]]
    yield LISTS["float64"], [[integer(2**53 + 1)]]
    for rows in (
        3,
        "x",
        [3],
        [["a"]],
        [{"a": [1]}],
        [{"a": {}}],
        [{"a": integer(2**60)}],
        [None],
        [],
    ):
        yield FEATURES["float64"], rows
    yield FEATURES["float64"], [{"a": 1}, {"b\ud800": 1}]
    for row in (
        [0, 1], "x", 3, {"columns": [1]}, {"columns": [1], "values": [1], "n": 1},
        {"columns": [1], "values": []}, {"columns": 1, "values": [1]},
        {"columns": [1], "values": 3},
        {"columns": [4], "values": [1]}, {"columns": [-1], "values": [1]},
        {"columns": [1, 1], "values": [1, 2]}, {"columns": [1.5], "values": [1]},
        {"columns": ["a"], "values": [1]}, {"columns": [True], "values": [1]},
        {"columns": [None], "values": [1]}, {"columns": [integer(2**60)], "values": [1]},
        {"columns": [1], "values": ["a"]}, {"columns": [1], "values": [[]]}, ["a", 0, 0, 0],
    ):  # fmt: skip
        yield SPARSE["float64"], [[0, 0, 0, 1], row]
    for rows in (3, "x", [], [0, 0], [[0, 0]]):
        yield SPARSE["float64"], rows
    yield SPARSE["int64"], [[0, 0.5, 0, 0]]
    whole = {"x": [[1, 2]], "tokens": [["a"]], "table": [{"a": 1}]}
    yield SEVERAL, [[1, 2]]
    yield SEVERAL, {"x": [[1, 2]], "table": [{"a": 1}]}
    yield SEVERAL, {**whole, "more": 1}
    yield SEVERAL, {**whole, "x": [[1, 2], [3, 4]]}
    yield SEVERAL, {**whole, "x": [[1, "x"]]}
    yield SEVERAL, {**whole, "x": [[1, 2, 3]]}
    yield SEVERAL, {**whole, "tokens": [[1]]}
    yield SEVERAL, {**whole, "tokens": ["x"]}
    yield SEVERAL, {**whole, "table": [{"a": "x"}]}
    yield SEVERAL, {**whole, "table": [{"b": 1}]}
    yield SEVERAL, {"x": [], "tokens": [], "table": []}
    for wrong in (
        {"k": 1.5}, {"k": True}, {"k": "x"}, {"k": integer(2**63)}, {"k": NAN}, {"r": 1e39},
        {"r": "x"}, {"r": False}, {"deep": 1}, {"deep": "x"}, {"k": [1]}, {"more": 1},
    ):  # fmt: skip
        yield LEVELS, [{"a": 1}], wrong


def python_value(value: Any) -> Any:
    """Return what a value of a case is in Python."""
    if isinstance(value, list):
        return [python_value(v) for v in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("$")
    if kind is None:
        return {name: python_value(v) for name, v in value.items()}
    if kind == "int":
        return int(value["v"])
    if kind in ("nan", "inf", "-inf"):
        return float(kind)
    if kind == "date":
        return datetime.datetime(2020, 1, 1)
    if kind.startswith("lone"):
        return "a\ud800" if kind == "lone" else "\udc00é"
    return np.array(python_value(value["v"]), dtype=kind).reshape(value["shape"])


def python_rows(case: Case) -> Any:
    """Return the rows of a case as Python has them: with one null, as texts of JSON have it."""
    rows = python_value(case.rows)
    if len(case.signature.beside) + bool(case.signature.columns) > 1 and isinstance(rows, dict):
        return {name: OneNull(part) for name, part in rows.items()}
    has_arrays = isinstance(rows, np.ndarray) or (
        isinstance(rows, dict) and any(isinstance(v, np.ndarray) for v in rows.values())
    )
    return rows if has_arrays else OneNull(rows)


def is_nan(value: Any) -> bool:
    """Return whether a value is NaN."""
    return isinstance(value, float) and math.isnan(value)
