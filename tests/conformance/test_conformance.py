"""Every subject through strip, compile and the runtime: the contract of a program with its model.

By default each subject comes in one form, another one for each; the exhaustive tests take all.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import polars as pl
import pytest

from sclbl import manifest
from sclbl.errors import InputError, ShapeError
from sclbl.fidelity.donors import as_chosen
from sclbl.onnx_format import read, write
from sclbl.rows import encode
from tests.conformance import bars, definition, node, other_runtimes
from tests.conformance.domains import USUAL
from tests.conformance.pair import Pair, run
from tests.conformance.subject import first_of_each, subjects
from tests.kept import compiled
from tests.runtime.host import Host

ROWS, FEW, SINGLE = 800, 60, 3
#: Rows of the exhaustive tests: of the forms in which most rows come, and of the others.
MANY, SOME = 100_000, 10_000
#: What a program may need beside twice its weights.
CODE_BYTES = 40_000


def cases(*, every: bool, one_of_each: bool) -> list[Any]:
    """Return subjects with their forms; `every`: all forms, of which most are exhaustive."""
    found = []
    for subject in first_of_each() if one_of_each else subjects():
        for form in subject.domain.forms if every else (subject.form,):
            marks = () if form == subject.form else (pytest.mark.exhaustive,)
            found.append(pytest.param((subject, form), id=f"{subject.name}-{form}", marks=marks))
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "pair" in metafunc.fixturenames:
        # Tests that are only made to be left out take seconds of every process.
        every = metafunc.config.getoption("markexpr").startswith("exhaustive")
        one = metafunc.config.getoption("one_of_each")
        found = cases(every=every, one_of_each=one)
        metafunc.parametrize("pair", found, indirect=True, scope="module")


# The tests of one pair run one after the other, so that it is made once.
@pytest.fixture(scope="module")
def pair(request: pytest.FixtureRequest) -> Pair:
    subject, form = request.param
    return Pair(subject, form)


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    host = Host()
    yield host
    host.close()


def misses(found: list[bars.Found]) -> list[str]:
    return [miss for one in found for miss in one.misses]


def same_bits(ours: Any, theirs: Any) -> None:
    """Check that two results are the same, bit for bit where they are numbers."""
    assert bars.described(ours) == bars.described(theirs)
    a, b = bars.flat(ours), bars.flat(theirs)
    if a.dtype == object:
        assert [*map(repr, a.ravel())] == [*map(repr, b.ravel())]
    else:
        assert a.tobytes() == b.tobytes()


def test_predicts_what_its_model_predicts(pair: Pair) -> None:
    found = pair.sweep(ROWS)
    assert [one.method for one in found] == list(pair.spec.methods)
    assert misses(found) == []


def test_example(pair: Pair) -> None:
    columns = {n: v[:5] for n, v in pair.domain.trained(pair.form).items()}
    for method in pair.program.methods:
        ours, theirs = pair.program.run(method, pair.example), pair.source(method, pair.example)
        assert pair.compare(method, columns, ours, theirs, []).misses == ()


def test_another_runtime_says_the_same(pair: Pair) -> None:
    """ONNX Runtime, from the file of the spec, says what the model says."""
    if pair.form != pair.subject.form or not other_runtimes.is_standard(pair.spec):
        return
    opinion = other_runtimes.elsewhere(pair.spec, pair.example)
    for method in pair.program.methods:
        opinion.agree(method, pair.source(method, pair.example))


def test_dataframes(pair: Pair) -> None:
    """A program offers the DataFrames that `set_output` makes the model give, and no others."""
    if "transform" not in pair.program.methods:
        return
    rows = pair.example
    if isinstance(rows, pd.DataFrame):
        rows = rows.set_axis([f"r{i}" for i in range(len(rows))])
    offered = pair.program.signature.outputs["transform"].containers
    for library, frame in (("pandas", pd.DataFrame), ("polars", pl.DataFrame)):
        model = deepcopy(pair.model)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that a function gives what it gives
                theirs = model.set_output(transform=library).transform(rows)
        except (AttributeError, ValueError, TypeError):  # it gives none
            theirs = None
        if not isinstance(theirs, frame):
            assert library not in offered
            continue
        if library == "polars" and library not in offered:
            # Its types depend on the rows, or it computes in another type.
            assert "float32" in pair.form or "boolean" in pair.form
            continue
        ours = pair.program.transform(rows, output=library)
        assert isinstance(ours, frame)
        assert (list(ours.columns), list(ours.dtypes)) == (
            list(theirs.columns),
            list(theirs.dtypes),
        )
        if library == "pandas":
            assert ours.index.equals(theirs.index)
        array = pair.program.transform(rows)
        held = ours.to_numpy().astype(array.dtype).reshape(array.shape)
        np.testing.assert_array_equal(held, array)


def test_one_row_is_a_row_of_many(pair: Pair) -> None:
    """Also where a call takes the short way, and beside the model's answer to one row."""
    for method in pair.program.methods:
        columns, rows = pair.stress(method, ROWS)
        columns = {n: v[:FEW] for n, v in columns.items()}
        rows = rows[:FEW]
        batch = pair.program.run(method, rows)
        same_bits(getattr(pair.program, method)(rows), batch)
        for i in range(SINGLE):
            one = rows[i : i + 1]
            alone = pair.program.run(method, one)
            part = [p[i : i + 1] for p in batch] if isinstance(batch, list) else batch[i : i + 1]
            same_bits(alone, part)
            same_bits(getattr(pair.program, method)(one), part)
            column = {n: v[i : i + 1] for n, v in columns.items()}
            alone = as_chosen(pair.spec, method, one, alone)
            assert pair.compare(method, column, alone, pair.source(method, one), []).misses == ()


def test_no_rows(pair: Pair) -> None:
    """An empty result where the model gives one like its others, refused where it does not."""
    none = pair.train[:0]
    for method in pair.program.methods:
        several = pair.source(method, pair.example)
        parts = [p[:0] for p in several] if isinstance(several, list) else several[:0]
        try:
            gives = bars.described(pair.source(method, none)) == bars.described(parts)
        except Exception:  # in whatever way a library refuses them
            gives = False
        for call in (getattr(pair.program, method), lambda r, m=method: pair.program.run(m, r)):
            if gives:
                same_bits(call(none), parts)
            else:
                with pytest.raises(ShapeError, match="no rows to predict"):
                    call(none)


def test_other_containers(pair: Pair) -> None:
    """Columns by name wherever they stand, by position without names; Python's own numbers."""
    method = pair.program.methods[0]
    _, rows = pair.stress(method, ROWS)
    rows = rows[:FEW]
    expected = pair.program.run(method, rows)
    if isinstance(rows, pd.DataFrame):
        others = [rows[rows.columns[::-1]].assign(more="x"), dict(rows.items())]
    else:
        others = [pd.DataFrame(rows, dtype=rows.dtype), rows.tolist(), np.asfortranarray(rows)]
    for other in others:
        same_bits(pair.program.run(method, other), expected)


def test_definition(pair: Pair) -> None:
    """The program computes what the reference interpreter defines, and refuses what it refuses."""
    for method in pair.program.methods:
        columns, rows = pair.stress(method, ROWS)
        columns = {n: v[:FEW] for n, v in columns.items()}
        rows = rows[:FEW]
        alone = definition.only(pair.spec, method)
        ours, wanted = pair.program.run(method, rows), definition.defined(alone, rows)[method]
        assert pair.compare(method, columns, ours, wanted, []).misses == ()
        for given in pair.refused(method):
            with pytest.raises(InputError) as caught:
                definition.defined(alone, given)
            with pytest.raises(InputError) as refused:
                pair.program.run(method, given)
            ours, own = refused.value, caught.value
            signature = pair.spec.signature
            labels = [signature.label_of(i) for i in range(len(signature.columns))]
            place = "-1" if ours.column is None else str(labels.index(ours.column))
            assert (type(ours), ours.row, place) == (type(own), own.row, own.column or "-1")


def test_spec_in_an_onnx_file(pair: Pair) -> None:
    spec, data = pair.spec, write(pair.spec)
    onnx.checker.check_model(data)
    again = read(data)
    assert again.sha256 == spec.sha256
    assert again.signature == spec.signature
    assert again.graph.values == spec.graph.values
    own = (spec.source, spec.kept, spec.dropped, spec.warnings)
    assert (again.source, again.kept, again.dropped, again.warnings) == own
    assert write(again) == data
    assert compiled(again) == pair.program.wasm


def test_manifest_and_size(pair: Pair) -> None:
    wasm, spec = pair.program.wasm, pair.spec
    stated = manifest.read(wasm)
    cls = type(pair.model)
    assert stated["source"]["model"] == f"{cls.__module__}.{cls.__qualname__}"
    assert {cls.__module__.partition(".")[0], "numpy"} <= set(stated["source"]["libraries"])
    assert stated["spec"] == spec.sha256
    assert pair.program.signature == spec.signature
    names = [c.name for c in spec.signature.columns if c.name is not None]
    assert set(names) <= set(pair.domain.columns)
    assert sum(spec.kept.values()) <= spec.graph.nbytes + 8 * len(spec.graph.constants)
    assert len(wasm) <= CODE_BYTES + 2 * spec.graph.nbytes


def test_same_bytes_in_node(pair: Pair, host: Host, tmp_path: Path) -> None:
    program = pair.program
    loaded = host.ask("load", name="subject", path=str(program.save(tmp_path / "subject.wasm")))
    assert (loaded["imports"], loaded["manifest"]) == (0, program.manifest)
    for method in program.methods:
        _, rows = pair.stress(method, SOME)
        blocks = node.with_every_nan(encode(rows, program.signature))
        ours = node.in_wasmtime(program, method, blocks)
        assert node.in_node(host, "subject", method, blocks, program.signature) == ours
        for given in pair.refused(method):
            refused = encode(given, program.signature)
            ours = node.in_wasmtime(program, method, refused)
            assert isinstance(ours, dict)
            assert node.in_node(host, "subject", method, refused, program.signature) == ours


@pytest.mark.exhaustive
def test_predicts_what_its_model_predicts_on_many_rows(pair: Pair) -> None:
    rows = MANY if pair.form in USUAL else SOME
    found = run(pair.subject, pair.form, rows)
    assert all(one.rows == rows for one in found)
    assert misses(found) == []
