"""A small interpreter of graphs in NumPy: the definition of what each operator means.

It is slow and plain on purpose. Strippers are tested with it, the compiler is tested against it,
and a server runs it as a second opinion on what it is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sclbl import special
from sclbl.errors import (
    InfiniteValueError,
    MissingValueError,
    SpecError,
    UnknownCategoryError,
)
from sclbl.missing import kind_of
from sclbl.signature import MISSING
from sclbl.spec import MISSING_TEXTS, NUMERIC_INPUT, TEXT_INPUT, Graph

Array = np.ndarray
_TYPES: dict[str, Any] = {
    "float32": np.float32,
    "float64": np.float64,
    "int64": np.int64,
    "bool": np.bool_,
}


def evaluate(
    graph: Graph, numeric: Array | None, text: Array | None, methods: tuple[str, ...] | None = None
) -> dict[str, Array]:
    """Run a graph.

    Parameters
    ----------
    graph : Graph
        What to run.
    numeric : float32 or float64 array ``[rows, numeric columns]`` or None
        The numeric block.
    text : object array ``[rows, text columns]`` or None
        The text block; None, NaN and pandas.NA are missing, as are the constants `MISSING_TEXTS`.
    methods : tuple of str, optional
        Outputs wanted; all by default.

    Returns
    -------
    dict of str to array
        ``[rows, width]`` by method. Labels are returned as int64 class numbers.

    Raises
    ------
    MissingValueError, InfiniteValueError, UnknownCategoryError
        Where the graph refuses a row; `row` and `column` (the input column's position) are set.
    """
    tensors: dict[str, Array] = dict(graph.constants)
    if numeric is not None:
        tensors[NUMERIC_INPUT] = numeric
    if text is not None:
        tensors[TEXT_INPUT] = _with_constants(np.array(text, dtype=object))
    wanted = {o.name for o in graph.outputs if methods is None or o.name in methods}
    needed = set(wanted)
    todo = []
    for node in reversed(graph.nodes):
        if needed.intersection(node.outputs):
            todo.append(node)
            needed.update(node.inputs)
    with np.errstate(all="ignore"):
        for node in reversed(todo):
            op = OPS.get(node.op)
            if op is None:
                raise SpecError(f"operator {node.op} is not known; see docs/adding-an-op.md")
            tensors[node.outputs[0]] = op(node.attrs, *(tensors[i] for i in node.inputs))
    return {name: tensors[name] for name in wanted}


def _with_constants(text: Array) -> Array:
    for place in np.ndindex(text.shape):
        kind = kind_of(text[place])
        if kind is not None:
            text[place] = MISSING_TEXTS[kind]
    return text


def _cast(attrs: Mapping[str, Any], x: Array) -> Array:
    return x.astype(_TYPES[attrs["to"]])


def _gather(attrs: Mapping[str, Any], x: Array, indices: Array) -> Array:
    return x[:, indices]


def _lookup(attrs: Mapping[str, Any], x: Array) -> Array:
    keys, values = attrs["keys"], attrs["values"]
    out = np.full(x.shape, attrs["default"], dtype=np.int64)
    for key, value in zip(keys.tolist(), values.tolist(), strict=True):
        same = np.isnan(x) if isinstance(key, float) and np.isnan(key) else x == key
        out[same] = value
    return out


def _refuse(attrs: Mapping[str, Any], x: Array) -> Array:
    for flag, bad, error, what in (
        (attrs["nan"], np.isnan(x), MissingValueError, "is missing (NaN)"),
        (attrs["inf"], np.isinf(x), InfiniteValueError, "is infinite or too large"),
    ):
        if flag and bad.any():
            row, column = (int(v[0]) for v in np.nonzero(bad))
            origin = attrs["columns"][column]
            raise error(f"row {row}, column {origin} {what}", row=row, column=str(origin))
    return x


def _refuse_unknown(attrs: Mapping[str, Any], x: Array) -> Array:
    if (x < 0).any():
        row, column = (int(v[0]) for v in np.nonzero(x < 0))
        origin = attrs["columns"][column]
        raise UnknownCategoryError(
            f"row {row}, column {origin} holds an unknown category", row=row, column=str(origin)
        )
    return x


def _refuse_missing_text(attrs: Mapping[str, Any], x: Array) -> Array:
    bad = np.isin(x, [MISSING_TEXTS[k] for k in MISSING if attrs[k]])
    if bad.any():
        row, column = (int(v[0]) for v in np.nonzero(bad))
        origin = attrs["columns"][column]
        raise MissingValueError(
            f"row {row}, column {origin} is missing", row=row, column=str(origin)
        )
    return x


def tree_leaves(attrs: Mapping[str, Any], x: Array) -> Array:
    """Return int64 ``[rows, trees]``: what ``left`` holds (the row of ``values``) at the leaf."""
    feature, threshold = attrs["feature"], attrs["threshold"]
    left, right, missing_left = attrs["left"], attrs["right"], attrs["missing_left"]
    start, count = attrs.get("category_start"), attrs.get("category_count")
    words = attrs.get("category_words")
    rows = np.arange(len(x))
    out = np.empty((len(x), len(attrs["roots"])), dtype=np.int64)
    for t, root in enumerate(attrs["roots"]):
        at = np.full(len(x), root, dtype=np.int64)
        while (inner := feature[at] >= 0).any():
            value = x[rows, np.where(inner, feature[at], 0)]
            limit = threshold[at]
            goes = value <= limit if attrs["rule"] == "<=" else value < limit
            missing = np.isnan(value)
            if start is not None and count is not None and words is not None:
                is_category = start[at] >= 0
                code = np.where(missing | (value < 0) | (value >= 2**31), -1, value)
                code = code.astype(np.int64)
                missing = missing | (is_category & (code < 0))
                inside = is_category & (code >= 0) & (code < count[at] * 32)
                word = words[np.where(inside, start[at] + code // 32, 0)]
                bit = (word >> (np.maximum(code, 0) % 32).astype(np.uint32)) & 1
                goes = np.where(is_category, inside & (bit == 1), goes)
            goes = np.where(missing, missing_left[at].astype(bool), goes)
            at = np.where(inner, np.where(goes, left[at], right[at]), at)
        out[:, t] = left[at]
    return out


def _trees(attrs: Mapping[str, Any], x: Array, start: Array | None = None) -> Array:
    leaves = tree_leaves(attrs, x)
    values, targets = attrs["values"], attrs.get("targets")
    init = np.asarray(attrs["init"], dtype=values.dtype)
    total = np.repeat(init[None, :], len(x), axis=0) if start is None else start.copy()
    for t in range(leaves.shape[1]):
        if targets is None:
            total += values[leaves[:, t]]
        else:
            total[:, targets[t]] += values[leaves[:, t], 0]
    return total


def _sum(attrs: Mapping[str, Any], x: Array, axes: Array) -> Array:
    # From left to right: numpy.sum of a row would keep eight sums from eight numbers on.
    total: Array = np.cumsum(x, axis=1)[:, -1:]
    return total


def _softmax(attrs: Mapping[str, Any], x: Array) -> Array:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return np.asarray(e / _sum(attrs, e, np.array([1])))


def _where(attrs: Mapping[str, Any], condition: Array, x: Array, y: Array) -> Array:
    return np.asarray(np.where(condition, x, y))


OPS: dict[str, Callable[..., Array]] = {
    "Identity": lambda a, x: x,
    "Neg": lambda a, x: -x,
    "Abs": lambda a, x: np.abs(x),
    "Exp": lambda a, x: np.exp(x),
    "Log": lambda a, x: np.log(x),
    "Sqrt": lambda a, x: np.sqrt(x),
    "Sigmoid": lambda a, x: special.expit(x),
    "Erf": lambda a, x: special.erf(x),
    "Tanh": lambda a, x: np.tanh(x),
    "Atan": lambda a, x: np.arctan(x),
    "Sign": lambda a, x: np.sign(x),
    "Floor": lambda a, x: np.floor(x),
    "Reciprocal": lambda a, x: 1 / x,
    "sclbl.Erfc": lambda a, x: special.erfc(x),
    "sclbl.Log1p": lambda a, x: np.log1p(x),
    "sclbl.Expm1": lambda a, x: np.expm1(x),
    "sclbl.LibmExp": lambda a, x: special.exp(x),
    "sclbl.LibmSigmoid": lambda a, x: special.expit(x),
    "sclbl.NormCdf": lambda a, x: special.ndtr(x),
    "sclbl.NormPpf": lambda a, x: special.ndtri(x),
    "Add": lambda a, x, y: x + y,
    "Sub": lambda a, x, y: x - y,
    "Mul": lambda a, x, y: x * y,
    "Div": lambda a, x, y: x / y,
    "Pow": lambda a, x, y: np.power(x, y),
    "Max": lambda a, x, y: np.maximum(x, y),
    "Min": lambda a, x, y: np.minimum(x, y),
    "Equal": lambda a, x, y: np.asarray(x == y, dtype=bool),
    "Less": lambda a, x, y: x < y,
    "LessOrEqual": lambda a, x, y: x <= y,
    "Greater": lambda a, x, y: x > y,
    "GreaterOrEqual": lambda a, x, y: x >= y,
    "And": lambda a, x, y: x & y,
    "Or": lambda a, x, y: x | y,
    "Not": lambda a, x: ~x,
    "IsNaN": lambda a, x: np.isnan(x),
    "Where": _where,
    "Cast": _cast,
    "Gather": _gather,
    "Concat": lambda a, *xs: np.concatenate(xs, axis=1),
    "MatMul": lambda a, x, w: x @ w,
    "ReduceSum": _sum,
    "ReduceMax": lambda a, x, axes: x.max(axis=1, keepdims=True),
    "ReduceMin": lambda a, x, axes: x.min(axis=1, keepdims=True),
    "ReduceL1": lambda a, x, axes: np.abs(x).sum(axis=1, keepdims=True),
    "ReduceL2": lambda a, x, axes: np.sqrt((x * x).sum(axis=1, keepdims=True)),
    "ReduceSumSquare": lambda a, x, axes: (x * x).sum(axis=1, keepdims=True),
    "Softmax": _softmax,
    "ArgMax": lambda a, x: x.argmax(axis=1)[:, None].astype(np.int64),
    "ai.onnx.ml.LabelEncoder": _lookup,
    "sclbl.Labels": lambda a, x: x,
    "sclbl.TreeEnsemble": _trees,
    "sclbl.TreeLeaves": tree_leaves,
    "sclbl.Refuse": _refuse,
    "sclbl.RefuseUnknown": _refuse_unknown,
    "sclbl.RefuseMissingText": _refuse_missing_text,
}
