"""What a spec knows of the columns that a model takes: categories, bounds, which are read as text.

The signature says what a column holds. Which values a model was fitted on stands in its graph: in
the keys of look-ups, and in the bounds of checks, that a column reaches unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sclbl.missing import of_text
from sclbl.ops import find
from sclbl.signature import Signature
from sclbl.spec import Graph, Node


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of columns, by their position.

    Parameters
    ----------
    categories : mapping of int to list
        The values that a column is looked up in.
    bounds : mapping of int to pair of float
        Below the first and above the second a number is refused.
    read : frozenset of int
        Columns of text that are taken apart into words or characters.
    """

    categories: Mapping[int, list[Any]] = field(default_factory=dict)
    bounds: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    read: frozenset[int] = frozenset()


def known(signature: Signature, graph: Graph) -> Known:
    """Return what the graph knows of the columns that enter it."""
    blocks = {"numeric": signature.numeric, "text": signature.text}
    # Which column of the input each column of a tensor is, as far as it is only passed on.
    origins: dict[str, tuple[int, ...]] = {
        v.name: blocks[v.name] for v in graph.inputs if v.name in blocks
    }
    categories: dict[int, list[Any]] = {}
    bounds: dict[int, tuple[float, float]] = {}
    read: set[int] = set()
    # Which tensor each comparison looks at: an imputer replaces what is missing, and no more.
    looked_at: dict[str, str] = {}
    for node in graph.nodes:
        if node.op in ("IsNaN", "Equal"):
            looked_at[node.outputs[0]] = node.inputs[0]
        if node.op == "Where" and looked_at.get(node.inputs[0]) == node.inputs[2]:
            if node.inputs[2] in origins and node.inputs[1] in graph.constants:
                origins[node.outputs[0]] = origins[node.inputs[2]]
            continue
        source = origins.get(node.inputs[0]) if node.inputs else None
        if source is None:
            continue
        role = find(node.op).role
        if role == "reads":
            read.update(source)
        if node.op == "sclbl.RefuseOutside":
            _note_bounds(node, source, bounds)
        if len(graph.values[node.outputs[0]].shape) != 1:
            continue
        if role == "chooses":
            indices = graph.constants[node.inputs[1]].tolist()
            origins[node.outputs[0]] = tuple(source[i] for i in indices)
        elif role == "passes":
            origins[node.outputs[0]] = source
        elif role == "finds" and len(source) == 1:
            keys = [_written(k) for k in node.attrs["keys"].tolist() if k == k and not of_text(k)]
            if keys:
                categories.setdefault(source[0], keys)
    return Known(categories, bounds, frozenset(read))


def _written(key: Any) -> Any:
    """Return a category as people write it: 5, where an encoder keeps 5.0."""
    whole = isinstance(key, float) and key.is_integer() and abs(key) < 2**53
    return int(key) if whole else key


def _note_bounds(
    node: Node, source: tuple[int, ...], bounds: dict[int, tuple[float, float]]
) -> None:
    for column, low, high in zip(source, *node.attrs["bounds"].tolist(), strict=True):
        before = bounds.get(column, (float("-inf"), float("inf")))
        bounds[column] = max(low, before[0]), min(high, before[1])
