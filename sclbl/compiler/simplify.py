"""Rewrite a graph so that it does less and gives the same results and refusals."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np

from sclbl.spec import Graph, Node


def simplify(graph: Graph) -> Graph:
    """Return an equivalent graph.

    A check for NaN or infinity is dropped where every value goes on, through arithmetic with finite
    constants that keeps NaN a NaN and an infinity an infinity, to a later check that covers it. The
    class number of a binary classifier is taken from the comparison itself.
    """
    consumers: dict[str, list[Node]] = defaultdict(list)
    for node in graph.nodes:
        for name in node.inputs:
            consumers[name].append(node)
    makers = {node.outputs[0]: node for node in graph.nodes}
    nodes = []
    for node in graph.nodes:
        if node.op == "sclbl.Refuse" and _covered(graph, consumers, node.outputs[0], node):
            nodes.append(replace(node, op="Identity", attrs={}))
        elif node.op == "sclbl.Labels" and _is_boolean(graph, makers.get(node.inputs[0])):
            nodes.append(replace(node, inputs=makers[node.inputs[0]].inputs))
        else:
            nodes.append(node)
    return replace(graph, nodes=tuple(nodes))


def _is_boolean(graph: Graph, maker: Node | None) -> bool:
    return (
        maker is not None and maker.op == "Cast" and graph.values[maker.inputs[0]].dtype == "bool"
    )


def _covered(graph: Graph, consumers: dict[str, list[Node]], name: str, check: Node) -> bool:
    users = consumers[name]
    return bool(users) and all(
        _checks(user, check)
        or (
            _keeps_non_finite(graph, user, name)
            and _covered(graph, consumers, user.outputs[0], check)
        )
        for user in users
    )


def _checks(user: Node, check: Node) -> bool:
    return (
        user.op == "sclbl.Refuse"
        and user.attrs["nan"] >= check.attrs["nan"]
        and user.attrs["inf"] >= check.attrs["inf"]
        and tuple(user.attrs["columns"]) == tuple(check.attrs["columns"])
    )


def _keeps_non_finite(graph: Graph, node: Node, name: str) -> bool:
    if node.op not in ("Add", "Sub", "Mul", "Div") or node.inputs[0] != name:
        return False
    constant = graph.constants.get(node.inputs[1])
    if constant is None or graph.values[node.outputs[0]].width != graph.values[name].width:
        return False
    finite = bool(np.isfinite(constant).all())
    return finite and (node.op in ("Add", "Sub") or bool((constant != 0).all()))
