"""Clustering by centers, label propagation and Isomap: odd models, and what is refused."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.cluster import AffinityPropagation, BisectingKMeans, FeatureAgglomeration, MeanShift
from sklearn.manifold import Isomap, LocallyLinearEmbedding
from sklearn.neighbors import LocalOutlierFactor, NearestCentroid
from sklearn.semi_supervised import LabelPropagation, LabelSpreading

from sclbl.compiler import compile_spec
from sclbl.errors import UnsupportedModelError
from sclbl.program import Program
from sclbl.strippers import strip

RNG = np.random.default_rng(17)
X = RNG.normal(size=(90, 3)) + RNG.integers(0, 3, size=(90, 1)) * 4
Y = np.where(RNG.random(90) < 0.4, -1, RNG.integers(0, 2, 90))


def program_of(model: Any) -> Program:
    return Program(compile_spec(strip(model, X[:3])))


def fitted(model: Any, y: Any = None) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(X, y)


@pytest.mark.parametrize("clusters", [1, 2, 9])
@pytest.mark.parametrize("strategy", ["biggest_inertia", "largest_cluster"])
def test_bisections(clusters: int, strategy: Any) -> None:
    model = BisectingKMeans(clusters, random_state=0, bisecting_strategy=strategy).fit(X)
    found, wanted = program_of(model).predict(X), model.predict(X)
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
@pytest.mark.parametrize("priors", ["uniform", "empirical"])
def test_two_centroids(metric: Any, priors: Any) -> None:
    labels = np.where(X[:, 0] > 5, "far", "near")
    model = NearestCentroid(metric, priors=priors).fit(X, labels)
    program = program_of(model)
    np.testing.assert_array_equal(program.predict(X), model.predict(X))
    assert ("decision_function" in program.methods) == (metric == "euclidean")
    if metric == "euclidean":
        found, wanted = program.decision_function(X), model.decision_function(X)
        np.testing.assert_allclose(found, wanted, rtol=1e-11)


@pytest.mark.parametrize("model", [LabelPropagation(gamma=0.5), LabelSpreading("knn")])
def test_spread_labels(model: Any) -> None:
    fitted(model, Y)
    program = program_of(model)
    np.testing.assert_array_equal(program.predict(X), model.predict(X))
    np.testing.assert_allclose(program.predict_proba(X), model.predict_proba(X), rtol=1e-13)


def test_novelty_alone_has_methods() -> None:
    assert strip(LocalOutlierFactor(novelty=True).fit(X), X[:3]).methods == (
        "predict",
        "decision_function",
        "score_samples",
    )
    with pytest.raises(UnsupportedModelError, match=r"no method.*novelty=False"):
        strip(LocalOutlierFactor().fit(X), X[:3])


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (AffinityPropagation(max_iter=1, random_state=0), "has no cluster centers"),
        (LabelPropagation(lambda a, b: np.exp(-((a[:, None] - b) ** 2).sum(-1))), "for a kernel"),
        (LocallyLinearEmbedding(reg=1e-6), "fit it with reg=0.0001 or more"),
        (Isomap(n_neighbors=None, radius=30.0), "fit it with n_neighbors"),
        (FeatureAgglomeration(2, pooling_func=np.median), "np.median has no operator"),
    ],
)
def test_what_cannot_be_written(model: Any, message: str) -> None:
    with pytest.raises(UnsupportedModelError, match=message):
        strip(fitted(model, Y), X[:3])


def test_the_nearest_of_equally_near_centers_is_the_first() -> None:
    model = MeanShift(bandwidth=1.0).fit(X)
    model.cluster_centers_ = np.repeat(model.cluster_centers_, 2, axis=0)
    np.testing.assert_array_equal(program_of(model).predict(X), model.predict(X))
