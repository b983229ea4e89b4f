"""The stripper that the documentation shows is one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.naive_bayes import BernoulliNB

import sclbl
from sclbl.strippers import dispatch

PAGE = Path(__file__).parents[2] / "docs" / "adding-a-stripper.md"


def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_class_of_the_documentation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "_REGISTERED", {})
    names: dict[str, Any] = {"__name__": "theirs"}
    exec(compile(blocks()[0], PAGE.name, "exec"), names)
    rows = np.random.default_rng(0).normal(size=(80, 3))
    model = names["Winsorizer"](0.1).fit(rows)
    program = sclbl.compile(model, rows[:5])
    np.testing.assert_array_equal(program.transform(rows), model.transform(rows))


@pytest.mark.parametrize("dtype", [np.float64, np.int64])
def test_the_stripper_of_the_documentation(monkeypatch: pytest.MonkeyPatch, dtype: type) -> None:
    monkeypatch.setattr(dispatch, "_REGISTERED", {})
    _, code = blocks()
    written = code[code.index("class ") : code.index("sclbl.register")].strip()
    assert len(written.splitlines()) <= 10
    exec(compile(code, PAGE.name, "exec"), {})
    rows = np.random.default_rng(0).integers(-2, 3, size=(80, 9)).astype(dtype)
    words = np.array(["a", "b", "c"])[np.arange(80) % 3]
    model = BernoulliNB(binarize=0.0).fit(rows, words)
    program = sclbl.compile(model, rows[:5])
    assert program.methods == ("predict", "predict_proba", "predict_log_proba")
    np.testing.assert_array_equal(program.predict(rows), model.predict(rows))
    np.testing.assert_allclose(program.predict_proba(rows), model.predict_proba(rows), rtol=1e-12)
