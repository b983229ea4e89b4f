"""Compile hand-made graphs and put their programs beside the reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from sclbl.compiler import compile_spec
from sclbl.program import Program
from sclbl.reference import evaluate
from sclbl.rows import Blocks, TextColumn
from sclbl.signature import Column, Kind, Output, Signature, stored_as
from sclbl.spec import MISSING_TEXTS, Provenance, Spec
from sclbl.strippers.columns import Wire
from sclbl.strippers.graph import Builder

DTYPES = {"label": "object", "text": "object"}


def builder(numeric: int = 0, kind: Kind = "float64", text: int = 0) -> Builder:
    """Return a graph to build on, with so many columns of numbers, then of text."""
    columns = (Column(None, kind),) * numeric + (Column(None, "text"),) * text
    return Builder(Signature(columns, "array"))


def make_spec(build: Builder, outputs: Mapping[str, Wire]) -> Spec:
    """Return the spec of a graph whose methods are the given wires."""
    declared = {
        name: Output(
            storage=stored_as(wire.dtype),
            dtype=DTYPES.get(wire.dtype, wire.dtype),
            width=wire.width,
            ndim=2,
            labels=wire.labels,
        )
        for name, wire in outputs.items()
    }
    return Spec(
        graph=build.finish({name: build.stored(wire) for name, wire in outputs.items()}),
        signature=replace(build.signature, outputs=declared),
        source=Provenance("tests.Graph"),
    )


def text_column(values: np.ndarray) -> TextColumn:
    """Return a column of texts, None, NaN and pandas.NA as Arrow lays it out."""
    raw = [v.encode() if isinstance(v, str) else b"" for v in values]
    kinds = [
        1 if isinstance(v, str) else 0 if v is None else 3 if v is pd.NA else 2 for v in values
    ]
    return TextColumn(
        offsets=np.cumsum([0, *map(len, raw)]).astype(np.uint32),
        data=np.frombuffer(b"".join(raw), dtype=np.uint8),
        kinds=np.array(kinds, dtype=np.uint8),
    )


def blocks(numeric: np.ndarray | None, text: np.ndarray | None = None) -> Blocks:
    """Return rows as a program reads them; nothing is checked or converted."""
    rows = len(numeric) if numeric is not None else len(text)
    columns = () if text is None else tuple(text_column(c) for c in text.T)
    return Blocks(rows, numeric, columns)


def _missing(value: Any) -> str:
    return MISSING_TEXTS["none" if value is None else "na" if value is pd.NA else "nan"]


class Compiled:
    """A graph, its program, and what the reference makes of it."""

    def __init__(self, build: Builder, outputs: Mapping[str, Wire]) -> None:
        self.spec = make_spec(build, outputs)

    @cached_property
    def program(self) -> Program:
        return Program(compile_spec(self.spec))

    def run(
        self, method: str, numeric: np.ndarray | None, text: np.ndarray | None = None
    ) -> np.ndarray:
        """Return what the program makes of rows; class numbers for labels."""
        return self.run_blocks(method, blocks(numeric, text))

    def run_blocks(self, method: str, given: Blocks) -> np.ndarray:
        """Return what the program makes of rows as `blocks` lays them out."""
        found = self.program.module.call(method, given)
        if found.dtype == object:
            cells = [v if isinstance(v, str) else _missing(v) for v in found.ravel().tolist()]
            found = np.array(cells, dtype=object).reshape(found.shape)
        return found

    def expected(
        self, numeric: np.ndarray | None, text: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """Return what the definition of the operators makes of rows."""
        return evaluate(self.spec.graph, numeric, text)


def same(got: np.ndarray, want: np.ndarray, *, zeros: bool = True) -> None:
    """Check equality: of bits for numbers (NaN equals NaN; `zeros`: -0.0 is not 0.0)."""
    assert got.shape == want.shape
    if got.dtype.kind != "f":
        np.testing.assert_array_equal(got, want)
        return
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)
    if zeros:
        there = ~np.isnan(want)
        np.testing.assert_array_equal(np.signbit(got[there]), np.signbit(want[there]))
