"""Let a pass over the columns of a tile do the work of two: the same arithmetic, to the bit.

Nodes of the result have attributes and inputs that only the compiler knows:

- ``Add``, ``Sub``, ``Mul`` and ``Div`` with ``first``, another of them, which comes before with a
  constant row of its own: ``(x, row of the first, row)``;
- ``MatMul`` with a third input, a constant row that is added to the product;
- ``sclbl.Refuse`` with two inputs, a product of the rows and the rows: a product with finite
  weights is finite only where the rows are, so the rows are looked at only where it is not;
- ``Concat`` with ``rest``: a column behind what it leaves of a constant, ``(column, constant)``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from sclbl.ops.arithmetic import CHAINED
from sclbl.spec import Graph, Node

#: A pair of operators that is compiled for many places is compiled once, for any pair: that gains
#: nothing.
MOST_CHAINS = 16
_FLOATS = ("float32", "float64")

#: What becomes of a node and of the one that makes its first operand: the nodes that stand in the
#: place of the first of them, and in that of the second; None where nothing does.
Fusion = tuple[tuple[Node, ...], tuple[Node, ...]]
Rule = Callable[[Graph, Node, Node], Fusion | None]


def fuse_rows(graph: Graph) -> Graph:
    """Return an equivalent graph with fewer passes over columns."""
    chained = _apply(graph, _chain)
    if sum("first" in node.attrs for node in chained.nodes) <= MOST_CHAINS:
        graph = chained
    for rule in (_bias, _check, _rest):
        graph = _apply(graph, rule)
    return graph


def _apply(graph: Graph, rule: Rule) -> Graph:
    """Fuse each node with the one that makes an operand of it, where nothing else reads that."""
    uses = Counter(name for node in graph.nodes for name in node.inputs)
    uses.update(v.name for v in graph.outputs)
    places: list[tuple[Node, ...]] = []
    made: dict[str, int] = {}
    values = dict(graph.values)
    for node in graph.nodes:
        places.append((node,))
        at = made.get(node.inputs[0]) if node.inputs and uses[node.inputs[0]] == 1 else None
        if at is not None and len(places[at]) == 1:
            fused = rule(graph, places[at][0], node)
            if fused is not None:
                places[at], places[-1] = fused
                for part in fused[0]:
                    (name,) = part.outputs
                    values.setdefault(name, replace(values[node.outputs[0]], name=name))
        for name in node.outputs:
            made[name] = len(places) - 1
    return replace(graph, nodes=tuple(n for nodes in places for n in nodes), values=values)


def _chain(graph: Graph, maker: Node, node: Node) -> Fusion | None:
    """``(x - mean) / scale`` and its like."""
    if not (_moves(graph, maker) and _moves(graph, node)):
        return None
    x, first = maker.inputs
    attrs = {"first": maker.op}
    return (), (replace(node, inputs=(x, first, node.inputs[1]), attrs=attrs),)


def _moves(graph: Graph, node: Node) -> bool:
    """Whether it is arithmetic of columns with a constant for each."""
    if node.op not in CHAINED or len(node.inputs) != 2 or node.inputs[0] not in graph.values:
        return False
    x, row = graph.values[node.inputs[0]], graph.constants.get(node.inputs[1])
    return row is not None and x.dtype in _FLOATS and len(x.shape) == 1 and row.size == x.width


def _bias(graph: Graph, maker: Node, node: Node) -> Fusion | None:
    # An Add that is a chain already adds a row of its own and something else.
    adds = node.op == "Add" and len(node.inputs) == 2
    if not (adds and _multiplies(graph, maker) and len(maker.inputs) == 2):
        return None
    row = graph.constants.get(node.inputs[1])
    if row is None or row.size != graph.values[maker.outputs[0]].width:
        return None
    return (), (replace(maker, inputs=(*maker.inputs, node.inputs[1]), outputs=node.outputs),)


def _multiplies(graph: Graph, node: Node) -> bool:
    """Whether it is the product of columns with a constant matrix."""
    if node.op != "MatMul" or node.inputs[1] not in graph.constants:
        return False
    x = graph.values[node.inputs[0]]
    return len(x.shape) == 1 and x.dtype in _FLOATS


def _check(graph: Graph, maker: Node, node: Node) -> Fusion | None:
    """The check of a product's rows, once the product is there.

    It stays the first check among the same others.
    """
    if maker.op != "sclbl.Refuse" or len(maker.inputs) != 1 or not _multiplies(graph, node):
        return None
    (x,) = maker.inputs
    (out,) = node.outputs
    finite = all(np.isfinite(graph.constants[name]).all() for name in node.inputs[1:])
    if not finite or graph.values[out].width > graph.values[x].width:
        return None
    unchecked = _unused(f"{out}.unchecked", graph)
    product = replace(node, inputs=(x, *node.inputs[1:]), outputs=(unchecked,))
    return (product, replace(maker, inputs=(unchecked, x), outputs=(out,))), ()


def _rest(graph: Graph, maker: Node, node: Node) -> Fusion | None:
    """``1 - p`` and ``p``, side by side."""
    if node.op != "Concat" or maker.op != "Sub" or len(node.inputs) != 2 or len(maker.inputs) != 2:
        return None
    whole, x = maker.inputs
    constant, value = graph.constants.get(whole), graph.values.get(x)
    if constant is None or value is None or node.inputs[1] != x or constant.size != 1:
        return None
    if value.shape != (1,) or value.dtype not in _FLOATS:
        return None
    return (), (replace(node, inputs=(x, whole), attrs={"rest": 1}),)


def _unused(name: str, graph: Graph) -> str:
    taken: Mapping[str, object] = {**graph.constants, **graph.values}
    while name in taken:  # a file may have such a name too
        name += "_"
    return name
