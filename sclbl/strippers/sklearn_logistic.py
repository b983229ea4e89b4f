"""scikit-learn's linear classifiers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import sklearn_probability as probability
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.graph import Builder
from sclbl.strippers.sklearn_rows import affine, require_fitted, validated

Probability = Callable[[Builder, Wire], Wire]


class LinearClassifier:
    """`sklearn.linear_model._base.LinearClassifierMixin`: scores, and the class they point to.

    Scores are ``X @ coef_.T + intercept_``. One column of scores means two classes, the second one
    where the score is positive; else the first largest score wins.
    """

    def methods(self, model: Any) -> tuple[str, ...]:
        """Return what the fitted model offers.

        Raises
        ------
        NotFittedError
            Where the model is not fitted.
        UnsupportedModelError
            Where the number of classes does not fit the number of scores.
        """
        require_fitted(model)
        self._require_classes(model)
        if self._probability(model) is None:
            return ("predict", "decision_function")
        return ("predict", "predict_proba", "predict_log_proba", "decision_function")

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire | Table]:
        """Write the methods.

        ``predict`` is a label; ``decision_function`` is ``[rows, 1]`` or ``[rows, classes]`` and
        ``predict_proba`` and ``predict_log_proba`` are ``[rows, classes]``, float32 or float64.
        """
        self.methods(model)
        rows = validated(model, x, build)
        scores = affine(build, rows, model, model.coef_, model.intercept_)
        results: dict[str, Wire | Table] = {}
        if "decision_function" in methods:
            results["decision_function"] = scores
        if "predict" in methods:
            results["predict"] = self._predict(model, scores, build)
        estimate = self._probability(model)
        if estimate is not None and methods & {"predict_proba", "predict_log_proba"}:
            p = estimate(build, scores)
            results["predict_proba"] = p
            results["predict_log_proba"] = build.unary("Log", p)
        return {name: result for name, result in results.items() if name in methods}

    def _predict(self, model: Any, scores: Wire, build: Builder) -> Wire:
        if scores.width == 1:
            codes = build.cast(build.binary("Greater", scores, 0.0), "int64")
        else:
            codes = build.argmax(scores)
        return build.labels(codes, [model.classes_])

    def _probability(self, model: Any) -> Probability | None:
        """Return how scores become probabilities; None where the model offers none."""
        return None

    def _require_classes(self, model: Any) -> None:
        scores = 1 if np.ndim(model.coef_) == 1 else model.coef_.shape[0]
        classes = len(model.classes_)
        if classes != (2 if scores == 1 else scores):
            raise UnsupportedModelError(
                f"{type(model).__name__} was fitted on {classes} classes and makes {scores} "
                "scores a row, so its predict has no label for each outcome; fit it on rows of "
                "two classes or more"
            )


class LogisticClassifier(LinearClassifier):
    """`LogisticRegression` and `LogisticRegressionCV`: a sigmoid for two classes, else a softmax.

    Releases of scikit-learn that have the parameter ``multi_class`` choose by it.
    """

    def _probability(self, model: Any) -> Probability:
        choice = model.get_params(deep=False).get("multi_class")
        binary = len(model.classes_) <= 2
        if choice is None:
            one_vs_rest = binary
        else:
            automatic = choice in ("auto", "deprecated")
            one_vs_rest = choice in ("ovr", "warn") or (
                automatic and (binary or model.solver == "liblinear")
            )
        return probability.logistic if one_vs_rest else probability.softmax


class StochasticGradientClassifier(LinearClassifier):
    """`SGDClassifier`: probabilities for the losses ``log_loss`` and ``modified_huber``."""

    def _probability(self, model: Any) -> Probability | None:
        return _PROBABILITY_OF_LOSS.get(model.loss)


class RidgeClassifier(LinearClassifier):
    """`RidgeClassifier` and `RidgeClassifierCV`, which also take several labels a row."""

    def _predict(self, model: Any, scores: Wire, build: Builder) -> Wire:
        if self._multilabel(model):
            return build.cast(build.binary("Greater", scores, 0.0), "int64")
        return super()._predict(model, scores, build)

    def _require_classes(self, model: Any) -> None:
        if not self._multilabel(model):
            super()._require_classes(model)

    @staticmethod
    def _multilabel(model: Any) -> bool:
        return str(model._label_binarizer.y_type_).startswith("multilabel")


_PROBABILITY_OF_LOSS: dict[str, Probability] = {
    "log_loss": probability.logistic,
    "modified_huber": probability.modified_huber,
}

LINEAR_CLASSIFIER = LinearClassifier()
LOGISTIC_CLASSIFIER = LogisticClassifier()
SGD_CLASSIFIER = StochasticGradientClassifier()
RIDGE_CLASSIFIER = RidgeClassifier()
