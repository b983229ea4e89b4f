"""VotingClassifier and VotingRegressor: what the estimators inside predict, put together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sclbl.strippers import dispatch, ops, promotion
from sclbl.strippers.base import Declared, Stripper, method, once
from sclbl.strippers.columns import Table, Wire


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
        return [(w.ravel() if w.width == 1 else w).astype(common) for w in wires]

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
