"""Lower matrix products."""

from __future__ import annotations

import numpy as np

from sclbl.compiler.emit import Emitter
from sclbl.spec import Node


def matmul(e: Emitter, node: Node) -> None:
    x, weights = node.inputs
    matrix = e.graph.constants[weights]
    rows, columns = matrix.shape
    if columns == 1:
        # An own copy of the column: a matrix is stored row by row.
        e.call(
            f"linear_dot_{e.suffix(x)}",
            e.output(node),
            e.pointer(x),
            e.weight(np.ascontiguousarray(matrix[:, 0])),
            "i32 %m",
            f"i32 {rows}",
        )
        return
    e.call(
        f"linear_matmul_{e.suffix(x)}",
        e.output(node),
        e.pointer(x),
        e.pointer(weights),
        "i32 %m",
        f"i32 {rows}",
        f"i32 {columns}",
    )
