"""Rows that nobody should send: random ones, with what readers stumble over among them."""

from __future__ import annotations

import random
from typing import Any

from sclbl.signature import Column, Signature

FIELDS = [
    "1", "2.5", "-0", "-0.0", "1e400", "1e-400", "nan", "NaN", "-nan", "inf", "Infinity",
    "-infinity", "1_000", " 1", "1 ", "0x1p3", "", "abc", "é☃", "true", "FALSE", "1.0", "0",
    "300", "127", "128", "-129", "9007199254740993", "9007199254740992", "-9007199254740993",
    "1" * 50, "9" * 5000, "4.9e-324", "2.2250738585072011e-308", "1.7976931348623159e308",
    "3.5e38", "1e39", "0.1", "16777217", '"x"', '"1"', '"a ""q"""', "a\0b", "\0", "１.５",  # noqa: RUF001
    "٣", "1\u00a0", "\u20031", " ", "Breda", '"Tilburg, NL"', "None", "null", "1,5", "1e5",
    "1E+05", ".5", "5.", "+1", "--1", "1e", "e1", "\t1", "\x1f1", "5\r", "\x85", "1\x85",
    '"1\n2"', '"1\r\n2"', '"\r"', "\u200b", "🙂" * 20, "x" * 70, "'", "'\"", "\\", "a\tb",
    "65504", "65520", "0.1000213623046875", "100000", "1e300", "-1e40", "-1", "3.0", "1e20",
]  # fmt: skip
VALUES = [
    "1", "2.5", "-0", "-0.0", "1e400", "1e-400", "NaN", "null", "true", "false", '"abc"', '""',
    '"\\ud83d\\ude00"', '"\\ude00"', '"\\u0000x"', '"é☃"', "[]", "{}", "[1,[2]]", '{"a":1}',
    "9007199254740993", "9007199254740992", "-9007199254740993", "1" * 40, "1" * 41, "1" * 50,
    "-" + "9" * 60, "9" * 430, "9" * 4301, "4.9e-324", "1.7976931348623159e308",
    "1.7976931348623158e308", "3.5e38", "01", "1.", ".5", "+1", "'a'", '"Breda"',
    '"Tilburg, NL"', '"a \\"q\\""', "300", "-129", "127.5", "2.0", "16777217", "1e39", "65520",
    "65519.9", "3.4028235677973366e38", "3.4028235677973362e38", '"' + "x" * 70 + '"',
    '"\\n\\t\\u001b"', "1e5", "1E+05", "-1", "0", "-", '"a', "tru", "None", "", '"\\ud800"',
    '"it\'s"', "100", "5",
]  # fmt: skip
BYTES = (0xFF, 0xC3, 0x22, 0, 0xED, 10, 13, 92)


def _usual(column: Column, pick: random.Random, json: bool) -> str:
    if column.kind == "text":
        return pick.choice(['"Breda"', '"no"'] if json else ["Breda", '"Tilburg, NL"', "no", ""])
    if column.kind == "boolean":
        return pick.choice(["true", "false"] if json else ["true", "0", "False"])
    return str(pick.randrange(30)) if column.kind == "integer" else repr(pick.gauss(40, 10))


def _damaged(text: bytes, pick: random.Random) -> bytes:
    if text and pick.random() < 0.05:
        at = pick.randrange(len(text))
        text = text[:at] + bytes([pick.choice(BYTES)]) + text[at:]
    if pick.random() < 0.03:
        text = text[: pick.randrange(len(text) + 1)]
    return text


def csv_case(signature: Signature, pick: random.Random) -> bytes:
    """Return CSV that a model of this signature may refuse."""
    order = list(range(len(signature.columns)))
    named = signature.layout == "table"
    if pick.random() < 0.4 and named:
        pick.shuffle(order)
    head = [f'"{signature.label_of(i)}"' for i in order]
    extra = named and pick.random() < 0.3
    if extra:
        head.append(pick.choice(["extra", "", '"q,"', head[0]] if pick.random() < 0.3 else ["z"]))
    if pick.random() < 0.06:
        head[0] = pick.choice([head[0][:-2] + '"', head[0].upper(), '"x"', '"vist"', '"city"'])
    lines = [",".join(head)]
    if pick.random() < 0.1:
        lines[0] = "\ufeff" + lines[0]
    rate = pick.choice([0, 0, 0.02, 0.1, 0.4])
    for _ in range(pick.choice([0, 1, 3, 8, 30])):
        row = [_usual(signature.columns[i], pick, False) for i in order]
        if extra:
            row.append(pick.choice(["", "x", '"a\nb"']))
        row = [pick.choice(FIELDS) if pick.random() < rate else v for v in row]
        row += ["1"] * (pick.random() < 0.01)
        lines += [""] * (pick.random() < 0.02)
        lines.append(",".join(row))
    end = pick.choice(["\n", "\r\n", "\r"])
    return _damaged((end.join(lines) + end * (pick.random() < 0.7)).encode(), pick)


def json_case(signature: Signature, pick: random.Random) -> bytes:
    """Return NDJSON that a model of this signature may refuse."""
    order = list(range(len(signature.columns)))
    rate = pick.choice([0, 0, 0.02, 0.1, 0.3])
    arrays = pick.random() < (0.3 if signature.layout == "table" else 0.8)
    if not arrays and pick.random() < 0.3:
        pick.shuffle(order)
    lines: list[str] = []
    for _ in range(pick.choice([0, 1, 3, 8, 30])):
        values = [_usual(signature.columns[i], pick, True) for i in order]
        values = [pick.choice(VALUES) if pick.random() < rate else v for v in values]
        if pick.random() < 0.02:
            values.pop()
        if (pick.random() < 0.98) == arrays:
            row = f"[{','.join(values)}]"
        else:
            named = [f'"{signature.label_of(i)}":{v}' for i, v in zip(order, values, strict=False)]
            if pick.random() < 0.03 and named:
                named[0] = named[0].replace('"', '"x', 1)
            if pick.random() < 0.1:
                name = pick.choice(["z", signature.label_of(0)])
                named.insert(pick.randrange(len(named) + 1), f'"{name}": {pick.choice(VALUES)}')
            row = f"{{{pick.choice([', ', ',', ' , ']).join(named)}}}"
        if pick.random() < 0.02:
            row = pick.choice(VALUES)
        if pick.random() < 0.03:
            row = f" {row}\t\r"
        if pick.random() < 0.03:
            lines.append(pick.choice(["", " \x0b"]))
        lines.append(row)
    return _damaged(("\n".join(lines) + "\n" * (pick.random() < 0.7)).encode(), pick)


def case(signature: Signature, form: str, pick: random.Random) -> Any:
    """Return rows in a format."""
    return (csv_case if form == "csv" else json_case)(signature, pick)
