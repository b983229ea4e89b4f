"""Make one ensemble of those that models of models make: one table, one walk over the rows.

One against one of 25 classes has 300 trees, each an ensemble of its own, with code of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from sclbl.spec import Graph, Node, Value, upstream

#: Ensembles of more trees gain nothing: a row goes down eight trees at a time anyway.
MOST_TREES = 7
_SPLIT = ("feature", "threshold", "missing_left")


def fuse_trees(graph: Graph) -> Graph:
    """Return an equivalent graph in which small ensembles that look at the same rows are one.

    Its sums stand side by side, each made in the same order as before. What joins columns of one
    tensor takes them at once.
    """
    groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
    needed = _needed(graph)
    for index, node in enumerate(graph.nodes):
        a = node.attrs
        if node.op != "sclbl.TreeEnsemble" or len(node.inputs) > 1 or "category_start" in a:
            continue
        if len(a["roots"]) <= MOST_TREES:
            kinds = (a["rule"], a["threshold"].dtype, a["values"].dtype, a["values"].shape[1])
            groups[node.inputs[0], *kinds, needed[node.outputs[0]]].append(index)
    several = [group for group in groups.values() if len(group) > 1]
    if not several:
        return graph
    places: list[tuple[Node, ...]] = [(node,) for node in graph.nodes]
    constants, values = dict(graph.constants), dict(graph.values)
    for group in several:
        nodes = [graph.nodes[index] for index in group]
        name = _unused(f"{nodes[0].outputs[0]}.together", constants, values)
        one = _together(nodes, name)
        values[name] = Value(name, values[nodes[0].outputs[0]].dtype, (len(one.attrs["init"]),))
        at = 0
        for index, node in zip(group, nodes, strict=True):
            (out,) = node.outputs
            columns = _unused(f"{out}.columns", constants, values)
            constants[columns] = np.arange(at, at + values[out].width, dtype=np.int64)
            at += values[out].width
            places[index] = (Node("Gather", (name, columns), (out,), {"axis": 1}),)
        places[group[0]] = (one, *places[group[0]])
    every = tuple(node for place in places for node in place)
    return _joined(replace(graph, nodes=every, constants=constants, values=values))


def _needed(graph: Graph) -> Mapping[str, frozenset[str]]:
    """Return which outputs each tensor is needed for."""
    found: dict[str, set[str]] = defaultdict(set)
    for value in graph.outputs:
        found[value.name].add(value.name)
    for node in reversed(graph.nodes):
        whole = set().union(*(found[name] for name in node.outputs))
        for name in node.inputs:
            found[name] |= whole
    return {name: frozenset(outputs) for name, outputs in found.items()}


def _together(nodes: Sequence[Node], name: str) -> Node:
    """Return an ensemble whose trees add to columns of their own, one ensemble after the other."""
    parts: dict[str, list[np.ndarray]] = defaultdict(list)
    seen = rows = sums = 0
    for node in nodes:
        a = node.attrs
        leaf = a["feature"] < 0
        for key in _SPLIT:
            parts[key].append(a[key])
        parts["roots"].append(a["roots"] + seen)
        parts["left"].append(a["left"] + np.where(leaf, rows, seen))
        parts["right"].append(a["right"] + np.where(leaf, 0, seen))
        parts["values"].append(a["values"])
        parts["init"].append(a["init"])
        targets = a.get("targets")
        own = np.zeros(len(a["roots"]), dtype=np.int32) if targets is None else targets
        parts["targets"].append(own + sums)
        seen, rows, sums = seen + len(leaf), rows + len(a["values"]), sums + len(a["init"])
    attrs = {key: np.concatenate(arrays) for key, arrays in parts.items()}
    for key in ("roots", "left", "right", "targets"):
        attrs[key] = attrs[key].astype(np.int32)
    return replace(nodes[0], outputs=(name,), attrs={**attrs, "rule": nodes[0].attrs["rule"]})


def _joined(graph: Graph) -> Graph:
    """Take columns of columns at once, and those that are joined; drop what nothing reads then."""
    constants, values = dict(graph.constants), graph.values
    #: What a tensor's columns are columns of.
    taken: dict[str, tuple[str, np.ndarray]] = {}
    nodes: list[Node] = []
    for node in graph.nodes:
        out = node.outputs[0]
        found = _columns(graph, node, taken)
        if found is not None:
            taken[out] = found
            columns = _unused(f"{out}.columns", constants, values)
            constants[columns] = found[1]
            node = Node("Gather", (found[0], columns), (out,), {"axis": 1})
        nodes.append(node)
    kept = upstream(nodes, [v.name for v in graph.outputs])
    used = {name for node in kept for name in node.inputs}
    made = {name for node in kept for name in node.outputs}
    return replace(
        graph,
        nodes=kept,
        constants={name: array for name, array in constants.items() if name in used},
        values={n: v for n, v in values.items() if n in made or n in used or v in graph.inputs},
    )


def _columns(
    graph: Graph, node: Node, taken: Mapping[str, tuple[str, np.ndarray]]
) -> tuple[str, np.ndarray] | None:
    """Return the tensor and the columns of it that a node gives; None where it does not."""
    if any(len(graph.values[n].shape) != 1 for n in (*node.inputs, *node.outputs)
           if n in graph.values):  # fmt: skip
        return None
    if node.op == "Gather" and node.attrs["axis"] == 1 and node.inputs[0] in graph.values:
        index = graph.constants.get(node.inputs[1])
        if index is None or index.ndim != 1 or index.min(initial=0) < 0:
            return None
        source, columns = taken.get(
            node.inputs[0], (node.inputs[0], np.arange(graph.values[node.inputs[0]].width))
        )
        return source, columns[index].astype(np.int64)
    if (
        node.op != "Concat"
        or node.attrs.get("axis") != 1
        or not all(n in taken for n in node.inputs)
    ):
        return None
    parts = [taken[name] for name in node.inputs]
    if len({source for source, _ in parts}) != 1:
        return None
    return parts[0][0], np.concatenate([columns for _, columns in parts])


def _unused(name: str, *taken: Mapping[str, object]) -> str:
    while any(name in names for names in taken):  # a file may have such a name too
        name += "_"
    return name
