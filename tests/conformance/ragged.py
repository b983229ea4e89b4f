"""Models whose rows are no table, or whose results are ragged or several, beside their programs."""

from __future__ import annotations

import importlib
import pkgutil
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import numpy as np

import tests.subjects
from sclbl.errors import InputError
from sclbl.fidelity.near import settled
from sclbl.ops.ragged import Items
from sclbl.reference import evaluate
from sclbl.rows import Blocks, RaggedRows, TextColumn
from sclbl.runtime.general import Result
from sclbl.spec import Spec
from sclbl.strippers import dispatch, strip
from tests.conformance import beside, definition
from tests.kept import program_of

#: Rows that a model refuses: what they are, the error, its row and its column.
Refused = tuple[Any, type[InputError], int, str]
EXAMPLE = 5


@dataclass(frozen=True)
class RaggedSubject:
    """A model and the rows that it takes.

    Parameters
    ----------
    name : str
        How it is called in reports.
    make : callable
        Returns the fitted model for training rows.
    rows : callable
        Returns so many rows, with a seed; those of seed 0 are the training rows.
    refused : sequence of Refused
        Rows that the model refuses.
    calls : mapping of str to sequence of dict
        By method, the values of a call that are tried beside the defaults.
    rtol : float
        How far numbers may be apart, relative to their size or 1; 0: the same bits.
    """

    name: str
    make: Callable[[Any], Any]
    rows: Callable[[int, int], Any]
    refused: tuple[Refused, ...] = ()
    calls: Mapping[str, tuple[dict[str, Any], ...]] = field(default_factory=dict)
    rtol: float = 0.0

    @cached_property
    def train(self) -> Any:
        return self.rows(240, 0)


@cache
def ragged_subjects() -> tuple[RaggedSubject, ...]:
    """Return those of all modules of `tests.subjects` that have some."""
    found: list[RaggedSubject] = []
    for info in sorted(pkgutil.iter_modules(tests.subjects.__path__), key=lambda m: m.name):
        module = importlib.import_module(f"{tests.subjects.__name__}.{info.name}")
        found += getattr(module, "RAGGED", ())
    return tuple(found)


class RaggedPair:
    """A fitted model and its program.

    Parameters
    ----------
    subject : RaggedSubject
        What is fitted.
    """

    def __init__(self, subject: RaggedSubject) -> None:
        self.subject = subject
        with warnings.catch_warnings():
            # Binarizers tell of unknown classes.
            warnings.simplefilter("ignore")
            self.model = subject.make(subject.train)
            methods = dispatch.methods(self.model)
            self.spec = strip(self.model, subject.train[:EXAMPLE], methods=methods)
        self.program = program_of(self.spec)

    def calls(self, method: str) -> tuple[dict[str, Any], ...]:
        """Return the values of a call that a method is tried with."""
        return ({}, *self.subject.calls.get(method, ()))

    def source(self, method: str, rows: Any, **parameters: Any) -> Any:
        """Return what the model itself returns, dense."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            returned = getattr(self.model, method)(rows, **parameters)
        return returned if isinstance(returned, tuple) else beside.dense(returned)

    def blocks(self, rows: Any, **parameters: Any) -> Blocks:
        """Return rows as the program reads them."""
        return self.program.module.encoder.encode(rows, empty=True, parameters=parameters)

    def same(self, method: str, ours: Any, theirs: Any, rows: Any = None) -> None:
        """Compare what a method returned for rows with what the model's own returned."""
        if rows is not None:
            theirs = settled(self.spec, method, rows, ours, theirs)
        rtol = self.subject.rtol
        if not isinstance(theirs, tuple):
            exact = method != "predict_log_proba" and not rtol
            beside.same(method, ours, theirs, 0.0 if exact else max(rtol, 1e-15), max(rtol, 1e-15))
            return
        assert isinstance(ours, tuple)
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert (a.dtype, a.shape) == (b.dtype, b.shape), method
            for own, other in zip(a, b, strict=True):
                assert own.dtype == other.dtype, method
                assert own.tobytes() == other.tobytes(), method


def defined(spec: Spec, method: str, blocks: Blocks) -> tuple[Any, ...]:
    """Return what the definition of the operators makes of rows: arrays and Items."""
    given: dict[str, Any] = {}
    for one, block in zip(spec.signature.inputs, blocks.beside, strict=True):
        if one.kind == "parameter":
            value = one.default if block is None else np.asarray(block)
            given[one.name] = np.full((blocks.rows, 1), value, dtype=one.dtype)
        else:
            given[one.name] = items_of(block) if isinstance(block, RaggedRows) else block
    names = tuple(name for name, _ in spec.signature.results(method))
    text = definition.texts_of(blocks)
    found = evaluate(spec.graph, blocks.numeric, text, names, beside=given)
    return tuple(found[name] for name in names)


def items_of(given: RaggedRows) -> Items:
    """Return ragged rows as the interpreter holds them."""
    keys, values = (
        np.array(part.tolist(), dtype=object) if isinstance(part, TextColumn) else part
        for part in (given.keys, given.values)
    )
    if values is None:
        values = np.ones(int(given.offsets[-1]))
    return Items(np.asarray(given.offsets, dtype=np.int64), keys, values)


def same_rows(ours: Result, wanted: Any, rtol: float) -> None:
    """Compare a program's result with its definition's."""
    if isinstance(ours, RaggedRows):
        assert isinstance(wanted, Items)
        np.testing.assert_array_equal(ours.offsets, wanted.offsets)
        assert (ours.keys is None) == (wanted.keys is None)
        if ours.keys is not None:
            np.testing.assert_array_equal(ours.keys, wanted.keys)
        assert isinstance(ours.values, np.ndarray)
        assert ours.values.dtype == wanted.values.dtype
        ours, wanted = ours.values, wanted.values
    wanted = wanted.reshape(ours.shape)
    if ours.dtype.kind != "f":
        np.testing.assert_array_equal(ours, wanted)
    elif rtol:
        np.testing.assert_allclose(ours, wanted, rtol=rtol, atol=rtol)
    else:
        beside.same_bits(ours, wanted)
