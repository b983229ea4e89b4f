"""`sklearn.linear_model`: scores ``X @ coef_.T + intercept_``, and what is made of them.

X keeps its type, so float32 rows meet float32 coefficients in float32, and float64 coefficients in
float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import ops
from sclbl.strippers.base import Stripper, method
from sclbl.strippers.columns import Wire
from sclbl.strippers.sklearn.estimator import Estimator, require_columns
from sclbl.strippers.sklearn.inside import InsideOfArrays


def scores(model: Any, x: Wire) -> Any:
    """Return ``X @ coef_.T + intercept_``."""
    coef = model.coef_
    if hasattr(coef, "check_format"):
        coef.check_format(full_check=True)  # toarray writes wherever the indices say
    dense = coef.toarray() if hasattr(coef, "toarray") else np.asarray(coef)
    return x @ dense.T + model.intercept_


class LinearRegressor(Estimator):
    """`LinearModel.predict`."""

    takes_sparse = True

    @method
    def predict(self, model: Any, x: Wire) -> Any:
        return scores(model, x)


class BayesianRidge(LinearRegressor):
    """The mean; its standard deviation is written on request, since it adds a square matrix."""

    @method(on_request=True, ask="predict", return_std=True)
    def predict_std(self, model: Any, x: Any) -> Any:
        x = self.used(model, x - model.X_offset_)
        squared = np.sum((x @ model.sigma_) * x, axis=1)
        return np.sqrt(squared + (1.0 / model.alpha_))

    def used(self, model: Any, x: Any) -> Any:
        """Return the columns that `sigma_` is of."""
        return x

    def call(self, model: Any, method: str, rows: Any, **parameters: Any) -> Any:
        found = super().call(model, method, rows, **parameters)
        return found[1] if method == "predict_std" else found


class ARDRegression(BayesianRidge):
    def used(self, model: Any, x: Any) -> Any:
        return x[:, np.flatnonzero(model.lambda_ < model.threshold_lambda).tolist()]


class CoordinateDescent(LinearRegressor):
    """`ElasticNet` and its kin do not look at the values of sparse rows."""

    def rows(self, model: Any, x: Any) -> Any:
        if isinstance(x, Wire):
            require_columns(model, x)
            return x
        return super().rows(model, x)


class GeneralizedLinearRegressor(Estimator):
    """The inverse link of the scores; the link is the one fitted, whatever the parameters say."""

    dtype, takes_sparse = "float", True

    def check(self, model: Any) -> None:
        link = type(model._base_loss.link).__name__
        if link not in ("LogLink", "IdentityLink"):
            raise UnsupportedModelError(
                f"{type(model).__name__} was fitted with the link {link}, which has no stripper; "
                'fit it with link="log" or link="identity"'
            )

    @method
    def predict(self, model: Any, x: Wire) -> Any:
        raw = scores(model, x)
        return np.exp(raw) if type(model._base_loss.link).__name__ == "LogLink" else raw


class LinearClassifier(Estimator):
    """`LinearClassifierMixin`: one column of scores means two classes."""

    takes_sparse = True

    def check(self, model: Any) -> None:
        made = 1 if np.ndim(model.coef_) == 1 else model.coef_.shape[0]
        classes = len(model.classes_)
        if classes != (2 if made == 1 else made):
            raise UnsupportedModelError(
                f"{type(model).__name__} was fitted on {classes} classes and makes {made} "
                "scores a row, so its predict has no label for each outcome; fit it on rows of "
                "two classes or more"
            )

    @method
    def predict(self, model: Any, x: Wire) -> Wire:
        return ops.decide(self.decision_function(model, x), model.classes_)

    @method
    def decision_function(self, model: Any, x: Wire) -> Any:
        return scores(model, x)


class ProbabilisticClassifier(LinearClassifier):
    """One whose scores become probabilities."""

    def estimate(self, model: Any, scores: Any) -> Any:
        """Return the probabilities of scores ``[rows, 1]`` or ``[rows, classes]``."""
        return logistic(scores)

    @method
    def predict_proba(self, model: Any, x: Wire) -> Any:
        return self.estimate(model, self.decision_function(model, x))

    @method
    def predict_log_proba(self, model: Any, x: Wire) -> Any:
        return np.log(self.predict_proba(model, x))


class LogisticClassifier(ProbabilisticClassifier):
    """A sigmoid for two classes, else a softmax.

    Releases of scikit-learn that have the parameter ``multi_class`` choose by it.
    """

    def estimate(self, model: Any, scores: Any) -> Any:
        choice = model.get_params(deep=False).get("multi_class")
        binary = len(model.classes_) <= 2
        if choice in (None, "auto", "deprecated"):
            one_vs_rest = binary or (choice is not None and model.solver == "liblinear")
        else:
            one_vs_rest = choice in ("ovr", "warn")
        return logistic(scores) if one_vs_rest else softmax(scores)


class StochasticGradientClassifier(ProbabilisticClassifier):
    """`SGDClassifier`: probabilities for the losses ``log_loss`` and ``modified_huber``."""

    def estimate(self, model: Any, scores: Any) -> Any:
        return logistic(scores) if model.loss == "log_loss" else modified_huber(scores)


class RidgeClassifier(LinearClassifier):
    """`RidgeClassifier` and `RidgeClassifierCV`, which also take several labels a row."""

    def check(self, model: Any) -> None:
        if not self._multilabel(model):
            super().check(model)

    @method
    def predict(self, model: Any, x: Wire) -> Any:
        if self._multilabel(model):
            return (self.decision_function(model, x) > 0).astype(np.int64)
        return super().predict(model, x)

    @staticmethod
    def _multilabel(model: Any) -> bool:
        return str(model._label_binarizer.y_type_).startswith("multilabel")


class OneClass(Estimator):
    """`SGDOneClassSVM`: a linear score, compared with an offset."""

    takes_sparse = True

    @method
    def predict(self, model: Any, x: Wire) -> Any:
        above = self.decision_function(model, x) >= 0
        return np.where(above, 1, -1).astype(np.int32)

    @method
    def decision_function(self, model: Any, x: Any) -> Any:
        return (x @ model.coef_.T - model.offset_).ravel()

    @method
    def score_samples(self, model: Any, x: Wire) -> Any:
        return self.decision_function(model, x) + model.offset_


def logistic(scores: Any) -> Any:
    """`LinearClassifierMixin._predict_proba_lr`: a sigmoid each, normalised over classes."""
    p = ops.sigmoid(scores)
    return ops.concat([1 - p, p]) if p.width == 1 else _normalised(p)


def softmax(scores: Any) -> Any:
    """`sklearn.utils.extmath.softmax`; a single column of scores stands for ``[-s, s]``."""
    return ops.softmax(ops.concat([-scores, scores]) if scores.width == 1 else scores)


def modified_huber(scores: Any) -> Any:
    """``(clip(score, -1, 1) + 1) / 2``: two classes are computed in float64, more in their own."""
    clipped = np.clip(scores, -1, 1)
    if scores.width == 1:
        p = (clipped.astype(np.float64) + 1) / 2
        return ops.concat([1 - p, p])
    return _normalised((clipped + 1) / 2)


def _normalised(p: Any) -> Any:
    """Divide rows by their sums; a row of zeros becomes the uniform distribution."""
    total = ops.sum_in_order(p, keepdims=True)
    zero = total == 0
    return np.where(zero, 1, p) / np.where(zero, p.width, total)


LINEAR_CLASSIFIER = LinearClassifier()
_DESCENT = "ElasticNet Lasso MultiTaskElasticNet MultiTaskLasso"
_REGRESSORS = """ElasticNetCV HuberRegressor Lars LarsCV
    LassoCV LassoLars LassoLarsCV LassoLarsIC LinearRegression
    MultiTaskElasticNetCV MultiTaskLassoCV OrthogonalMatchingPursuit
    OrthogonalMatchingPursuitCV PassiveAggressiveRegressor QuantileRegressor Ridge RidgeCV
    SGDRegressor TheilSenRegressor"""
_GENERALIZED = "GammaRegressor PoissonRegressor TweedieRegressor"

CLASSES: dict[str, Stripper] = {
    **dict.fromkeys(_REGRESSORS.split(), LinearRegressor()),
    **dict.fromkeys(_DESCENT.split(), CoordinateDescent()),
    **dict.fromkeys(_GENERALIZED.split(), GeneralizedLinearRegressor()),
    **dict.fromkeys(["PassiveAggressiveClassifier", "Perceptron"], LINEAR_CLASSIFIER),
    **dict.fromkeys(["LogisticRegression", "LogisticRegressionCV"], LogisticClassifier()),
    **dict.fromkeys(["RidgeClassifier", "RidgeClassifierCV"], RidgeClassifier()),
    "ARDRegression": ARDRegression(),
    "BayesianRidge": BayesianRidge(),
    "RANSACRegressor": InsideOfArrays("estimator_"),
    "SGDClassifier": StochasticGradientClassifier(),
    "SGDOneClassSVM": OneClass(),
}
