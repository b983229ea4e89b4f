"""A look at the bytes of an ONNX file before it is parsed.

A parser makes an object of every message, so a small hostile file could become gigabytes of
objects. This walk counts messages without making any, and finds what is refused whatever it
holds: external data, graphs inside attributes (control flow), training graphs, sparse constants.
"""

from __future__ import annotations

import re

from sclbl.errors import SpecError

#: Most fields that a file may have, long runs of numbers counted once.
MAX_FIELDS = 4_000_000
#: Most messages, and bytes of numbers in attributes (not in tensors): each becomes an object.
MAX_MESSAGES, MAX_NUMBERS = 500_000, 32 * 1024 * 1024

# Per message: what to do with a field of bytes. A name is a message to walk, text a refusal.
_CONTROL = "uses control flow (a graph inside an operator); use row-wise operators only"
_SPARSE = "has sparse tensors as constants; save it with dense ones"
_NESTED = (
    "has inputs or outputs that are neither tensors, sparse tensors, nor sequences of tensors "
    "or of maps; use tensors"
)
_MESSAGES: dict[str, dict[int, str]] = {
    "model": {7: ">graph", 20: "has a training graph; export it for inference", 25: ">function"},
    "graph": {1: ">node", 5: ">tensor", 11: ">value", 12: ">value", 13: ">value", 15: _SPARSE},
    "node": {5: ">attribute"},
    "function": {7: ">node", 11: ">attribute", 12: ">value"},
    "attribute": {
        5: ">tensor",
        6: _CONTROL,
        10: "has a list of tensors as an attribute, which no known operator takes",
        11: _CONTROL,
        14: "has a type as an attribute, which no known operator takes",
        15: "has a type as an attribute, which no known operator takes",
        22: _SPARSE,
        23: _SPARSE,
    },
    "tensor": {
        13: "keeps data in another file (external data), which is never read; save the model as "
        "one file, onnx.save(model, path, save_as_external_data=False)"
    },
    "value": {2: ">type"},
    # Sequences hold tensors, or maps of them, and no sequences: what is nested has an end.
    "type": {1: ">tensor type", 4: ">sequence", 5: _NESTED, 8: ">tensor type", 9: _NESTED},
    "sequence": {1: ">item"},
    "item": {1: ">tensor type", 4: _NESTED, 5: ">map", 8: _NESTED, 9: _NESTED},
    "map": {2: ">map value"},
    "map value": {1: ">tensor type", 4: _NESTED, 5: _NESTED, 8: _NESTED, 9: _NESTED},
    "tensor type": {2: ">shape"},
    "shape": {1: ">dimension"},
    "dimension": {},
}
# Runs of integers (field 8) and floats (field 7) of an attribute, which are not packed.
_RUN = re.compile(rb"(?:\x40[\x80-\xff]{0,9}+[\x00-\x7f]|\x3d.{4})++", re.DOTALL)


def scan(data: bytes) -> None:
    """Walk a file.

    Raises
    ------
    SpecError
        Where it is not an ONNX file, has too many parts, or holds what is never read.
    """
    fields = messages = numbers = 0
    # The messages that are open, the innermost last: their number does not grow with the file.
    stack = [("model", 0, len(data))]
    while stack:
        message, at, end = stack.pop()
        if at == end:
            continue
        fields += 1
        if fields > MAX_FIELDS or messages > MAX_MESSAGES or numbers > MAX_NUMBERS:
            raise SpecError(
                f"the ONNX file has more than {MAX_FIELDS:,} parts, {MAX_MESSAGES:,} operators and "
                f"attributes, or {MAX_NUMBERS:,} bytes of numbers in attributes; it is not one "
                "that sclbl reads"
            )
        if message == "attribute" and (run := _RUN.match(data, at, end)):
            numbers += run.end() - at
            stack.append((message, run.end(), end))
            continue
        key, at = _varint(data, at, end)
        number, wire = key >> 3, key & 7
        if wire == 2:
            size, at = _varint(data, at, end)
            after = at + size
            action = _MESSAGES[message].get(number)
            if after > end or number == 0:
                _malformed()
            if action is not None and not action.startswith(">"):
                raise SpecError(f"the ONNX file {action}")
            if message == "attribute" and number in (7, 8):
                numbers += size
            stack.append((message, after, end))
            if action is not None:
                messages += 1
                stack.append((action[1:], at, after))
            continue
        if wire == 0:
            value, at = _varint(data, at, end)
            if message == "tensor" and number == 14 and value == 1:
                raise SpecError(f"the ONNX file {_MESSAGES['tensor'][13]}")
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        else:
            _malformed()
        if at > end:
            _malformed()
        stack.append((message, at, end))


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    _malformed()
    return 0, at


def _malformed() -> None:
    raise SpecError(
        "this is not an ONNX file, or it is truncated or altered; give the bytes that "
        "sclbl wrote, or those of onnx.save"
    )
