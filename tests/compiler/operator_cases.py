"""Every operator of the compiler: the types it takes, how a graph uses it, how results compare."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sclbl.ops import OPS
from sclbl.ops.density import KERNELS
from sclbl.ops.distances import NO_BOUNDS
from sclbl.ops.record import Op
from sclbl.signature import DType
from sclbl.spec import MISSING_TEXTS
from sclbl.strippers import ops
from sclbl.strippers.columns import Wire
from sclbl.strippers.graph import Builder
from tests.compiler import comparing
from tests.compiler.comparing import Compare, exact, exact_but_zeros, reduced, ulps
from tests.compiler.random_trees import ensemble
from tests.points import searches

FLOATS = ("float64", "float32")
NUMBERS = (*FLOATS, "int64")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
EVERY = (*FLOATS, "float16", *INTEGERS)
PLAIN = (*EVERY, "bool")
#: What reductions take.
ADDED = (*NUMBERS, "int32", "uint32", "uint64")
ALL = (*PLAIN, "text")


@dataclass(frozen=True)
class Operands:
    """Tensors of one element type: two of the same width, and a single column."""

    build: Builder
    dtype: DType
    x: Wire
    y: Wire
    one: Wire
    flag: Wire | None = None

    @property
    def row(self) -> np.ndarray:
        """A constant row as wide as `x`."""
        pools = {
            "bool": [True, False],
            "text": ["a", "", *MISSING_TEXTS.values(), "日本", "long" * 20],
        }
        if self.dtype in INTEGERS:
            # The least and the greatest, and what they cannot be divided by.
            limits = np.iinfo(self.dtype)
            pools[self.dtype] = [3, 0, limits.max, limits.min, limits.max // 3, 1]
            pools[self.dtype] += [-1, -3] if limits.min else [2, 5]
        pool = pools.get(self.dtype, [0.0, -0.0, 1.5, -2.0, np.nan, np.inf, 1e-40, 1e30])
        dtype = object if self.dtype == "text" else self.dtype
        with np.errstate(over="ignore"):
            row = np.array(pool).astype(dtype) if self.dtype == "float16" else np.array(pool, dtype)
        return np.resize(row, self.x.width)

    @property
    def scalar(self) -> np.ndarray:
        """A constant column of `row`."""
        return self.row[-1:]


Made = Iterator[Wire]


@dataclass(frozen=True)
class Case:
    """How an operator is used on operands, and how close the program must come."""

    types: tuple[str, ...]
    make: Callable[[Operands], Made]
    compare: Compare = exact


def unary(op: str) -> Callable[[Operands], Made]:
    def make(o: Operands) -> Made:
        yield o.build.node(op, [o.x])

    return make


def binary(op: str) -> Callable[[Operands], Made]:
    """Two tensors, a tensor and a constant row; a column or a number beside a tensor or a row."""

    def make(o: Operands) -> Made:
        row = o.build.constant(o.row.reshape(1, -1))
        scalar = o.build.constant(o.scalar.reshape(1, 1))
        pairs = [(o.x, o.y), (o.x, row), (o.one, o.y), (o.x, scalar), (row, o.one)]
        # How operands are spread does not depend on how wide they are: all ways at one width.
        for a, b in pairs if o.x.width == 3 else pairs[:2]:
            yield o.build.node(op, [a, b])
        if op == "Sub" and o.x.width == 30:
            yield from spread(o)

    return make


def reduction(op: str) -> Callable[[Operands], Made]:
    def make(o: Operands) -> Made:
        yield o.build.reduce(op, o.x)

    return make


def argmax(o: Operands) -> Made:
    yield o.build.argmax(o.x)


def softmax(o: Operands) -> Made:
    yield o.build.softmax(o.x)
    if o.x.width == 7:
        rows = o.build.reshape(o.x, (1, 7, 1))
        yield o.build.reshape(o.build.node("Softmax", [rows], axis=2), (7,))


def along_axes(op: str) -> Callable[[Operands], Made]:
    def make(o: Operands) -> Made:
        # Along the whole row in some way, so that the comparison knows what meets.
        yield o.build.node(op, [o.x], axis=1)
        rows = o.build.reshape(o.x, (1, o.x.width, 1))
        yield flat(o, o.build.node(op, [rows], axis=2))

    return make


def layer(o: Operands) -> Made:
    rng = np.random.default_rng(9)
    small = o.build.where(o.build.is_nan(o.x), 1.0, o.x)
    small = o.build.binary("Max", o.build.binary("Min", small, 1e3), -1e3)
    rows = o.build.reshape(small, PICTURES[o.x.width])
    for axis in (1, 2, 3):
        shape = PICTURES[o.x.width][axis - 1 :]
        scale, bias = (o.build.constant(rng.normal(size=shape), o.dtype) for _ in range(2))
        inputs = [rows, scale, bias]
        yield flat(o, o.build.node("LayerNormalization", inputs, axis=axis, epsilon=0.5))


def cast(o: Operands) -> Made:
    for to in PLAIN:
        yield o.build.node("Cast", [o.x], to=to)


def modulo(o: Operands) -> Made:
    row = o.build.constant(o.row.reshape(1, -1))
    for fmod in (0, 1):
        for a, b in ((o.x, o.y), (o.x, row), (row, o.one)):
            yield o.build.node("Mod", [a, b], fmod=fmod)


def where(o: Operands) -> Made:
    wide = o.flag
    assert wide is not None
    narrow = o.build.columns(wide, [0])
    yield o.build.where(wide, o.x, o.y)
    yield o.build.where(wide, o.x, o.row)
    yield o.build.where(narrow, o.row, o.y)
    yield o.build.where(narrow, o.x, o.one)
    yield o.build.where(wide, o.one, o.scalar)


def gather(o: Operands) -> Made:
    width = o.x.width
    yield o.build.columns(o.x, [width - 1])
    yield o.build.columns(o.x, [*range(width - 1, -1, -1), 0, width // 2])


def concat(o: Operands) -> Made:
    yield o.build.concat([o.x, o.one, o.y, o.x])
    yield o.build.node("Concat", [o.one], axis=1)


def reshape(o: Operands) -> Made:
    """Axes of a row, joined and reduced along each, and back to columns."""
    width = o.x.width
    both = o.build.concat([o.x, o.y])
    rows = o.build.reshape(both, (2, width))
    yield o.build.reshape(rows, (2 * width,))
    middle = o.build.node("Concat", [rows, rows], axis=1)
    last = o.build.node("Concat", [middle, middle], axis=2)
    turned = o.build.node("Gather", [last, o.build.constant([3, 0, 1], "int64")], axis=1)
    yield o.build.reshape(turned, (3 * 2 * width,))
    columns = o.build.node("Gather", [last, o.build.constant([0, width], "int64")], axis=2)
    yield o.build.reshape(columns, (4 * 2,))


#: Rows of so many numbers, as pictures [channels, height, width].
PICTURES = {1: (1, 1, 1), 2: (2, 1, 1), 3: (1, 1, 3), 7: (1, 7, 1), 30: (2, 3, 5), 64: (4, 4, 4)}


def flat(o: Operands, wire: Wire) -> Wire:
    return o.build.reshape(wire, (wire.width,))


def pictures(o: Operands) -> Wire:
    return o.build.reshape(o.x, PICTURES[o.x.width])


def spread(o: Operands) -> Made:
    """Constants and tensors with axes of length one, beside rows of three axes."""
    channels, height, width = PICTURES[o.x.width]
    x = pictures(o)
    row = o.row.reshape(channels, height, width)
    constants = [row[:, :1, :1], row[:1, :, :1], row[0, 0], row[None], row[:1, :1, :1]]
    for constant in constants:
        yield flat(o, o.build.node("Sub", [x, o.build.constant(constant)]))
    first = o.build.node("Gather", [x, o.build.constant([0], "int64")], axis=3)
    yield flat(o, o.build.node("Sub", [first, x]))
    line = o.build.node("Gather", [x, o.build.constant([height - 1], "int64")], axis=2)
    yield flat(o, o.build.node("Sub", [line, first]))


def transpose(o: Operands) -> Made:
    x = pictures(o)
    for order in itertools.permutations((1, 2, 3)):
        yield flat(o, o.build.node("Transpose", [x], perm=(0, *order)))


def convolution(o: Operands) -> Made:
    rng = np.random.default_rng(8)
    x, channels = pictures(o), PICTURES[o.x.width][0]
    for filters, kernel, strides, dilations, pads, group in (
        (5, (1, 1), (1, 1), (1, 1), (0, 0, 0, 0), 1),
        (3, (3, 3), (1, 1), (1, 1), (1, 1, 1, 1), 1),
        (channels, (3, 2), (2, 3), (1, 2), (2, 2, 1, 3), channels),
    ):
        weights = rng.normal(size=(filters, channels // group, *kernel))
        bias = rng.normal(size=filters)
        inputs = [x, *(o.build.constant(a, o.dtype) for a in (weights, bias))]
        window = {"kernel_shape": kernel, "strides": strides, "dilations": dilations, "pads": pads}
        yield flat(o, o.build.node("Conv", inputs, **window, group=group))


def pooling(op: str) -> Callable[[Operands], Made]:
    def make(o: Operands) -> Made:
        for kernel, strides, dilations, pads in (
            ((1, 1), (1, 1), (1, 1), (0, 0, 0, 0)),
            ((2, 2), (1, 2), (1, 1), (1, 1, 1, 1)),
            ((3, 2), (2, 1), (1, 2), (2, 2, 2, 2)),
        ):
            window = {"strides": strides, "dilations": dilations, "pads": pads}
            for counted in (0, 1) if op == "AveragePool" else (None,):
                more = {} if counted is None else {"count_include_pad": counted}
                made = o.build.node(op, [pictures(o)], kernel_shape=kernel, **window, **more)
                yield flat(o, made)

    return make


def global_pooling(op: str) -> Callable[[Operands], Made]:
    def make(o: Operands) -> Made:
        yield flat(o, o.build.node(op, [pictures(o)]))

    return make


def split(o: Operands) -> Made:
    """Several outputs of one node, put together again in another order."""
    both = o.build.concat([o.x, o.one, o.y])
    width = o.x.width
    parts = o.build.nodes("Split", [both, o.build.constant([width, 1, width], "int64")], 3, axis=1)
    yield o.build.concat(parts[::-1])
    yield parts[1]


def matmul(o: Operands) -> Made:
    rng = np.random.default_rng(5)
    for columns in (1, 2, 5):
        yield o.build.matmul(o.x, rng.normal(size=(o.x.width, columns)))
    channels, height, width = PICTURES[o.x.width]
    x = pictures(o)
    for columns in (1, 6):
        weights = o.build.constant(rng.normal(size=(width, columns)), o.dtype)
        yield flat(o, o.build.node("MatMul", [x, weights]))
    # Stacks of matrices, of numbers of order 1, so that products are not beyond the comparison.
    known = o.build.where(o.build.is_nan(o.y), 1.0, o.y)
    known = o.build.binary("Max", o.build.binary("Min", known, 4.0), -4.0)
    y = o.build.reshape(known, (channels, width, height))
    yield flat(o, o.build.node("MatMul", [x, y]))
    one = o.build.node("Gather", [y, o.build.constant([0], "int64")], axis=1)
    yield flat(o, o.build.node("MatMul", [x, one]))


def lookup(o: Operands) -> Made:
    keys = {
        "text": ["a", "ab", "", *MISSING_TEXTS.values(), "日本", "é", "long" * 20],
        "int64": [0, 1, -3, 2**53, 17],
    }.get(o.dtype, [0.0, np.nan, 1.5, -2.0, np.inf, 5e-324, 1e-40, -np.inf, 100.0])
    yield o.build.lookup(o.one, keys)
    yield o.build.lookup(o.one, keys[:1], default=-7, values=[2**31 - 1])
    yield o.build.lookup(o.one, keys[1:4], default=5, values=[-(2**31), 0, 9])
    yield o.build.lookup(o.one, [])


def labels(o: Operands) -> Made:
    low = o.build.binary("Max", o.x, np.array([0]))
    codes = o.build.binary("Min", low, np.array([2]))
    yield o.build.labels(codes, [("no", "maybe", "yes")] * o.x.width)
    above = o.build.cast(o.build.binary("Greater", o.x, o.y), "int64")
    yield o.build.labels(above, [("no", "yes")] * o.x.width)


def refuse(o: Operands) -> Made:
    x = o.build.binary("Max", o.build.binary("Min", o.x, 1e9), -1e9)
    known = o.build.where(o.build.is_nan(x), 0.0, x)
    yield o.build.refuse(known, nan=True)
    yield o.build.refuse(known, nan=True, inf=False)
    yield o.build.refuse(x, nan=False)


def refuse_outside(o: Operands) -> Made:
    x = o.build.binary("Max", o.build.binary("Min", o.x, 1e9), -1e9)
    bounds = np.array([[-1e9] * o.x.width, [1e9] * o.x.width], o.dtype)
    for known in (x, o.build.where(o.build.is_nan(x), 0.0, x)):
        columns = known.origins
        yield o.build.node("sclbl.RefuseOutside", [known], columns=columns, bounds=bounds)


def point_sums(o: Operands) -> Made:
    rng = np.random.default_rng(10)
    for terms, count in (("squares", 1), ("sizes", 8), ("chi2", 19)):
        points = rng.normal(size=(count, o.x.width)).astype(o.dtype)
        yield o.build.node("sclbl.PointSums", [o.x], points=points, terms=terms)
    # Sums that are zero.
    zero = o.build.mul(o.build.where(o.build.is_nan(o.x), 0.0, o.x), 0.0)
    nothing = np.zeros((3, o.x.width), o.dtype)
    yield o.build.node("sclbl.PointSums", [zero], points=nothing, terms="chi2")


def pair_sums(o: Operands) -> Made:
    rng, width = np.random.default_rng(11), o.x.width
    known = o.build.where(o.build.is_nan(o.x), 1.0, o.x)
    for counts in ([width - width // 2, width // 2], [0, width // 3, width - width // 3, 0]):
        coef = rng.normal(size=(len(counts) - 1, width))
        yield o.build.node("sclbl.PairSums", [known], coef=coef, counts=np.array(counts))


def couple_pairs(o: Operands) -> Made:
    rng = np.random.default_rng(12)
    for pairs in (1, 3, 6, 28):
        if pairs <= o.x.width:
            slopes, offsets = rng.normal(size=(2, pairs))
            x = o.build.columns(o.x, range(pairs))
            yield o.build.node("sclbl.CouplePairs", [x], slopes=slopes, offsets=offsets)


def barycenter(o: Operands) -> Made:
    # Vectors of ordinary size, of which every product is a number.
    known = o.build.where(o.build.is_nan(o.x), 1.0, o.x)
    small = o.build.div(known, o.build.add(o.build.unary("Abs", known), 1.0))
    given = o.build.where(o.build.is_nan(small), 0.5, small)
    for k in (1, 2, 3, o.x.width):
        if o.x.width % k == 0:
            yield o.build.node("sclbl.Barycenter", [given], k=k, added=np.full(1, 0.01))


def interp(o: Operands) -> Made:
    rng = np.random.default_rng(13)
    for count in (1, 2, 9):
        points = np.sort(rng.normal(size=(o.x.width, count)).round(1), axis=1)
        heights = rng.normal(size=count)
        yield o.build.node("sclbl.Interp", [o.x], points=points, heights=heights)


def bsplines(o: Operands) -> Made:
    rng = np.random.default_rng(14)
    for degree, periodic, products in ((0, 0, 1), (1, 1, 0), (3, 0, 0), (3, 0, 1), (2, 1, 1)):
        knots = np.sort(rng.normal(size=(o.x.width, 9)).round(1), axis=1)
        flags = {"periodic": periodic, "products": products}
        yield o.build.node("sclbl.BSplines", [o.x], None, knots=knots, degree=degree, **flags)


def from_zero(o: Operands, high: float) -> Wire:
    """Numbers from 0 on, zeros among them."""
    known = o.build.where(o.build.is_nan(o.x), 1.0, o.x)
    return o.build.binary("Max", o.build.binary("Min", known, high), 0.0)


def descent(o: Operands) -> Made:
    rng, width = np.random.default_rng(11), o.x.width
    for most, tolerance in ((0, 0.1), (1, 0.0), (5, 0.1)):
        half = rng.uniform(size=(width, width + 1))
        gram = (half @ half.T + np.diag(rng.permutation(width) > 0)).astype(o.dtype)
        gram[-1:] *= most != 1  # a row of zeros leaves its number alone
        settings = np.array([tolerance])
        yield o.build.node(
            "sclbl.NonNegativeDescent", [from_zero(o, 1e3)], gram=gram, most=most, settings=settings
        )


def normal_atoms(o: Operands, count: int) -> np.ndarray:
    found = np.random.default_rng(14).normal(size=(count, o.x.width))
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def pursuit(o: Operands) -> Made:
    for count, most in ((1, 1), (5, 1), (5, 3)):
        atoms = normal_atoms(o, count)
        products = o.build.matmul(from_zero(o, 1e2), atoms.T)
        gram, none = atoms @ atoms.T, np.empty(0)
        yield o.build.node("sclbl.MatchingPursuit", [products], gram=gram, most=most, settings=none)


def lasso(o: Operands) -> Made:
    x = from_zero(o, 1e2)
    squares = o.build.reduce("ReduceSumSquare", x)
    for count, most, positive, alpha in ((1, 9, 0, 0.1), (4, 1, 1, 0.1), (4, 30, 0, 2.0)):
        atoms = normal_atoms(o, count)
        yield o.build.node(
            "sclbl.LassoCode",
            [o.build.matmul(x, atoms.T), squares],
            gram=atoms @ atoms.T,
            most=most,
            positive=positive,
            settings=np.array([alpha, 1e-6]),
        )


def updates(o: Operands) -> Made:
    rng = np.random.default_rng(12)
    x = o.build.add(from_zero(o, 1e2), 0.5)
    start = o.build.columns(x, [0])
    for beta, gamma, l1, l2, moves in (
        (2.0, 1.0, 0.1, 0.2, 0), (1.0, 1.0, 0.1, 0.0, 0), (1.0, 1.0, 0.1, 0.1, 0),
        (0.0, 0.5, 0.0, 0.0, 0), (1.5, 1.0, 0.0, 0.1, 1), (3.0, 0.5, 0.1, 0.0, 1),
    ):  # fmt: skip
        weights = rng.uniform(size=(3, o.x.width)) + 0.1
        yield o.build.node(
            "sclbl.MultiplicativeUpdates",
            [x, start],
            weights=weights,
            most=21,
            moves=moves,
            settings=np.array([beta, gamma, l1, l2, 1e-3]),
        )


def topics(o: Operands) -> Made:
    rng = np.random.default_rng(13)
    for count in (1, 3):
        weights = rng.uniform(size=(count, o.x.width))
        settings = np.array([0.3, 0.2, 1e-2])
        yield o.build.node(
            "sclbl.TopicShares", [from_zero(o, 9.0)], weights=weights, most=20, settings=settings
        )


def refuse_unknown(o: Operands) -> Made:
    yield o.build.refuse_unknown(o.build.binary("Max", o.x, np.array([0])))


def refuse_missing_text(o: Operands) -> Made:
    filled = o.x
    for kind, text in MISSING_TEXTS.items():
        missing = o.build.binary("Equal", filled, np.array([text], dtype=object))
        filled = o.build.where(missing, np.array([""], dtype=object), filled)
        yield o.build.refuse_missing_text(filled, [kind])  # the other kinds pass
    yield o.build.refuse_missing_text(filled)


def tree_sums(o: Operands) -> Made:
    rng = np.random.default_rng(6)
    yield o.build.trees(o.x, ensemble(rng, [6, 0, 9], o.x.width, outputs=2))
    start = o.build.columns(o.build.cast(o.x, "float64"), [0])
    yield o.build.trees(o.x, ensemble(rng, [5] * 11, o.x.width, rule="<"), start)


def tree_leaves(o: Operands) -> Made:
    yield o.build.tree_leaves(o.x, ensemble(np.random.default_rng(7), [4] * 9, o.x.width))


def tree_contributions(o: Operands) -> Made:
    trees = ensemble(np.random.default_rng(8), [3] * 4, o.x.width)
    own = {k: v for k, v in trees.attrs().items() if k not in ("values", "threshold", "init")}
    share = np.random.default_rng(9).uniform(0.1, 0.9, size=len(trees.feature))
    for quadrature in (0, 1):
        yield o.build.node(
            "sclbl.TreeContributions",
            [o.x],
            **{**own, "rule": "<", "targets": np.array([0, 1, 1, 0], dtype=np.int32)},
            threshold=trees.threshold.astype(np.float32),
            values=trees.values[:, :1].astype(np.float32),
            init=np.array([0.5, -2.0], dtype=np.float32),
            share=share.astype(np.float32),
            weights=np.array([1.0, 0.5, 0.25, 1.0], dtype=np.float32),
            quadrature=quadrature,
        )


def _near(o: Operands) -> Wire:
    """Rows among the points that searches look through, some of them equally far from several."""
    small = o.build.binary("Max", o.build.binary("Min", o.x, 3.0), -3.0)
    known = o.build.where(o.build.is_nan(o.x), 0.5, small)
    return o.build.where(o.build.binary("Greater", o.y, 0.0), o.build.unary("Round", known), known)


def nearest(o: Operands) -> Made:
    """Others than these metrics are in tests/compiler/test_searches.py."""
    for search in searches(o.x.width, ("euclidean", "hamming")):
        yield from o.build.nodes("sclbl.NearestPoints", [_near(o)], 2, k=20, **search)


def made_within(op: str, **attrs: Any) -> Callable[[Operands], Made]:
    def make(o: Operands) -> Made:
        x, radius = _near(o), o.build.add(o.build.mul(_near(o), 0.0), 2.0)
        one = o.build.columns(radius, [0])
        for search in searches(o.x.width, ("euclidean",)):
            yield o.build.node(op, [x, one], **search, **attrs)

    return make


def log_density(o: Operands) -> Made:
    """Kernels that reach every point: of others rounding decides what is left."""
    x = o.build.binary("Max", o.build.binary("Min", _near(o), 3.0), -3.0)
    trees = [s for s in searches(o.x.width, ("euclidean", "canberra")) if s["shape"] != NO_BOUNDS]
    # The definition walks a tree for each row in Python: each kernel on one of the trees.
    pairs = itertools.product(KERNELS, (0, 1))
    for (kernel, breadth), search in zip(pairs, itertools.cycle(trees), strict=False):
        weights = np.log(1.0 + np.arange(41) % 3)
        spans = search["nodes"][:, :2].tolist()
        yield o.build.node(
            "sclbl.LogDensity",
            [x],
            point_weights=weights,
            node_weights=np.array([np.log(np.exp(weights[a:b]).sum()) for a, b in spans]),
            settings=np.array([12.0 * o.x.width, -1.5, -40.0, -12.0, np.log(81.0)]),
            kernel=kernel,
            breadth=breadth,
            **search,
        )


def impute_nearest(o: Operands) -> Made:
    """Some numbers missing, and all of a row; points that are equally near."""
    rng, width = np.random.default_rng(16), o.x.width
    holes = o.build.where(o.build.binary("Greater", o.x, 2.5), np.full(1, np.nan), _near(o))
    none = o.build.where(o.build.is_nan(o.x), np.full(1, np.nan), _near(o))
    for count, k, by_distance, single in ((1, 1, 0, 0), (21, 4, 1, 0), (32, 32, 0, 1)):
        points = np.round(rng.normal(size=(count, width)), 1 if by_distance else 0)
        points[rng.random(points.shape) < 0.3] = np.nan
        attrs = {"k": k, "by_distance": by_distance, "single": single}
        means = rng.normal(size=width)
        for x in (holes, none):
            yield o.build.node("sclbl.ImputeNearest", [x], points=points, means=means, **attrs)


def votes(o: Operands) -> Made:
    low = o.build.binary("Max", o.x, np.array([-1]))
    numbers = o.build.binary("Min", low, np.array([3]))
    weights = o.build.mul(o.build.cast(numbers, "float64"), 0.1)
    for pairs in (0, 1):
        yield o.build.node("sclbl.Votes", [numbers], classes=3, pairs=pairs)
        yield o.build.node("sclbl.Votes", [numbers, weights], classes=4, pairs=pairs)


def take_rows(o: Operands) -> Made:
    rng = np.random.default_rng(9)
    for dtype in ("float64", "float32", "int64"):
        for columns in (1, 3):
            table = (rng.normal(size=(5, columns)) * 9).astype(dtype)
            yield o.build.node("sclbl.TakeRows", [o.x], table=table)


def refuse_zeros(o: Operands) -> Made:
    one = o.build.add(o.build.mul(_near(o), 0.0), 1.0)
    yield o.build.node("sclbl.RefuseZeros", [one])


def weighted_median(o: Operands) -> Made:
    weights = np.random.default_rng(8).integers(1, 4, o.x.width)
    yield ops.weighted_median(o.x, weights / 4)
    yield ops.weighted_median(o.one, np.ones(1))


#: How operators of a form are used.
FORMS: dict[str, Callable[[str], Callable[[Operands], Made]]] = {
    "element-wise": unary,
    "two operands": binary,
    "reduction": reduction,
}
#: What is compared otherwise than to the bit, or within the operator's own ULP.
COMPARE: dict[str, Compare] = {
    "Max": exact_but_zeros,
    "Min": exact_but_zeros,
    "ReduceL1": reduced(np.abs),
    "ReduceL2": reduced(np.square, np.sqrt),
    "ReduceMax": exact_but_zeros,
    "ReduceMin": exact_but_zeros,
    "ReduceSum": reduced(np.abs),
    "ReduceSumSquare": reduced(np.square),
    "sclbl.Erfc": comparing.tails,
    "sclbl.NormCdf": comparing.tails,
}


def _case(op: Op) -> Case:
    compare = COMPARE.get(op.name, ulps(op.ulp) if op.ulp else exact)
    return Case(tuple(t for t in ALL if t in op.takes), FORMS[op.form](op.name), compare)


#: Operators that are used in a way of their own.
OWN: dict[str, Case] = {
    "ArgMax": Case(ADDED, argmax),
    "Cast": Case(PLAIN, cast),
    "AveragePool": Case(FLOATS, pooling("AveragePool"), comparing.windows(0)),
    "Concat": Case(ALL, concat),
    "Conv": Case(FLOATS, convolution, comparing.windows(5)),
    "Gather": Case(ALL, gather),
    "GlobalAveragePool": Case(FLOATS, global_pooling("GlobalAveragePool"), comparing.windows(0)),
    "GlobalMaxPool": Case(FLOATS, global_pooling("GlobalMaxPool"), exact_but_zeros),
    "Identity": Case(ALL, unary("Identity")),
    "LayerNormalization": Case(FLOATS, layer, comparing.absolute(1e4, 8)),
    "LogSoftmax": Case(FLOATS, along_axes("LogSoftmax"), comparing.relative(80)),
    "MatMul": Case(FLOATS, matmul, comparing.windows(0)),
    "MaxPool": Case(FLOATS, pooling("MaxPool"), exact_but_zeros),
    "Mod": Case(INTEGERS, modulo),
    "Reshape": Case(ALL, reshape),
    "Softmax": Case(FLOATS, softmax, comparing.relative(80)),
    "Split": Case(ALL, split),
    "Transpose": Case(ALL, transpose),
    "Where": Case(ALL, where),
    "ai.onnx.ml.LabelEncoder": Case((*NUMBERS, "text"), lookup),
    "sclbl.Interp": Case(("float64",), interp),
    "sclbl.Labels": Case(("int64",), labels),
    "sclbl.MeansWithin": Case(
        ("float64",),
        made_within(
            "sclbl.MeansWithin",
            table=np.random.default_rng(1).normal(size=(41, 2)),
            none=np.array([np.nan, -1.0]),
            by_distance=1,
        ),
        comparing.relative(80),
    ),
    "sclbl.LogDensity": Case(("float64",), log_density, comparing.absolute(64, 0)),
    "sclbl.ImputeNearest": Case(("float64",), impute_nearest),
    "sclbl.NearestPoints": Case(("float64",), nearest, comparing.relative(8)),
    "sclbl.Refuse": Case(FLOATS, refuse, exact_but_zeros),
    "sclbl.RefuseMissingText": Case(("text",), refuse_missing_text),
    "sclbl.BSplines": Case(("float64",), bsplines),
    "sclbl.Barycenter": Case(("float64",), barycenter),
    "sclbl.CouplePairs": Case(("float64",), couple_pairs),
    "sclbl.PairSums": Case(("float64",), pair_sums),
    "sclbl.LassoCode": Case(("float64",), lasso, comparing.absolute(1e6, 0)),
    "sclbl.MatchingPursuit": Case(("float64",), pursuit, comparing.absolute(1e6, 0)),
    "sclbl.MultiplicativeUpdates": Case(("float64",), updates, comparing.absolute(1e5, 0)),
    "sclbl.NonNegativeDescent": Case(FLOATS, descent, comparing.absolute(1e5, 1e4)),
    "sclbl.PointSums": Case(FLOATS, point_sums),
    "sclbl.RefuseOutside": Case(FLOATS, refuse_outside, exact_but_zeros),
    "sclbl.RefuseUnknown": Case(("int64",), refuse_unknown),
    "sclbl.TopicShares": Case(("float64",), topics, comparing.absolute(1e5, 0)),
    "sclbl.RefuseZeros": Case(("float64",), refuse_zeros),
    "sclbl.TakeRows": Case(("int64",), take_rows),
    "sclbl.Votes": Case(("int64",), votes),
    "sclbl.VotesWithin": Case(
        ("float64",),
        made_within(
            "sclbl.VotesWithin",
            codes=np.arange(41) % 3,
            classes=3,
            by_distance=0,
        ),
    ),
    "sclbl.TreeContributions": Case(("float32",), tree_contributions),
    "sclbl.TreeEnsemble": Case(FLOATS, tree_sums),
    "sclbl.TreeLeaves": Case(FLOATS, tree_leaves),
    "sclbl.WeightedMedian": Case(FLOATS, weighted_median, exact_but_zeros),
}
CASES: dict[str, Case] = {**{op.name: _case(op) for op in OPS.values() if op.form}, **OWN}
