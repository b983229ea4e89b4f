"""A model whose methods are those of its program: what scikit-learn's own checks are given."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils import get_tags

from sclbl.strippers import strip
from tests.kept import program_of

#: What checks ask a fitted model for.
METHODS = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "score_samples",
    "transform",
)


class Compiled(BaseEstimator):
    """A model that is compiled whenever it is fitted, and answers through its program.

    Its options are the model's own, and so is all else that a program has not.

    Parameters
    ----------
    model : object
        An estimator of scikit-learn.
    """

    def __init__(self, model: Any) -> None:
        vars(self).update(model=model, program=None)

    def fit(self, X: Any, y: Any = None) -> Compiled:
        self.model.fit(X, y)
        vars(self)["program"] = program_of(strip(self.model, _first(X)))
        return self

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        made = self.model.fit_transform(X, y)
        return made.toarray() if hasattr(made, "toarray") else made

    def __getattr__(self, name: str) -> Any:
        if name in METHODS and vars(self)["program"] is not None:
            getattr(self.model, name)  # which the model may lack, or not have for its options
            return getattr(self.program, name)
        if name in METHODS or name.startswith("__"):
            raise AttributeError(name)
        return getattr(vars(self)["model"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.model, name, value)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return self.model.get_params(deep)

    def set_params(self, **options: Any) -> Compiled:
        self.model.set_params(**options)
        return self

    def __sklearn_clone__(self) -> Compiled:
        return Compiled(clone(self.model))

    def __sklearn_is_fitted__(self) -> bool:
        return self.program is not None

    def __sklearn_tags__(self) -> Any:
        return get_tags(self.model)


def _first(X: Any) -> Any:
    """Return the first of training rows, in their container."""
    if hasattr(X, "tocsr"):
        return X.tocsr()[:5]
    return X[:5] if hasattr(X, "__getitem__") else np.asarray(X)[:5]
