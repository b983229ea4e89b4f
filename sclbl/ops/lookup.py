"""Look-ups: from a value to the number of its key, and from class numbers to labels."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sclbl.errors import SpecError
from sclbl.missing import of_text
from sclbl.ops.record import (
    NUMBERS,
    Array,
    Attrs,
    Body,
    Emitter,
    Floats,
    Ints,
    Op,
    Operand,
    Reading,
    Rewritten,
    Texts,
    Typed,
    fail,
    has_inputs,
    tensor,
)
from sclbl.signature import MISSING, Label, Missing
from sclbl.spec import Node

_MAX_LABELS = 64 * 1024 * 1024
_ENCODER = "ai.onnx.ml.LabelEncoder"


def _infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 1)
    x = tensor(node, xs[0], NUMBERS | {"text"})
    if set(node.attrs) != {"keys", "values", "default"} or x.width != 1:
        raise fail(node, "takes one column, keys, values and a default")
    keys, values = node.attrs["keys"], node.attrs["values"]
    held = "text" if keys.dtype == object else keys.dtype.name
    if held != x.dtype or values.dtype != np.int64 or keys.ndim != 1 or keys.shape != values.shape:
        raise fail(node, f"takes keys of type {x.dtype} and as many int64 values")
    return [("int64", x.shape)]


def _lookup(attrs: Attrs, x: Array) -> Array:
    keys, values = attrs["keys"], attrs["values"]
    out = np.full(x.shape, attrs["default"], dtype=np.int64)
    for key, value in zip(keys.tolist(), values.tolist(), strict=True):
        same = np.isnan(x) if isinstance(key, float) and np.isnan(key) else x == key
        out[same] = value
    return out


def _lower(e: Emitter, node: Node) -> None:
    x = node.inputs[0]
    keys = np.asarray(node.attrs["keys"])
    values = np.asarray(node.attrs["values"], dtype=np.int64)
    unknown = int(node.attrs["default"])
    if any(not -(2**31) <= v < 2**31 for v in (unknown, *values.tolist())):
        raise SpecError("a look-up's values must fit 32 bits; number its keys from 0")
    if e.dtype(x) == "text":
        _lower_text(e, node, [str(k) for k in keys.tolist()], values, unknown)
        return
    keys = keys.astype(e.dtype(x))
    missing = values[np.isnan(keys)]
    # The last of equal keys counts, as in the definition: the sort is stable.
    known = ~np.isnan(keys)
    order = np.argsort(keys[known], kind="stable")
    e.call(
        f"lookup_{e.suffix(x)}",
        e.output(node),
        e.pointer(x),
        e.weight(keys[known][order]),
        e.weight(values[known][order].astype(np.int32), 4),
        "i32 %m",
        f"i32 {int(known.sum())}",
        f"i32 {int(missing[-1]) if len(missing) else unknown}",
        f"i32 {unknown}",
    )


def _lower_text(e: Emitter, node: Node, keys: list[str], values: Array, unknown: int) -> None:
    missing: dict[Missing, int] = dict.fromkeys(MISSING, unknown)
    raw: list[bytes] = []
    numbers: list[int] = []
    for key, value in zip(keys, values.tolist(), strict=True):
        kind = of_text(key)
        if kind is not None:
            missing[kind] = value
        else:
            raw.append(key.encode())
            numbers.append(value)
    if len(set(raw)) != len(raw):
        raise SpecError("a look-up has the same text key twice; give each key once")
    slots, ends = text_table(raw)
    e.call(
        "lookup_text",
        e.output(node),
        e.pointer(node.inputs[0]),
        e.weight(slots, 4),
        e.weight(ends, 4),
        e.weight(np.frombuffer(b"".join(raw), dtype=np.uint8), 1),
        e.weight(np.array(numbers, dtype=np.int32), 4),
        "i32 %m",
        f"i32 {len(slots) - 1}",
        *(f"i32 {missing[kind]}" for kind in MISSING),
        f"i32 {unknown}",
    )


def text_table(raw: Sequence[bytes]) -> tuple[Array, Array]:
    """Return the slots of an open-addressed table of keys, and where each key's bytes end."""
    size = 4
    while size < 2 * len(raw):
        size *= 2
    slots = np.full(size, -1, dtype=np.int32)
    for number, key_bytes in enumerate(raw):
        at = _hash(key_bytes) & (size - 1)
        while slots[at] >= 0:
            at = (at + 1) & (size - 1)
        slots[at] = number
    return slots, np.cumsum([len(r) for r in raw], dtype=np.uint32)


def _hash(raw: bytes) -> int:
    """FNV-1a with a final mix, as ``key_hash`` in kernels/keys.h."""
    value = 2166136261
    for byte in raw:
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value ^ (value >> 15)


def _encode(attrs: Attrs) -> dict[str, Any]:
    keys, values, default = attrs["keys"], attrs["values"], attrs["default"]
    if keys.dtype.kind in "OU":
        first: dict[str, Any] = {"keys_strings": Texts(keys.tolist())}
    elif keys.dtype == np.int64:
        first = {"keys_int64s": Ints(keys)}
    elif keys.dtype == np.float32:
        first = {"keys_floats": Floats(keys.tolist())}
    else:
        default_tensor = np.array([default], np.int64)
        return {"keys_tensor": keys, "values_tensor": values, "default_tensor": default_tensor}
    return {**first, "values_int64s": Ints(values), "default_int64": int(default)}


def _decode(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return keys, values and default from the standard attributes."""
    names = set(raw)
    if names == {"keys_tensor", "values_tensor", "default_tensor"}:
        keys, values, default = (raw[k] for k in ("keys_tensor", "values_tensor", "default_tensor"))
        if all(isinstance(a, np.ndarray) for a in (keys, values, default)) and default.size == 1:
            return {"keys": keys, "values": values, "default": int(default.ravel()[0])}
    for name, dtype in (("keys_strings", object), ("keys_int64s", "int64"), ("keys_floats", "f4")):
        if names == {name, "values_int64s", "default_int64"}:
            keys = np.empty(len(raw[name]), dtype=dtype)
            keys[:] = raw[name]
            values = np.array(raw["values_int64s"], dtype=np.int64)
            return {"keys": keys, "values": values, "default": int(raw["default_int64"])}
    raise SpecError(f"operator {_ENCODER} has attributes {sorted(names)}")


def _read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    r.node(_ENCODER, inputs, out, **_decode(attrs))


LabelEncoder = Op(
    _ENCODER,
    _infer,
    _lookup,
    _lower,
    NUMBERS | {"text"},
    read=_read,
    encode=_encode,
    decode=_decode,
    exact=True,
    role="finds",
    holds="categories",
)


def _extract(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    """Read the choice of columns by constants, and of constant numbers by a column."""
    op = "ai.onnx.ml.ArrayFeatureExtractor"
    if attrs or len(inputs) != 2 or not r.lead:
        raise SpecError(f"operator {op} takes an array of rows, and indices")
    if not r.is_constant(inputs[0]):
        indices = r.constant(r.array(inputs, 1, op).ravel(), np.int64)
        shape = r.shape(inputs[0], op)
        r.node("Gather", [inputs[0], indices], out, axis=len(shape))
        return
    values = r.array(inputs, 0, op)
    if values.dtype != np.int64 or values.shape[-1:] != (values.size,):
        raise SpecError(
            f"operator {op} chooses among {values.dtype} constants; int64 are supported"
        )
    if len(r.shape(inputs[1], op)) > 1 or r.dtype(inputs[1]) != "int64":
        raise SpecError(f"operator {op} chooses by something other than one int64 column")
    flat = values.ravel()
    places = np.arange(len(flat), dtype=np.int64)
    r.node(_ENCODER, [inputs[1]], out, keys=places, values=flat, default=int(flat[0]))
    r.lying.add(out)


ArrayFeatureExtractor = Rewritten("ai.onnx.ml.ArrayFeatureExtractor", _extract)


def _labels_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 1)
    x = tensor(node, xs[0], frozenset({"int64"}))
    labels = node.attrs.get("labels")
    if set(node.attrs) != {"labels"} or len(labels or ()) != x.width or len(x.shape) != 1:
        raise fail(node, "takes labels for each column")
    return [("label", x.shape)]


def _labels_lower(e: Emitter, node: Node) -> None:
    x = node.inputs[0]
    cells = e.cells(e.width(x))
    e.call(f"lookup_labels_{e.suffix(x)}", e.output(node), e.pointer(x), cells)


def label_type(labels: tuple[tuple[Label, ...], ...]) -> str:
    """Return the element type that holds all labels: bool, int64, float64, else text."""
    kinds = {type(v) for column in labels for v in column}
    if kinds == {bool}:
        return "bool"
    if kinds <= {int} and all(
        -(2**63) <= v < 2**63 for c in labels for v in c if isinstance(v, int)
    ):
        return "int64"
    return "float64" if kinds <= {int, float} else "text"


def _label_array(labels: tuple[Label, ...], dtype: str) -> Array:
    if dtype == "text":
        out = np.empty(len(labels), dtype=object)
        out[:] = [str(v) for v in labels]
        return out
    return np.array(labels, dtype=dtype)


def _labels_body(b: Body, node: Node) -> str:
    columns = node.attrs["labels"]
    dtype = label_type(columns)
    parts = []
    for i, column in enumerate(columns):
        codes = b.op("Gather", "x", b.tensor([i], np.int64), axis=1)
        parts.append(b.op("Gather", b.tensor(_label_array(column, dtype)), codes, axis=0))
    return b.op("Concat", *parts, axis=1)


def _labels_decode(raw: dict[str, Any]) -> dict[str, Any]:
    text = raw.get("labels")
    if not isinstance(text, str):
        return raw
    try:
        if len(text) > _MAX_LABELS:
            raise ValueError("too long")
        columns = tuple(tuple(column) for column in json.loads(text))
    except (ValueError, TypeError, RecursionError) as error:
        raise SpecError(f"operator sclbl.Labels has malformed labels ({error})") from None
    if not all(isinstance(v, (str, int, float, bool)) for c in columns for v in c):
        raise SpecError("operator sclbl.Labels has labels that are neither text nor numbers")
    return {**raw, "labels": columns}


#: A class number goes out as it is; its labels stand in the signature.
Labels = Op(
    "sclbl.Labels",
    _labels_infer,
    lambda attrs, x: x,
    _labels_lower,
    frozenset({"int64"}),
    body=_labels_body,
    private=True,
    encode=lambda attrs: {"labels": json.dumps(attrs["labels"], separators=(",", ":"))},
    decode=_labels_decode,
    exact=True,
    role="labels",
    holds="labels",
)
