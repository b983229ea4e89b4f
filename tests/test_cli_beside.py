"""``sclbl run`` and ``show`` of programs whose rows are no table, or whose results are ragged."""

from __future__ import annotations

import html
import json
import pathlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sclbl
from sclbl.cli import batch
from sclbl.json_calls import read_call
from sclbl.registry.local import LocalRegistry
from sclbl.signature import Signature
from sclbl.view import calls, deployment_html, describe_inputs
from tests.server.beside import models, record
from tests.test_cli import Cli, cli, folder

__all__ = ["cli", "folder"]  # fixtures of the command line's tests


@pytest.fixture
def recorded(folder: Path) -> Path:
    with LocalRegistry(folder / "home") as registry:
        record(registry)
    return folder


def near(radius: float | None = None) -> list[Any]:
    case = models()["near"]
    said = {} if radius is None else {"radius": radius}
    found = case.model.radius_neighbors(case.x[:9], **said)
    return [[d.tolist(), i.tolist()] for d, i in zip(*found, strict=True)]


def write(folder: Path, name: str, value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    (folder / name).write_text(text)
    return name


def test_features_as_json_and_lines(
    cli: Cli, recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = models()["dicts"]
    table = case.model.transform(case.x).toarray()
    monkeypatch.setattr(batch, "CHUNK_ROWS", 7)
    monkeypatch.setattr(batch, "SLICE_VALUES", 5)
    lines = "".join(json.dumps(row) + "\n" for row in case.x)
    files = [
        write(recorded, "a.json", case.x),
        write(recorded, "b.json", {"inputs": {"X": case.x}}),
        write(recorded, "c.ndjson", lines),
    ]
    for file in files:
        done = cli("run", "dicts", file)
        assert done.code == 0, done.err
        found = (
            json.loads(done.out)
            if file.endswith(".json")
            else [json.loads(line) for line in done.out.splitlines()]
        )
        dense = np.zeros_like(table)
        for i, row in enumerate(found):
            dense[i, row["columns"]] = row["values"]
        np.testing.assert_array_equal(dense, table)


def test_plain_results_go_to_any_format(cli: Cli, recorded: Path) -> None:
    case = models()["chain"]
    file = write(recorded, "a.json", case.x)
    assert cli("run", "chain", file, "-o", "out.csv", "--method", "predict_proba").code == 0
    found = np.loadtxt(recorded / "out.csv", delimiter=",", skiprows=1)
    np.testing.assert_allclose(found, case.model.predict_proba(case.x), rtol=1e-12)


def test_values_of_the_call(cli: Cli, recorded: Path) -> None:
    rows = models()["near"].x[:9].tolist()
    plain = write(recorded, "a.json", rows)
    said = write(recorded, "b.json", {"rows": rows, "parameters": {"radius": 0.5}})
    csv = write(
        recorded, "c.csv", "x,y,z\n" + "".join(",".join(map(repr, row)) + "\n" for row in rows)
    )
    assert json.loads(cli("run", "near", plain).out) == near()
    assert json.loads(cli("run", "near", said).out) == near(0.5)
    assert json.loads(cli("run", "near", plain, "--parameter", "radius=0.5").out) == near(0.5)
    done = cli("run", "near", csv, "--to", "json", "--parameter", "radius=2")
    assert json.loads(done.out) == near(2.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("near", "a.json", "--parameter", "radius"), "'radius' is not NAME=VALUE"),
        (("near", "a.json", "--parameter", "=1"), "'=1' is not NAME=VALUE"),
        (("near", "a.json", "--parameter", "radius=wide"), "'radius' is 'wide', .*; give a number"),
        (("near", "a.json", "--parameter", "radius=null"), "radius is null; leave it out for its"),
        (("near", "a.json", "--parameter", "r=1"), "has no parameter 'r'; it has radius"),
        (
            ("near", "a.json", "--parameter", "radius=1", "--parameter", "radius=2"),
            "--parameter radius is given twice",
        ),
        (("near", "b.json", "--parameter", "radius=1"), "on the command line and in the file"),
        (("near", "c.csv"), "csv does not hold what radius_neighbors returns"),
        (("near", "a.json", "-o", "o.parquet"), "parquet does not hold what radius_neighbors"),
        (("dicts", "c.csv", "--to", "json"), "csv does not hold what the model takes; give a file"),
        (("several", "d.ndjson"), 'ndjson does not hold .*json: send {"inputs": {"table"'),
        (("chain", "e.json"), "holds a list, which is no float64"),
    ],
)
def test_refusals(cli: Cli, recorded: Path, arguments: tuple[str, ...], message: str) -> None:
    write(recorded, "a.json", [[1, 2, 3]])
    write(recorded, "b.json", {"rows": [[1, 2, 3]], "parameters": {"radius": 0.5}})
    write(recorded, "c.csv", "x,y,z\n1,2,3\n")
    write(recorded, "d.ndjson", "[1]\n")
    write(recorded, "e.json", [{"age": [1]}])
    done = cli("run", *arguments)
    assert done.code == 1
    assert done.out == ""
    assert re.search(message, done.err), done.err
    assert not (recorded / "o.parquet").exists()


def test_show_says_what_is_taken(cli: Cli, recorded: Path) -> None:
    said = {
        "dicts": "X: objects of names and values of float64",
        "tokens": "X: lists of text",
        "sparse": "X: sparse rows of 12 columns of float64",
        "near": "3 columns of float64; radius = 0.8 (float64, of the whole call)",
        "several": "a: float64, b: float64; more: float64 of shape (2); scale = 1.0 (float64, of",
    }
    for name, text in said.items():
        assert text in cli("show", name).out


def test_summaries_name_the_inputs() -> None:
    near, dicts = models()["near"], models()["dicts"]
    summary = sclbl.strip(near.model, near.x[:5]).summary()
    assert "inputs   3 columns (array), radius (parameter of float64)" in summary
    assert "inputs   X (features of float64)" in sclbl.strip(dicts.model, dicts.x[:5]).summary()


@pytest.mark.parametrize("name", [*models(), "several"])
def test_calls_to_paste_predict(recorded: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines of a notebook's view make a body that the program takes, and a call."""
    case = models().get(name)
    places: dict[str, Any] = {"json": json, "pathlib": pathlib}
    if case is None:
        places["table"] = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
        places["more"] = np.ones((2, 2))
    else:
        places["X"] = case.x
    with LocalRegistry(recorded / "home") as registry:
        record = registry.get(name)
        python, shell = calls(record, registry.location)
        assert describe_inputs(Signature.from_json(record.signature)) in html.unescape(
            deployment_html(record, None, registry.location)
        )
        whole = eval(python.partition("\n")[2], {"sclbl": sclbl, **places})
    exec(
        next(line for line in shell.splitlines() if "in Python" in line)[len("# in Python: ") :],
        places,
    )
    body = (recorded / "row.json").read_bytes()
    with LocalRegistry(recorded / "home") as registry:
        program = sclbl.get(name, registry=registry).program
    call = read_call(body, program.signature)
    ((_, rows),) = call.parts(10)
    first = program.run(program.methods[0], rows)
    parts = zip(first, whole, strict=True) if isinstance(first, tuple) else [(first, whole)]
    for one, other in parts:
        for a, b in zip(one, other, strict=False):
            np.testing.assert_array_equal(a, b)
