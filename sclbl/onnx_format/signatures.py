"""The signature in a file's metadata, checked before it is believed."""

from __future__ import annotations

from typing import Any

from sclbl.errors import SpecError
from sclbl.signature import Input, Signature
from sclbl.signature_check import MAX_COUNTED, validate
from sclbl.spec import NUMERIC_INPUT, TEXT_INPUT, Graph, Value


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
    _check_inputs(signature, graph)
    outputs = [(v.name, v.dtype, v.width, v.ragged) for v in graph.outputs]
    results = [result for method in signature.outputs for result in signature.results(method)]
    declared = [(name, o.storage, o.width, o.ragged) for name, o in results]
    if outputs != declared or not outputs:
        raise SpecError(f"the ONNX file's outputs are {outputs}; its signature says {declared}")
    # Without a table, errors name columns of the inputs beside it.
    count = len(signature.columns) or max(given.width for given in signature.beside)
    for node in graph.nodes:
        columns = node.attrs.get("columns", ())
        # Elsewhere a number of columns, which the operator checks.
        named = not isinstance(columns, int) and len(columns) > 0
        if named and max(columns) >= count:
            raise SpecError(f"operator {node.op} names a column beyond the signature's")


def _check_inputs(signature: Signature, graph: Graph) -> None:
    table: dict[str, tuple[str, int]] = {}
    if signature.numeric:
        table[NUMERIC_INPUT] = (signature.numeric_dtype, len(signature.numeric))
    if signature.text:
        table[TEXT_INPUT] = ("text", len(signature.text))
    beside = {given.name: _value(given) for given in signature.inputs}
    reserved = beside.keys() & {NUMERIC_INPUT, TEXT_INPUT}
    if reserved:
        raise SpecError(
            f"the ONNX file's signature calls an input {min(reserved)!r}, as columns of tables are "
            "called in graphs; give it another name"
        )
    # A graph that needs none of the numbers, or none of the text, has no such input.
    for value in graph.inputs:
        if value.name in beside:
            fits = value == beside[value.name]
        else:
            fits = table.get(value.name) == (value.dtype, value.width) and value.ragged is None
        if not fits:
            found = {v.name: (v.dtype, v.shape, v.ragged) for v in graph.inputs}
            said = {n: (v.dtype, v.shape, v.ragged) for n, v in beside.items()}
            raise SpecError(
                f"the ONNX file's inputs are {found}; its signature says {table | said}"
            )


def _value(given: Input) -> Value:
    """Return an input beside the table as graphs have it: a parameter is shared by all rows."""
    shape = (1,) if given.kind == "parameter" else given.shape
    return Value(given.name, given.dtype, shape, given.ragged)
