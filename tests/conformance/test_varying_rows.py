"""The contract of a program with its model where rows or results are no table."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sclbl.errors import ShapeError
from tests.conformance import node
from tests.conformance.ragged import RaggedPair, defined, ragged_subjects, same_rows
from tests.runtime.host import Host

ROWS, FEW, SINGLE, MANY = 800, 40, 3, 10_000


@pytest.fixture(scope="module", params=ragged_subjects(), ids=lambda s: s.name)
def pair(request: pytest.FixtureRequest) -> RaggedPair:
    return RaggedPair(request.param)


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    host = Host()
    yield host
    host.close()


def cases(pair: RaggedPair) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each method with each of the calls that it is tried with."""
    for method in pair.program.methods:
        for parameters in pair.calls(method):
            yield method, parameters


def test_predicts_what_its_model_predicts(pair: RaggedPair) -> None:
    rows = pair.subject.rows(ROWS, 1)
    for method, parameters in cases(pair):
        ours = getattr(pair.program, method)(rows, **parameters)
        pair.same(method, ours, pair.source(method, rows, **parameters), rows)


def test_sparse_results_on_request(pair: RaggedPair) -> None:
    rows = pair.subject.rows(ROWS, 2)
    for method in pair.program.methods:
        if pair.program.signature.outputs[method].ragged != "sparse":
            continue
        ours = getattr(pair.program, method)(rows, output="sparse")
        with warnings.catch_warnings():
            # Binarizers tell of unknown classes.
            warnings.simplefilter("ignore")
            theirs = getattr(pair.model, method)(rows)
        assert (ours.format, ours.dtype, ours.shape) == ("csr", theirs.dtype, theirs.shape)
        assert (ours != theirs).nnz == 0 or np.isnan(theirs.data).any()
        pair.same(method, ours.toarray(), theirs.toarray())


def test_one_row_is_a_row_of_many(pair: RaggedPair) -> None:
    rows = pair.subject.rows(FEW, 3)
    for method, parameters in cases(pair):
        call = getattr(pair.program, method)
        batch = call(rows, **parameters)
        for i in range(SINGLE):
            one = call(rows[i : i + 1], **parameters)
            several = isinstance(batch, tuple)
            parts = zip(batch, one, strict=True) if several else [(batch, one)]
            for whole, alone in parts:
                if several:
                    assert whole[i].tobytes() == alone[0].tobytes()
                else:
                    assert whole[i : i + 1].tobytes() == alone.tobytes()


def test_refuses_what_its_model_refuses(pair: RaggedPair, host: Host, tmp_path: Path) -> None:
    host.ask("load", name="subject", path=str(pair.program.save(tmp_path / "subject.wasm")))
    for rows, error, row, column in pair.subject.refused:
        for method in pair.program.methods:
            with pytest.raises(ValueError, match=r"NaN|infinity"):
                pair.source(method, rows)
            with pytest.raises(error) as refused:
                getattr(pair.program, method)(rows)
            assert (refused.value.row, refused.value.column) == (row, column)
            blocks = pair.blocks(rows)
            with pytest.raises(error) as by_definition:
                defined(pair.spec, method, blocks)
            own = by_definition.value
            assert (own.row, own.column) == (row, column)
            ours = node.in_wasmtime(pair.program, method, blocks)
            assert ours["refused"][1:] == [row, int(column)]
            signature = pair.program.signature
            assert node.in_node(host, "subject", method, blocks, signature) == ours


def test_no_rows(pair: RaggedPair) -> None:
    """An empty result where the model gives one, refused where it does not."""
    none = pair.subject.train[:0]
    for method in pair.program.methods:
        try:
            wanted = pair.source(method, none)
        except Exception:  # in whatever way a library refuses them
            with pytest.raises(ShapeError, match="no rows to predict"):
                getattr(pair.program, method)(none)
        else:
            pair.same(method, getattr(pair.program, method)(none), wanted)


def test_definition(pair: RaggedPair) -> None:
    rows = pair.subject.rows(FEW, 4)
    for method, parameters in cases(pair):
        blocks = pair.blocks(rows, **parameters)
        ours = pair.program.module.general(method, blocks)
        wanted = defined(pair.spec, method, blocks)
        assert len(ours) == len(wanted)
        for own, other in zip(ours, wanted, strict=True):
            same_rows(own, other, pair.subject.rtol)


def test_same_bytes_in_node(pair: RaggedPair, host: Host, tmp_path: Path) -> None:
    program = pair.program
    loaded = host.ask("load", name="subject", path=str(program.save(tmp_path / "subject.wasm")))
    assert (loaded["imports"], loaded["manifest"]) == (0, program.manifest)
    rows = pair.subject.rows(MANY, 5)
    for method, parameters in cases(pair):
        blocks = pair.blocks(rows, **parameters)
        ours = node.in_wasmtime(program, method, blocks)
        assert isinstance(ours, list)
        assert node.in_node(host, "subject", method, blocks, program.signature) == ours
