"""Programs of boosted models, beside the models: the last digit of what follows an exp."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb
from numpy._core import _multiarray_umath as built
from scipy import special
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)

from sclbl.compiler import compile_spec
from sclbl.program import Program
from sclbl.strippers import dispatch, strip
from sclbl.strippers.example import call
from tests import tree_checks
from tests.conformance.threshold_rows import HUGE, INFINITE, adversarial, thresholds

# scikit-learn looks for NaN by summing X, which overflows where both extremes are in it.
pytestmark = pytest.mark.filterwarnings(
    "ignore:(invalid value|overflow|divide by zero) encountered"
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 5))
X[:, 3] = np.round(X[:, 3] * 2)
SCORE = X[:, 0] * 2 + X[:, 3] + RNG.normal(size=len(X)) * 0.5
X_MISSING = np.where(RNG.random(X.shape) < 0.1, np.nan, X)
TWO = np.where(SCORE > 0, "yes", "no")
FOUR = np.digitize(SCORE, [-2, 0, 1.5])
TEN = np.digitize(SCORE, np.quantile(SCORE, np.arange(1, 10) / 10))
POSITIVE = np.exp(SCORE / 3)
TREES: dict[str, Any] = {"n_estimators": 30, "random_state": 0}
ROUNDS: dict[str, Any] = {"max_iter": 30, "random_state": 0}


def boosting(y: np.ndarray, **options: Any) -> Any:
    return GradientBoostingClassifier(**TREES, **options).fit(X, y)


def histograms(y: np.ndarray) -> Any:
    return HistGradientBoostingClassifier(**ROUNDS).fit(X_MISSING, y)


def histograms_of(loss: str) -> Any:
    return HistGradientBoostingRegressor(loss=loss, **ROUNDS).fit(X_MISSING, POSITIVE)


def classes(y: np.ndarray, **options: Any) -> Any:
    model = xgb.XGBClassifier(max_depth=4, n_jobs=1, **TREES, **options)
    return model.fit(X_MISSING, np.unique(y, return_inverse=True)[1])


def numbers(objective: str, y: np.ndarray = POSITIVE) -> Any:
    model = xgb.XGBRegressor(objective=objective, max_depth=4, n_jobs=1, **TREES)
    return model.fit(X_MISSING, y)


#: What each model's results may be away, in ULP, where it is not 0. SciPy's ``expit`` and XGBoost
#: call the C library's exp; softmax and the log link of scikit-learn call ``numpy.exp``. Logarithms
#: of probabilities are checked apart.
MODELS: dict[str, tuple[Any, dict[str, int]]] = {
    "boosting-two": (lambda: boosting(TWO), {}),
    "boosting-exponential": (lambda: boosting(TWO, loss="exponential"), {}),
    "boosting-softmax": (lambda: boosting(FOUR), {"predict_proba": tree_checks.SOFTMAX_ULPS}),
    "boosting-softmax-ten": (lambda: boosting(TEN), {"predict_proba": tree_checks.SOFTMAX_ULPS}),
    "boosting-number": (lambda: GradientBoostingRegressor(**TREES).fit(X, SCORE), {}),
    "histograms-two": (lambda: histograms(TWO), {}),
    "histograms-softmax": (lambda: histograms(FOUR), {"predict_proba": tree_checks.SOFTMAX_ULPS}),
    "histograms-softmax-ten": (
        lambda: histograms(TEN),
        {"predict_proba": tree_checks.SOFTMAX_ULPS},
    ),
    "histograms-poisson": (lambda: histograms_of("poisson"), {"predict": tree_checks.EXP_ULPS}),
    "histograms-gamma": (lambda: histograms_of("gamma"), {"predict": tree_checks.EXP_ULPS}),
    "xgboost-two": (lambda: classes(TWO), {}),
    "xgboost-four": (lambda: classes(FOUR), {}),
    "xgboost-ten": (lambda: classes(TEN), {}),
    # Here SciPy makes the probabilities, with a float32 exp of NumPy's own (up to 2.5 ULP off).
    "xgboost-scipy": (lambda: classes(FOUR, objective="multi:softmax"), {"predict_proba": 8}),
    "xgboost-logistic": (lambda: numbers("reg:logistic", special.expit(SCORE)), {}),
    "xgboost-poisson": (lambda: numbers("count:poisson"), {}),
    "xgboost-gamma": (lambda: numbers("reg:gamma"), {}),
    "xgboost-tweedie": (lambda: numbers("reg:tweedie"), {}),
    "xgboost-cox": (lambda: numbers("survival:cox"), {}),
}


def check(name: str, rows: int) -> None:
    """Fit, strip, compile; compare every method on adversarial rows."""
    fit, allowed = MODELS[name]
    model = fit()
    spec = strip(model, X[:5])
    program = Program(compile_spec(spec))
    more: dict[str, Any] = {"extra": (*HUGE, *INFINITE), "missing": 0.1}
    x = adversarial(
        X, thresholds(spec.graph), rows=rows, **({} if name.startswith("boosting") else more)
    )
    for method in spec.methods:
        got = np.asarray(getattr(program, method)(x))
        (want,) = call(model, dispatch.find(model), method, x).arrays
        assert got.shape == want.shape
        if want.dtype.kind != "f":
            np.testing.assert_array_equal(got, want, err_msg=method)
        elif method == "predict_log_proba":
            tree_checks.same_log_chances(got, want)
        else:
            tree_checks.within_ulps(got, want, allowed.get(method, 0))


@pytest.mark.parametrize("rows", [2000, pytest.param(100_000, marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize("name", MODELS)
def test_program(name: str, rows: int) -> None:
    check(name, rows)


@pytest.mark.parametrize("rows", [2000, pytest.param(100_000, marks=pytest.mark.exhaustive)])
def test_nothing_is_lost_where_numpy_calls_the_c_library_too(rows: int) -> None:
    """Run the models that call ``numpy.exp`` in a process without its code for AVX-512."""
    wide = [f for f in built.__cpu_dispatch__ if f == "X86_V4" or f.startswith("AVX512")]
    code = f"""
from tests import tree_checks
from tests.strippers import test_boosted_programs as tests
assert (tree_checks.EXP_ULPS, tree_checks.SOFTMAX_ULPS) == (0, 0)
for name in ("boosting-softmax", "histograms-softmax-ten", "histograms-poisson"):
    tests.check(name, {rows})
"""
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"NPY_DISABLE_CPU_FEATURES": " ".join(wide)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
