"""The signature in a file's metadata, checked before it is believed."""

from __future__ import annotations

from typing import Any

from sclbl.errors import SpecError
from sclbl.signature import MAX_COUNTED, Signature, validate
from sclbl.spec import NUMERIC_INPUT, TEXT_INPUT, Graph


def parse_signature(data: Any) -> Signature:
    """Read a signature from JSON data.

    Raises
    ------
    SpecError
        Where it is malformed.
    """
    try:
        signature = Signature.from_json(data, MAX_COUNTED)
        validate(signature)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        why = error if type(error) is ValueError else repr(error)
        raise SpecError(f"the ONNX file's signature is malformed ({why})") from None
    return signature


def check_signature(signature: Signature, graph: Graph) -> None:
    """Raise `SpecError` where a signature does not fit its graph."""
    wanted: dict[str, tuple[str, int]] = {}
    if signature.numeric:
        wanted[NUMERIC_INPUT] = (signature.numeric_dtype, len(signature.numeric))
    if signature.text:
        wanted[TEXT_INPUT] = ("text", len(signature.text))
    found = {v.name: (v.dtype, v.width) for v in graph.inputs}
    # A graph that needs none of the numbers, or none of the text, has no such input.
    if any(wanted.get(name) != value for name, value in found.items()):
        raise SpecError(f"the ONNX file's inputs are {found}; its signature says {wanted}")
    outputs = [(v.name, v.dtype, v.width) for v in graph.outputs]
    declared = [(name, o.storage, o.width) for name, o in signature.outputs.items()]
    if outputs != declared or not outputs:
        raise SpecError(f"the ONNX file's outputs are {outputs}; its signature says {declared}")
    for node in graph.nodes:
        columns = node.attrs.get("columns", ())
        if len(columns) and max(columns) >= len(signature.columns):
            raise SpecError(f"operator {node.op} names a column beyond the signature's")
