"""`sklearn.neural_network`: multi-layer perceptrons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sclbl.strippers import ops
from sclbl.strippers.base import method, once
from sclbl.strippers.columns import Wire
from sclbl.strippers.sklearn.estimator import Estimator

_ACTIVATIONS: Mapping[str, Callable[[Any], Any]] = {
    "exp": np.exp,
    "identity": lambda x: x,
    "logistic": ops.libm_sigmoid,
    "relu": lambda x: np.maximum(x, 0),
    "softmax": ops.softmax,
    "tanh": np.tanh,
}


class Perceptron(Estimator):
    """Layers of products, each followed by its activation."""

    takes_sparse = True

    @once
    def forward(self, model: Any, x: Any) -> Any:
        """Return the last layer, after ``out_activation_``."""
        last = model.n_layers_ - 2
        for i, (coef, intercept) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
            x = x @ coef
            x += intercept
            x = _ACTIVATIONS[model.out_activation_ if i == last else model.activation](x)
        return x


class MLPRegressor(Perceptron):
    @method
    def predict(self, model: Any, x: Wire) -> Any:
        made = self.forward(model, x)
        return made.ravel() if made.width == 1 else made


class MLPClassifier(Perceptron):
    """One output for two classes; one a class for more, or for several labels a row."""

    @method
    def predict(self, model: Any, x: Wire) -> Any:
        made, binarizer = self.forward(model, x), model._label_binarizer
        if binarizer.y_type_ == "multiclass":
            return ops.decide(made, model.classes_)
        threshold = (binarizer.pos_label + binarizer.neg_label) / 2.0
        if binarizer.y_type_ != "binary":
            return (made > threshold).astype(np.int64)
        # With one class alone each row has it.
        return ops.labels(made > (threshold if len(model.classes_) > 1 else np.inf), model.classes_)

    @method
    def predict_proba(self, model: Any, x: Wire) -> Any:
        made = self.forward(model, x)
        return ops.concat([1 - made, made]) if made.width == 1 else made

    @method
    def predict_log_proba(self, model: Any, x: Wire) -> Any:
        return np.log(self.predict_proba(model, x))


class BernoulliRBM(Estimator):
    """How likely each hidden unit is on; `score_samples` draws at random, and is none."""

    dtype, takes_sparse = "float", True

    @method
    def transform(self, model: Any, x: Any) -> Any:
        p = x @ model.components_.T
        p += model.intercept_hidden_
        return ops.libm_sigmoid(p)


CLASSES = {
    "BernoulliRBM": BernoulliRBM(),
    "MLPClassifier": MLPClassifier(),
    "MLPRegressor": MLPRegressor(),
}
