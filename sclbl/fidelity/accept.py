"""What a program accepts, and what may be asked of its results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sclbl.errors import DeadlineError, InputError, LimitError
from sclbl.fidelity.compare import TOLERANCE, Tolerance
from sclbl.fidelity.rounding import moved_by_rounding
from sclbl.fidelity.rows import SEED, part
from sclbl.fidelity.trace import is_bit_exact, reaches_trees
from sclbl.ops import find
from sclbl.ops.record import INTEGERS
from sclbl.program import Program
from sclbl.rows import Blocks, encode
from sclbl.runtime.general import Result
from sclbl.runtime.module import Module
from sclbl.signature import Output
from sclbl.spec import Spec

#: How many times the effect of one ULP in the inputs an error may be, and how often it is measured.
NOISE, NOISE_RUNS = 32, 4
#: Most numbers in the results of rows that run at once, where a row has fewer.
CELLS = 2**22


def rule_of(spec: Spec, method: str, tolerance: float | None) -> Tolerance:
    """Return what a method must keep to."""
    graph, output = spec.graph, spec.signature.outputs[method]
    results = dict(spec.signature.results(method))
    nodes = graph.upstream(results)
    single = output.storage == "float32" or any(
        not find(node.op).exact and graph.values[name].dtype == "float32"
        for node in nodes
        for name in node.outputs
    )
    dtype = "float32" if single else "float64"
    rounded = any(graph.values[name].dtype == "float16" for n in nodes for name in n.outputs)
    if rounded and not all(find(node.op).exact for node in nodes):
        dtype = "float16"
    if not {o.storage for o in results.values()} & {"float64", "float32"}:
        tolerance = 0.0
    elif tolerance is None:
        exact = all(is_bit_exact(graph, name) for name in results)
        tolerance = 0.0 if exact else TOLERANCE[dtype]
    return Tolerance(tolerance, dtype, np.ones(output.width))


def accepted_rows(
    program: Program, blocks: Blocks
) -> tuple[np.ndarray, dict[int, tuple[str, InputError]]]:
    """Return which rows every method accepts, and which method refuses each other one, and how.

    Parameters
    ----------
    program : Program
        What runs.
    blocks : Blocks
        Encoded rows.

    Returns
    -------
    bool ``[rows]``
        Rows that all methods accept.
    dict of int to (str, InputError)
        By refused row.
    """
    accepted = np.ones(blocks.rows, dtype=bool)
    refused: dict[int, tuple[str, InputError]] = {}
    for method in program.methods:
        # Halves of what is refused, or gives more than memory holds, down to single rows: most
        # batches pass at once.
        todo = _runs(blocks.rows, program.signature.outputs[method])
        while todo:
            start, stop = todo.pop()
            if start == stop or not accepted[start:stop].any():
                continue
            try:
                results_of(program, method, part(blocks, start, stop))
            except (InputError, LimitError) as error:
                if stop - start > 1 and not isinstance(error, DeadlineError):
                    middle = (start + stop) // 2
                    todo += [(middle, stop), (start, middle)]
                elif isinstance(error, LimitError):
                    raise
                else:
                    accepted[start] = False
                    refused[start] = (method, error)
    return accepted, refused


def _runs(rows: int, output: Output) -> list[tuple[int, int]]:
    """Return rows to run at once, the first ones last: as many as have so many results."""
    size = max(CELLS // output.width, 1) if output.ragged is None else max(rows, 1)
    return [(start, min(start + size, rows)) for start in range(0, rows, size)][::-1]


def results_of(program: Program, method: str, blocks: Blocks) -> tuple[Result, ...]:
    """Run any method on encoded rows and return its results, one after the other."""
    signature = program.signature
    if signature.inputs or not signature.outputs[method].is_plain:
        return program.module.general(method, blocks)
    return (program.module.call(method, blocks),)


def noise_of(
    program: Program, spec: Spec, method: str, rows: Any
) -> Callable[[], np.ndarray] | None:
    """Return a function that measures how an ULP moves a result, in the inputs or on the way to it.

    Trees go on giving what they give: a tree's result jumps at a threshold, which says nothing
    about rounding.
    """
    if not spec.signature.numeric:
        return None
    trees = reaches_trees(spec.graph, method)
    if trees and spec.signature.inputs:
        return None

    def measure() -> np.ndarray:
        if trees:
            given = encode(rows, spec.signature)
            found = moved_by_rounding(spec.graph, method, given, NOISE_RUNS, _rounded(spec))
            return NOISE * found.reshape(given.rows, -1)
        rng = np.random.default_rng(SEED)
        blocks = encode(rows, spec.signature)
        module = program.module
        still = module.call(method, blocks).astype(np.float64)
        moved = np.zeros_like(still)
        if blocks.numeric is None:
            return moved
        epsilon = np.finfo(blocks.numeric.dtype).eps
        still_columns = _rounded(spec)
        for _ in range(NOISE_RUNS):
            side = rng.choice([-epsilon, epsilon], size=blocks.numeric.shape)
            side[:, still_columns] = 0
            with np.errstate(all="ignore"):
                numeric = (blocks.numeric * (1 + side)).astype(blocks.numeric.dtype)
                now = _of_moved(module, method, blocks, numeric)
                moved = np.maximum(moved, np.abs(now.astype(np.float64) - still))
        if not spec.signature.inputs:
            inside = moved_by_rounding(spec.graph, method, blocks, NOISE_RUNS)
            moved = np.fmax(moved, inside.reshape(moved.shape))
        return NOISE * moved

    return measure


def _of_moved(module: Module, method: str, blocks: Blocks, moved: np.ndarray) -> np.ndarray:
    """Return results of rows that were moved; one that is refused now stays as it was."""
    for _ in range(blocks.rows):
        try:
            return module.call(method, Blocks(blocks.rows, moved, blocks.text))
        except InputError as error:
            if error.row is None or blocks.numeric is None:
                raise
            moved[error.row] = blocks.numeric[error.row]
    return module.call(method, blocks)


def _rounded(spec: Spec) -> list[int]:
    """Return the columns that stay as they are, of a graph that converts to a narrow type.

    One ULP below a whole number is a whole number less.
    """
    graph, signature = spec.graph, spec.signature
    narrow = INTEGERS | {"float16"}
    if not any(n.op == "Cast" and graph.values[n.outputs[0]].dtype in narrow for n in graph.nodes):
        return []
    places = enumerate(signature.columns[i] for i in signature.numeric)
    return [place for place, column in places if column.dtype is not None]
