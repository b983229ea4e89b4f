"""scikit-learn's own checks of estimators, on models that answer through their programs.

Each estimator takes those of its checks that ask a fitted model for answers. By default it is one
check of some estimators; the exhaustive tests take all.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Iterator
from functools import partial
from types import TracebackType
from typing import Any
from unittest import SkipTest

import numpy as np
import pytest
from sklearn.cross_decomposition import CCA, PLSSVD, PLSCanonical, PLSRegression
from sklearn.kernel_approximation import SkewedChi2Sampler
from sklearn.linear_model import Ridge
from sklearn.utils import estimator_checks
from sklearn.utils._test_common import instance_generator
from sklearn.utils._testing import _Raises
from sklearn.utils.discovery import all_estimators

from sclbl.errors import InputError, UnsupportedModelError
from sclbl.strippers import dispatch
from tests.conformance.compiled import Compiled

_CHECKS = """
    check_classifier_data_not_an_array check_classifier_multioutput check_classifiers_classes
    check_classifiers_multilabel_output_format_decision_function
    check_classifiers_multilabel_output_format_predict
    check_classifiers_multilabel_output_format_predict_proba check_classifiers_one_label
    check_classifiers_train check_dataframe_column_names_consistency
    check_decision_proba_consistency check_dict_unchanged check_dtype_object
    check_estimator_sparse_array check_estimator_sparse_matrix check_estimators_dtypes
    check_estimators_nan_inf check_estimators_pickle check_f_contiguous_array_estimator
    check_fit2d_1feature check_fit2d_1sample check_methods_sample_order_invariance
    check_methods_subset_invariance check_n_features_in_after_fitting check_outliers_train
    check_readonly_memmap_input check_regressor_data_not_an_array check_regressor_multioutput
    check_regressors_int check_regressors_train check_transformer_data_not_an_array
    check_transformer_general check_transformer_preserve_dtypes
"""
CHECKS = frozenset(_CHECKS.split())
#: These transform targets too, which is nothing that a program does.
_WITH_TARGETS = {"check_transformer_general", "check_transformer_data_not_an_array"}
#: Of how many estimators one is checked by default.
SOME = 6


def cases() -> Iterator[Any]:
    """Return each estimator that has a stripper with each of its checks."""
    for name, cls in all_estimators():
        apart = cls in instance_generator.SKIPPED_ESTIMATORS
        if apart or not dispatch.is_known(object.__new__(cls)):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is deprecated
            models = list(instance_generator._construct_instances(cls))
            found = [(model, check) for model in models for check in _checks(model)]
        number = zlib.crc32(name.encode())
        for place, (model, check) in enumerate(found):
            is_usual = number % SOME == 0 and place == number // SOME % len(found)
            title = f"{name}-{models.index(model)}-{estimator_checks._check_name(check)}"
            marks = () if is_usual else (pytest.mark.exhaustive,)
            yield pytest.param(name, model, check, id=title, marks=marks)


def _checks(model: Any) -> list[Any]:
    if isinstance(model, SkewedChi2Sampler):
        return []  # checks give it other rows, which they know it by its class to need
    found = estimator_checks._yield_all_checks(model, legacy=True)
    whole = [check for check in found if not isinstance(check, partial)]
    named = {estimator_checks._check_name(check): check for check in whole}
    # What the model itself does not pass, either.
    apart = {*instance_generator._get_expected_failed_checks(model)}
    if isinstance(model, (CCA, PLSCanonical, PLSRegression, PLSSVD)):
        apart |= _WITH_TARGETS
    return [check for name, check in named.items() if name in CHECKS - apart]


class _InOwnWords(_Raises):
    """`raises`, where a program may refuse rows in its own words."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        if isinstance(error, InputError):
            self.raised_and_matched = True
            return True
        found: bool | None = super().__exit__(kind, error, trace)
        return found


def _raises(expected: Any, match: Any = None, may_pass: bool = False, err_msg: Any = None) -> Any:
    # Columns are found by name, in whatever order they stand.
    in_order = isinstance(match, str) and r"in\ the\ same\ order" in match
    return _InOwnWords(expected, match, may_pass or in_order, err_msg)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "check" not in metafunc.fixturenames:
        return
    found = list(cases())
    if not metafunc.config.getoption("markexpr").startswith("exhaustive"):
        found = [case for case in found if not case.marks]
    metafunc.parametrize(("name", "model", "check"), found)


def test_estimator_checks(
    name: str, model: Any, check: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimator_checks, "raises", _raises)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for taken in instance_generator._yield_instances_for_check(check, model):
            try:
                check(name, Compiled(taken))
            except SkipTest:  # of what is random, or lacks the method that is checked
                continue
            except (UnsupportedModelError, AssertionError) as error:
                # Of options and rows that are refused there is no program to check.
                refusal = error.__cause__ if isinstance(error, AssertionError) else error
                if not isinstance(refusal, UnsupportedModelError):
                    raise


class _ByPlace(Compiled):
    """Answers that depend on where a row stands."""

    def __getattr__(self, name: str) -> Any:
        found = super().__getattr__(name)
        return (lambda X: found(X) + np.arange(len(X))) if name == "predict" else found

    def __sklearn_clone__(self) -> Compiled:
        return _ByPlace(self.model)


def test_answers_that_go_by_the_other_rows_are_noticed() -> None:
    checks = (
        estimator_checks.check_methods_subset_invariance,
        estimator_checks.check_methods_sample_order_invariance,
    )
    for check in checks:
        check("Ridge", Compiled(Ridge()))
        with pytest.raises(AssertionError, match="not invariant"):
            check("Ridge", _ByPlace(Ridge()))
