"""Programs that wait longer between calls than a call may take."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import OrdinalEncoder

import sclbl
from sclbl.program import Program

#: Seconds that a call may take, and more than that.
LIMIT, LONGER = "0.5", 1.3


def test_the_time_between_two_calls_counts_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(0).normal(size=(30, 2))
    model = NearestNeighbors(radius=0.5, algorithm="kd_tree").fit(points)
    texts = pd.DataFrame({"city": ["Oslo", "Ghent", "x" * 10_000]}, dtype="object")
    encoder = OrdinalEncoder().fit(texts)
    near = sclbl.compile(model, points[:3])
    # One that no thread has given blocks yet, as verification did.
    codes = Program(sclbl.compile(encoder, texts).wasm)
    monkeypatch.setenv("SCLBL_CALL_SECONDS", LIMIT)
    expected = near.radius_neighbors(points)
    assert codes.transform(texts[:2]).tolist() == [[1.0], [0.0]]
    for _ in range(2):
        time.sleep(LONGER)
        for ours, theirs in zip(near.radius_neighbors(points), expected, strict=True):
            assert [row.tolist() for row in ours] == [row.tolist() for row in theirs]
        # A longer text than before needs new blocks.
        assert codes.transform(texts).tolist() == [[1.0], [0.0], [2.0]]
