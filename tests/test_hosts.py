"""The hosts under examples/ predict what Python predicts, and say what is refused."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sclbl
from tests.kernels.calling import NODE

HOSTS = Path(__file__).parents[1] / "examples" / "hosts"
REFUSED = "refused: code 3, row 1, column city"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program and the rows that train.py writes."""
    made = tmp_path_factory.mktemp("hosts")
    subprocess.run([sys.executable, str(HOSTS / "train.py"), str(made)], check=True)
    return made


def found(name: str, advice: str) -> str:
    """Return the path of a runtime; without it there is nothing to test."""
    beside = Path(sys.executable).with_name(name)
    path = str(beside) if beside.exists() else shutil.which(name)
    if path is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{name} is not installed; {advice}")
    return str(path)


def library() -> Path:
    """Return the library in wasmtime's wheel."""
    spec = importlib.util.find_spec("wasmtime")
    assert spec is not None
    assert spec.origin is not None
    return next(Path(spec.origin).parent.glob("*/_*wasmtime.*"))


def check(folder: Path, host: list[str], program: str = "churn.wasm", suffix: str = ".tsv") -> None:
    """Hold what a host prints to what the program gives in Python, as bytes."""
    rows = pd.read_csv(folder / "rows.tsv", sep="\t", dtype=str)
    for name in rows.columns.drop("city"):
        # Releases of pandas differ in the last digit of a float.
        rows[name] = [float(text) if isinstance(text, str) else np.nan for text in rows[name]]
    assert rows["city"].isna().any()
    assert rows["age"].isna().any()
    model = sclbl.load(folder / "churn.wasm")
    done = subprocess.run(
        [*host, program, f"rows{suffix}"], cwd=folder, capture_output=True, text=True,
        encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == model.predict(rows).tolist()
    chances = np.array([[float(text) for text in line[1:]] for line in lines])
    assert chances.tobytes() == model.predict_proba(rows).tobytes()
    done = subprocess.run(
        [*host, program, f"refused{suffix}"], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert REFUSED in done.stderr + done.stdout


def test_python(folder: Path) -> None:
    source = (HOSTS / "host.py").read_text(encoding="utf-8")
    assert "import sclbl" not in source
    assert "import numpy" not in source
    check(folder, [sys.executable, "-I", str(HOSTS / "host.py")])


@pytest.mark.browser
def test_node(folder: Path) -> None:
    check(folder, [str(NODE), str(HOSTS / "host.mjs")])


@pytest.mark.browser
def test_deno(folder: Path) -> None:
    deno = found("deno", "pip install deno")
    check(folder, [deno, "run", "--allow-read", str(HOSTS / "host.mjs")])


def test_c(folder: Path) -> None:
    compiler = [sys.executable, "-m", "ziglang", "cc", "-Wall", "-Wextra", "-Werror", "-O1"]
    place = library()
    linked = [str(place), f"-Wl,-rpath,{place.parent}", "-lm", "-o", str(folder / "host")]
    subprocess.run([*compiler, str(HOSTS / "host.c"), *linked], check=True)
    check(folder, [str(folder / "host")])


@pytest.mark.browser
def test_javascriptcore(folder: Path) -> None:
    jsc = found("jsc", "apt install libjavascriptcoregtk-4.0-bin")
    for name in ("rows", "refused"):
        encode = [str(NODE), str(HOSTS / "host.mjs"), "--blocks", "churn.wasm", f"{name}.tsv"]
        blocks = subprocess.run(encode, cwd=folder, check=True, capture_output=True).stdout
        (folder / f"{name}.json").write_bytes(blocks)
    check(folder, [jsc, str(HOSTS / "host.jsc.js"), "--"], suffix=".json")


@pytest.mark.parametrize("host", ["python", pytest.param("node", marks=pytest.mark.browser)])
def test_commands(folder: Path, host: str) -> None:
    line = [sys.executable, str(HOSTS / "command.py")]
    if host == "node":
        line = [str(NODE), "--no-warnings", str(HOSTS / "command.mjs")]
    rows = (folder / "rows.csv").read_bytes()
    line += ["churn-command.wasm", "--method", "predict_proba"]
    done = subprocess.run(line, cwd=folder, input=rows, capture_output=True)
    assert done.returncode == 0, done.stderr
    run = [sys.executable, "-m", "sclbl", "run", "churn.wasm", "rows.csv", "--method"]
    expected = subprocess.run([*run, "predict_proba"], cwd=folder, check=True, capture_output=True)
    assert done.stdout == expected.stdout
    done = subprocess.run(line, cwd=folder, input=b"age,visits\n1,2\n", capture_output=True)
    assert done.returncode == 1
    assert done.stdout == b""
    assert done.stderr == b"error: the CSV header lacks 'city' (code columns, column \"city\")\n"
