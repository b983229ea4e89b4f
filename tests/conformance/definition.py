"""What a spec says that its model computes: the reference interpreter, with labels and texts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.missing import of_text, value_of
from sclbl.reference import evaluate
from sclbl.rows import Blocks, encode
from sclbl.spec import Spec


def only(spec: Spec, method: str) -> Spec:
    """Return a spec of one of its methods, with the nodes that this needs."""
    graph, needed, nodes = spec.graph, {method}, []
    for node in reversed(graph.nodes):
        if needed.intersection(node.outputs):
            needed.update(node.inputs)
            nodes.append(node)
    outputs = tuple(v for v in graph.outputs if v.name == method)
    return replace(
        spec,
        graph=replace(graph, nodes=tuple(reversed(nodes)), outputs=outputs),
        signature=replace(spec.signature, outputs={method: spec.signature.outputs[method]}),
    )


def defined(spec: Spec, rows: Any) -> dict[str, Any]:
    """Return what each method of a spec returns for rows."""
    return decoded(spec, results(spec, encode(rows, spec.signature, empty=True)))


def results(spec: Spec, blocks: Blocks) -> dict[str, np.ndarray]:
    """Return what the graph of a spec makes of encoded rows, by method."""
    with np.errstate(all="ignore"):
        return evaluate(spec.graph, blocks.numeric, texts_of(blocks))


def texts_of(blocks: Blocks) -> np.ndarray | None:
    """Return the text columns of encoded rows as the interpreter takes them."""
    if not blocks.text:
        return None
    return np.array([c.tolist() for c in blocks.text], dtype=object).T


def decoded(spec: Spec, found: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return results as the methods return them: labels for class numbers, in lists where so."""
    made: dict[str, Any] = {}
    for method, output in spec.signature.outputs.items():
        result = found[method]
        if output.storage == "text":
            cells = [value_of(kind) if (kind := of_text(v)) else v for v in result.ravel().tolist()]
            texts = np.empty(result.size, dtype=object)
            texts[:] = cells
            result = texts.reshape(result.shape)
        if output.labels is not None:
            columns = [np.array(n)[c] for n, c in zip(output.labels, result.T, strict=True)]
            result = np.stack(columns, axis=1)
        with np.errstate(invalid="ignore"):
            cast = result.astype(output.dtype)
        # What has its rows' dtype gives floats for rows that hold no whole numbers.
        if cast.dtype.kind not in "iub" or np.array_equal(cast, result):
            result = cast
        if output.splits is not None:
            ends = np.cumsum(output.splits)[:-1].tolist()
            made[method] = np.split(result, ends, axis=1)
        elif output.shape is not None:
            made[method] = result.reshape(len(result), *output.shape)
        else:
            made[method] = result[:, 0] if output.ndim == 1 else result
    return made
