"""Matrix factorisations, densities and Gaussian processes of scikit-learn in the corners."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import PCA, FactorAnalysis, FastICA, KernelPCA, SparsePCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process import kernels as k
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

import sclbl
from sclbl.errors import (
    ColumnError,
    InfiniteValueError,
    NotFittedError,
    UnsupportedMethodError,
    UnsupportedModelError,
)
from sclbl.strippers import dispatch, strip
from tests.conformance.beside import check, dense, run, same
from tests.kept import program_of

RNG = np.random.default_rng(4)
X = RNG.normal(size=(60, 4)) @ (np.eye(4) + 0.2 * RNG.normal(size=(4, 4))) + 1.0
Y = X[:, 0] - X[:, 1] ** 2
CLASSES = np.array(["a", "b", "c"])[np.digitize(Y, np.quantile(Y, [0.3, 0.7]))]
BACKWARDS = ("inverse_transform",)


def check_backwards(model: Any, given: Any) -> None:
    spec = strip(model, given, methods=BACKWARDS)
    assert spec.methods == BACKWARDS
    same("inverse_transform", run(spec, given)[BACKWARDS[0]], dense(model.inverse_transform(given)),
         1e-12, 1e-12)  # fmt: skip


# ------------------------------------------------------------------ inverse_transform


@pytest.mark.parametrize(
    "model",
    [
        PCA(2, whiten=True),
        TruncatedSVD(2),
        FastICA(2, random_state=0),
        FastICA(whiten=False, tol=1, random_state=0),
        SparsePCA(2, random_state=0, max_iter=10),
        KernelPCA(2, kernel="poly", degree=2, fit_inverse_transform=True),
    ],
    ids=repr,
)
def test_inverse_transform_takes_what_transform_gives(model: Any) -> None:
    given = model.fit(X).transform(X)
    check_backwards(model, given)
    check_backwards(model, given[:1])
    check_backwards(model, given.astype(np.float32))
    check_backwards(model, np.rint(given).astype(int))


def test_inverse_transform_has_a_program_of_its_own() -> None:
    model = PCA(2).fit(X)
    with pytest.raises(UnsupportedMethodError, match="give it a program of its own"):
        strip(model, X, methods=("transform", "inverse_transform"))
    with pytest.raises(ColumnError, match="transform makes 2 columns, and inverse_transform is"):
        strip(model, X, methods=BACKWARDS)
    given = model.transform(X)
    program = sclbl.compile(model, given[:5], methods=list(BACKWARDS))
    np.testing.assert_allclose(
        program.inverse_transform(given), model.inverse_transform(given), rtol=1e-12
    )


def test_a_pipeline_goes_backwards_through_its_steps() -> None:
    model = make_pipeline(StandardScaler(), PCA(2)).fit(X)
    assert dispatch.optional(model) == ("score_samples", *BACKWARDS)
    check_backwards(model, model.transform(X))
    model = make_pipeline(Normalizer(), PCA(2)).fit(X)
    assert dispatch.optional(model) == ("score_samples",)


def test_names_of_the_training_rows_are_not_those_of_what_transform_gives() -> None:
    import pandas as pd

    frame = pd.DataFrame(X, columns=list("abcd"))
    model = PLSRegression(2).fit(frame, Y)
    given = model.transform(frame)
    check_backwards(model, given)
    check_backwards(model, pd.DataFrame(given, columns=["pls0", "pls1"]))


# ------------------------------------------------------------------ decompositions


def test_sparse_components_of_one_row() -> None:
    model = SparsePCA(2, random_state=0, max_iter=10).fit(X)
    spec = strip(model, X[:1])
    assert spec.signature.outputs["transform"].ndim == 2
    found = run(spec, X[:3])["transform"]
    np.testing.assert_allclose(found, model.transform(X[:3]), rtol=1e-12)


def test_sparse_components_of_float32() -> None:
    model = SparsePCA(2, ridge_alpha=0.5, random_state=0, max_iter=10).fit(X.astype(np.float32))
    check(model, X, rtol=1e-5, atol=1e-5)
    rows = X.copy()
    rows[5, 1] = 1e150
    with pytest.raises(ValueError, match="infinity"), np.errstate(all="ignore"):
        model.transform(rows)
    with pytest.raises(InfiniteValueError) as refused:
        program_of(strip(model, X)).run("transform", rows)
    assert (refused.value.row, refused.value.column) == (5, "1")
    model.set_params(ridge_alpha=1e-3)
    model.components_ = np.array([[1, 0, 0, 0], [1, 0.01, 0, 0]], dtype=np.float32)
    with pytest.raises(UnsupportedModelError, match="equations of float32 numbers"):
        strip(model, X)


def test_equations_that_rounding_decides_are_refused() -> None:
    model = SparsePCA(4, ridge_alpha=0, alpha=20, random_state=0, max_iter=10).fit(X)
    with pytest.raises(UnsupportedModelError, match="use a larger ridge_alpha, and float64"):
        strip(model, X)
    flat = np.column_stack([X, X[:, 0] * (1 + 1e-9)])
    model = FactorAnalysis(1).fit(flat)
    check(model, flat, rtol=1e-12, atol=1e-12)
    with pytest.raises(UnsupportedModelError, match="leave score_samples out of methods"):
        strip(model, flat, methods=("score_samples",))


def test_one_column_and_one_component() -> None:
    one = X[:, :1]
    models = (FastICA(1), FactorAnalysis(1), SparsePCA(1))
    for model in (*models, KernelPCA(1, kernel="rbf")):
        check(model.fit(one), one, rtol=1e-12, atol=1e-12)
    check(LinearDiscriminantAnalysis().fit(one, CLASSES), one, rtol=1e-12, atol=1e-14)
    check(QuadraticDiscriminantAnalysis().fit(one, CLASSES), one, rtol=1e-12, atol=1e-14)


def test_kernels() -> None:
    for kernel in ("poly", "sigmoid", "cosine", "linear"):
        check(KernelPCA(2, kernel=kernel, gamma=0.01).fit(X), X, rtol=1e-10, atol=1e-10)
    products = X @ X.T
    check(KernelPCA(2, kernel="precomputed").fit(products), products, rtol=1e-10, atol=1e-10)
    model = KernelPCA(2, kernel=lambda a, b: a @ b).fit(X)
    with pytest.raises(UnsupportedModelError, match="computes its kernel in Python"):
        strip(model, X)
    assert dispatch.optional(model) == ()


def test_a_kernel_that_overflows_is_refused() -> None:
    model = KernelPCA(2, kernel="poly", degree=5).fit(X)
    rows = X.copy()
    rows[3] = 1e200
    with pytest.raises(ValueError, match="infinity"), np.errstate(all="ignore"):
        model.transform(rows)
    with pytest.raises(InfiniteValueError) as refused:
        program_of(strip(model, X)).run("transform", rows)
    assert (refused.value.row, refused.value.column) == (3, None)


# ------------------------------------------------------------------ densities


def test_projections_that_are_not_there() -> None:
    model = LinearDiscriminantAnalysis(solver="lsqr").fit(X, CLASSES)
    assert "transform" not in dispatch.methods(model)
    check(model, X, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("labels", [CLASSES == "a", np.unique(CLASSES, return_inverse=True)[1]])
@pytest.mark.parametrize("cls", [LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis])
def test_labels_of_discriminant_analysis(cls: Any, labels: np.ndarray) -> None:
    check(cls().fit(X, labels), X, rtol=1e-11, atol=1e-13)
    check(cls().fit(X, labels), X.astype(np.float32), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["full", "tied", "diag", "spherical"])
def test_mixtures_cut_distances_of_integers_off(kind: str) -> None:
    rows = np.rint(X * 3).astype(int)
    model = GaussianMixture(3, covariance_type=kind, random_state=0).fit(X)
    spec = check(model, rows, rtol=1e-10, atol=1e-10)
    as_floats = model.score_samples(rows.astype(float))
    assert np.allclose(model.score_samples(rows), as_floats) == (kind in ("diag", "spherical"))
    if kind == "full":
        with pytest.raises(InfiniteValueError):
            program_of(spec).run("predict", np.full((1, 4), 2**50))


# ------------------------------------------------------------------ Gaussian processes


def test_deviations() -> None:
    targets = np.column_stack([Y, -Y * 2])
    for kernel, y in (
        (None, Y),
        (k.RBF() * 2.0 + k.WhiteKernel(0.5), targets),
        (k.DotProduct() + k.PairwiseKernel(metric="poly", gamma=0.1), Y),
        (k.ConstantKernel(3.0), Y),
    ):
        model = GaussianProcessRegressor(kernel, alpha=0.5, optimizer=None, normalize_y=True)
        model.fit(X, y)
        spec = strip(model, X, methods=("predict", "predict_std"))
        rows = X + 0.3
        found = run(spec, rows)
        mean, deviation = model.predict(rows, return_std=True)
        same("predict", found["predict"], mean, 1e-10, 1e-10)
        same("predict_std", found["predict_std"], deviation, 1e-9, 1e-10)


def test_processes_of_integers_and_of_one_row() -> None:
    rows = np.rint(X).astype(int)
    model = GaussianProcessRegressor(k.DotProduct() + k.RBF(), alpha=1.0, optimizer=None)
    check(model.fit(rows[:12], Y[:12]), rows, rtol=1e-11, atol=1e-11)
    check(model.fit(X[:1, :1], Y[:1]), X[:, :1], rtol=1e-12)


def test_kernels_that_cannot_be_written() -> None:
    class Own(k.RBF):
        pass

    for kernel, text in (
        (k.RBF() + 2.0 * Own(), "cannot be compiled; fit it with kernels of scikit-learn"),
        (k.Matern(nu=0.7) ** 2, "takes Bessel functions"),
    ):
        regressor = GaussianProcessRegressor(kernel, optimizer=None, alpha=0.1).fit(X, Y)
        classifier = GaussianProcessClassifier(kernel, optimizer=None).fit(X, CLASSES)
        for model in (regressor, classifier):
            with pytest.raises(UnsupportedModelError, match=text):
                strip(model, X)
    cosine = k.PairwiseKernel(metric="cosine") + k.WhiteKernel()
    model = GaussianProcessRegressor(cosine, optimizer=None).fit(X, Y)
    check(model, X, rtol=1e-10, atol=1e-10)
    with pytest.raises(UnsupportedModelError, match="ask for predict alone"):
        strip(model, X, methods=("predict_std",))


def test_sums_that_rounding_decides_are_refused() -> None:
    dense = np.linspace(0, 3, 40)[:, None]
    sure = GaussianProcessRegressor(optimizer=None).fit(dense, np.sin(dense[:, 0]))
    with pytest.raises(UnsupportedModelError, match="leave predict_std out of methods"):
        strip(sure, dense, methods=("predict", "predict_std"))
    single = X.astype(np.float32)
    for cls, y in ((GaussianProcessRegressor, Y), (GaussianProcessClassifier, CLASSES)):
        model = cls(k.DotProduct() + k.WhiteKernel(), optimizer=None).fit(single, y)
        with pytest.raises(UnsupportedModelError, match="products of its kernel in float32"):
            strip(model, single)
        check(model, X, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("count", [2, 3])
def test_rows_whose_kernel_is_beyond_floats_have_no_probabilities(count: int) -> None:
    own = GaussianProcessClassifier(1.0 * k.DotProduct() ** 2, optimizer=None)
    model = own.fit(X, np.digitize(X[:, 0], [-0.5, 0.5][: count - 1]))
    program = sclbl.compile(model, X[:5])
    rows = np.where(np.arange(X.shape[1]) == 0, 1e200, X[:3])
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="must not contain infs"):
        model.predict_proba(rows)
    with pytest.raises(InfiniteValueError, match="row 0"):
        program.predict_proba(rows)
    if count == 2:
        with np.errstate(all="ignore"):
            assert (program.predict(rows) == model.predict(rows)).all()
    else:
        with pytest.raises(InfiniteValueError, match="row 0"):
            program.predict(rows)


def test_an_unfitted_process_predicts_from_its_prior_alone() -> None:
    with pytest.raises(NotFittedError, match="call its fit method first"):
        strip(GaussianProcessRegressor(), X)


def test_pairs_of_classes_have_no_probabilities() -> None:
    own = GaussianProcessClassifier(multi_class="one_vs_one", optimizer=None)
    assert dispatch.methods(own.fit(X, CLASSES)) == ("predict",)
    assert dispatch.methods(own.fit(X, CLASSES == "a")) == ("predict", "predict_proba")


def test_no_factors_are_no_columns() -> None:
    model = FactorAnalysis(0).fit(X)
    with pytest.raises(UnsupportedModelError, match=r"n_components=0.* leave it out"):
        sclbl.strip(model, X[:5])
