"""Seeded changes of structured data: JSON, and messages of protobuf with their fields known."""

from __future__ import annotations

import copy
import random
from typing import Any

#: What stands where something else should.
ODD: tuple[Any, ...] = (
    None, True, -1, 0, 1, 2**31, 2**63 - 1, 2**64, 10**400, 0.5, float("inf"), float("nan"), "",
    "x", "\x1b[31m", "<U500000000", "object", "O", "f8,f8", "datetime64[ns]", "label", "text",
    "float64", [], {}, [[]], [None], [1, 2], ["a", "b"], {"count": 4194304, "kind": "float64"},
    {"count": 1e400, "kind": "text"}, {"a": {}},
)  # fmt: skip


def json_value(data: Any, chance: random.Random) -> Any:
    """Return a copy of JSON data with one place changed."""
    data = copy.deepcopy(data)
    places: list[tuple[Any, Any]] = []

    def walk(item: Any) -> None:
        keys = item if isinstance(item, dict) else range(len(item))
        for key in keys:
            places.append((item, key))
            if isinstance(item[key], (dict, list)):
                walk(item[key])

    if not isinstance(data, (dict, list)) or not data:
        return chance.choice(ODD)
    walk(data)
    item, key = chance.choice(places)
    how = chance.random()
    if how < 0.2:
        del item[key]
    elif how < 0.3 and isinstance(item, dict):
        item[chance.choice(["abi", "zzz", "labels", "splits", "names"])] = chance.choice(ODD)
    elif how < 0.4 and isinstance(item, list):
        item.extend(item * chance.choice([1, 3]))
    else:
        item[key] = chance.choice(ODD)
    return data


def _is_repeated(field: Any) -> bool:
    # protobuf before 6.31 has the label alone, of which newer ones warn.
    known: bool | None = getattr(field, "is_repeated", None)
    return field.label == field.LABEL_REPEATED if known is None else known


def message(proto: Any, chance: random.Random) -> None:
    """Change one field of a message, or of one inside it, in place."""
    fields = [(f, v) for f, v in proto.ListFields() if f.message_type is not None]
    if fields and chance.random() < 0.8:
        field, value = chance.choice(fields)
        if not _is_repeated(field):
            message(value, chance)
            return
        how, at = chance.random(), chance.randrange(len(value))
        if how < 0.85:
            message(value[at], chance)
        elif how < 0.9:
            del value[at]
        elif how < 0.95:
            value.add().CopyFrom(value[at])
        else:
            value.insert(0, copy.deepcopy(value[chance.randrange(len(value))]))
        return
    field = chance.choice(proto.DESCRIPTOR.fields)
    if field.message_type is not None:
        return
    odd: dict[str, tuple[Any, ...]] = {
        "int": (-(2**31), -1, 0, 1, 2, 3, 7, 99, 2**31 - 1),
        "long": (-(2**63), -1, 0, 1, 2, 5, 2**22, 2**40, 2**63 - 1),
        "float": (0.0, -1.0, float("inf"), float("nan"), 1e30),
        "text": ("", "x", "numeric", "text", "Gemm", "Gather", "ReduceSum", "\x1b[2J", "a" * 500),
        "bytes": (b"", b"\xff", b"\0" * 8, b"abc", b"[[1]]"),
    }
    kind = {1: "float", 2: "float", 3: "long", 4: "int", 9: "text", 12: "bytes", 13: "int"}.get(
        field.type, "int"
    )
    new = chance.choice(odd[kind])
    if _is_repeated(field):
        values = list(getattr(proto, field.name))
        how = chance.random()
        if how < 0.4 or not values:
            values.append(new)
        elif how < 0.7:
            values[chance.randrange(len(values))] = new
        else:
            del values[chance.randrange(len(values))]
        proto.ClearField(field.name)
        new = values
    elif chance.random() < 0.2:
        proto.ClearField(field.name)
        return
    try:
        if _is_repeated(field):
            getattr(proto, field.name).extend(new)
        else:
            setattr(proto, field.name, new)
    except ValueError:  # a number beyond the field's type, or an enumeration
        proto.ClearField(field.name)
