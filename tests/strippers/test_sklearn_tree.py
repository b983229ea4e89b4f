"""Trees and forests of scikit-learn: bit-equal to the source on rows beside every threshold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from sclbl.errors import InfiniteValueError, MissingValueError
from sclbl.signature import Column
from sclbl.strippers import dispatch
from tests.tree_checks import graph_of, run, same_bits, same_labels
from tests.tree_rows import adversarial, thresholds

# scikit-learn looks for NaN by summing X, which overflows where both extremes are in it.
pytestmark = pytest.mark.filterwarnings("ignore:(invalid value|overflow) encountered")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 5))
X[:, 3] = np.round(X[:, 3])  # Ties, and thresholds halfway between integers.
X[:, 4] *= 1e-41  # Denormal in float32.
CLASSES = np.digitize(X[:, 0] + X[:, 3] * 0.5 + RNG.normal(size=300) * 0.3, [-0.7, 0.1, 0.9])
WORDS = np.array(["ape", "bee", "cat", "dog"], dtype=object)[CLASSES]
TARGET = X[:, 0] * 2 + X[:, 1] ** 2 + RNG.normal(size=300)
TARGETS = np.column_stack([TARGET, -TARGET, X[:, 2]])
PAIRS = np.column_stack([WORDS, np.where(X[:, 1] > 0, "yes", "no")])
X_MISSING = np.where(RNG.random(X.shape) < 0.15, np.nan, X)

CLASSIFIERS: dict[str, tuple[Callable[[], Any], np.ndarray]] = {
    "tree": (lambda: DecisionTreeClassifier(random_state=0), CLASSES),
    "tree-words": (lambda: DecisionTreeClassifier(max_depth=4, class_weight="balanced"), WORDS),
    "tree-bool": (lambda: DecisionTreeClassifier(max_leaf_nodes=7), TARGET > 0),
    "tree-monotonic": (
        lambda: DecisionTreeClassifier(max_depth=4, monotonic_cst=[1, 0, 0, -1, 0]),
        TARGET > 0,
    ),
    "tree-pairs": (lambda: DecisionTreeClassifier(max_depth=5), PAIRS),
    "tree-one-class": (lambda: DecisionTreeClassifier(), np.zeros(300, dtype=np.int64)),
    "extra-tree": (lambda: ExtraTreeClassifier(random_state=0), WORDS),
    "extra-tree-best": (lambda: ExtraTreeClassifier(splitter="best", random_state=0), CLASSES),
    "forest": (lambda: RandomForestClassifier(13, random_state=0, n_jobs=1), CLASSES),
    "forest-words": (
        lambda: RandomForestClassifier(
            7, max_depth=5, criterion="entropy", class_weight="balanced_subsample", random_state=0
        ),
        WORDS,
    ),
    "forest-pairs": (lambda: RandomForestClassifier(7, max_depth=4, random_state=0), PAIRS),
    # Even numbers of stumps make ties of the averaged probabilities.
    "forest-stumps": (lambda: RandomForestClassifier(2, max_depth=1, random_state=3), CLASSES),
    "extra-trees": (lambda: ExtraTreesClassifier(9, max_leaf_nodes=20, random_state=0), WORDS),
}
REGRESSORS: dict[str, tuple[Callable[[], Any], np.ndarray]] = {
    "tree": (lambda: DecisionTreeRegressor(random_state=0), TARGET),
    "tree-absolute": (
        lambda: DecisionTreeRegressor(criterion="absolute_error", max_depth=4),
        TARGET,
    ),
    "tree-poisson": (
        lambda: DecisionTreeRegressor(criterion="poisson", max_depth=5),
        np.exp(TARGET / 4),
    ),
    "tree-outputs": (lambda: DecisionTreeRegressor(max_depth=5), TARGETS),
    "tree-pruned": (lambda: DecisionTreeRegressor(ccp_alpha=0.02), TARGET),
    # Medians of zeros keep their sign, which a sum that starts at 0.0 would lose.
    "tree-negative-zero": (
        lambda: DecisionTreeRegressor(criterion="absolute_error", max_depth=2),
        np.where(X[:, 0] > 0, -0.0, TARGET),
    ),
    "extra-tree": (lambda: ExtraTreeRegressor(random_state=0), TARGET),
    "forest": (lambda: RandomForestRegressor(13, random_state=0, n_jobs=1), TARGET),
    "forest-outputs": (lambda: RandomForestRegressor(5, max_depth=6, random_state=0), TARGETS),
    "extra-trees": (
        lambda: ExtraTreesRegressor(9, bootstrap=True, monotonic_cst=[1, 0, 0, 0, 0]),
        TARGET,
    ),
}


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("missing", [False, True])
def test_classifier(name: str, missing: bool) -> None:
    make, y = CLASSIFIERS[name]
    model = make()
    if name == "extra-tree-best" or "monotonic" in name:
        missing = False  # Refused by scikit-learn; the refusal is tested below.
    model.fit(X_MISSING if missing else X, y)
    graph = graph_of(model, 5)
    rows = adversarial(X, thresholds(graph), missing=0.1 if missing else 0.0)
    got = run(graph, rows)
    same_bits(got["predict_proba"], model.predict_proba(rows))
    with np.errstate(divide="ignore"):
        same_bits(got["predict_log_proba"], model.predict_log_proba(rows))
    same_labels(graph, got["predict"], model.predict(rows))


@pytest.mark.parametrize("name", REGRESSORS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_regressor(name: str, dtype: type) -> None:
    make, y = REGRESSORS[name]
    model = make().fit(X, y)
    graph = graph_of(model, (Column(None, np.dtype(dtype).name),) * 5)
    rows = adversarial(X, thresholds(graph)).astype(dtype)
    same_bits(run(graph, rows)["predict"], model.predict(rows))


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeRegressor(max_depth=5),
        ExtraTreeClassifier(random_state=0),
        RandomForestClassifier(4, random_state=0),
        ExtraTreesRegressor(4, random_state=0),
    ],
    ids=lambda m: type(m).__name__,
)
def test_apply_gives_the_leaves_of_the_source(model: Any) -> None:
    model.fit(X_MISSING, CLASSES)
    assert dispatch.optional(model) == ("apply",)
    graph = graph_of(model, 5, ["apply", "predict"])
    rows = adversarial(X, thresholds(graph), missing=0.2)
    same_bits(run(graph, rows)["apply"], model.apply(rows))


def test_averaged_probabilities_tie_as_in_the_source() -> None:
    model = RandomForestClassifier(2, max_depth=1, random_state=3).fit(X, CLASSES)
    proba = np.sort(model.predict_proba(X), axis=1)
    assert (proba[:, -1] == proba[:, -2]).any() or len(np.unique(proba)) > 1
    graph = graph_of(model, 5)
    same_labels(graph, run(graph, X)["predict"], model.predict(X))


def test_multi_output_probabilities_are_split_as_the_source_returns_them() -> None:
    model = RandomForestClassifier(3, max_depth=3, random_state=0).fit(X, PAIRS)
    from sclbl.signature import Signature
    from sclbl.strippers.graph import Builder

    build = Builder(Signature((Column(None, "float64"),) * 5, "array"))
    written = dispatch.find(model).strip(
        model, build.table(), build, frozenset({"predict_proba", "predict_log_proba"})
    )
    assert written["predict_proba"].splits == tuple(p.shape[1] for p in model.predict_proba(X))
    assert written["predict_log_proba"].splits == (4, 2)


@pytest.mark.parametrize(
    ("model", "refuses"),
    [
        (DecisionTreeClassifier(max_depth=3), False),
        (ExtraTreeRegressor(max_depth=3), False),
        (ExtraTreeRegressor(max_depth=3, splitter="best"), True),
        (RandomForestRegressor(2, criterion="poisson"), False),
        (RandomForestRegressor(2, criterion="absolute_error", max_depth=3), False),
        (ExtraTreesClassifier(2), False),
    ],
    ids=lambda m: str(m)[:40],
)
def test_refuses_what_the_source_refuses(model: Any, refuses: bool) -> None:
    model.fit(X, CLASSES)
    graph = graph_of(model, 5)
    for value, error in ((np.inf, InfiniteValueError), (1e300, InfiniteValueError)):
        rows = X[:3].copy()
        rows[1, 2] = value
        with pytest.raises(ValueError, match="infinity or a value too large"):
            model.predict(rows)
        with pytest.raises(error, match=r"row 1, column 2 is infinite or too large") as caught:
            run(graph, rows)
        assert (caught.value.row, caught.value.column) == (1, "2")
    rows = X[:3].copy()
    rows[2, 4] = np.nan
    if refuses:
        with pytest.raises(ValueError, match="NaN"):
            model.predict(rows)
        with pytest.raises(MissingValueError, match="row 2, column 4 is missing"):
            run(graph, rows)
    else:
        expected = model.predict(rows)
        got = run(graph, rows)["predict"]
        if hasattr(model, "classes_"):
            same_labels(graph, got, expected)
        else:
            same_bits(got, expected)


def test_largest_float32_passes_and_the_next_float64_that_rounds_up_does_not() -> None:
    model = DecisionTreeRegressor(max_depth=2).fit(X, TARGET)
    graph = graph_of(model, 5)
    largest = float(np.finfo(np.float32).max)
    halfway = largest + 2.0**103
    rows = np.zeros((1, 5))
    rows[0, 0] = np.nextafter(halfway, 0)
    same_bits(run(graph, rows)["predict"], model.predict(rows))
    rows[0, 0] = halfway
    with pytest.raises(ValueError, match="too large"):
        model.predict(rows)
    with pytest.raises(InfiniteValueError, match="row 0, column 0"):
        run(graph, rows)


@pytest.mark.parametrize("rows", [0, 1])
def test_no_rows_and_one_row(rows: int) -> None:
    model = RandomForestClassifier(3, max_depth=3, random_state=0).fit(X, WORDS)
    got = run(graph_of(model, 5), X[:rows])
    assert got["predict_proba"].shape == (rows, 4)
    if rows:
        same_bits(got["predict_proba"], model.predict_proba(X[:1]))


def test_nodes_are_stored_tightly() -> None:
    model = RandomForestRegressor(5, random_state=0).fit(X, TARGET)
    graph = graph_of(model, 5)
    (node,) = [n for n in graph.nodes if n.op == "sclbl.TreeEnsemble"]
    nodes = sum(e.tree_.node_count for e in model.estimators_)
    leaves = sum(e.tree_.n_leaves for e in model.estimators_)
    assert node.attrs["feature"].dtype == np.int32
    assert node.attrs["left"].dtype == np.int32
    assert node.attrs["missing_left"].dtype == bool
    arrays = [a for a in node.attrs.values() if isinstance(a, np.ndarray)]
    assert sum(a.nbytes for a in arrays) == nodes * 21 + leaves * 8 + 5 * 4 + 8
