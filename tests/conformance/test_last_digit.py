"""The last digit of what follows an exponential function in boosted models.

SciPy's ``expit`` and XGBoost call the C library's exp, so programs give the same bits; softmax and
the log link of scikit-learn call ``numpy.exp``, which is Intel's on processors with AVX-512. That
one is one ULP away from the C library's in one of twenty results; a quotient can double that, and a
sum of many adds to it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy._core import _multiarray_umath as built
from scipy import special

from tests import kept
from tests.conformance.pair import Pair
from tests.conformance.subject import named


def numpy_exp_is_libm() -> bool:
    x = np.linspace(-40, 2, 5000)
    return bool((np.exp(x) == special.inv_boxcox(x, 0.0)).all())


EXP, SOFTMAX = (0, 0) if numpy_exp_is_libm() else (1, 6)
#: By subject, how far a method's results may be away, in ULP, where it is not 0.
SUBJECTS: dict[str, dict[str, int]] = {
    "GradientBoostingClassifier, binary": {},
    "GradientBoostingClassifier, exponential": {},
    "GradientBoostingClassifier, 3": {"predict_proba": SOFTMAX},
    "GradientBoostingClassifier, 12": {"predict_proba": SOFTMAX},
    "GradientBoostingRegressor": {},
    "HistGradientBoostingClassifier, missing": {},
    "HistGradientBoostingClassifier, 3": {"predict_proba": SOFTMAX},
    "HistGradientBoostingClassifier, 12": {"predict_proba": SOFTMAX},
    "HistGradientBoostingRegressor, Poisson": {"predict": EXP},
    "HistGradientBoostingRegressor, gamma": {"predict": EXP},
    "XGBClassifier, binary, missing": {},
    "XGBClassifier, 3, missing": {},
    "XGBClassifier, 12": {},
    # Here SciPy makes the probabilities, with a float32 exp of NumPy's own (up to 2.5 ULP off).
    "XGBClassifier, softmax": {"predict_proba": 8},
    "XGBRegressor, shares": {},
    "XGBRegressor, Poisson": {},
    "XGBRegressor, gamma": {},
    "XGBRegressor, Tweedie": {},
    "XGBRegressor, Cox": {},
}


def check(name: str, rows: int) -> None:
    for found in Pair(named(name), "float64").sweep(rows):
        assert found.misses == ()
        if found.method != "predict_log_proba":
            assert found.ulp <= SUBJECTS[name].get(found.method, 0), found.method


@pytest.mark.parametrize("rows", [2000, pytest.param(100_000, marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize("name", SUBJECTS)
def test_last_digit(name: str, rows: int) -> None:
    check(name, rows)


@pytest.mark.parametrize("rows", [2000, pytest.param(100_000, marks=pytest.mark.exhaustive)])
def test_nothing_is_lost_where_numpy_calls_the_c_library_too(rows: int) -> None:
    """Run the models that call ``numpy.exp`` in a process without its code for AVX-512."""
    wide = [f for f in built.__cpu_dispatch__ if f == "X86_V4" or f.startswith("AVX512")]
    code = f"""
from pathlib import Path
from tests import kept
from tests.conformance import test_last_digit as tests
kept.folder = Path({str(kept.folder)!r})
assert (tests.EXP, tests.SOFTMAX) == (0, 0)
for name in (
    "GradientBoostingClassifier, 3",
    "HistGradientBoostingClassifier, 12",
    "HistGradientBoostingRegressor, Poisson",
):
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
