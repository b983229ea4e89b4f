"""Trees and forests of scikit-learn in the corners: the edge of float32, how nodes are stored."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor

from sclbl.errors import InfiniteValueError
from sclbl.strippers import strip
from tests.conformance.beside import check, run

# scikit-learn looks for NaN by summing X, which overflows where both extremes are in it.
pytestmark = pytest.mark.filterwarnings("ignore:(invalid value|overflow) encountered")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 5))
CLASSES = np.digitize(X[:, 0] + RNG.normal(size=300) * 0.3, [-0.7, 0.1, 0.9])
TARGET = X[:, 0] * 2 + X[:, 1] ** 2 + RNG.normal(size=300)


def test_averaged_probabilities_tie_as_in_the_source() -> None:
    model = RandomForestClassifier(2, max_depth=1, random_state=3).fit(X, CLASSES)
    proba = np.sort(model.predict_proba(X), axis=1)
    assert (proba[:, -1] == proba[:, -2]).any() or len(np.unique(proba)) > 1
    check(model, X)


def test_largest_float32_passes_and_the_next_float64_that_rounds_up_does_not() -> None:
    model = DecisionTreeRegressor(max_depth=2).fit(X, TARGET)
    largest = float(np.finfo(np.float32).max)
    halfway = largest + 2.0**103
    rows = np.zeros((1, 5))
    rows[0, 0] = np.nextafter(halfway, 0)
    spec = check(model, X[:5], rows)
    rows[0, 0] = halfway
    with pytest.raises(ValueError, match="too large"):
        model.predict(rows)
    with pytest.raises(InfiniteValueError, match="row 0, column 0 is infinite or too large"):
        run(spec, rows)


def test_nodes_are_stored_tightly() -> None:
    model = RandomForestRegressor(5, random_state=0).fit(X, TARGET)
    (node,) = [n for n in strip(model, X[:5]).graph.nodes if n.op == "sclbl.TreeEnsemble"]
    nodes = sum(e.tree_.node_count for e in model.estimators_)
    leaves = sum(e.tree_.n_leaves for e in model.estimators_)
    assert node.attrs["feature"].dtype == np.int32
    assert node.attrs["left"].dtype == np.int32
    assert node.attrs["missing_left"].dtype == bool
    arrays = [a for a in node.attrs.values() if isinstance(a, np.ndarray)]
    assert sum(a.nbytes for a in arrays) == nodes * 21 + leaves * 8 + 5 * 4 + 8
