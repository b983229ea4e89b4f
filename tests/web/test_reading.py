"""The JavaScript loader reads rows as Python does, byte for byte, and refuses what it refuses."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sclbl
from sclbl.errors import InputError
from sclbl.json_calls import read_call
from sclbl.json_rows import read_json
from sclbl.rows import Blocks, Encoder, OneNull, RaggedRows, TextColumn
from sclbl.runtime.method import check_options
from tests.web.cases import Case, cases, python_rows, python_value

LOADER = Path(sclbl.__file__).parent / "web" / "loader"
HERE = Path(__file__).parent
CASES = {case.name: case for case in cases()}


@pytest.fixture(scope="module")
def read() -> dict[str, Any]:
    """What the loader makes of every case, all in one process."""
    lines = [
        json.dumps({"signature": c.signature.to_json(), "rows": c.rows, "parameters": c.parameters})
        for c in CASES.values()
    ]
    done = subprocess.run(
        ["node", str(HERE / "reading.mjs"), str(LOADER)],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=True,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return dict(zip(CASES, answers, strict=True))


def in_python(case: Case) -> Blocks:
    """Encode the rows of a case in Python."""
    parameters = python_value(case.parameters)
    check_options(case.signature, "predict", None, parameters)
    empty = case.signature.outputs["predict"].empty
    rows = python_rows(case)
    return Encoder(case.signature).encode(rows, empty=empty, parameters=parameters)


def first_sentence(message: str) -> str:
    """Return what failed, without what to do about it."""
    return message.partition("; ")[0]


def same_numbers(ours: np.ndarray | None, theirs: str | None) -> bool:
    if ours is None or theirs is None:
        return ours is None and theirs is None
    found = np.frombuffer(base64.b64decode(theirs), dtype=ours.dtype)
    # A program tells NaN from no other NaN.
    whole = found.tobytes() == np.ascontiguousarray(ours).tobytes()
    return whole or (
        ours.dtype.kind == "f"
        and found.size == ours.size
        and bool(np.isnan(ours).any())
        and np.where(np.isnan(found), 0, found).tobytes()
        == np.where(np.isnan(ours.ravel()), 0, ours.ravel()).tobytes()
        and np.array_equal(np.isnan(found), np.isnan(ours.ravel()))
    )


def same_text(ours: TextColumn, theirs: dict[str, str], kinds: bool = True) -> bool:
    present = np.ones(len(ours.offsets) - 1, np.uint8) if ours.kinds is None else ours.kinds
    return (
        same_numbers(ours.offsets, theirs["offsets"])
        and ours.data.tobytes() == base64.b64decode(theirs["data"])
        and (not kinds or same_numbers(present, theirs["kinds"]))
    )


def same_beside(ours: Any, theirs: Any) -> bool:
    if ours is None:
        return theirs is None
    if isinstance(ours, RaggedRows):
        text = ours.keys if isinstance(ours.keys, TextColumn) else ours.values
        keys = None if isinstance(ours.keys, TextColumn) or ours.keys is None else ours.keys
        values = None if isinstance(ours.values, TextColumn) else ours.values
        return (
            same_numbers(ours.offsets.astype(np.uint32), theirs["offsets"])
            and (not isinstance(text, TextColumn) or same_text(text, theirs["text"], False))
            and same_numbers(keys, theirs["keys"])
            and same_numbers(values, theirs["values"])
        )
    return same_numbers(ours, theirs.get("value", theirs.get("values")))


@pytest.mark.parametrize("name", [c.name for c in CASES.values() if not c.refused])
def test_accepted_rows_are_the_same_bytes(name: str, read: dict[str, Any]) -> None:
    ours, theirs = in_python(CASES[name]), read[name]
    assert "error" not in theirs, theirs
    assert theirs["rows"] == ours.rows
    assert same_numbers(ours.numeric, theirs["numeric"])
    assert all(map(same_text, ours.text, theirs["text"]))
    assert len(ours.text) == len(theirs["text"])
    given = ours.beside or (None,) * len(theirs["beside"])
    assert all(map(same_beside, given, theirs["beside"]))


@pytest.mark.parametrize("name", [c.name for c in CASES.values() if not c.refused])
def test_a_server_reads_the_same_bytes(name: str, read: dict[str, Any]) -> None:
    case, theirs = CASES[name], read[name]
    signature, text = case.signature, theirs["json"]
    if isinstance(text, dict):
        # JSON has no infinities, and one missing text.
        assert text["code"] in ("infinite_value", "missing_value", "parameter"), text
        assert any(word in json.dumps(case.rows) for word in ("inf", "nan", "Infinity")) or (
            any(word in json.dumps(case.parameters) for word in ("inf", "nan"))
        )
        return
    parameters: Any = {}
    if signature.inputs:
        call = read_call(text.encode(), signature)
        parameters = call.parameters
        held = {name: OneNull(rows) for name, rows in call.inputs.items()}
        rows: Any = held if len(held) > 1 else next(iter(held.values()))
    else:
        rows = OneNull(read_json(text.encode(), signature))
    empty = signature.outputs["predict"].empty
    ours = Encoder(signature).encode(rows, empty=empty, parameters=parameters)
    assert same_numbers(ours.numeric, theirs["numeric"])
    assert all(map(same_text, ours.text, theirs["text"]))
    given = ours.beside or (None,) * len(theirs["beside"])
    assert all(map(same_beside, given, theirs["beside"]))


@pytest.mark.parametrize("name", [c.name for c in CASES.values() if c.refused])
def test_refusals_are_the_same(name: str, read: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        in_python(CASES[name])
    ours, theirs = caught.value, read[name]
    assert "error" in theirs, theirs
    error = theirs["error"]
    assert "stack" not in error, error["stack"]
    said = {k: error[k] for k in ("code", "row", "column", "input")}
    expected = {"code": ours.code, "row": ours.row, "column": ours.column, "input": ours.input}
    assert (first_sentence(error["message"]), said) == (first_sentence(str(ours)), expected)
    assert "; " in error["message"], "it says what to do"


def test_there_are_enough_cases() -> None:
    assert sum(c.refused for c in CASES.values()) >= 150
    assert sum(not c.refused for c in CASES.values()) >= 100
