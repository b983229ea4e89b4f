"""A program that takes every kind of input and gives every kind of result, and rows for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.compiler import compile_spec
from sclbl.program import Program
from sclbl.rows import Blocks, RaggedRows
from sclbl.rows.blocks import Beside
from sclbl.signature import Column, DType, Input, Output, Signature, Storage
from sclbl.spec import Provenance, Spec
from sclbl.strippers.columns import Wire
from sclbl.strippers.graph import Builder
from tests.compiler.compiled import text_column
from tests.points import one_leaf

#: Columns of sparse rows, of names, and of the table.
COLUMNS, HASHED, NUMBERS = 7, 16, 2
#: Types of tensors that results are not of, and those that hold them.
NARROW: dict[DType, Storage] = {
    "int8": "int64", "int16": "int64", "int32": "int64", "uint8": "int64", "uint16": "int64",
    "uint32": "int64", "uint64": "uint64", "float16": "float32",
}  # fmt: skip
INPUTS = (
    Input("doubles", "tensor", "float64", (2,)),
    Input("floats", "tensor", "float32", (3, 2)),
    Input("integers", "tensor", "int64", (1,)),
    Input("truths", "tensor", "bool", (5,)),
    *(Input(f"of_{dtype}", "tensor", dtype, (2,)) for dtype in NARROW),
    Input("level", "parameter", "float64", default=0.25),
    Input("single", "parameter", "float32", default=-1.5),
    Input("count", "parameter", "int64", default=3),
    Input("flag", "parameter", "bool", default=True),
    Input("list_doubles", "list", "float64"),
    Input("list_floats", "list", "float32"),
    Input("list_integers", "list", "int64"),
    Input("list_truths", "list", "bool"),
    Input("words", "list", "text"),
    Input("sparse", "sparse", "float64", (COLUMNS,)),
    Input("sparse_floats", "sparse", "float32", (COLUMNS,)),
    Input("sparse_integers", "sparse", "int64", (COLUMNS,)),
    Input("features", "features", "float64"),
)
NAMES = ("a", "é", "日本", "", "b" * 300)
DEFAULTS = dict.fromkeys(("level", "single", "count", "flag"))


def program() -> Program:
    """Return a program whose methods give one result of each input, together by kind."""
    columns = (*(Column(None, "float64"),) * NUMBERS, Column(None, "text"))
    build = Builder(Signature(columns, "array"))
    table, x = build.table(), {given.name: build.beside(given) for given in INPUTS}
    numbers, text = table.select([0, 1]).matrix(), table.select([2]).text()

    def sums(wire: Wire, distinct: int = 0) -> Wire:
        return build.node("sclbl.SumDuplicates", [wire], distinct=distinct)

    finite = build.node("sclbl.RefuseItems", [x["sparse"]], nan=1, inf=1)
    points = np.random.default_rng(6).normal(size=(40, 2))
    near = one_leaf(points, np.arange(100, 140, dtype=np.int64))
    hashed = {"columns": HASHED, "signed": 1}
    names = np.array(NAMES, dtype=object)
    weights = np.random.default_rng(7).normal(size=(COLUMNS, 3))
    methods = {
        "tensors": (
            build.mul(x["doubles"], x["level"]), build.reshape(x["floats"], (6,)), x["integers"],
            x["truths"], text, numbers,
        ),
        "narrow": tuple(build.cast(x[f"of_{d}"], wide) for d, wide in NARROW.items()),
        "values": tuple(x[name] for name in DEFAULTS),
        "lists": tuple(x[f"list_{kind}"] for kind in ("doubles", "floats", "integers", "truths")),
        # What is written first lies before what is read last.
        "sparse_rows": (
            build.dense(x["sparse"]), sums(x["sparse"]), x["sparse_floats"],
            sums(x["sparse_integers"], 1),
        ),
        "products": (build.node("sclbl.SparseDot", [finite, build.constant(weights)]),),
        "named": (
            sums(build.node("sclbl.HashNames", [x["features"]], **hashed)),
            build.node("sclbl.HashNames", [x["words"]], **hashed),
            build.dense(build.node("sclbl.FindNames", [x["features"]], names=names)),
            build.node("sclbl.FindNames", [x["words"]], names=names),
        ),
        "near": build.nodes("sclbl.PointsWithin", [x["doubles"], x["level"]], 2, **near),
        "table_alone": (build.add(numbers, 1.0),),
    }  # fmt: skip
    wires = {f"{m}.{k}" if k else m: w for m, made in methods.items() for k, w in enumerate(made)}
    outputs = {m: _output(made, build.parameters_of(made)) for m, made in methods.items()}
    outputs["values"] = replace(outputs["values"], parameters=tuple(DEFAULTS))
    graph = build.finish(wires)
    signature = replace(build.signature, outputs=outputs)
    return Program(compile_spec(Spec(graph, signature, Provenance("tests.Graph"))))


def _output(wires: tuple[Wire, ...], parameters: tuple[str, ...]) -> Output:
    made = [_one(wire) for wire in wires]
    return replace(made[0], further=tuple(made[1:]), parameters=parameters)


def _one(wire: Wire) -> Output:
    dtype = "object" if wire.dtype == "text" else wire.dtype
    if wire.ragged == "list":
        return Output(wire.dtype, dtype, 1, 1, ragged="list")
    return Output(wire.dtype, dtype, wire.width, 2, ragged=wire.ragged)


def rows(count: int, /, seed: int = 0, items: int = 6, **values: Any) -> Blocks:
    """Return rows for it, with at most so many items each; `values`: those of parameters."""
    rng = np.random.default_rng(seed)
    text = np.array([None, np.nan, "", "né", "東京"], dtype=object)[rng.integers(5, size=count)]
    beside: list[Beside | None] = []
    for given in INPUTS:
        if given.kind == "parameter":
            value = values.get(given.name)
            beside.append(None if value is None else np.array(value, dtype=given.dtype))
        elif given.kind == "tensor":
            beside.append(_numbers(rng, given.dtype, (count, *given.shape)))
        else:
            beside.append(_ragged(rng, given, count, items))
    return Blocks(count, rng.normal(size=(count, NUMBERS)), (text_column(text),), tuple(beside))


def _numbers(rng: np.random.Generator, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    if dtype == "bool":
        return rng.random(shape) < 0.5
    if np.dtype(dtype).kind in "iu":
        info = np.iinfo(dtype)
        return rng.integers(info.min, info.max, size=shape, dtype=dtype, endpoint=True)
    return rng.normal(size=shape).astype(dtype)


def _ragged(rng: np.random.Generator, given: Input, count: int, items: int) -> RaggedRows:
    lengths = rng.integers(items + 1, size=count) * (rng.random(count) < 0.8)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    total = int(offsets[-1])
    if given.kind == "sparse":
        keys = rng.integers(COLUMNS, size=total).astype(np.int32)
        # Without values each is 1.
        values = None if given.dtype == "float32" else _numbers(rng, given.dtype, (total,))
        return RaggedRows(offsets, keys, values)
    if given.kind == "list" and given.dtype != "text":
        return RaggedRows(offsets, None, _numbers(rng, given.dtype, (total,)))
    texts = np.array([*NAMES, "unknown", "a="], dtype=object)[rng.integers(7, size=total)]
    if given.kind == "list":
        return RaggedRows(offsets, None, text_column(texts))
    return RaggedRows(offsets, text_column(texts), np.round(_numbers(rng, "float64", (total,)), 1))


def index(name: str) -> int:
    """Return the place of an input among those of a call, behind the table."""
    return 1 + [given.name for given in INPUTS].index(name)
