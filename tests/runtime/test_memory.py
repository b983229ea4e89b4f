"""Memory of calls: what they add is given back, and what they return is bounded."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import OrdinalEncoder

import sclbl
from sclbl.errors import LimitError, ProgramError
from sclbl.program import Program
from sclbl.runtime import general, instance, session
from sclbl.signature import Column, Output, Signature
from tests.runtime.foreign import TEXT, module

ROW = np.ones((1, 2))


@cache
def neighbors() -> Program:
    points = np.random.default_rng(0).normal(size=(3000, 1))
    return sclbl.compile(NearestNeighbors(radius=0.1).fit(points), points[:2])


@cache
def ordinal() -> Program:
    rows = np.array([["x"], ["y"]], dtype=object)
    return sclbl.compile(
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(rows), rows
    )


def test_what_large_results_add_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    program = Program(neighbors().wasm)
    module, rows = program.module, np.zeros((60, 1))
    program.radius_neighbors(rows)
    kept = module._local.general
    program.radius_neighbors(rows)
    assert module._local.general is kept
    monkeypatch.setattr(session, "MOST_KEPT", 2**20)
    wanted = program.radius_neighbors(rows, radius=9.0)
    assert not hasattr(module._local, "general")
    again = program.radius_neighbors(rows, radius=9.0)
    for a, b in zip(wanted, again, strict=True):
        assert all(map(np.array_equal, a, b))


def test_what_large_texts_add_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    program = Program(ordinal().wasm)
    monkeypatch.setattr(session, "MOST_KEPT", 2**16)
    assert program.transform([["y"]]).tolist() == [[1.0]]
    kept = program.module.session()
    assert program.transform([["y" * 50_000], ["x"]]).tolist() == [[-1.0], [0.0]]
    assert program.module.session() is kept
    assert program.transform([["y" * 100_000], ["x"]]).tolist() == [[-1.0], [0.0]]
    assert program.module.session() is not kept


def test_a_text_beyond_memory_leaves_the_program_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instance, "MAX_GROWTH", 2**22)
    program = Program(ordinal().wasm)
    for _ in range(2):
        assert program.transform([["y"]]).tolist() == [[1.0]]
        with pytest.raises(LimitError, match="no memory for a block of 5,000,000 bytes"):
            program.transform([["y" * 5_000_000]])
    assert program.transform([["x"], ["y" * 9_000]]).tolist() == [[0.0], [-1.0]]


def test_texts_that_lie_over_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row gives the same 1000 bytes: what comes back is bounded, not where it lies."""
    body = """
      (local $at i32) (local $k i32)
      (local.set $at (i32.load (local.get $outputs)))
      (loop $next
        (i32.store (i32.add (local.get $at) (i32.shl (local.get $k) (i32.const 3))) (i32.const 64))
        (i32.store offset=4
          (i32.add (local.get $at) (i32.shl (local.get $k) (i32.const 3))) (i32.const 900))
        (local.set $k (i32.add (local.get $k) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $k) (local.get $rows))))
      (i32.const 0)"""
    program = Program(module(body, TEXT))
    monkeypatch.setattr(session, "MAX_TEXT", 9_000)
    assert [len(text) for (text,) in program.predict(np.ones((10, 2)))] == [900] * 10
    with pytest.raises(LimitError, match="more than 9,000 bytes of text for these rows; give it"):
        program.predict(np.ones((11, 2)))


def test_lists_longer_than_what_a_program_may_add(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file may begin with gigabytes of zeros, and call them its result."""
    body = """
      (i32.store (i32.const 32) (i32.const 0)) (i32.store (i32.const 36) (i32.const 100000))
      (i32.store (i32.load (local.get $outputs)) (i32.const 32))
      (i32.store offset=8 (i32.load (local.get $outputs)) (i32.const 1024))
      (i32.const 0)"""
    output = Output("float64", "float64", 1, 1, ragged="list")
    signature = Signature((Column(None, "float64"),) * 2, "array", {"predict": output})
    program = Program(module(body, signature))
    assert program.predict(ROW)[0].shape == (100_000,)
    monkeypatch.setattr(general, "MAX_GROWTH", 1_000_000)
    with pytest.raises(ProgramError, match="ragged rows that do not fit its memory"):
        program.predict(ROW)


def test_lists_of_numbers_that_their_type_does_not_hold() -> None:
    body = """
      (i32.store (i32.const 32) (i32.const 0)) (i32.store (i32.const 36) (i32.const 1))
      (i64.store (i32.const 40) (i64.const {}))
      (i32.store (i32.load (local.get $outputs)) (i32.const 32))
      (i32.store offset=8 (i32.load (local.get $outputs)) (i32.const 40))
      (i32.const 0)"""
    output = Output("int64", "int8", 1, 1, ragged="list")
    signature = Signature((Column(None, "float64"),) * 2, "array", {"predict": output})
    (found,) = Program(module(body.format(-128), signature)).predict(ROW)
    assert (found.tolist(), found.dtype) == ([-128], np.int8)
    with pytest.raises(ProgramError, match="a number that int8 does not hold"):
        Program(module(body.format(128), signature)).predict(ROW)
