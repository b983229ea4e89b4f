"""Types and shapes of a whole graph, worked out and checked operator by operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sclbl.errors import SpecError
from sclbl.ops import OPS
from sclbl.ops.origins import check_origins
from sclbl.ops.record import Operand, fail
from sclbl.spec import Node, Value

#: Most elements in a row of a tensor, and of all tensors of a graph together.
MAX_WIDTH = 2**22
MAX_TOTAL_WIDTH = 2**27


def constant(array: np.ndarray) -> Operand:
    """Return a constant as an operand."""
    dtype = "text" if array.dtype == object else array.dtype.name
    return Operand(dtype, array.shape, array)


def infer_values(
    inputs: Sequence[Value],
    nodes: Sequence[Node],
    constants: Mapping[str, np.ndarray],
    *,
    deep: bool = True,
) -> dict[str, Value]:
    """Return type and row shape of every tensor of a graph.

    With `deep`, operators also look through large attributes (`Op.check`): for files.

    Raises
    ------
    SpecError
        Where a node is unknown, out of order, or takes what it cannot.
    """
    values = {v.name: v for v in inputs}
    if len(values) < len(inputs) or values.keys() & constants.keys():
        raise SpecError("the graph has two tensors of one name")
    total = 0
    for node in nodes:
        made = infer_node(node, values, constants, deep=deep)
        total += sum(v.width for v in made.values())
        if total > MAX_TOTAL_WIDTH:
            raise fail(node, f"makes {total} columns in all, which is beyond the limits")
        values.update(made)
    check_origins(nodes, values)
    return values


def infer_node(
    node: Node,
    values: Mapping[str, Value],
    constants: Mapping[str, np.ndarray],
    *,
    deep: bool = False,
) -> dict[str, Value]:
    """Return what a node gives, by name; see `infer_values`."""
    op = OPS.get(node.op)
    if not node.outputs or not all(node.outputs):
        raise SpecError(f"operator {node.op} has an output without a name")
    if op is None:
        raise fail(node, "is not supported; supported are " + ", ".join(sorted(OPS)))
    operands = []
    for i in node.inputs:
        if i in values:
            value = values[i]
            if value.ragged is not None and not op.ragged:
                raise fail(node, f"does not take rows whose length varies ({i!r})")
            operands.append(Operand(value.dtype, value.shape, ragged=value.ragged))
        elif i in constants:
            operands.append(constant(constants[i]))
        else:
            raise fail(
                node, f"takes {i!r}, which nothing before it gives (a cycle, or a lost part)"
            )
    results = op.infer(node, operands)
    if deep and op.check is not None:
        op.check(node, operands)
    if len(results) != len(node.outputs):
        raise SpecError(
            f"operator {node.op} has {len(node.outputs)} outputs; it has {len(results)}"
        )
    made: dict[str, Value] = {}
    for name, result in zip(node.outputs, results, strict=True):
        if name in values or name in constants or name in made:
            raise fail(node, "gives a tensor that exists already")
        value = made[name] = Value(name, *result)
        if not 0 < value.width <= MAX_WIDTH:
            raise fail(node, f"is {value.width} columns wide, which is beyond the limits")
    return made
