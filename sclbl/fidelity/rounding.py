"""How far rounding inside a graph moves its results: where a sum's own digits hang on its order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.fidelity.rows import SEED, from_blocks
from sclbl.ops import find
from sclbl.reference import evaluate
from sclbl.rows import Blocks
from sclbl.spec import Graph, Node


def moved_by_rounding(graph: Graph, method: str, blocks: Blocks, runs: int) -> np.ndarray:
    """Return by how much a result moves where the steps to it are rounded in another way.

    A product of matrices is moved by an ULP of the sum of its terms' sizes, which its rounding is
    relative to; what is not exact by an ULP of itself. What that brings to a value that the graph
    refuses is not finite.

    Parameters
    ----------
    graph : Graph
        Without inputs beside the table.
    method : str
        Which result.
    blocks : Blocks
        Encoded rows.
    runs : int
        How often it is measured; the largest counts.

    Returns
    -------
    float64 array ``[rows, width]``
    """
    rng = np.random.default_rng(SEED)
    graph = _accepting(graph)
    text = from_blocks(blocks).text if blocks.text else None

    def run(side: Any) -> np.ndarray:
        found = evaluate(graph, blocks.numeric, text, (method,), after=side)[method]
        return np.asarray(found, dtype=np.float64)

    def rounded(node: Node, operands: list[Any], result: Any) -> Any:
        if not isinstance(result, np.ndarray) or result.dtype.kind != "f" or find(node.op).exact:
            return result
        size = np.abs(result)
        if node.op == "MatMul":
            size = find(node.op).define(node.attrs, *map(np.abs, operands))
        epsilon = np.finfo(result.dtype).eps
        side = rng.choice([-epsilon, epsilon], size=result.shape).astype(size.dtype)
        return np.where(np.isfinite(result), result + side * size, result)

    still = run(None)
    moved = np.zeros_like(still)
    with np.errstate(all="ignore"):
        for _ in range(runs):
            moved = np.maximum(moved, np.abs(run(rounded) - still))
    return moved


def _accepting(graph: Graph) -> Graph:
    """Return a graph that refuses no number, because rounding may bring one there inside."""
    refusing = ("sclbl.Refuse", "sclbl.RefuseOutside", "sclbl.RefuseZeros")
    nodes = (
        replace(node, op="Identity", attrs={}, inputs=node.inputs[:1])
        if node.op in refusing
        else node
        for node in graph.nodes
    )
    return replace(graph, nodes=tuple(nodes))
