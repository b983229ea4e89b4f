"""`sklearn.ensemble`: forests, boosting and votes.

With one job, a forest adds its trees' results to zeros in float64, tree after tree, and divides by
their number (`sklearn.ensemble._forest`). With more jobs the order is the threads'; the program
always takes the order of one job.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.missing import is_missing
from sclbl.spec import MISSING_TEXTS
from sclbl.strippers import dispatch, ops, promotion, tree_nodes
from sclbl.strippers.base import Declared, Stripper, method, once
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.sklearn.ensemble_bagging import BAGGING
from sclbl.strippers.sklearn.ensemble_boosting import BOOSTING
from sclbl.strippers.sklearn.ensemble_isolation import RANDOM_TREES
from sclbl.strippers.sklearn.ensemble_stacking import STACKING
from sclbl.strippers.sklearn.tree import (
    TreeClassifier,
    TreeModel,
    TreeRegressor,
    flatten,
    float32_matrix,
    leaf_numbers,
)
from sclbl.strippers.trees import Nodes, Trees, join


class Forest(TreeModel):
    """The mean of the trees' leaves."""

    def trees(self, model: Any) -> Sequence[Any]:
        return list(model.estimators_)

    def leaves(self, model: Any, x: Wire, columns: np.ndarray) -> Any:
        trees = [e.tree_ for e in model.estimators_]
        return ops.trees(x, flatten(trees, columns, np.zeros(len(columns)))) / len(trees)


class ForestClassifier(Forest, TreeClassifier):
    """RandomForestClassifier and ExtraTreesClassifier."""


class ForestRegressor(Forest, TreeRegressor):
    """RandomForestRegressor and ExtraTreesRegressor."""


# Links of the losses (`sklearn._loss.link`). ``1 - p`` of a p near 1 multiplies a difference in p's
# last digit, so the inverse links are computed bit for bit as the source's. SciPy's ``expit`` calls
# the C library's exp. ``numpy.exp`` (softmax and the log link) does so too but on processors with
# AVX-512, where it is Intel's and in one of twenty results one ULP away; that leaves quotients of
# such exps two to five ULP away, most of them none.

_Function = Callable[[Any], Any]


def _logit(p: Any) -> Any:
    """Return what `scipy.special.logit` computes: ``log1p`` near 1/2, where log loses digits."""
    away = np.log(p / (1 - p))
    s = 2 * (p - 0.5)
    return np.where((p < 0.3) | (p > 0.65), away, np.log1p(s) - np.log1p(-s))


def _multinomial_logit(p: Any) -> Any:
    """Return ``log(p / g)``, g the geometric mean of the row."""
    return np.log(p / np.exp(ops.sum_in_order(np.log(p), keepdims=True) / p.width))


def _softmax(x: Any, total: _Function = lambda p: ops.sum_in_order(p, keepdims=True)) -> Any:
    powers = ops.libm_exp(x - np.max(x, axis=1, keepdims=True))
    return powers / total(powers)


#: A link and its inverse, by the name of scikit-learn's class.
LINKS: dict[str, tuple[_Function, _Function]] = {
    "IdentityLink": (lambda x: x, lambda x: x),
    "LogLink": (np.log, ops.libm_exp),
    "LogitLink": (_logit, ops.libm_sigmoid),
    "HalfLogitLink": (lambda p: 0.5 * _logit(p), lambda x: ops.libm_sigmoid(2 * x)),
    "MultinomialLogit": (_multinomial_logit, _softmax),
}


def link(model: Any, p: Wire) -> Any:
    """Return predictions on the scale of a model's link."""
    return LINKS[type(model._loss.link).__name__][0](p)


def inverse_link(model: Any, raw: Wire) -> Any:
    """Return raw predictions on the scale of what is predicted."""
    return LINKS[type(model._loss.link).__name__][1](raw)


def probabilities(model: Any, raw: Wire, *, by_rows: bool) -> Any:
    """Return class probabilities of raw predictions: ``[1 - p, p]``, or softmax.

    With `by_rows` the source holds raw predictions row after row, so that `numpy.sum` adds in
    pairs, which changes last digits; else class after class.
    """
    if raw.width == 1:
        p = inverse_link(model, raw)
        return ops.concat([1 - p, p])
    if by_rows:
        return _softmax(raw, lambda p: np.sum(p, axis=1, keepdims=True))
    return inverse_link(model, raw)


# GradientBoosting (`sklearn.ensemble._gb`) starts each row at its init model's prediction on the
# link scale and adds ``learning_rate * value`` of one leaf after another, stage by stage and class
# by class, in float64. X is cast to float32; NaN and infinity are refused.

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

    @method(on_request=True, table=True)
    def apply(self, model: Any, x: Table) -> Wire:
        # Only the trees check X here, and they take NaN.
        rows = float32_matrix(model, x, missing=True)
        leaves = ops.tree_leaves(rows, leaf_numbers([e.tree_ for e in model.estimators_.ravel()]))
        return leaves.astype(np.float64)


class GradientBoostingClassifier(GradientBoosting):
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


# HistGradientBoosting compares float64 values with ``<=``; NaN goes where each node says, infinity
# is an ordinary value, and the sums are float64 from the baseline on. Categorical columns pass
# through the model's own ordinal encoder first: a category that it does not know becomes NaN, so it
# counts as missing.

#: 32-bit words of one bitset: scikit-learn bins categories into at most 256.
_WORDS = 8


def _float64_matrix(model: Any, x: Table) -> Wire:
    """Return X as the trees take it: float64, the encoded categories first."""
    # Absent before scikit-learn 1.4, where categories were given as numbers already.
    preprocessor = getattr(model, "_preprocessor", None)
    if preprocessor is None:
        return x.matrix("float64", model=model)
    categorical = np.asarray(model.is_categorical_, dtype=bool)
    encoder = preprocessor.named_transformers_["encoder"]
    parts = [
        _codes(model, x.select([column]), categories)
        for column, categories in zip(
            np.flatnonzero(categorical).tolist(), getattr(encoder, "categories_", ()), strict=True
        )
    ]
    numeric = np.flatnonzero(~categorical).tolist()
    if numeric:
        parts.append(x.select(numeric).matrix("float64", model=model))
    return x.builder.concat(parts)


def _codes(model: Any, column: Table, categories: np.ndarray) -> Any:
    """Return the position of each value among `categories`, NaN where it has none."""
    build = column.builder
    known = [c for c in categories.tolist() if not is_missing(c)]
    missing: str | float
    if any(isinstance(c, str) for c in known):
        values, missing = column.text(model=model), MISSING_TEXTS["nan"]
    else:
        # The encoder refuses an infinity, though the trees would take it.
        values = build.refuse(column.matrix("float64", model=model), nan=False, inf=True)
        known, missing = [float(c) for c in known], np.nan
    if not known:
        # The column was missing throughout, so every value is unknown.
        return build.lookup(values, [missing]).astype(np.float64) * np.nan
    codes = build.lookup(values, known).astype(np.float64)
    return np.where(codes < 0, np.nan, codes)


def _checked_nodes(number: int, predictor: Any, categorical: np.ndarray) -> Nodes:
    """Return one tree; what its compiled predict looks up without looking is checked."""
    nodes = predictor.nodes
    leaf = nodes["is_leaf"].astype(bool)
    left, right, feature = (nodes[k].astype(np.int64) for k in ("left", "right", "feature_idx"))
    tree_nodes.check(number, left, right, feature, leaf, len(categorical))
    tests = nodes["is_categorical"].astype(bool) & ~leaf
    if tests.any():
        sets, shape = nodes["bitset_idx"][tests].max(), predictor.raw_left_cat_bitsets.shape
        if len(shape) != 2 or shape[1] != _WORDS or sets >= shape[0]:
            raise ValueError(f"tree {number} takes the set of categories {sets} of {shape}")
        if not categorical[feature[tests]].all():
            raise ValueError(f"tree {number} tests categories of a column that has none")
    threshold = np.where(tests, 0.0, nodes["num_threshold"])
    return Nodes(leaf, left, right, feature, threshold, nodes["missing_go_to_left"])


def _hist_ensemble(model: Any) -> Trees:
    """Return the trees of all iterations, class after class within each."""
    predictors = [p for iteration in model._predictors for p in iteration]
    known = np.asarray(model._bin_mapper.is_categorical_, dtype=bool)
    trees = [_checked_nodes(i, p, known) for i, p in enumerate(predictors)]
    outputs = int(model.n_trees_per_iteration_)
    targets = np.tile(np.arange(outputs, dtype=np.int32), len(model._predictors))
    nodes = np.concatenate([p.nodes for p in predictors])
    leaf = nodes["is_leaf"].astype(bool)
    values = nodes["value"].astype(np.float64)[leaf][:, None]
    made = join(
        trees,
        np.arange(len(values), dtype=np.int32),
        values,
        np.zeros(outputs) + np.asarray(model._baseline_prediction, dtype=np.float64).ravel(),
        "<=",
        None if outputs == 1 else targets,
    )
    categorical = nodes["is_categorical"].astype(bool) & ~leaf
    if not categorical.any():
        return made
    bitsets = [p.raw_left_cat_bitsets.reshape(-1, _WORDS) for p in predictors]
    heights = np.array([len(b) for b in bitsets], dtype=np.int64)
    first = np.repeat(np.cumsum(heights) - heights, [len(t.leaf) for t in trees])
    rows = first + nodes["bitset_idx"].astype(np.int64)
    return replace(
        made,
        category_start=np.where(categorical, rows * _WORDS, -1).astype(np.int32),
        category_count=np.where(categorical, _WORDS, 0).astype(np.int32),
        category_words=np.concatenate(bitsets).astype(np.uint32).ravel(),
    )


class HistGradientBoosting(Stripper):
    """The sums of the trees' leaves."""

    def rows(self, model: Any, x: Table) -> Wire:
        return _float64_matrix(model, x)

    @once
    def raw(self, model: Any, x: Wire) -> Wire:
        return ops.trees(x, _hist_ensemble(model))


class HistGradientBoostingClassifier(HistGradientBoosting):
    @method
    def predict(self, model: Any, x: Wire) -> Wire:
        return ops.decide(self.raw(model, x), model.classes_)

    @method
    def predict_proba(self, model: Any, x: Wire) -> Any:
        return probabilities(model, self.raw(model, x), by_rows=False)

    @method
    def decision_function(self, model: Any, x: Wire) -> Wire:
        return self.raw(model, x)


class HistGradientBoostingRegressor(HistGradientBoosting):
    @method
    def predict(self, model: Any, x: Wire) -> Any:
        return inverse_link(model, self.raw(model, x))


class Voting(Stripper):
    """What each estimator predicts, side by side in their common type."""

    tells_missing = True
    makes_dense = True

    def asked(self, model: Any) -> str:
        """Return the method that the estimators are asked for."""
        return "predict"

    @once
    def each(self, model: Any, x: Table) -> list[Any]:
        """Return what each estimator gives."""
        asked = self.asked(model)
        names = [name for name, estimator in model.estimators if not isinstance(estimator, str)]
        made = [
            dispatch.apply(estimator, x, x.builder, frozenset({asked}), name)[asked]
            for name, estimator in zip(names, model.estimators_, strict=True)
        ]
        wires = [ops.label_numbers(w.matrix() if isinstance(w, Table) else w) for w in made]
        common = promotion.result_type([w.numbers for w in wires])
        return [(w.ravel() if asked == "predict" else w).astype(common) for w in wires]

    @method
    def transform(self, model: Any, x: Table) -> Wire:
        return ops.concat(self.each(model, x))


class VotingRegressor(Voting):
    @method
    def predict(self, model: Any, x: Table) -> Any:
        return _average(self.each(model, x), model._weights_not_none)


class VotingClassifier(Voting):
    """Labels by the number of votes (hard), or by averaged probabilities (soft)."""

    def asked(self, model: Any) -> str:
        return "predict_proba" if model.voting == "soft" else "predict"

    def offers(self, model: Any) -> Mapping[str, Declared]:
        # Without flatten_transform an array of three axes comes back.
        flat = model.voting == "hard" or model.flatten_transform
        return {m: d for m, d in super().offers(model).items() if flat or m != "transform"}

    @method
    def predict(self, model: Any, x: Table) -> Wire:
        if model.voting == "soft":
            return ops.labels(np.argmax(self.predict_proba(model, x), axis=1), model.classes_)
        votes: Any = ops.concat(self.each(model, x))
        weights = np.asarray(model._weights_not_none or np.ones(votes.width), dtype=np.float64)
        counts = [ops.sum_in_order((votes == c) * weights) for c in range(len(model.classes_))]
        codes: Any = np.argmax(ops.concat(counts), axis=1)
        return ops.labels(codes, model.classes_)

    @method
    def predict_proba(self, model: Any, x: Table) -> Any:
        return _average(self.each(model, x), model._weights_not_none)


def _average(parts: list[Any], weights: Any) -> Any:
    """Return what `numpy.average` makes of arrays, added one after the other."""
    if weights is None:
        return _total(parts) / len(parts)
    wide = np.asarray(weights)
    return _total([p * w for p, w in zip(parts, wide, strict=True)]) / wide.sum()


def _total(parts: list[Any]) -> Any:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


CLASSES: dict[str, Stripper] = {
    **BAGGING,
    **BOOSTING,
    **RANDOM_TREES,
    **STACKING,
    "ExtraTreesClassifier": ForestClassifier(),
    "ExtraTreesRegressor": ForestRegressor(),
    "GradientBoostingClassifier": GradientBoostingClassifier(),
    "GradientBoostingRegressor": GradientBoostingRegressor(),
    "HistGradientBoostingClassifier": HistGradientBoostingClassifier(),
    "HistGradientBoostingRegressor": HistGradientBoostingRegressor(),
    "RandomForestClassifier": ForestClassifier(),
    "RandomForestRegressor": ForestRegressor(),
    "VotingClassifier": VotingClassifier(),
    "VotingRegressor": VotingRegressor(),
}
