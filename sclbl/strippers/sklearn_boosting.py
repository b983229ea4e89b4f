"""GradientBoostingClassifier and GradientBoostingRegressor of scikit-learn.

`sklearn.ensemble._gb` starts each row at its init model's prediction on the link scale and adds
``learning_rate * value`` of one leaf after another, stage by stage and class by class, in float64.
X is cast to float32; NaN and infinity are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.graph import Builder
from sclbl.strippers.sklearn_links import LINKS, decide, probabilities
from sclbl.strippers.sklearn_tree import flatten, float32_matrix, leaf_numbers
from sclbl.strippers.trees import Trees

_EPSILON = float(np.finfo(np.float64).eps)
#: Strategies of the dummy estimators whose prediction is the same for every row.
_CONSTANT = frozenset({"prior", "most_frequent", "constant", "mean", "median", "quantile"})


def _is_dummy(estimator: Any) -> bool:
    return type(estimator).__module__ == "sklearn.dummy"


def _check(model: Any) -> None:
    if _is_dummy(model.init_) and model.init_.strategy not in _CONSTANT:
        raise UnsupportedModelError(
            f"{type(model).__name__}(init={type(model.init_).__name__}"
            f"(strategy={model.init_.strategy!r})) predicts at random; "
            "fit it with init=None or another strategy"
        )
    # The compiled sum writes as many columns as there are trees a stage, wherever the sums end.
    stages, sums = np.shape(model.estimators_), model.n_trees_per_iteration_
    if len(stages) != 2 or stages[1] != sums:
        raise UnsupportedModelError(
            f"{type(model).__name__} has trees of the shape {stages} and adds {sums} a stage: its "
            "estimators_ or classes were changed after fit; fit it again"
        )


def _is_constant(model: Any) -> bool:
    return isinstance(model.init_, str) or _is_dummy(model.init_)


def _ensemble(model: Any) -> Trees:
    outputs = model.estimators_.shape[1]
    if _is_constant(model):
        nowhere = np.zeros((1, model.n_features_in_), dtype=np.float32)
        init = np.asarray(model._raw_predict_init(nowhere), dtype=np.float64)[0]
        if len(init) != outputs:
            raise ValueError(f"init_ gives {len(init)} sums for {outputs} trees a stage")
    else:
        init = np.zeros(outputs)
    trees = [e.tree_ for e in model.estimators_.ravel()]
    targets = np.tile(np.arange(outputs, dtype=np.int32), len(model.estimators_))
    return flatten(
        trees,
        np.zeros(1, dtype=np.int64),
        init,
        scale=float(model.learning_rate),
        targets=None if outputs == 1 else targets,
    )


def _raw(model: Any, x: Wire, build: Builder, *, classifier: bool) -> Wire:
    start = None if _is_constant(model) else _start(model, x, build, classifier=classifier)
    return build.trees(x, _ensemble(model), start)


def _start(model: Any, x: Wire, build: Builder, *, classifier: bool) -> Wire:
    """Return what a fitted init model predicts, on the scale of the link, as float64."""
    from sclbl.strippers import dispatch

    method = "predict_proba" if classifier else "predict"
    result = dispatch.apply(model.init_, build.wire_table(x), build, frozenset({method}))[method]
    if isinstance(result, Table):
        result = result.matrix()
    if not classifier:
        return build.cast(result, "float64")
    if not model._loss.is_multiclass:
        result = build.columns(result, [1])
    # numpy.clip is the smaller of the upper bound and the larger of the lower one and p.
    clipped = build.binary("Max", build.cast(result, "float64"), _EPSILON)
    clipped = build.binary("Min", clipped, 1 - _EPSILON)
    return LINKS[type(model._loss.link).__name__].forward(build, clipped)


class _Classifier:
    """Strips a GradientBoostingClassifier.

    Its ``apply`` returns an array of three axes and is not offered.
    """

    def methods(self, model: Any) -> tuple[str, ...]:
        _check(model)
        return ("predict", "predict_proba", "predict_log_proba", "decision_function")

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire]:
        rows = float32_matrix(model, x, build, missing=False)
        raw = _raw(model, rows, build, classifier=True)
        written: dict[str, Wire] = {}
        if "decision_function" in methods:
            written["decision_function"] = raw
        if "predict" in methods:
            # Ties of two classes go to the second one here, and to the first one elsewhere.
            written["predict"] = decide(build, raw, model.classes_, "GreaterOrEqual")
        if methods & {"predict_proba", "predict_log_proba"}:
            chances = probabilities(build, raw, type(model._loss.link).__name__, by_rows=True)
            if "predict_proba" in methods:
                written["predict_proba"] = chances
            if "predict_log_proba" in methods:
                written["predict_log_proba"] = build.unary("Log", chances)
        return written


class _Regressor:
    """Strips a GradientBoostingRegressor."""

    def methods(self, model: Any) -> tuple[str, ...]:
        _check(model)
        return ("predict",)

    def optional(self, model: Any) -> tuple[str, ...]:
        return ("apply",)

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire]:
        written: dict[str, Wire] = {}
        if "predict" in methods:
            rows = float32_matrix(model, x, build, missing=False)
            written["predict"] = _raw(model, rows, build, classifier=False)
        if "apply" in methods:
            # Only the trees check X here, and they take NaN.
            rows = float32_matrix(model, x, build, missing=True)
            trees = [e.tree_ for e in model.estimators_[:, 0]]
            leaves = build.tree_leaves(rows, leaf_numbers(trees))
            written["apply"] = build.cast(leaves, "float64")
        return written


CLASSIFIER = _Classifier()
REGRESSOR = _Regressor()
