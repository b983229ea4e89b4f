"""From bytes to machine code: what was compiled lately is not compiled again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import wasmtime
from sklearn.linear_model import LinearRegression

import sclbl
from sclbl.program import Program
from sclbl.runtime import load

X = np.random.default_rng(0).normal(size=(20, 3))


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the sizes of what the engine compiles during a test, which begins with nothing."""
    sizes: list[int] = []
    real = wasmtime.Module

    def module(engine: Any, wasm: bytes) -> wasmtime.Module:
        sizes.append(len(wasm))
        return real(engine, wasm)

    monkeypatch.setattr(load.wasmtime, "Module", module)
    load._lately.clear()
    return sizes


def test_a_program_and_the_same_with_its_report_are_one(compiled: list[int]) -> None:
    model = LinearRegression().fit(X, X[:, 0])
    program = sclbl.compile(model, X[:3])
    np.testing.assert_allclose(program.predict(X), model.predict(X), atol=1e-12)
    np.testing.assert_allclose(Program(program.wasm).predict(X), model.predict(X), atol=1e-12)
    assert len(compiled) == 1
    other = LinearRegression().fit(X, X[:, 1] + 1)
    assert sclbl.compile(other, X[:3]).predict(X)[0] == pytest.approx(X[0, 1] + 1)
    assert len(compiled) == 2


def test_only_the_last_small_ones_stay(compiled: list[int]) -> None:
    models = [LinearRegression().fit(X, X[:, 0] + k) for k in range(load.LATELY + 1)]
    programs = [sclbl.compile(model, X[:3]) for model in models]
    assert len(load._lately) == load.LATELY
    before = len(compiled)
    assert Program(programs[0].wasm).predict(X).shape == (20,)
    assert len(compiled) == before + 1


def test_a_large_one_is_not_kept(compiled: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "SMALL", 100)
    sclbl.compile(LinearRegression().fit(X, X[:, 0]), X[:3])
    assert compiled
    assert not load._lately
