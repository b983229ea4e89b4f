"""Lower ensembles of trees: flat arrays become one packed table (see kernels/trees.c)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sclbl.errors import SpecError
from sclbl.ops.record import Emitter
from sclbl.spec import Node

NONE = "ptr null"
#: Bytes of thresholds filled up to the same number in each column; above, columns go one by one.
MAX_SPREAD = 4 * 1024 * 1024
#: Leaves of a tree that is scored 32 rows at a time.
MOST_LEAVES = 32


@dataclass(frozen=True)
class _Order:
    """Nodes of all trees, tree by tree and breadth first, each tree's depth, and leaf flags."""

    nodes: np.ndarray
    depths: np.ndarray
    leaf: np.ndarray
    sizes: np.ndarray


@dataclass(frozen=True)
class _Table:
    """Where the table and the tile of rows lie, and what the walks take as constants."""

    pointers: tuple[str, ...]
    rows: str
    columns: int
    trees: int
    missing: bool
    categories: bool
    constants: tuple[int, ...]
    byte_ranks: bool

    def walk(self, e: Emitter, over: str, found: str, nan: bool) -> str:
        """Return a function of this ensemble's own that walks eight rows, or eight trees."""
        # A negative category goes where a missing value goes, so that way is always needed.
        nan = nan or self.categories
        stride = 4 * (self.columns + 1) if over == "rows" else 0
        _, size, column_bytes, _ = self.constants
        narrow = size == 8 and column_bytes and not self.categories
        return e.function(
            "i32 %t, i32 %row",
            f"trees_walk_{over}_{column_bytes}" if narrow else f"trees_walk_{over}",
            found,
            *(e.offset(self.rows, k * stride) for k in range(8)),
            "i32 %t",
            "i32 %row",
            *self.pointers,
            *(f"i32 {c}" for c in (self.columns, *self.constants, int(nan))),
        )


def ensemble(e: Emitter, node: Node) -> None:
    """Sum the leaves' values."""
    attrs = node.attrs
    order = _breadth_first(attrs)
    values = np.asarray(attrs["values"])
    rows = np.asarray(attrs["left"])[order.nodes[order.leaf]]
    direct = values.dtype == np.float32 and values.shape[1] == 1
    if direct:
        payload, table = values[rows, 0].view(np.uint32), np.zeros(0, dtype=np.float32)
    else:
        payload, table = _leaf_rows(values[rows])
    packed = _pack(e, node, order, payload)
    targets = attrs.get("targets")
    # Sums start at one constant row, or at a row of their own each.
    start = node.inputs[1] if len(node.inputs) > 1 else None
    width = len(attrs["init"])
    found = e.reserve(4 * 32)
    score, planes = _scorer(e, packed, order, found)
    rows_walk, trees_walk = (packed.walk(e, over, found, False) for over in ("rows", "trees"))
    rows_nan, trees_nan = rows_walk, trees_walk
    if packed.missing and not packed.categories:
        rows_nan, trees_nan = (packed.walk(e, over, found, True) for over in ("rows", "trees"))
    e.call(
        f"trees_sum_{'f32' if values.dtype == np.float32 else 'f64'}",
        e.output(node),
        packed.rows,
        "i32 %m",
        e.weight(np.asarray(attrs["init"], dtype=values.dtype))
        if start is None
        else e.pointer(start),
        f"i32 {0 if start is None else width}",
        e.weight(table),
        NONE if targets is None else e.weight(np.asarray(targets, dtype=np.int32), 4),
        found,
        rows_walk,
        trees_walk,
        rows_nan,
        trees_nan,
        score,
        planes,
        f"i32 {packed.trees}",
        f"i32 {width}",
        f"i32 {values.shape[1]}",
        f"i32 {int(direct)}",
        f"i32 {packed.columns}",
        f"i32 {int(packed.missing)}",
    )


def _scorer(e: Emitter, packed: _Table, order: _Order, found: str) -> tuple[str, str]:
    """Return a function that takes 32 rows down a tree, and its planes, where both pay."""
    small = packed.byte_ranks and int(order.sizes.max()) < 2 * MOST_LEAVES
    if not small or packed.columns >= 1 << 16:
        return NONE, NONE
    inner = len(order.nodes) - int(order.leaf.sum())
    # Each tree's nodes are filled up to a multiple of four.
    nodes = e.reserve(8 * (inner + 4 * packed.trees))
    starts = e.reserve(4 * (packed.trees + 1))
    leaves = e.reserve(4 * MOST_LEAVES * packed.trees)
    planes = e.reserve(e.most_rows * packed.columns)
    limits, words, roots = packed.pointers[0], packed.pointers[1], packed.pointers[4]
    e.at_start(
        "trees_score_unpack",
        nodes,
        starts,
        leaves,
        limits,
        words,
        roots,
        f"i32 {packed.trees}",
        f"i32 {packed.columns}",
        f"i32 {packed.constants[0]}",
    )
    score = e.function(
        "i32 %t, i32 %row",
        "trees_score",
        found,
        "i32 %t",
        "i32 %row",
        nodes,
        starts,
        leaves,
        planes,
    )
    return score, planes


def leaves(e: Emitter, node: Node) -> None:
    """Return where each tree ends."""
    order = _breadth_first(node.attrs)
    rows = np.asarray(node.attrs["left"])[order.nodes[order.leaf]].astype(np.uint32)
    packed = _pack(e, node, order, rows)
    found = e.reserve(4 * 8)
    e.call(
        "trees_leaves",
        e.output(node),
        "i32 %m",
        found,
        packed.walk(e, "trees", found, packed.missing),
        f"i32 {packed.trees}",
        f"i32 {packed.columns}",
    )


def _breadth_first(attrs: Mapping[str, Any]) -> _Order:
    feature, left, right = attrs["feature"], attrs["left"], attrs["right"]
    level = np.asarray(attrs["roots"], dtype=np.int32)
    count = len(level)
    kind = np.uint16 if count <= 65536 else np.uint32
    tree = np.arange(count).astype(kind)
    depths = np.zeros(count, dtype=np.uint16)
    levels, owners = [], []
    seen = depth = 0
    while len(level):
        levels.append(level)
        owners.append(tree)
        seen += len(level)
        if seen > len(feature):
            raise SpecError(
                "a tree reaches one of its nodes twice, so it is not a tree; "
                "correct the model's arrays"
            )
        inner = feature[level] >= 0
        parents = level[inner]
        level = np.empty(2 * len(parents), dtype=np.int32)
        level[0::2], level[1::2] = left[parents], right[parents]
        tree = np.repeat(tree[inner], 2)
        if len(parents):
            depth += 1
            if depth > 65535:
                raise SpecError("a tree is deeper than 65,535 levels; reduce its depth")
            depths[tree] = depth
    owner = np.concatenate(owners)
    # A stable sort by tree keeps each tree's levels in order.
    nodes = np.concatenate(levels)[np.argsort(owner, kind="stable")]
    return _Order(nodes, depths, feature[nodes] < 0, np.bincount(owner, minlength=count))


def _leaf_rows(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each leaf, the row of its values in a table where equal rows stand once."""
    plain = np.ascontiguousarray(values)
    width = plain.shape[1] * plain.itemsize
    bits = plain.view(np.uint64 if plain.itemsize == 8 else np.uint32).astype(np.uint64)
    mixed = np.zeros(len(plain), dtype=np.uint64)
    for column in bits.T:
        mixed = (mixed ^ column) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(32)
    _, first, inverse = np.unique(mixed, return_index=True, return_inverse=True)
    table = plain[first]
    index_bytes = 1 if len(first) <= 256 else 2 if len(first) <= 65536 else 4
    saves = len(table) * width + len(plain) * index_bytes < len(plain) * width
    same = saves and bool(np.array_equal(bits[first][inverse], bits))
    if not same:
        return np.arange(len(plain), dtype=np.uint32), plain
    return inverse.astype(np.uint32), table


def _pack(e: Emitter, node: Node, order: _Order, payload: np.ndarray) -> _Table:
    attrs, x = node.attrs, node.inputs[0]
    inner = order.nodes[~order.leaf]
    feature = np.asarray(attrs["feature"])[inner]
    used = np.unique(feature)
    if len(used) and used[-1] >= e.width(x):
        raise SpecError(
            f"a tree tests column {used[-1]} of a tensor of {e.width(x)} columns; "
            "correct the model's arrays"
        )
    columns = len(used)
    position = np.zeros(e.width(x), dtype=np.int64)
    position[used] = np.arange(columns)
    start = attrs.get("category_start")
    category = np.zeros(len(inner), dtype=bool) if start is None else start[inner] >= 0
    threshold = np.asarray(attrs["threshold"])[inner]
    if np.isnan(threshold[~category]).any():
        raise SpecError("a tree compares with a threshold that is NaN; correct the model's arrays")
    if e.dtype(x) == "float32":
        limits = _float32_limits(threshold, attrs["rule"]).view(np.uint32)
        rows = _rows(e, x, used)
    else:
        both = np.intersect1d(feature[category], feature[~category])
        if len(both):
            raise SpecError(
                f"trees test column {both[0]} of a float64 tensor for categories and thresholds; "
                "split it into two columns, or compile the model with a float32 example_input"
            )
        ranks, rows = _ranks(e, x, used, position[feature], threshold, ~category, attrs["rule"])
        limits = ranks.view(np.uint32)
    words = np.zeros(1, dtype=np.uint32)
    if category.any():
        limits[category], words = _category_words(attrs, inner[category])
    slots = int((order.sizes + 1).sum()) + 1
    categories = bool(category.any())
    size, shift, column_bytes = _slot_format(slots, columns, categories)
    if slots * (size + 1) >= 1 << 32:
        raise SpecError(f"an ensemble of {slots:,} nodes does not fit WebAssembly's 4 GB of memory")
    missing = categories or not _refuses_nan(e, x)
    # Walks take eight trees at a time: the last ones are filled up with trees of no depth.
    eights = -(-len(order.depths) // 8) * 8
    depths = np.zeros(eights, dtype=np.uint16)
    depths[: len(order.depths)] = order.depths
    table, roots = e.reserve(slots * size, 64), e.reserve(4 * eights)
    missing_left = e.reserve(slots) if missing else NONE
    narrow = np.uint8 if columns <= 256 else np.uint16 if columns <= 65536 else np.uint32
    stream = _payload_stream(payload)
    e.at_start(
        "trees_unpack",
        table,
        missing_left,
        roots,
        e.weight(_bits(order.leaf), 1),
        e.weight(_bits(np.asarray(attrs["missing_left"])[inner].astype(bool)), 1)
        if missing
        else NONE,
        e.weight(_bits(category), 1) if categories else NONE,
        e.weight(position[feature].astype(narrow), 4),
        e.weight(limits, 4),
        e.weight(stream, 4),
        f"i32 {len(order.depths)}",
        f"i32 {np.dtype(narrow).itemsize}",
        f"i32 {stream.itemsize if len(stream) else 0}",
        f"i32 {shift}",
        f"i32 {columns}",
        f"i32 {size}",
    )
    pointers = (
        table,
        e.offset(table, 4),
        e.offset(table, 8),
        missing_left,
        roots,
        e.weight(depths, 4),
        e.weight(words, 4),
    )
    constants = (shift, size, column_bytes, int(categories))
    byte_ranks = e.dtype(x) == "float64" and not categories and size == 8 and columns > 0
    byte_ranks = byte_ranks and float(limits.view(np.float32).max(initial=0)) < 255
    return _Table(
        pointers, rows, columns, len(order.depths), missing, categories, constants, byte_ranks
    )


def _slot_format(slots: int, columns: int, categories: bool) -> tuple[int, int, int]:
    """Return bytes of a slot, bits before its child, and bytes that hold its column alone.

    A column that fills one or two bytes is loaded without a mask; flags of categories need one.
    """
    for column_bytes in (1, 2):
        shift = 8 * column_bytes
        if not categories and 4 * columns < 1 << shift and slots < 1 << (32 - shift):
            return 8, shift, column_bytes
    shift = 2 + columns.bit_length()
    return (8, shift, 0) if slots < 1 << (32 - shift) else (12, shift, 0)


def _bits(flags: np.ndarray) -> np.ndarray:
    return np.packbits(flags, bitorder="little")


def _payload_stream(payload: np.ndarray) -> np.ndarray:
    """Return payloads in the narrowest type; nothing where they count up from 0."""
    if np.array_equal(payload, np.arange(len(payload), dtype=np.uint32)):
        return np.zeros(0, dtype=np.uint8)
    top = int(payload.max())
    return payload.astype(np.uint8 if top < 256 else np.uint16 if top < 65536 else np.uint32)


def _float32_limits(threshold: np.ndarray, rule: str) -> np.ndarray:
    """Return the largest float32 that goes left: ``x > limit`` then decides as the source does."""
    down = np.float32(-np.inf)
    if rule == "<" and np.isneginf(threshold).any():
        raise SpecError("a tree asks for x < -infinity; correct the model's arrays")
    with np.errstate(over="ignore"):
        limits = threshold.astype(np.float32)
        above = limits > threshold
        limits[above] = np.nextafter(limits[above], down)
        if rule == "<":
            exact = limits == threshold
            limits[exact] = np.nextafter(limits[exact], down)
    return limits


def _rows(e: Emitter, x: str, used: np.ndarray) -> str:
    width = e.width(x)
    out = e.scratch(4 * (len(used) + 1))
    index = NONE if len(used) == width else e.weight(used.astype(np.int32), 4)
    e.call("trees_rows", out, e.pointer(x), index, "i32 %m", f"i32 {len(used)}", f"i32 {width}")
    return out


def _ranks(
    e: Emitter,
    x: str,
    used: np.ndarray,
    column: np.ndarray,
    threshold: np.ndarray,
    numeric: np.ndarray,
    rule: str,
) -> tuple[np.ndarray, str]:
    """Return each threshold's place among those of its column, and the tile of ranks."""
    limits = np.zeros(len(threshold), dtype=np.float32)
    kept: list[np.ndarray] = []
    by_column = np.argsort(column, kind="stable")
    edges = np.searchsorted(column[by_column], np.arange(len(used) + 1))
    for j in range(len(used)):
        at = by_column[edges[j] : edges[j + 1]]
        at = at[numeric[at]]
        distinct, place = np.unique(threshold[at].astype(np.float64), return_inverse=True)
        if len(distinct) >= 1 << 24:
            raise SpecError("a column has more than 16 million thresholds; reduce the ensemble")
        kept.append(distinct)
        limits[at] = place
    ends = np.cumsum([len(k) for k in kept]).astype(np.uint32)
    out = e.scratch(4 * (len(used) + 2))
    size = 1 << max(max((len(k) for k in kept), default=0).bit_length(), 1)
    eights = -(-len(used) // 8) * 8
    if eights * size * 8 <= MAX_SPREAD:
        index = np.zeros(eights, dtype=np.int32)
        index[: len(used)] = used
        raw = np.zeros(eights, dtype=np.uint8)
        raw[: len(used)] = [len(k) == 0 for k in kept]
        table = e.reserve(eights * size * 8)
        e.at_start(
            "trees_spread",
            table,
            e.weight(np.concatenate(kept) if kept else np.zeros(0)),
            e.weight(ends, 4),
            f"i32 {len(used)}",
            f"i32 {size}",
        )
        e.call(
            "trees_ranks8",
            out,
            e.pointer(x),
            e.weight(index, 4),
            table,
            e.weight(raw, 1) if raw.any() else NONE,
            "i32 %m",
            f"i32 {len(used)}",
            f"i32 {e.width(x)}",
            f"i32 {size}",
            f"i32 {int(rule == '<=')}",
        )
        return limits, out
    e.call(
        "trees_ranks",
        out,
        e.pointer(x),
        e.weight(used.astype(np.int32), 4),
        e.weight(ends, 4),
        e.weight(np.concatenate(kept) if kept else np.zeros(0)),
        "i32 %m",
        f"i32 {len(used)}",
        f"i32 {e.width(x)}",
        f"i32 {int(rule == '<=')}",
    )
    return limits, out


def _category_words(attrs: Mapping[str, Any], nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    start, count = attrs["category_start"][nodes], attrs["category_count"][nodes]
    source = np.asarray(attrs["category_words"], dtype=np.uint32)
    at = np.cumsum(count + 1) - (count + 1)
    words = np.zeros(int((count + 1).sum()), dtype=np.uint32)
    words[at] = count
    for a, s, c in zip(at.tolist(), start.tolist(), count.tolist(), strict=True):
        words[a + 1 : a + 1 + c] = source[s : s + c]
    return at.astype(np.uint32), words


def _refuses_nan(e: Emitter, name: str) -> bool:
    """Return whether a check on the way to this tensor refuses NaN.

    Values pass unchanged through the operators in between.
    """
    node = e.maker(name)
    while node is not None and node.op in ("Cast", "Identity", "Gather", "sclbl.Refuse"):
        if node.op == "sclbl.Refuse" and node.attrs["nan"]:
            return True
        node = e.maker(node.inputs[0])
    return False
