"""The functions of the domain ``sclbl`` in a file: bodies of standard operators.

They are for runtimes other than sclbl's: a body computes the same function, to that runtime's
precision. Constants are float64, cast to the type of the input. What a body holds, its operator
says (`sclbl.ops`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

from sclbl.onnx_format.tensors import to_attribute
from sclbl.ops.record import Op
from sclbl.spec import Node

OPSET, ML_OPSET, DOMAIN = 21, 5, "sclbl"
_RESULT = "y"


class Body:
    """A function under construction.

    Everything is written into `proto` in place: copies of a large forest would cost gigabytes.
    """

    def __init__(self, proto: onnx.FunctionProto, name: str, inputs: int) -> None:
        self._proto = proto
        proto.name, proto.domain = name, DOMAIN
        proto.input.extend(("x", "start")[:inputs])
        proto.output.append(_RESULT)
        proto.opset_import.add(domain="", version=OPSET)
        proto.opset_import.add(domain="ai.onnx.ml", version=ML_OPSET)

    def op(self, op: str, *inputs: str, **attrs: Any) -> str:
        """Add an operator and return the name of its result."""
        return self.several(op, 1, *inputs, **attrs)[0]

    def several(self, op: str, count: int, *inputs: str, **attrs: Any) -> list[str]:
        """Add an operator of several results and return their names."""
        domain, _, name = op.rpartition(".")
        first = f"v{len(self._proto.node)}"
        results = [first, *(f"{first}_{i}" for i in range(1, count))]
        node = self._proto.node.add(op_type=name, domain=domain, input=inputs, output=results)
        for key, value in sorted(attrs.items()):
            to_attribute(node.attribute.add(name=key), value, op)
        return results

    def tensor(self, values: Any, dtype: Any = None) -> str:
        """Add a constant as it is."""
        return self.op("Constant", value=np.asarray(values, dtype=dtype))

    def number(self, value: float) -> str:
        """Add a number in the type of the input."""
        return self.op("CastLike", self.tensor(value, np.float64), "x")

    def finish(self, result: str) -> None:
        """Let the last node's result be the function's."""
        last = self._proto.node[-1]
        if last.output[0] != result:
            raise ValueError(f"{self._proto.name}: a body ends in the node that gives its result")
        last.output[0] = _RESULT


def write_function(model: onnx.ModelProto, op: Op, node: Node) -> str:
    """Write the function that a node calls, unless it stands there already; return its name.

    Functions with constants of a node's own have names that end in ``_`` and a number.
    """
    if op.body is None:
        raise ValueError(f"operator {op.name} has no body")
    name = f"{op.short}_{len(model.functions)}" if op.private else op.short
    if op.private or all(f.name != name for f in model.functions):
        proto = model.functions.add()
        body = Body(proto, name, len(node.inputs))
        proto.attribute.extend(sorted(node.attrs))
        body.finish(op.body(body, node))
    return name
