"""Lower look-ups: from a value to the number of its key, and class numbers to labels."""

from __future__ import annotations

import numpy as np

from sclbl.compiler.emit import Emitter
from sclbl.errors import SpecError
from sclbl.missing import of_text
from sclbl.signature import MISSING, Missing
from sclbl.spec import Node


def lookup(e: Emitter, node: Node) -> None:
    x = node.inputs[0]
    keys = np.asarray(node.attrs["keys"])
    values = np.asarray(node.attrs["values"], dtype=np.int64)
    unknown = int(node.attrs["default"])
    if any(not -(2**31) <= v < 2**31 for v in (unknown, *values.tolist())):
        raise SpecError("a look-up's values must fit 32 bits; number its keys from 0")
    if e.dtype(x) == "text":
        _text(e, node, [str(k) for k in keys.tolist()], values, unknown)
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


def _text(e: Emitter, node: Node, keys: list[str], values: np.ndarray, unknown: int) -> None:
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
    size = 4
    while size < 2 * len(raw):
        size *= 2
    slots = np.full(size, -1, dtype=np.int32)
    for number, key_bytes in enumerate(raw):
        at = _hash(key_bytes) & (size - 1)
        while slots[at] >= 0:
            at = (at + 1) & (size - 1)
        slots[at] = number
    ends = np.cumsum([len(r) for r in raw], dtype=np.uint32)
    e.call(
        "lookup_text",
        e.output(node),
        e.pointer(node.inputs[0]),
        e.weight(slots, 4),
        e.weight(ends, 4),
        e.weight(np.frombuffer(b"".join(raw), dtype=np.uint8), 1),
        e.weight(np.array(numbers, dtype=np.int32), 4),
        "i32 %m",
        f"i32 {size - 1}",
        *(f"i32 {missing[kind]}" for kind in MISSING),
        f"i32 {unknown}",
    )


def _hash(raw: bytes) -> int:
    """FNV-1a with a final mix, as ``lookup_hash`` in kernels/lookup.c."""
    value = 2166136261
    for byte in raw:
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value ^ (value >> 15)


def labels(e: Emitter, node: Node) -> None:
    x = node.inputs[0]
    e.call(f"lookup_labels_{e.suffix(x)}", e.output(node), e.pointer(x), e.cells(e.width(x)))
