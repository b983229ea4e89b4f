"""What each operator takes and gives: types and widths of a graph, worked out and checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from sclbl.errors import SpecError
from sclbl.onnx_format.tree_rules import tree_leaves, tree_sums
from sclbl.signature import MISSING, DType
from sclbl.spec import Node, Value

MAX_WIDTH = 2**22
MAX_TOTAL_WIDTH = 2**27
FLOATS = frozenset(("float32", "float64"))
NUMBERS = FLOATS | {"int64"}
ANY = NUMBERS | {"bool", "text", "label"}


@dataclass(frozen=True, slots=True)
class Operand:
    """An input of an operator: a tensor of the graph, or a constant."""

    dtype: str
    width: int
    constant: np.ndarray | None = None


def constant_operand(array: np.ndarray) -> Operand:
    """Return a constant as an operand."""
    dtype = "text" if array.dtype == object else array.dtype.name
    return Operand(dtype, array.shape[-1] if array.ndim else 1, array)


Rule = Callable[[Node, Sequence[Operand]], tuple[DType, int]]


def _fail(node: Node, why: str) -> SpecError:
    return SpecError(f"operator {node.op} (output {node.outputs[0]!r}) {why}")


def _attrs(node: Node, **wanted: Any) -> None:
    if dict(node.attrs) != wanted:
        raise _fail(node, f"has attributes {dict(node.attrs)!r}; supported are {wanted!r}")


def _count(node: Node, xs: Sequence[Operand], count: int) -> None:
    if len(xs) != count:
        raise _fail(node, f"has {len(xs)} inputs; it takes {count}")


def _tensor(node: Node, x: Operand, types: frozenset[str] = ANY) -> Operand:
    if x.constant is not None:
        raise _fail(node, "works on a constant where it takes a tensor with rows")
    if x.dtype not in types:
        raise _fail(node, f"does not take {x.dtype}; it takes {', '.join(sorted(types))}")
    return x


def _width(node: Node, xs: Sequence[Operand]) -> int:
    if all(x.constant is not None for x in xs):
        raise _fail(node, "works on constants only")
    for x in xs:
        shape = () if x.constant is None else x.constant.shape
        if len(shape) == 2 and shape[0] != 1:
            raise _fail(node, f"takes constants of one row; this one has shape {shape}")
    width = max(x.width for x in xs)
    if any(x.width not in (1, width) for x in xs):
        raise _fail(node, f"does not take widths {[x.width for x in xs]} together")
    return width


def _same(node: Node, xs: Sequence[Operand], types: frozenset[str]) -> DType:
    found = {x.dtype for x in xs}
    if len(found) != 1 or not found <= types:
        raise _fail(node, f"does not take {', '.join(sorted(x.dtype for x in xs))} together")
    return cast("DType", next(iter(found)))


def _unary(types: frozenset[str], result: DType | None = None) -> Rule:
    def rule(node: Node, xs: Sequence[Operand]) -> tuple[DType, int]:
        _count(node, xs, 1)
        _attrs(node)
        x = _tensor(node, xs[0], types)
        return result or _same(node, [x], types), x.width

    return rule


def _binary(types: frozenset[str], result: DType | None = None) -> Rule:
    def rule(node: Node, xs: Sequence[Operand]) -> tuple[DType, int]:
        _count(node, xs, 2)
        _attrs(node)
        return result or _same(node, xs, types), _width(node, xs)

    def checked(node: Node, xs: Sequence[Operand]) -> tuple[DType, int]:
        _same(node, xs, types)
        return rule(node, xs)

    return checked


def _where(node: Node, xs: Sequence[Operand]) -> tuple[DType, int]:
    _count(node, xs, 3)
    _attrs(node)
    _tensor(node, xs[0], frozenset({"bool"}))
    return _same(node, xs[1:], ANY - {"label"}), _width(node, xs)


def _cast(node: Node, xs: Sequence[Operand]) -> tuple[DType, int]:
    _count(node, xs, 1)
    x = _tensor(node, xs[0], NUMBERS | {"bool"})
    to = node.attrs.get("to")
    _attrs(node, to=to)
    if to not in NUMBERS | {"bool"}:
        raise _fail(node, f"does not convert to {to}")
    dtype: DType = to
    return dtype, x.width


def _gather(node: Node, xs: Sequence[Operand]) -> tuple[DType, int]:
    _count(node, xs, 2)
    _attrs(node, axis=1)
    x, indices = _tensor(node, xs[0], ANY - {"label"}), xs[1].constant
    if indices is None or indices.ndim != 1 or indices.dtype != np.int64 or not len(indices):
        raise _fail(node, "takes constant int64 column numbers")
    if indices.min() < 0 or indices.max() >= x.width:
        raise _fail(node, f"takes column {indices.max()} of a tensor of {x.width}")
    return _same(node, [x], ANY), len(indices)


def _concat(node: Node, xs: Sequence[Operand]) -> tuple[DType, int]:
    _attrs(node, axis=1)
    if not xs:
        raise _fail(node, "has no inputs")
    return _same(node, [_tensor(node, x, ANY - {"label"}) for x in xs], ANY), sum(
        x.width for x in xs
    )


def _matmul(node: Node, xs: Sequence[Operand]) -> tuple[DType, int]:
    _count(node, xs, 2)
    _attrs(node)
    x, matrix = _tensor(node, xs[0], FLOATS), xs[1].constant
    if matrix is None or matrix.ndim != 2 or matrix.shape[0] != x.width or not matrix.shape[1]:
        raise _fail(node, f"takes a constant matrix of {x.width} rows")
    return _same(node, xs, FLOATS), matrix.shape[1]


def _reduce(node: Node, xs: Sequence[Operand]) -> tuple[DType, int]:
    _count(node, xs, 2)
    _attrs(node, keepdims=1)
    types = FLOATS if node.op == "ReduceL2" else NUMBERS
    x, axes = _tensor(node, xs[0], types), xs[1].constant
    if axes is None or axes.dtype != np.int64 or axes.tolist() != [1]:
        raise _fail(node, "reduces along axis 1 only")
    return _same(node, [x], NUMBERS), 1


def _softmax(node: Node, xs: Sequence[Operand]) -> tuple[DType, int]:
    _count(node, xs, 1)
    _attrs(node, axis=1)
    return _same(node, [_tensor(node, xs[0])], FLOATS), xs[0].width


def _argmax(node: Node, xs: Sequence[Operand]) -> tuple[DType, int]:
    _count(node, xs, 1)
    _attrs(node, axis=1, keepdims=1, select_last_index=0)
    _tensor(node, xs[0], NUMBERS)
    return "int64", 1


def _lookup(node: Node, xs: Sequence[Operand]) -> tuple[DType, int]:
    _count(node, xs, 1)
    x = _tensor(node, xs[0], NUMBERS | {"text"})
    if set(node.attrs) != {"keys", "values", "default"} or x.width != 1:
        raise _fail(node, "takes one column, keys, values and a default")
    keys, values = node.attrs["keys"], node.attrs["values"]
    fits = constant_operand(keys).dtype == x.dtype and values.dtype == np.int64
    if not fits or keys.ndim != 1 or keys.shape != values.shape:
        raise _fail(node, f"takes keys of type {x.dtype} and as many int64 values")
    return "int64", 1


def _labels(node: Node, xs: Sequence[Operand]) -> tuple[DType, int]:
    _count(node, xs, 1)
    x = _tensor(node, xs[0], frozenset({"int64"}))
    labels = node.attrs.get("labels")
    if set(node.attrs) != {"labels"} or len(labels or ()) != x.width:
        raise _fail(node, "takes labels for each column")
    return "label", x.width


def _refusal(types: frozenset[str], flags: frozenset[str] = frozenset()) -> Rule:
    def rule(node: Node, xs: Sequence[Operand]) -> tuple[DType, int]:
        _count(node, xs, 1)
        x = _tensor(node, xs[0], types)
        columns = node.attrs.get("columns")
        if set(node.attrs) != {"columns"} | flags or len(columns or ()) != x.width:
            raise _fail(node, f"takes {', '.join(sorted({'columns'} | flags))}, one column each")
        if min(columns or (0,)) < -1 or any(node.attrs[f] not in (0, 1) for f in flags):
            raise _fail(node, "has a column number or flag out of range")
        return _same(node, [x], types), x.width

    return rule


_UNARY = dict.fromkeys(
    (
        *("Exp", "Log", "Sqrt", "Sigmoid", "Erf", "Tanh", "Atan", "Floor", "Reciprocal"),
        *("sclbl.Erfc", "sclbl.Log1p", "sclbl.Expm1", "sclbl.NormCdf", "sclbl.NormPpf"),
        *("sclbl.LibmExp", "sclbl.LibmSigmoid"),
    ),
    _unary(FLOATS),
)
RULES: Mapping[str, Rule] = {
    **_UNARY,
    **dict.fromkeys(("Neg", "Abs", "Sign"), _unary(NUMBERS)),
    **dict.fromkeys(("Add", "Sub", "Mul", "Max", "Min"), _binary(NUMBERS)),
    **dict.fromkeys(("Div", "Pow"), _binary(FLOATS)),
    **dict.fromkeys(("Less", "LessOrEqual", "Greater", "GreaterOrEqual"), _binary(NUMBERS, "bool")),
    **dict.fromkeys(
        ["ReduceSum", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare"], _reduce
    ),
    "Equal": _binary(ANY - {"label"}, "bool"),
    "And": _binary(frozenset({"bool"})),
    "Or": _binary(frozenset({"bool"})),
    "Not": _unary(frozenset({"bool"})),
    "IsNaN": _unary(FLOATS, "bool"),
    "Identity": _unary(ANY),
    "Where": _where,
    "Cast": _cast,
    "Gather": _gather,
    "Concat": _concat,
    "MatMul": _matmul,
    "Softmax": _softmax,
    "ArgMax": _argmax,
    "ai.onnx.ml.LabelEncoder": _lookup,
    "sclbl.Labels": _labels,
    "sclbl.Refuse": _refusal(FLOATS, frozenset({"nan", "inf"})),
    "sclbl.RefuseUnknown": _refusal(frozenset({"int64"})),
    "sclbl.RefuseMissingText": _refusal(frozenset({"text"}), frozenset(MISSING)),
    "sclbl.TreeEnsemble": lambda n, xs: tree_sums(n, [(x.dtype, x.width) for x in _rows(n, xs)]),
    "sclbl.TreeLeaves": lambda n, xs: tree_leaves(n, [(x.dtype, x.width) for x in _rows(n, xs)]),
}


def _rows(node: Node, xs: Sequence[Operand]) -> list[Operand]:
    return [_tensor(node, x, FLOATS) for x in xs]


def infer_values(
    inputs: Sequence[Value], nodes: Sequence[Node], constants: Mapping[str, np.ndarray]
) -> dict[str, Value]:
    """Return type and width of every tensor of a graph.

    Raises
    ------
    SpecError
        Where a node is unknown, out of order, or takes what it cannot.
    """
    values = {v.name: v for v in inputs}
    if len(values) < len(inputs) or values.keys() & constants.keys():
        raise SpecError("the graph has two tensors of one name")
    total = 0
    for node in nodes:
        if len(node.outputs) != 1 or not node.outputs[0]:
            raise SpecError(f"operator {node.op} has {len(node.outputs)} outputs; it has one")
        rule = RULES.get(node.op)
        if rule is None:
            raise _fail(node, "is not supported; supported are " + ", ".join(sorted(RULES)))
        name = node.outputs[0]
        if name in values or name in constants:
            raise _fail(node, "gives a tensor that exists already")
        operands = []
        for i in node.inputs:
            if i in values:
                operands.append(Operand(values[i].dtype, values[i].width))
            elif i in constants:
                operands.append(constant_operand(constants[i]))
            else:
                raise _fail(
                    node, f"takes {i!r}, which nothing before it gives (a cycle, or a lost part)"
                )
        dtype, width = rule(node, operands)
        total += width
        if not 0 < width <= MAX_WIDTH or total > MAX_TOTAL_WIDTH:
            raise _fail(node, f"is {width} columns wide, which is beyond the limits")
        values[name] = Value(name, dtype, width)
    return values
