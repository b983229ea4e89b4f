"""Programs write every NaN of a result as the one quiet NaN."""

from __future__ import annotations

import pytest

from sclbl.rows import encode
from tests.conformance import node
from tests.conformance.pair import Pair
from tests.conformance.subject import named

ROWS = 2000


# Passed on from the rows; made of infinities; made of zeros; made by a function.
@pytest.mark.parametrize(
    "name", ["StandardScaler", "PCA", "MNLogit", "FunctionTransformer, sqrt", "MinMaxScaler"]
)
def test_one_quiet_nan(name: str) -> None:
    pair = Pair(named(name), "float64")
    for method in pair.program.methods:
        _, rows = pair.stress(method, ROWS)
        blocks = node.with_every_nan(encode(rows, pair.program.signature))
        assert node.other_nans(pair.program.module.call(method, blocks)) == 0
