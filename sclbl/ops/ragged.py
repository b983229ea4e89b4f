"""Rows whose length varies: names to columns, sparse rows to dense ones, products.

In files they are sequences and sparse tensors, and these operators have no function of standard
operators: other runtimes show them and do not run them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from sclbl.errors import InfiniteValueError, MissingValueError
from sclbl.ops.names import MOST_NAME, name_arguments
from sclbl.ops.record import (
    FLOATS,
    NUMBERS,
    Array,
    Attrs,
    Emitter,
    Op,
    Operand,
    Typed,
    fail,
    has_inputs,
)
from sclbl.spec import Node

_TEXT = frozenset(("text",))


@dataclass(frozen=True, slots=True)
class Items:
    """Ragged rows in the interpreter: the items of row i are those from offsets[i] on.

    Parameters
    ----------
    offsets : int64 ``[rows + 1]``
    keys : int64 or object ``[items]``, or None
        Numbers of columns, or names; None in lists.
    values : array ``[items]``
        Numbers, or texts in lists of them.
    """

    offsets: Array
    keys: Array | None
    values: Array

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def rows(self) -> list[slice]:
        """Return where the items of each row are."""
        return [slice(a, b) for a, b in pairwise(self.offsets.tolist())]


def _given(node: Node, xs: Sequence[Operand], *ragged: str) -> Operand:
    """Require one operand with rows that hold their items in one of these ways."""
    has_inputs(node, xs, 1)
    if xs[0].ragged not in ragged:
        raise fail(node, f"takes rows of {' or '.join(ragged)}")
    return xs[0]


def _is_whole(value: Any, most: int) -> bool:
    """Return whether an attribute is an integer from 0 on: files hold text and floats too."""
    return type(value) is int and 0 <= value <= most


def _names(x: Items) -> list[str]:
    return list((x.values if x.keys is None else x.keys).tolist())


def _values(x: Items) -> Array:
    return np.ones(len(x.values)) if x.keys is None else x.values


# ------------------------------------------------------------------ names to columns


def murmur3(raw: bytes) -> int:
    """MurmurHash3 (x86, 32 bits) with seed 0, as a signed number.

    The function that scikit-learn's FeatureHasher documents; Austin Appleby's, public domain.
    """
    h, mask = 0, 0xFFFFFFFF
    whole = len(raw) // 4 * 4
    for at in range(0, whole, 4):
        h ^= _scrambled(int.from_bytes(raw[at : at + 4], "little"))
        h = ((h << 13 | h >> 19) * 5 + 0xE6546B64) & mask
    h ^= _scrambled(int.from_bytes(raw[whole:], "little")) ^ len(raw)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        h = ((h ^ h >> shift) * factor) & mask
    h ^= h >> 16
    return h - 2**32 if h >= 2**31 else h


def _scrambled(k: int) -> int:
    k = k * 0xCC9E2D51 & 0xFFFFFFFF
    return (k << 15 | k >> 17) * 0x1B873593 & 0xFFFFFFFF


def _hash_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    x = _given(node, xs, "features", "list")
    if x.dtype != ("text" if x.ragged == "list" else "float64"):
        raise fail(node, f"does not take {x.dtype}")
    columns, signed = node.attrs.get("columns"), node.attrs.get("signed")
    known = _is_whole(columns, 2**31 - 1) and columns and _is_whole(signed, 1)
    if len(node.attrs) != 2 or not known:
        raise fail(node, "takes a number of columns, and whether their hash has a sign")
    return [("float64", (int(node.attrs["columns"]),), "sparse")]


def _hash(attrs: Attrs, x: Items) -> Items:
    columns = attrs["columns"]
    hashes = np.array([murmur3(name.encode()) for name in _names(x)], dtype=np.int64)
    values = _values(x)
    if attrs["signed"]:
        values = np.where(hashes >= 0, values, -values)
    # A value of zero is no item.
    kept = np.concatenate([[0], np.cumsum(values != 0)])
    return Items(kept[x.offsets], np.abs(hashes[values != 0]) % columns, values[values != 0])


def _hash_lower(e: Emitter, node: Node) -> None:
    attrs = node.attrs
    e.refuse(
        "ragged_hash",
        e.ragged(node),
        e.pointer(node.inputs[0]),
        e.growing(3),
        "i32 %m",
        f"i32 {attrs['columns']}",
        f"i32 {attrs['signed']}",
    )


HashNames = Op(
    "sclbl.HashNames", _hash_infer, _hash, _hash_lower, FLOATS | _TEXT, exact=True, ragged=True
)


def _find_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    x = _given(node, xs, "features", "list")
    names = node.attrs.get("names")
    if set(node.attrs) != {"names"} or not isinstance(names, np.ndarray) or names.dtype != object:
        raise fail(node, "takes names")
    if names.ndim != 1:
        raise fail(node, f"takes a list of names; these have shape {names.shape}")
    if len(set(names.tolist())) != len(names) or not len(names):
        raise fail(node, "takes names that differ")
    if x.ragged == "list":
        if x.dtype != "text":
            raise fail(node, f"does not take lists of {x.dtype}")
        return [("int64", names.shape, "sparse")]
    return [(x.dtype, names.shape, "sparse")]  # type: ignore[list-item]  # checked as an input


def _find_check(node: Node, xs: Sequence[Operand]) -> None:
    names = node.attrs["names"].tolist()
    longest = max(len(str(name).encode(errors="surrogatepass")) for name in names)
    if longest > MOST_NAME:
        raise fail(node, f"takes names of up to {MOST_NAME:,} bytes; one has {longest:,}")


def _find(attrs: Attrs, x: Items) -> Items:
    place = {name: i for i, name in enumerate(attrs["names"].tolist())}
    found = np.array([place.get(name, -1) for name in _names(x)], dtype=np.int64)
    known = found >= 0
    values = np.ones(len(found), np.int64) if x.keys is None else x.values
    kept = np.concatenate([[0], np.cumsum(known)])
    return Items(kept[x.offsets], found[known], values[known])


def _find_lower(e: Emitter, node: Node) -> None:
    raw = [str(name).encode() for name in node.attrs["names"].tolist()]
    item = 0 if e.dtype(node.inputs[0]) == "text" else e.item(node.inputs[0])
    e.refuse(
        "ragged_find",
        e.ragged(node),
        e.pointer(node.inputs[0]),
        e.growing(3),
        "i32 %m",
        *name_arguments(e, raw),
        f"i32 {item}",
    )


FindNames = Op(
    "sclbl.FindNames",
    _find_infer,
    _find,
    _find_lower,
    FLOATS | _TEXT,
    exact=True,
    role="finds",
    check=_find_check,
    holds="names of columns",
    ragged=True,
)


# ------------------------------------------------------------------ sparse rows


def _sparse_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    x = _given(node, xs, "sparse")
    if x.dtype not in NUMBERS:
        raise fail(node, f"does not take {x.dtype}")
    if set(node.attrs) != {"distinct"} or not _is_whole(node.attrs["distinct"], 1):
        raise fail(node, "takes whether a column counts once")
    return [(x.dtype, x.shape, "sparse")]  # type: ignore[list-item]  # checked as an input


def _sum(attrs: Attrs, x: Items) -> Items:
    keys, values, offsets = [], [], [0]
    for row in x.rows():
        found: dict[int, Any] = {}
        for key, value in zip(x.keys[row].tolist(), x.values[row], strict=True):  # type: ignore[index]  # they have keys
            found[key] = value if attrs["distinct"] or key not in found else found[key] + value
        for key in sorted(found):
            keys.append(key)
            values.append(found[key])
        offsets.append(len(keys))
    return Items(np.array(offsets), np.array(keys, np.int64), np.array(values, x.values.dtype))


def _sum_lower(e: Emitter, node: Node) -> None:
    x = node.inputs[0]
    e.refuse(
        f"ragged_sum_{e.suffix(x)}",
        e.ragged(node),
        e.pointer(x),
        e.growing(4),
        "i32 %m",
        f"i32 {node.attrs['distinct']}",
    )


SumDuplicates = Op(
    "sclbl.SumDuplicates",
    _sparse_infer,
    _sum,
    _sum_lower,
    NUMBERS,
    exact=True,
    role="passes",
    ragged=True,
)


def _refuse_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    x = _given(node, xs, "sparse")
    flags = [node.attrs.get("nan"), node.attrs.get("inf")]
    known = len(node.attrs) == 2 and all(_is_whole(flag, 1) for flag in flags)
    if not known or x.dtype not in FLOATS:
        raise fail(node, "takes floats, and what it refuses of them: nan, inf")
    return [(x.dtype, x.shape, "sparse")]  # type: ignore[list-item]  # checked as an input


def _refuse(attrs: Attrs, x: Items) -> Items:
    for flag, bad, error in (
        (attrs["nan"], np.isnan(x.values), MissingValueError),
        (attrs["inf"], np.isinf(x.values), InfiniteValueError),
    ):
        if flag and bad.any():
            item = int(np.argmax(bad))
            row = int(np.searchsorted(x.offsets, item, side="right")) - 1
            column = str(x.keys[item])  # type: ignore[index]  # sparse rows have keys
            raise error(f"row {row}, column {column} is refused", row=row, column=column)
    return x


def _refuse_lower(e: Emitter, node: Node) -> None:
    e.alias(node)
    flags = (f"i32 {node.attrs['nan']}", f"i32 {node.attrs['inf']}")
    kernel = f"ragged_refuse_{e.suffix(node.inputs[0])}"
    e.refuse(kernel, e.pointer(node.inputs[0]), "i32 %m", "i32 %row", *flags)


RefuseItems = Op(
    "sclbl.RefuseItems",
    _refuse_infer,
    _refuse,
    _refuse_lower,
    FLOATS,
    exact=True,
    role="passes",
    refuses=True,
    ragged=True,
)


def _dense_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    x = _given(node, xs, "sparse")
    if x.dtype not in NUMBERS:
        raise fail(node, f"does not take {x.dtype}")
    if dict(node.attrs) != {"columns": x.width} or type(node.attrs["columns"]) is not int:
        raise fail(node, f"takes the number of columns, {x.width}")
    return [(x.dtype, x.shape)]  # type: ignore[list-item]  # checked as an input


def _dense(attrs: Attrs, x: Items) -> Array:
    out = np.zeros((len(x), attrs["columns"]), dtype=x.values.dtype)
    rows, keys = np.repeat(np.arange(len(x)), np.diff(x.offsets)), np.asarray(x.keys)
    np.add.at(out, (rows, keys), x.values)
    return out


def _dense_by(kernel: str) -> Callable[[Emitter, Node], None]:
    """Return what calls the kernel of this name."""

    def lower(e: Emitter, node: Node) -> None:
        x = node.inputs[0]
        width = f"i32 {node.attrs['columns']}"
        e.call(f"{kernel}_{e.suffix(x)}", e.output(node), e.pointer(x), "i32 %m", width)

    return lower


Dense = Op(
    "sclbl.Dense",
    _dense_infer,
    _dense,
    _dense_by("ragged_dense"),
    NUMBERS,
    exact=True,
    role="passes",
    ragged=True,
)


def _dense_missing_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    if xs and xs[0].dtype not in FLOATS:
        raise fail(node, f"does not take {xs[0].dtype}")
    return _dense_infer(node, xs)


def _dense_missing(attrs: Attrs, x: Items) -> Array:
    out = np.full((len(x), attrs["columns"]), np.nan, dtype=x.values.dtype)
    keys = np.asarray(x.keys)
    for i, row in enumerate(x.rows()):
        for key, value in zip(keys[row], x.values[row], strict=True):
            out[i, key] = value
    return out


#: What a row leaves out is NaN; of several items of one column the last counts.
DenseMissing = Op(
    "sclbl.DenseMissing",
    _dense_missing_infer,
    _dense_missing,
    _dense_by("ragged_dense_missing"),
    FLOATS,
    exact=True,
    role="passes",
    ragged=True,
)


def _dot_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 2)
    x, matrix = xs
    if x.ragged != "sparse" or x.dtype not in FLOATS or node.attrs:
        raise fail(node, "takes sparse rows of floats, and no attributes")
    w = matrix.constant
    if w is None or w.ndim != 2 or w.shape[0] != x.width or w.dtype.name not in FLOATS:
        raise fail(node, f"takes a constant matrix of {x.width} rows of floats")
    if x.dtype == "float64" and matrix.dtype != "float64":
        raise fail(node, "takes a matrix that is not narrower than the rows")
    return [(matrix.dtype, (w.shape[1],))]  # type: ignore[list-item]  # one of FLOATS


def _dot(attrs: Attrs, x: Items, w: Array) -> Array:
    out = np.zeros((len(x), w.shape[1]), dtype=w.dtype)
    for i, row in enumerate(x.rows()):
        for key, value in zip(x.keys[row].tolist(), x.values[row], strict=True):  # type: ignore[index]  # they have keys
            out[i] += w.dtype.type(value) * w[key]
    return out


def _dot_lower(e: Emitter, node: Node) -> None:
    x, w = node.inputs
    kernel = f"ragged_dot_{e.suffix(x)}_{e.suffix(w)}"
    width = f"i32 {e.width(node.outputs[0])}"
    e.call(kernel, e.output(node), e.pointer(x), e.pointer(w), "i32 %m", width)


SparseDot = Op("sclbl.SparseDot", _dot_infer, _dot, _dot_lower, FLOATS, exact=True, ragged=True)
