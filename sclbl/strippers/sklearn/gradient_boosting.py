"""GradientBoostingClassifier and GradientBoostingRegressor.

`sklearn.ensemble._gb` starts each row at its init model's prediction on the link scale and adds
``learning_rate * value`` of one leaf after another, stage by stage and class by class, in float64.
X is cast to float32; NaN and infinity are refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import dispatch, ops
from sclbl.strippers.base import Stripper, method, once
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.sklearn.links import link, probabilities
from sclbl.strippers.sklearn.tree import flatten, float32_matrix, leaf_numbers
from sclbl.strippers.trees import Trees

_EPSILON = float(np.finfo(np.float64).eps)
#: Strategies of the dummy estimators whose prediction is the same for every row.
_CONSTANT = frozenset({"prior", "most_frequent", "constant", "mean", "median", "quantile"})


class GradientBoosting(Stripper):
    """The sums of the trees' leaves."""

    #: What is asked of the init model.
    start = "predict"

    def check(self, model: Any) -> None:
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
                f"{type(model).__name__} has trees of the shape {stages} and adds {sums} a stage: "
                "its estimators_ or classes were changed after fit; fit it again"
            )

    def rows(self, model: Any, x: Table) -> Wire:
        return float32_matrix(model, x, missing=False)

    @once
    def raw(self, model: Any, x: Wire) -> Wire:
        if _is_constant(model):
            return ops.trees(x, _ensemble(model))
        made = dispatch.apply(
            model.init_, x.builder.wire_table(x), x.builder, frozenset({self.start}), "init_"
        )[self.start]
        start = made.matrix() if isinstance(made, Table) else made
        return ops.trees(x, _ensemble(model), self.on_link_scale(model, start.astype(np.float64)))

    def on_link_scale(self, model: Any, start: Any) -> Any:
        return start


class GradientBoostingClassifier(GradientBoosting):
    """Its ``apply`` returns an array of three axes and is not offered."""

    start = "predict_proba"

    def on_link_scale(self, model: Any, start: Any) -> Any:
        chances = start if model._loss.is_multiclass else start[:, [1]]
        return link(model, np.clip(chances, _EPSILON, 1 - _EPSILON))

    @method
    def predict(self, model: Any, x: Wire) -> Wire:
        # Ties of two classes go to the second one here, and to the first one elsewhere.
        return ops.decide(self.raw(model, x), model.classes_, ties_go_up=True)

    @method
    def predict_proba(self, model: Any, x: Wire) -> Any:
        return probabilities(model, self.raw(model, x), by_rows=True)

    @method
    def predict_log_proba(self, model: Any, x: Wire) -> Any:
        return np.log(self.predict_proba(model, x))

    @method
    def decision_function(self, model: Any, x: Wire) -> Wire:
        return self.raw(model, x)


class GradientBoostingRegressor(GradientBoosting):
    @method
    def predict(self, model: Any, x: Wire) -> Wire:
        return self.raw(model, x)

    @method(on_request=True, table=True)
    def apply(self, model: Any, x: Table) -> Wire:
        # Only the trees check X here, and they take NaN.
        rows = float32_matrix(model, x, missing=True)
        leaves = ops.tree_leaves(rows, leaf_numbers([e.tree_ for e in model.estimators_[:, 0]]))
        return leaves.astype(np.float64)


def _is_dummy(estimator: Any) -> bool:
    return type(estimator).__module__ == "sklearn.dummy"


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
    targets = np.tile(np.arange(outputs, dtype=np.int32), len(model.estimators_))
    return flatten(
        [e.tree_ for e in model.estimators_.ravel()],
        np.zeros(1, dtype=np.int64),
        init,
        scale=float(model.learning_rate),
        targets=None if outputs == 1 else targets,
    )
