"""How far rounding inside a graph moves its results: where a sum's own digits hang on its order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.errors import InputError
from sclbl.fidelity.rows import SEED, Sample, from_blocks
from sclbl.ops import find
from sclbl.reference import evaluate
from sclbl.rows import Blocks
from sclbl.spec import Graph, Node, Spec

#: What rounding moves by this part of its own or its usual size is lost.
LOST = 1e-3


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
        return _otherwise(node, operands, result, rng)

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


def lost_in_rounding(spec: Spec, rows: Sample) -> np.ndarray:
    """Return in which rows a number on the way to the results is little but rounding.

    The cosine of 1e30 added up from terms of that size is any number from -1 to 1, and a tree
    behind it gives any of its leaves.

    Parameters
    ----------
    spec : Spec
        What is computed.
    rows : Sample
        Rows that it accepts.

    Returns
    -------
    bool ``[rows]``
        False everywhere for a spec with inputs beside the table, or one that refuses such a row.
    """
    lost = np.zeros(len(rows), dtype=bool)
    if spec.signature.inputs:
        return lost
    graph, rng = _accepting(spec.graph), np.random.default_rng(SEED)
    usual: dict[str, np.ndarray] = {}

    def keep(node: Node, operands: list[Any], result: Any) -> Any:
        if isinstance(result, np.ndarray) and result.dtype.kind == "f" and len(result) == len(rows):
            usual[node.outputs[0]] = result
        return result

    def look(node: Node, operands: list[Any], result: Any) -> Any:
        before = usual.get(node.outputs[0])
        if before is None or find(node.op).role == "trees":
            return result if before is None else before
        size = np.abs(before)
        size = np.maximum(size, np.median(np.nan_to_num(size, posinf=0.0), axis=0))
        with np.errstate(all="ignore"):
            far = np.abs(result - before) > LOST * size
        lost[far.reshape(len(rows), -1).any(axis=1)] = True
        return _otherwise(node, operands, result, rng)

    numeric = rows.numeric.astype(spec.signature.numeric_dtype)
    try:
        with np.errstate(all="ignore"):
            for after in (keep, look, look):
                evaluate(graph, numeric, rows.text, after=after)
    except InputError:
        return np.zeros(len(rows), dtype=bool)
    return lost


def _otherwise(node: Node, operands: list[Any], result: Any, rng: np.random.Generator) -> Any:
    """Return what a step may make with other rounding."""
    if not isinstance(result, np.ndarray) or result.dtype.kind != "f" or find(node.op).exact:
        return result
    size = np.abs(result)
    if node.op == "MatMul":
        size = find(node.op).define(node.attrs, *map(np.abs, operands))
    epsilon = np.finfo(result.dtype).eps
    side = rng.choice([-epsilon, epsilon], size=result.shape).astype(size.dtype)
    return np.where(np.isfinite(result), result + side * size, result)


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
