"""Let a convolution do what follows it: a factor and a summand for each channel, a Relu."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from sclbl.spec import Graph, Node


def fuse(graph: Graph) -> Graph:
    """Return an equivalent graph in which convolutions do more, in fewer passes over memory.

    What a batch normalisation multiplies and adds goes into the filters and the bias, worked out in
    float64 and rounded once. A Relu becomes the convolution's own (the attribute ``relu``, which
    only the compiler knows).
    """
    uses = Counter(name for node in graph.nodes for name in node.inputs)
    uses.update(v.name for v in graph.outputs)
    constants = dict(graph.constants)
    nodes: list[Node] = []
    #: Where the convolution stands whose result has this name.
    made: dict[str, int] = {}
    for node in graph.nodes:
        at = made.get(node.inputs[0]) if node.inputs and uses[node.inputs[0]] == 1 else None
        fused = None if at is None else _with(nodes[at], node, graph, constants)
        if at is None or fused is None:
            if node.op == "Conv":
                made[node.outputs[0]] = len(nodes)
            nodes.append(node)
            continue
        nodes[at] = fused
        if "relu" not in fused.attrs:
            made[fused.outputs[0]] = at
    used = {name for node in nodes for name in node.inputs}
    kept = {name: array for name, array in constants.items() if name in used}
    return replace(graph, nodes=tuple(nodes), constants=kept)


def _with(conv: Node, node: Node, graph: Graph, constants: dict[str, np.ndarray]) -> Node | None:
    """Return a convolution that does what follows it too; None where it cannot."""
    if node.op == "Relu":
        return replace(conv, outputs=node.outputs, attrs={**conv.attrs, "relu": 1})
    operand = graph.constants.get(node.inputs[1]) if node.op in ("Mul", "Add") else None
    if operand is None:
        return None
    x, weights, bias = conv.inputs
    filters, shift = (constants[name].astype(np.float64) for name in (weights, bias))
    # One number a channel, spread over the picture.
    if operand.shape not in ((len(filters), 1, 1), (1, len(filters), 1, 1)):
        return None
    channel = operand.astype(np.float64).ravel()
    if node.op == "Mul":
        filters, shift = filters * channel[:, None, None, None], shift * channel
    else:
        shift = shift + channel
    names = []
    for part, values in (("filters", filters), ("bias", shift)):
        name = f"{node.outputs[0]}.{part}"
        while name in constants:  # a file may have such a name too
            name += "_"
        constants[name] = values.astype(operand.dtype)
        names.append(name)
    return replace(conv, inputs=(x, *names), outputs=node.outputs)
