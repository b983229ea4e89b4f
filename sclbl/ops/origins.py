"""What operators on rows of varying length ask of the nodes before those that they take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sclbl.ops.record import fail
from sclbl.spec import Node, Value

#: How many times a row's items may be joined to each other, in a graph of fewer operators than
#: that: one that joins rows to themselves doubles them at each step.
MOST_JOINED = 1024


def check_origins(nodes: Sequence[Node], values: Mapping[str, Value]) -> None:
    """Check what a node by itself does not tell: the nodes that make its inputs.

    Raises
    ------
    SpecError
        Where rows are made of two lists that do not belong together, or joined too often.
    """
    makers = {name: (node, k) for node in nodes for k, name in enumerate(node.outputs)}
    joined: dict[str, int] = {}
    most = max(MOST_JOINED, len(nodes))
    for node in nodes:
        ragged = [name for name in node.inputs if name in values and values[name].ragged]
        counts = [joined.get(name, 1) for name in ragged]
        count = sum(counts) if node.op == "sclbl.JoinItems" else max(counts, default=1)
        if count > most:
            raise fail(
                node, f"joins the items of a row {count:,} times; at most {most:,} times are taken"
            )
        joined.update(dict.fromkeys(node.outputs, count))
        if node.op == "sclbl.SparseNeighbors" and ragged:
            distances, numbers = (makers.get(name) for name in node.inputs)
            if (
                distances is None
                or numbers is None
                or distances[0] is not numbers[0]
                or distances[0].op != "sclbl.PointsWithin"
                or (distances[1], numbers[1]) != (0, 1)
            ):
                raise fail(node, "takes lists of distances and numbers of one search")
