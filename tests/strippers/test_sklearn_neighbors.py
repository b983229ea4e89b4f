"""Neighbours: every metric of the trees, ties, rows far from all points, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.neighbors import (
    KDTree,
    KNeighborsClassifier,
    KNeighborsRegressor,
    KNeighborsTransformer,
    NearestNeighbors,
    RadiusNeighborsClassifier,
    RadiusNeighborsRegressor,
    RadiusNeighborsTransformer,
)

import sclbl
from sclbl.compiler import compile_spec
from sclbl.errors import OutOfReachError, UnsupportedModelError
from sclbl.fidelity.near import settled
from sclbl.program import Program
from sclbl.strippers import strip

RNG = np.random.default_rng(7)
#: On a grid most distances are those of several points.
GRID = RNG.integers(0, 4, size=(150, 4)).astype(float)
ROWS = np.concatenate([GRID[:40], GRID[:40] + 0.5, RNG.normal(size=(200, 4))])
MATRIX = np.diag([1.0, 2.0, 3.0, 4.0]) + 0.25
OF_TREES: list[dict[str, Any]] = [
    {"algorithm": "kd_tree"},
    {"algorithm": "kd_tree", "p": 1},
    {"algorithm": "kd_tree", "metric": "chebyshev"},
    {"algorithm": "kd_tree", "p": 3.5},
    {"algorithm": "ball_tree"},
    {"algorithm": "ball_tree", "p": 3, "metric_params": {"w": np.arange(1.0, 5.0)}},
    {"algorithm": "ball_tree", "metric": "seuclidean", "metric_params": {"V": np.arange(1.0, 5.0)}},
    {"algorithm": "ball_tree", "metric": "mahalanobis", "metric_params": {"VI": MATRIX}},
    *(
        {"algorithm": "ball_tree", "metric": metric}
        for metric in (
            "canberra", "braycurtis", "hamming", "jaccard", "dice", "rogerstanimoto", "russellrao",
            "sokalsneath",
        )
    ),
]  # fmt: skip
#: Compiled loops over all points, which compute distances directly.
DIRECT: list[dict[str, Any]] = [
    {"algorithm": "brute", "metric": metric}
    for metric in ("manhattan", "chebyshev", "canberra", "braycurtis", "l2")
] + [{"algorithm": "brute", "p": 3}]


def program_of(model: Any, rows: Any, *methods: str) -> Program:
    if isinstance(model, NearestNeighbors):
        methods = ("kneighbors", "radius_neighbors")
    return Program(compile_spec(strip(model, rows, methods=methods or None)))


def options_of(given: dict[str, Any]) -> str:
    return "-".join(str(v) for v in given.values() if not isinstance(v, dict))


@pytest.mark.parametrize("options", [*OF_TREES, *DIRECT], ids=options_of)
def test_indices_are_in_the_sources_order(options: dict[str, Any]) -> None:
    dtypes = (np.float64, np.float32) if options["algorithm"] == "brute" else (np.float64,)
    for dtype in dtypes:
        points, rows = GRID.astype(dtype), ROWS.astype(dtype)
        model = NearestNeighbors(n_neighbors=40, leaf_size=8, radius=1.0, **options).fit(points)
        program = program_of(model, points[:3])
        distances, numbers = program.kneighbors(rows)
        wanted = model.kneighbors(rows)
        np.testing.assert_allclose(distances, wanted[0], rtol=1e-14)
        np.testing.assert_array_equal(numbers, wanted[1])
        _, which = program.radius_neighbors(rows)
        for a, b in zip(which, model.radius_neighbors(rows)[1], strict=True):
            np.testing.assert_array_equal(a, b)


def test_angles_on_a_sphere() -> None:
    points = RNG.uniform(-1.5, 1.5, size=(80, 2))
    model = NearestNeighbors(n_neighbors=9, algorithm="ball_tree", metric="haversine").fit(points)
    found, wanted = program_of(model, points[:3]).kneighbors(points), model.kneighbors(points)
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-13)
    np.testing.assert_array_equal(found[1], wanted[1])


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
@pytest.mark.parametrize("metric", ["euclidean", "sqeuclidean", "cosine"])
def test_products_find_the_same_points(metric: str, dtype: Any) -> None:
    points = (10 * RNG.normal(size=(120, 20))).astype(dtype)
    model = NearestNeighbors(n_neighbors=5, algorithm="brute", metric=metric).fit(points)
    if metric == "cosine":
        with pytest.raises(UnsupportedModelError, match="depends on the processor"):
            strip(model, points[:3], methods=["kneighbors"])
        return
    rows = (10 * RNG.normal(size=(300, 20))).astype(dtype)
    found, wanted = program_of(model, points[:3]).kneighbors(rows), model.kneighbors(rows)
    assert found[0].dtype == wanted[0].dtype
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-12 if dtype != np.float32 else 1e-6)
    if dtype != np.int64:  # of whole numbers some are equally far
        np.testing.assert_array_equal(found[1], wanted[1])


def test_points_of_one_type_and_rows_of_another() -> None:
    """NumPy's partition, which is another one on each processor, leaves ties in its own order."""
    model = KNeighborsClassifier(3, algorithm="brute").fit(GRID, GRID[:, 0])
    with pytest.raises(UnsupportedModelError, match="fitted on float64 and searches int64"):
        strip(model, GRID[:3].astype(int))
    tree = KNeighborsClassifier(3, algorithm="ball_tree").fit(GRID.astype(int), GRID[:, 0])
    rows = ROWS.round().astype(int)
    found = sclbl.compile(tree, rows[:3]).predict(rows)
    np.testing.assert_array_equal(found, tree.predict(rows))


@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("k", [1, 6, 23])
def test_predictors(weights: Any, k: int) -> None:
    text = np.array(["a", "bb", "c"])[RNG.integers(0, 3, 150)]
    truths = RNG.integers(0, 2, (150, 2)).astype(bool)
    for y in (text, truths, RNG.integers(5, 9, (150, 2)), text == "a"):
        model = KNeighborsClassifier(k, weights=weights, leaf_size=9).fit(GRID, y)
        program = program_of(model, GRID[:3])
        ours, theirs = program.predict(ROWS), model.predict(ROWS)
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
        shares = model.predict_proba(ROWS)
        for a, b in zip(program.predict_proba(ROWS), shares, strict=True):
            np.testing.assert_array_equal(a, b)
    real = RNG.normal(size=(150, 3))
    for y in (real, real[:, 0], real.astype(np.float32), real[:, 0].astype(np.float32), truths):
        targets = y.astype(int) if y.dtype == bool else y
        regressor = KNeighborsRegressor(k, weights=weights, leaf_size=9).fit(GRID, targets)
        found, wanted = program_of(regressor, GRID[:3]).predict(ROWS), regressor.predict(ROWS)
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("algorithm", ["kd_tree", "ball_tree"])
def test_predictors_within_a_radius(algorithm: Any, weights: Any) -> None:
    options = {"weights": weights, "algorithm": algorithm, "leaf_size": 9}
    rows = np.concatenate([ROWS, ROWS[:3] + 90])
    text = np.array(["a", "bb", "c"])[RNG.integers(0, 3, 150)]
    pairs = RNG.integers(5, 9, (150, 2))
    labels: list[Any] = ["most_frequent", "z", [7, 2], 5]
    for y, label in zip((text, text, pairs, pairs), labels, strict=True):
        model = RadiusNeighborsClassifier(1.5, outlier_label=label, **options).fit(GRID, y)
        program = program_of(model, GRID[:3])
        with (
            pytest.warns(UserWarning, match="not in training")
            if label in ("z", [7, 2])
            else (pytest.MonkeyPatch.context())
        ):
            theirs, shares = model.predict(rows), model.predict_proba(rows)
        np.testing.assert_array_equal(program.predict(rows), theirs)
        np.testing.assert_array_equal(np.array(program.predict_proba(rows)), np.array(shares))
    for y in (RNG.normal(size=(150, 3)), RNG.normal(size=150)):
        regressor = RadiusNeighborsRegressor(1.5, **options).fit(GRID, y)
        with pytest.warns(UserWarning, match="no neighbors"):
            wanted = regressor.predict(rows)
        np.testing.assert_array_equal(program_of(regressor, GRID[:3]).predict(rows), wanted)


def test_rows_that_no_point_is_near() -> None:
    model = RadiusNeighborsClassifier(0.5).fit(GRID, GRID[:, 0] > 1)
    program = program_of(model, GRID[:3])
    far = GRID[:3] + np.array([[0.0], [50.0], [0.0]])
    with pytest.raises(ValueError, match="No neighbors found for test samples array"):
        model.predict(far)
    with pytest.raises(OutOfReachError, match="row 1 is too far from the rows") as caught:
        program.predict(far)
    assert (caught.value.row, caught.value.column) == (1, None)
    np.testing.assert_array_equal(program.predict(GRID), model.predict(GRID))
    # All distances are infinite, and all weights 0.
    weighed = KNeighborsClassifier(3, weights="distance").fit(GRID, GRID[:, 0] > 1)
    with pytest.raises(ValueError, match="zero weights"):
        weighed.predict(far * 1e200)
    with pytest.raises(OutOfReachError, match="row 0"):
        program_of(weighed, GRID[:3]).predict(far * 1e200)


@pytest.mark.parametrize("mode", ["distance", "connectivity"])
def test_transformers_give_sparse_rows(mode: Any) -> None:
    transformers = (
        KNeighborsTransformer(n_neighbors=6, mode=mode),
        RadiusNeighborsTransformer(radius=1.2, mode=mode, algorithm="ball_tree"),
    )
    for transformer in transformers:
        model = transformer.fit(GRID)
        program, wanted = program_of(model, GRID[:3]), model.transform(ROWS)
        found = program.transform(ROWS, output="sparse")
        for name in ("data", "indices", "indptr"):
            np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))
        np.testing.assert_array_equal(program.transform(ROWS), wanted.toarray())


def test_a_tree_of_its_own_decides_the_metric() -> None:
    model = NearestNeighbors(n_neighbors=4).fit(KDTree(GRID, metric="manhattan", leaf_size=5))
    found, wanted = program_of(model, GRID[:3]).kneighbors(ROWS), model.kneighbors(ROWS)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(a, b)


def test_one_point_and_one_column() -> None:
    model = KNeighborsRegressor(1).fit([[3.0]], [5.0])
    rows = np.array([[1.0], [3.0]])
    np.testing.assert_array_equal(program_of(model, rows).predict(rows), model.predict(rows))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
@pytest.mark.parametrize("metric", ["euclidean", "sqeuclidean"])
def test_neighbors_that_products_find_are_equally_near(metric: str, dtype: Any) -> None:
    far = RNG.normal(size=(60, 5)) + 1e5
    for points in (GRID, np.repeat(RNG.normal(size=(30, 17)), 4, axis=0), far):
        points = points.astype(dtype)
        model = NearestNeighbors(n_neighbors=7, algorithm="brute", metric=metric).fit(points)
        assert sclbl.compile(model, points[:5]).methods == ("kneighbors",)
    spec = strip(model, points[:5])
    assert "computes Euclidean distances by a product" in spec.warnings[0]


def test_neighbors_that_are_farther_are_not_taken_for_others() -> None:
    model = NearestNeighbors(n_neighbors=3, algorithm="brute").fit(GRID)
    spec = strip(model, GRID[:3])
    wanted = model.kneighbors(ROWS)
    for row, place, change in ((4, 0, 1e-3), (7, 2, -1e-3)):
        distances = wanted[0].copy()
        distances[row, place] += change
        kept, _ = settled(spec, "kneighbors", ROWS, (distances, wanted[1]), wanted)
        np.testing.assert_array_equal(kept, wanted[0])
    farthest = model.kneighbors(ROWS, n_neighbors=len(GRID))[1]
    for others in (farthest[:, [0, 1, -1]], wanted[1][:, [0, 0, 2]]):
        _, kept = settled(spec, "kneighbors", ROWS, (wanted[0], others), wanted)
        np.testing.assert_array_equal(kept, wanted[1])


def test_kneighbors_of_predictors_is_written_on_request() -> None:
    search = NearestNeighbors().fit(GRID)
    assert sclbl.strip(search, GRID[:3]).methods == ("kneighbors", "radius_neighbors")
    model = KNeighborsClassifier(3).fit(GRID, GRID[:, 0] > 1)
    assert sclbl.strip(model, GRID[:3]).methods == ("predict", "predict_proba")
    program = program_of(model, GRID[:3], "kneighbors")
    for a, b in zip(program.kneighbors(ROWS), model.kneighbors(ROWS), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (KNeighborsClassifier(metric=lambda a, b: abs(a - b).sum()), "has a function for a metric"),
        (KNeighborsClassifier(weights=lambda d: d), 'weights="uniform" or "distance"'),
        (KNeighborsClassifier(algorithm="brute", metric="hamming"), 'algorithm="ball_tree"'),
        (KNeighborsClassifier(metric="nan_euclidean"), "'nan_euclidean' for a metric"),
        (KNeighborsClassifier(algorithm="brute", metric="cosine"), "behind a Normalizer"),
        (RadiusNeighborsClassifier(algorithm="brute"), 'algorithm="kd_tree"'),
        (KNeighborsClassifier(500), "asks for 500 neighbors and was fitted on 150 rows"),
    ],
)
def test_what_cannot_be_written(model: Any, message: str) -> None:
    with pytest.raises(UnsupportedModelError, match=message):
        strip(model.fit(GRID, GRID[:, 0] > 1), GRID[:3])
