"""Models that compute in parallel are asked sequentially, and left as they are."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import joblib
import numpy as np
import pytest
import xgboost as xgb
from joblib.parallel import get_active_backend
from sklearn.base import BaseEstimator
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

import sclbl
from sclbl.errors import InputError
from sclbl.fidelity import Report
from sclbl.strippers import example
from sclbl.strippers.base import Stripper
from sclbl.strippers.sequential import one_by_one

RNG = np.random.default_rng(3)
X = RNG.normal(size=(200, 5))
VALUE = X[:, 0] * 3.1 + RNG.normal(size=200) / 7
CLASS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 1)
JOBS = {"n_estimators": 30, "n_jobs": 2, "random_state": 0}
FORESTS = {
    RandomForestClassifier: CLASS,
    ExtraTreesClassifier: CLASS,
    RandomForestRegressor: VALUE,
    ExtraTreesRegressor: VALUE,
}


def models() -> Iterator[Any]:
    for cls, y in FORESTS.items():
        name = cls.__name__
        boost = GradientBoostingClassifier if y is CLASS else GradientBoostingRegressor
        yield pytest.param(cls(**JOBS), y, id=name)
        yield pytest.param(cls(**JOBS), np.column_stack([y, y[::-1]]), id=f"{name}, two outputs")
        yield pytest.param(make_pipeline(StandardScaler(), cls(**JOBS)), y, id=f"{name} in a pipe")
        yield pytest.param(boost(init=cls(**JOBS), n_estimators=3), y, id=f"{name} as init")
        if y is CLASS:
            yield pytest.param(
                OneVsRestClassifier(cls(**JOBS), n_jobs=2), y, id=f"{name} one-v-rest"
            )


def jobs(model: Any) -> list[Any]:
    """Return each `n_jobs` of a model and of what it is made of."""
    found = [model.n_jobs] if hasattr(model, "n_jobs") else []
    for value in vars(model).values():
        parts = value if isinstance(value, (list, tuple)) else [value]
        for part in parts:
            inner = part[-1] if isinstance(part, tuple) and part else part
            if isinstance(inner, BaseEstimator):
                found += jobs(inner)
    return found


@pytest.mark.parametrize(("model", "y"), list(models()))
def test_forests_with_jobs_compile(model: Any, y: np.ndarray) -> None:
    with joblib.parallel_config(backend="threading"):  # quicker than to start processes
        model.fit(X, y)
    before = jobs(model)
    assert 2 in before
    program = sclbl.compile(model, X[:5])
    assert jobs(model) == before
    assert program.report is not None
    assert program.report.sequential
    with one_by_one():
        np.testing.assert_array_equal(program.predict(X), model.predict(X))


class Parallel(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A model that tells how many workers it gets."""

    def predict(self, rows: Any) -> np.ndarray:
        if np.isnan(np.asarray(rows)).any():
            raise ValueError("no NaN")
        seen = joblib.Parallel(n_jobs=2, require="sharedmem")(
            joblib.delayed(threading.get_ident)() for _ in range(4)
        )
        return np.full(len(rows), float(len({*seen, threading.get_ident()})))


def test_the_callers_own_setting_comes_back() -> None:
    model, stripper = Parallel(), Stripper()
    with joblib.parallel_config(backend="threading", n_jobs=2):
        assert example.call(model, stripper, "predict", X).arrays[0][0] == 1
        assert get_active_backend()[1] == 2
        with pytest.raises(InputError, match="no NaN"):
            example.call(model, stripper, "predict", X * np.nan)
        assert get_active_backend()[1] == 2
        assert type(get_active_backend()[0]).__name__ == "ThreadingBackend"


def test_other_threads_go_on_as_they_did() -> None:
    with ThreadPoolExecutor(1) as pool, one_by_one():
        assert joblib.effective_n_jobs(4) == 1
        assert pool.submit(joblib.effective_n_jobs, 4).result() == 4


def test_boosting_gives_the_same_bits_with_any_number_of_threads() -> None:
    rows = RNG.normal(size=(2000, 5))
    hist = HistGradientBoostingRegressor(max_iter=30).fit(X, VALUE)
    one, four = (threaded(hist, n, rows) for n in (1, 4))
    np.testing.assert_array_equal(one, four)
    for booster in ("gbtree", "dart"):
        model = xgb.XGBRegressor(n_estimators=30, booster=booster).fit(X, VALUE)
        one, four = (model.set_params(n_jobs=n).predict(rows) for n in (1, 4))
        np.testing.assert_array_equal(one, four)


def threaded(model: Any, threads: int, rows: np.ndarray) -> np.ndarray:
    with threadpool_limits(threads):
        result: np.ndarray = model.predict(rows)
    return result


def test_the_report_says_so() -> None:
    model = RandomForestRegressor(3, n_jobs=2).fit(X, VALUE)
    report = sclbl.compile(model, X[:5]).report
    assert report is not None
    assert "; the model was asked with one job (n_jobs=1)" in str(report)
    assert report.to_json()["sequential"] is True
    assert Report.from_json(report.to_json()) == report
    plain = Report("a spec", 1, 0, True, ())
    assert "sequential" not in plain.to_json()
    assert "n_jobs" not in str(plain)
