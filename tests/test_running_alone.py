"""Running a program with NumPy and wasmtime alone, as `pip install --no-deps sclbl` leaves it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import sclbl

ROOT = Path(__file__).parents[1]
#: Lets through the standard library, sclbl and what runs programs; all else is not installed.
ALONE = """
import sys
ALLOWED = {"numpy", "wasmtime", "sclbl"} | set(sys.stdlib_module_names)

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in ALLOWED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
"""


def alone(code: str, *arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run code where nothing but NumPy and wasmtime can be imported."""
    return subprocess.run(
        [sys.executable, "-c", ALONE + code, *arguments],
        cwd=ROOT, capture_output=True, text=True, env={"SCLBL_HOME": str(home), "PATH": ""},
    )  # fmt: skip


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[float]]:
    """A program of numbers and text, and what its model says of two rows."""
    rng = np.random.default_rng(0)
    rows = {"age": rng.normal(40, 9, 80), "plan": np.array(["a", "b"] * 40, dtype=object)}
    frame = pd.DataFrame(rows)
    model = make_pipeline(
        make_column_transformer(
            (StandardScaler(), ["age"]), (OneHotEncoder(handle_unknown="ignore"), ["plan"])
        ),
        LogisticRegression(),
    ).fit(frame, rng.integers(0, 2, 80))
    path = sclbl.compile(model, frame[:5]).save(tmp_path_factory.mktemp("alone") / "m.wasm")
    asked = pd.DataFrame({"age": [20.5, 61.0], "plan": ["a", "unseen"]})
    return path, model.predict_proba(asked)[:, 1].tolist()


def test_a_program_runs(saved: tuple[Path, list[float]], tmp_path: Path) -> None:
    path, wanted = saved
    done = alone(
        """
import sclbl
program = sclbl.load(sys.argv[1])
rows = [{"age": 20.5, "plan": "a"}, {"age": 61, "plan": "unseen"}]
print(*(v.hex() for v in program.predict_proba(rows)[:, 1].tolist()))
print(program.classes_, program.methods, program.report.ok, program, program.sha256[:0])
print(sorted({m.partition(".")[0] for m in sys.modules} - set(sys.stdlib_module_names)))
""",
        str(path), home=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    numbers, said, loaded = done.stdout.splitlines()
    got = [float.fromhex(v) for v in numbers.split()]
    np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=0)
    assert said.startswith("[0 1] ('predict', ")
    for name in ("numpy", "sclbl", "wasmtime"):
        assert f"'{name}'" in loaded


def test_a_bad_row_is_refused_as_ever(saved: tuple[Path, list[float]], tmp_path: Path) -> None:
    code = """
import sclbl
try:
    sclbl.load(sys.argv[1]).predict([{"age": float("nan"), "plan": "a"}])
except sclbl.SclblError as error:
    print(type(error).__name__, error)
"""
    done = alone(code, str(saved[0]), home=tmp_path)
    assert done.stdout.startswith("MissingValueError row 0, column 'age'"), (
        done.stderr + done.stdout
    )
