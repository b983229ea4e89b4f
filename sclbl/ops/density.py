"""Logarithms of kernel densities, summed over a tree of points as scikit-learn sums them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from sclbl.ops.distances import (
    BOXES,
    Distance,
    check_numbers,
    check_points,
    search_arguments,
)
from sclbl.ops.record import Array, Attrs, Emitter, Op, Operand, Typed, fail, has_inputs, tensor
from sclbl.spec import Node

_FLOAT64 = frozenset(("float64",))
#: In the order of the kernels' numbers (kernels/density.c).
KERNELS = ("gaussian", "tophat", "epanechnikov", "exponential", "linear", "cosine")
_ARRAYS = ("point_weights", "node_weights", "settings")
_OWN = {*_ARRAYS, "kernel", "breadth"}


def _infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 1)
    x, attrs = tensor(node, xs[0], _FLOAT64), dict(node.attrs)
    own = {name: attrs.pop(name, None) for name in _OWN}
    check_points(node, x, attrs)
    points, nodes = len(node.attrs["points"]), len(node.attrs["nodes"])
    for name, size in zip(_ARRAYS, (points, nodes, 5), strict=True):
        array = own[name]
        if not isinstance(array, np.ndarray) or (array.dtype, array.shape) != (np.float64, (size,)):
            raise fail(node, f"takes {size} numbers (float64) as {name}")
    if attrs or own["kernel"] not in KERNELS or own["breadth"] not in (0, 1):
        raise fail(node, "takes a known kernel, and whether near nodes come first")
    if node.attrs["shape"] not in (0, 1):
        raise fail(node, "takes points in a tree")
    return [("float64", (1,))]


def is_bandwidth(value: float) -> bool:
    """Return whether distances are divided by a number, and by its square."""
    return 0 < value < math.inf and value * value > 0


def _check(node: Node, xs: Sequence[Operand]) -> None:
    check_numbers(node, xs)
    for name in _ARRAYS:
        if not (node.attrs[name] < np.inf).all():
            raise fail(node, f"takes {name} that are numbers, and not infinite")
    bandwidth = float(node.attrs["settings"][0])
    if not is_bandwidth(bandwidth):
        raise fail(node, f"takes a bandwidth whose square is above 0; it is {bandwidth}")


# ------------------------------------------------------------------ what it means


def log(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf if x == 0 else math.nan


def _add(a: float, b: float) -> float:
    """Return ``log(exp(a) + exp(b))``."""
    most = b if math.isnan(a) or b > a else a
    return -math.inf if most == -math.inf else most + log(math.exp(a - most) + math.exp(b - most))


def _subtract(a: float, b: float) -> float:
    """Return ``log(exp(a) - exp(b))``."""
    return -math.inf if a <= b else a + log(1 - math.exp(b - a))


def _epanechnikov(d: float, h: float) -> float:
    return log(1.0 - (d * d) / (h * h)) if d < h else -math.inf


def _linear(d: float, h: float) -> float:
    return log(1 - d / h) if d < h else -math.inf


def _cosine(d: float, h: float) -> float:
    return log(math.cos(0.5 * math.pi * d / h)) if d < h else -math.inf


#: Logarithms of kernels of bandwidth h, which are 0 for a distance of 0.
_OF_KERNEL: Mapping[str, Callable[[float, float], float]] = {
    "gaussian": lambda d, h: -0.5 * (d * d) / (h * h),
    "tophat": lambda d, h: 0.0 if d < h else -math.inf,
    "epanechnikov": _epanechnikov,
    "exponential": lambda d, h: -d / h,
    "linear": _linear,
    "cosine": _cosine,
}


def ceiling(attrs: Attrs, row: Array) -> float:
    """Return the largest that a row's result may be, as far as the bounds of all points tell."""
    return Walk(attrs, row).bounds(0)[1]


class Walk:
    """One row's way through the nodes of a tree."""

    def __init__(self, attrs: Attrs, row: Array) -> None:
        self.attrs, self.row, self.metric = attrs, row, Distance(attrs)
        self.h, self.norm, self.atol, self.rtol, self.total = attrs["settings"].tolist()
        self.low = self.spread = 0.0

    def kernel(self, d: float) -> float:
        return _OF_KERNEL[self.attrs["kernel"]](d, self.h)

    def reach(self, at: int) -> tuple[float, float]:
        """Return how near and how far the points of a node may be."""
        (low,), (high,) = self.metric.bounds(self.attrs, self.row, [at])
        if self.attrs["shape"] == BOXES:
            low, high = self.metric.to_distance(low), self.metric.to_distance(high)
        return float(low), float(high)

    def bounds(self, at: int) -> tuple[float, float]:
        """Return the least and the largest sum of a node's points."""
        near, far = self.reach(at)
        weight = float(self.attrs["node_weights"][at])
        return weight + self.kernel(far), weight + self.kernel(near)

    def is_settled(self, at: int, low: float, spread: float) -> bool:
        weight = float(self.attrs["node_weights"][at])
        most = _add(self.atol, self.rtol + self.norm + low)
        return bool(self.norm + spread - weight + self.total <= most)

    def is_done(self) -> bool:
        most = _add(self.atol, self.rtol + self.norm + self.low)
        return bool(self.norm + self.spread <= most)

    def points(self, at: int) -> None:
        begin, end, _ = self.attrs["nodes"][at].tolist()
        near = self.metric.reduced(self.row, self.attrs["points"][begin:end])
        for d, weight in zip(
            self.metric.to_distance(near).tolist(),
            self.attrs["point_weights"][begin:end].tolist(),
            strict=True,
        ):
            self.low = _add(self.low, self.kernel(d) + weight)

    def split(self, at: int, low: float, spread: float) -> list[tuple[int, float, float]]:
        """Put the bounds of a node's children in the place of its own."""
        children = []
        for child in (2 * at + 1, 2 * at + 2):
            least, most = self.bounds(child)
            own = most if self.attrs["breadth"] else _subtract(most, least)
            children.append((child, least, own))
        self.low, self.spread = _subtract(self.low, low), _subtract(self.spread, spread)
        for _, least, own in children:
            self.low, self.spread = _add(self.low, least), _add(self.spread, own)
        return children

    def run(self) -> float:
        least, most = self.bounds(0)
        self.low, self.spread = least, _subtract(most, least)
        todo = [(0, self.low, self.spread)]
        nearest = [self.reach(0)[0]]
        while todo:
            if self.attrs["breadth"]:
                at, low, spread = _pop(nearest, todo)
            else:
                at, low, spread = todo.pop()
            if self.is_settled(at, low, spread):
                continue
            if self.is_done():
                if self.attrs["breadth"]:
                    break
            elif self.attrs["nodes"][at, 2]:
                self.low, self.spread = _subtract(self.low, low), _subtract(self.spread, spread)
                self.points(at)
            else:
                children = self.split(at, low, spread)
                if not self.attrs["breadth"]:
                    todo += children[::-1]
                    continue
                for child in children:
                    _push(nearest, todo, self.reach(child[0])[0], child)
        return _add(self.low, self.spread - math.log(2))


_Item = tuple[int, float, float]


def _swap(keys: list[float], items: list[_Item], a: int, b: int) -> None:
    keys[a], keys[b], items[a], items[b] = keys[b], keys[a], items[b], items[a]


def _push(keys: list[float], items: list[_Item], key: float, item: _Item) -> None:
    """Put an item on a heap with the nearest on top."""
    keys.append(key)
    items.append(item)
    i = len(keys) - 1
    while i and not keys[(i - 1) // 2] <= keys[i]:
        _swap(keys, items, i, (i - 1) // 2)
        i = (i - 1) // 2


def _pop(keys: list[float], items: list[_Item]) -> _Item:
    found = items[0]
    keys[0], items[0] = keys[-1], items[-1]
    keys.pop()
    items.pop()
    i, n = 0, len(keys)
    while (child := 2 * i + 1) < n:
        if child + 1 < n and not keys[child] <= keys[child + 1]:
            child += 1
        if not keys[child] <= keys[i]:
            break
        _swap(keys, items, i, child)
        i = child
    return found


def _define(attrs: Attrs, x: Array) -> Array:
    return np.array([[Walk(attrs, row).run()] for row in x]).reshape(len(x), 1)


def _lower(e: Emitter, node: Node) -> None:
    attrs = node.attrs
    addresses, sizes = search_arguments(e, attrs)
    count = len(attrs["nodes"]) if attrs["breadth"] else 1
    e.call(
        "density_of_points",
        e.output(node),
        e.pointer(node.inputs[0]),
        *addresses,
        *(e.weight(np.asarray(attrs[name])) for name in _ARRAYS),
        e.workspace(32 * count),
        "i32 %m",
        f"i32 {KERNELS.index(attrs['kernel'])}",
        f"i32 {int(attrs['breadth'])}",
        *sizes,
    )


#: The logarithm of a sum of kernels over points in a tree: bounds of nodes are added up, and split
#: until they are near enough, the nearest nodes first (``breadth``) or the first ones.
#: ``settings``: bandwidth, logarithms of the kernel's norm, of both tolerances (absolute, relative)
#: and of the whole weight.
LogDensity = Op(
    "sclbl.LogDensity",
    _infer,
    _define,
    _lower,
    _FLOAT64,
    check=_check,
    holds="points",
)
