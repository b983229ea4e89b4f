"""The signature in a file's metadata, checked before it is believed."""

from __future__ import annotations

import re
from typing import Any, get_args

from sclbl.errors import SpecError
from sclbl.manifest import MAX_COUNTED
from sclbl.signature import Kind, Output, Signature, is_held
from sclbl.spec import NUMERIC_INPUT, RESERVED, TEXT_INPUT, Graph

_METHOD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")
_DTYPE = re.compile(r"(float|int|uint)(8|16|32|64)|bool|object|str|category|([<>|=]?U[0-9]{1,4})")


def parse_signature(data: Any) -> Signature:
    """Read a signature from JSON data.

    Raises
    ------
    SpecError
        Where it is malformed.
    """
    try:
        signature = Signature.from_json(data, MAX_COUNTED)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise SpecError(f"the ONNX file's signature is malformed ({error!r})") from None
    named = signature.layout == "table"
    # Columns that were written as a count are one object.
    columns = {id(c): c for c in signature.columns}.values()
    if (
        signature.layout not in ("array", "table")
        or not columns
        or any(c.kind not in get_args(Kind) for c in columns)
        or any(c.dtype is not None and not is_held(c) for c in columns)
        or any(isinstance(c.name, str) != named for c in columns)
        or (named and len({c.name for c in columns}) < len(signature.columns))
    ):
        raise SpecError("the ONNX file's signature is malformed: its columns are not well formed")
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
    for name, output in signature.outputs.items():
        _check_output(name, output)


def _check_output(name: str, output: Output) -> None:
    if not _METHOD.fullmatch(name) or name in RESERVED:
        raise SpecError(f"the ONNX file has an output {name[:80]!r}, which cannot be a method")
    labels = output.labels
    fits = (
        output.ndim in (1, 2)
        and (output.ndim == 2 or output.width == 1 or output.splits is not None)
        and (output.splits is None or sum(output.splits) == output.width)
        and (output.splits is None or min(output.splits, default=0) > 0)
        and (output.names is None or len(output.names) == output.width)
        and (labels is not None) == (output.storage == "label")
        and (labels is None or (len(labels) == output.width and all(labels)))
        and isinstance(output.dtype, str)
        and _DTYPE.fullmatch(output.dtype) is not None
    )
    if not fits:
        raise SpecError(f"the ONNX file's signature is malformed: its output {name!r} does not fit")
    for value in (v for column in labels or () for v in column):
        if not isinstance(value, (str, int, float, bool)):
            raise SpecError(f"the ONNX file's output {name!r} has labels that are no labels")
