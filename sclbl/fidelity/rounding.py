"""How far rounding inside a graph moves its results: where a sum's own digits hang on its order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.fidelity.rows import SEED, from_blocks
from sclbl.ops import find
from sclbl.reference import evaluate
from sclbl.rows import Blocks
from sclbl.spec import Graph, Node


def moved_by_rounding(
    graph: Graph, method: str, blocks: Blocks, runs: int, still: Sequence[int] | None = None
) -> np.ndarray:
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
    still : sequence of int, optional
        The inputs are moved by an ULP too, but for these columns; trees go on giving what they
        give, because they jump at a threshold.

    Returns
    -------
    float64 array ``[rows, width]``
    """
    rng = np.random.default_rng(SEED)
    graph = _accepting(graph)
    text = from_blocks(blocks).text if blocks.text else None

    known: dict[str, Any] = {}

    def run(numeric: Any, side: Any) -> np.ndarray:
        found = evaluate(graph, numeric, text, (method,), after=side)[method]
        return np.asarray(found, dtype=np.float64)

    def keep(node: Node, operands: list[Any], result: Any) -> Any:
        if still is not None and find(node.op).role == "trees":
            known[node.outputs[0]] = result
        return result

    def rounded(node: Node, operands: list[Any], result: Any) -> Any:
        if node.outputs[0] in known:
            return known[node.outputs[0]]
        if not isinstance(result, np.ndarray) or result.dtype.kind != "f" or find(node.op).exact:
            return result
        size = np.abs(result)
        if node.op == "MatMul":
            size = find(node.op).define(node.attrs, *map(np.abs, operands))
        epsilon = np.finfo(result.dtype).eps
        side = rng.choice([-epsilon, epsilon], size=result.shape).astype(size.dtype)
        return np.where(np.isfinite(result), result + side * size, result)

    def inputs() -> Any:
        numeric = blocks.numeric
        if numeric is None or still is None:
            return numeric
        epsilon = np.finfo(numeric.dtype).eps
        side = rng.choice([-epsilon, epsilon], size=numeric.shape)
        side[:, list(still)] = 0
        return (numeric * (1 + side)).astype(numeric.dtype)

    usual = run(blocks.numeric, keep)
    moved = np.zeros_like(usual)
    with np.errstate(all="ignore"):
        for _ in range(runs):
            moved = np.maximum(moved, np.abs(run(inputs(), rounded) - usual))
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
