"""Neighbours that a product of matrices finds: which of them are equally near but for rounding.

scikit-learn computes Euclidean distances without a tree as ``x·x - 2 x·y + y·y``, by a product
whose rounding depends on the processor and on the rows of a call.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.ops import find
from sclbl.ops.distances import PRODUCTS
from sclbl.rows import encode
from sclbl.spec import NUMERIC_INPUT, Node, Spec

#: How far squared distances may be apart, relative to the squared lengths of row and point.
ALIKE = 1e-12


def settled(spec: Spec, method: str, rows: Any, ours: Any, theirs: Any) -> Any:
    """Return the model's neighbours, with those of the program where both are equally near.

    Parameters
    ----------
    spec : Spec
        What the program computes.
    method : str
        One of its methods.
    rows : rows
        What both were asked.
    ours, theirs : results
        Of the program and of the model.

    Returns
    -------
    results
        `theirs` itself where no product finds neighbours in this method.
    """
    node = _search(spec, method)
    if node is None:
        return theirs
    x, points = rows_of(spec, node, rows), np.asarray(node.attrs["points"])
    squared = node.attrs["metric"] == "squared product"
    distances, numbers = (np.array(part) for part in theirs)
    with np.errstate(over="ignore", invalid="ignore"):
        for i, row in enumerate(x):
            first, second = points[ours[1][i]], points[theirs[1][i]]
            bound = ALIKE * (row @ row + np.maximum(first[:, -1], second[:, -1]))
            own, its = (((row - p[:, :-1]) ** 2).sum(axis=1) for p in (first, second))
            alike = np.abs(own - its) <= bound
            sizes = {len({*found[1][i].tolist()}) for found in (ours, theirs)}
            if alike.all() and sizes == {len(alike)}:
                numbers[i] = ours[1][i]
            d, other = (np.asarray(found[0][i], dtype=np.float64) for found in (ours, theirs))
            apart = np.abs(d - other) if squared else np.abs(d**2 - other**2)
            # A result in float32 is rounded to it.
            alike &= apart <= bound + np.finfo(distances.dtype).eps * own
            distances[i] = np.where(alike, ours[0][i], theirs[0][i])
    return distances, numbers


def _search(spec: Spec, method: str) -> Node | None:
    """Return the search by products whose results are those of a method."""
    made = {name: node for node in spec.graph.nodes for name in node.outputs}
    found = []
    for name, _ in spec.signature.results(method):
        node = made.get(name)
        while node is not None and node.op in ("Identity", "Cast"):
            name = node.inputs[0]
            node = made.get(name)
        found.append((node, name))
    node = found[0][0]
    if len(found) != 2 or node is None or node.op != "sclbl.NearestPoints":
        return None
    if node.attrs["metric"] not in PRODUCTS or tuple(n for _, n in found) != node.outputs:
        return None
    return node


def rows_of(spec: Spec, search: Node, rows: Any) -> np.ndarray:
    """Return rows as a node that searches among points is given them."""
    values: dict[str, Any] = dict(spec.graph.constants)
    values[NUMERIC_INPUT] = encode(rows, spec.signature, empty=True).numeric
    (name,) = search.inputs
    with np.errstate(all="ignore"):
        for node in spec.graph.upstream([name]):
            made = find(node.op).define(node.attrs, *(values[i] for i in node.inputs))
            values.update(
                zip(node.outputs, made if isinstance(made, tuple) else (made,), strict=True)
            )
    found: np.ndarray = values[name]
    return found
