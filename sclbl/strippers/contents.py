"""What a graph kept of a model, in bytes, and what it left behind."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from sclbl.ops import find
from sclbl.spec import Graph

#: Fitted attributes that live on in the signature.
_IN_SIGNATURE = frozenset({"classes_", "feature_names_in_", "n_features_in_", "n_classes_"})


def kept(graph: Graph) -> dict[str, int]:
    """Return what a graph holds, by sort, with its bytes.

    An array that several operators share is counted once.
    """
    sizes: dict[str, int] = {}
    if graph.constants:
        sizes["coefficients"] = sum(_bytes(c) for c in graph.constants.values())
    seen: set[int] = set()
    for node in graph.nodes:
        for value in node.attrs.values():
            if isinstance(value, np.ndarray) and id(value) not in seen:
                seen.add(id(value))
                name = find(node.op).holds or node.op
                sizes[name] = sizes.get(name, 0) + _bytes(value)
    return {name: size for name, size in sizes.items() if size}


def _bytes(array: np.ndarray) -> int:
    if array.dtype.kind not in "OU":
        return array.nbytes
    return sum(len(str(item).encode()) for item in array.ravel().tolist())


def dropped(visited: Iterable[tuple[str, Any]], graph: Graph) -> tuple[str, ...]:
    """Return the fitted attributes of which the graph holds no number.

    `visited` are the models that were written, each with the prefix of its attributes' names. An
    attribute counts as kept where each of its numbers occurs in the graph, in any order or sign.
    Attributes that hold estimators, trees or text are not listed: they were taken apart.
    """
    arrays = [c for c in graph.constants.values() if c.dtype.kind in "fiu"]
    for node in graph.nodes:
        if find(node.op).role == "trees":
            # No attribute holds a node's numbers, and sorting millions of them takes seconds.
            continue
        arrays += [
            a for a in node.attrs.values() if isinstance(a, np.ndarray) and a.dtype.kind in "fiu"
        ]
    numbers = [np.abs(a.ravel().astype(np.float64)) for a in arrays]
    held = np.unique(np.concatenate(numbers)) if numbers else np.empty(0)
    names = (
        prefix + name
        for prefix, part in visited
        for name, value in getattr(part, "__dict__", {}).items()
        if _is_left(name, value, held)
    )
    return tuple(dict.fromkeys(names))


def _is_left(name: str, value: Any, held: np.ndarray) -> bool:
    if not name.endswith("_") or name.startswith("_") or name in _IN_SIGNATURE:
        return False
    array = np.asarray(value) if np.isscalar(value) or isinstance(value, np.ndarray) else None
    if array is None or array.dtype.kind not in "fiu":
        return False
    flat = np.abs(array.ravel().astype(np.float64))
    return not bool(np.isin(flat[~np.isnan(flat)], held).all())
