"""Lower functions of whole rows."""

from __future__ import annotations

from sclbl.compiler.emit import Emitter
from sclbl.spec import Node

REDUCE = {
    "ReduceSum": "sum",
    "ReduceMax": "max",
    "ReduceMin": "min",
    "ReduceL1": "l1",
    "ReduceL2": "l2",
    "ReduceSumSquare": "sum_square",
    "ArgMax": "argmax",
    "Softmax": "softmax",
}


def reduce(e: Emitter, node: Node) -> None:
    x = node.inputs[0]
    e.call(
        f"reduce_{REDUCE[node.op]}_{e.suffix(x)}",
        e.output(node),
        e.pointer(x),
        "i32 %m",
        f"i32 {e.width(x)}",
    )
