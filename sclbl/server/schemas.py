"""JSON schemas of what a program takes and gives."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sclbl.json_calls import names_of
from sclbl.signature import TABLE, Input, Kind, Output, Signature

Json = dict[str, Any]

_KINDS: Mapping[Kind, Json] = {
    "float64": {"type": ["number", "null"]},
    "float32": {"type": ["number", "null"]},
    "integer": {"type": ["number", "null"]},
    "boolean": {"type": ["boolean", "number", "null"]},
    "text": {"type": ["string", "null"]},
}
_ITEMS: Mapping[str, Json] = {
    "float64": {"type": ["number", "boolean", "null"]},
    "float32": {"type": ["number", "boolean", "null"]},
    "int64": {"type": ["integer", "boolean"]},
    "bool": {"type": ["boolean", "integer"]},
    "text": {"type": "string"},
}
_PARAMETERS: Mapping[str, str] = {
    "float64": "number",
    "float32": "number",
    "int64": "integer",
    "bool": "boolean",
}
_LABELS: Mapping[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}


def body_schema(signature: Signature) -> Json:
    """Return the schema of the body of a prediction."""
    names = names_of(signature)
    each = dict(zip(names, (_rows_of(signature, name) for name in names), strict=True))
    more = _parameters(signature)
    if not signature.inputs:
        rows = each[TABLE]
        return {"anyOf": [_object({"rows": rows}), rows, rows["items"]]}
    by_name = {"inputs": {**_object(each), "additionalProperties": False}}
    forms: list[Json] = [{**_object(by_name, more), "additionalProperties": False}]
    if len(names) == 1:
        rows = each[names[0]]
        forms = [{**_object({"rows": rows}, more), "additionalProperties": False}, rows, *forms]
        row = _one_row(signature, rows)
        forms += [] if row is None else [row]
    return {"anyOf": forms}


def _object(required: Json, more: Json | None = None) -> Json:
    properties = {**required, **(more or {})}
    return {"type": "object", "properties": properties, "required": list(required)}


def _one_row(signature: Signature, rows: Json) -> Json | None:
    """Return the schema of a body that is one row, where an object is one."""
    if signature.layout == "table":
        return rows["items"]  # type: ignore[no-any-return]
    kind = signature.beside[0].kind if signature.beside else None
    if kind == "sparse":
        return rows["items"]["anyOf"][1]  # type: ignore[no-any-return]
    return rows["items"] if kind == "features" else None


def _parameters(signature: Signature) -> Json:
    """Return the property of a body that holds the values of the call."""
    if not signature.parameters:
        return {}
    found: Json = {}
    for given in signature.parameters:
        methods = [m for m, o in signature.outputs.items() if given.name in o.parameters]
        found[given.name] = {
            "type": _PARAMETERS[given.dtype],
            "description": f"a value of the whole call, of {', '.join(methods)}",
        }
        if given.default is not None and math.isfinite(given.default):
            found[given.name]["default"] = given.default
    return {"parameters": {"type": "object", "properties": found, "additionalProperties": False}}


def _rows_of(signature: Signature, name: str) -> Json:
    """Return the schema of the rows of an input."""
    least = 0 if any(output.empty for output in signature.outputs.values()) else 1
    by_name = {given.name: given for given in signature.beside}
    given = by_name.get(name)
    row = _table_row(signature) if given is None else _row(given)
    most = {"maxItems": 1} if signature.one_row else {}
    return {"type": "array", "minItems": least, **most, "items": row}


def _table_row(signature: Signature) -> Json:
    """Return the schema of a row of columns: an object where they have names, else an array."""
    if signature.layout == "table":
        names = [str(c.name) for c in signature.columns]
        return {
            "type": "object",
            "properties": {str(c.name): _KINDS[c.kind] for c in signature.columns},
            "required": names,
        }
    kinds = {c.kind for c in signature.columns}
    if signature.shape is not None:
        return _nested(signature.shape, _KINDS[kinds.pop()])
    width = len(signature.columns)
    row: Json = {"type": "array", "minItems": width, "maxItems": width}
    if len(kinds) == 1:
        row["items"] = _KINDS[kinds.pop()]
    else:
        row["prefixItems"] = [_KINDS[c.kind] for c in signature.columns]
    return row


def _row(given: Input) -> Json:
    """Return the schema of a row of an input beside the table."""
    item = _ITEMS[given.dtype]
    if given.kind == "features":
        values = {"type": ["number", "boolean", "null", "string"]}
        return {"type": "object", "additionalProperties": values}
    if given.kind == "list":
        return {"type": "array", "items": item}
    if given.kind == "tensor":
        return _nested(given.shape, item)
    number = {"type": "integer", "minimum": 0, "exclusiveMaximum": given.width}
    columns = {"type": "array", "items": number, "uniqueItems": True}
    pairs = _object({"columns": columns, "values": {"type": "array", "items": item}})
    return {"anyOf": [_nested((given.width,), item), {**pairs, "additionalProperties": False}]}


def _nested(shape: Sequence[int], item: Json) -> Json:
    """Return the schema of arrays of a shape."""
    for size in reversed(shape):
        item = {"type": "array", "minItems": size, "maxItems": size, "items": item}
    return item


def result_schema(output: Output) -> Json:
    """Return the schema of one result, one row's."""
    if output.further:
        parts = [_result(o) for o in (output, *output.further)]
        size = len(parts)
        return {"type": "array", "prefixItems": parts, "minItems": size, "maxItems": size}
    return _result(output)


def _result(output: Output) -> Json:
    if output.labels is not None:
        kinds = {_LABELS.get(type(v), "string") for column in output.labels for v in column}
        value: Json = {"type": sorted(kinds)}
    elif output.storage == "text":
        value = {"type": ["string", "null"]}
    elif output.storage == "bool":
        value = {"type": "boolean"}
    else:
        value = {"type": ["number", "null", "string"]}
    values = {"type": "array", "items": value}
    if output.ragged == "sparse":
        number = {"type": "integer", "minimum": 0, "exclusiveMaximum": output.width}
        return _object({"columns": {"type": "array", "items": number}, "values": values})
    if output.ragged is not None:
        return values
    if output.splits is not None:
        return {"type": "array", "items": values}
    if output.shape is not None:
        return _nested(output.shape, value)
    return value if output.ndim == 1 else values
