"""A linear booster (`gbm/gblinear.cc`): bias and base margin, then each column's product in turn.

Sums are made in float32, column after column, and what is missing is left out. A row always goes
through a DMatrix, which refuses infinity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sclbl.strippers import ops
from sclbl.strippers.columns import Wire
from sclbl.strippers.xgboost import file, probe, ubjson


@dataclass(frozen=True, slots=True)
class Linear:
    """What inference needs of a linear booster.

    Parameters
    ----------
    weights : float32 ``[features, outputs]``
        What each column is multiplied by.
    bias : float32 ``[outputs]``
        The bias of the booster itself.
    start : float32 ``[outputs]``
        What a row without values comes to: the bias and the base margin.
    objective : str
        XGBoost's name of it.
    release : tuple of int
        The release that predicts.
    """

    weights: np.ndarray
    bias: np.ndarray
    start: np.ndarray
    objective: str
    release: tuple[int, ...]


def read(booster: Any) -> Linear:
    """Read a booster whose kind is gblinear."""
    saved = ubjson.loads(booster.save_raw("ubj"))
    learner = saved["learner"]
    parameters = learner["learner_model_param"]
    inner = learner["gradient_booster"]["model"]
    features, outputs = int(parameters["num_feature"]), file.outputs(parameters)
    weights = np.zeros((features + 1, outputs), dtype=np.float32)
    file.check_linear(inner, parameters)
    if len(inner["weights"]):  # before the first round there may be none
        weights = np.asarray(inner["weights"]).astype(np.float32).reshape(weights.shape)
    return Linear(
        weights[:-1],
        weights[-1],
        probe.margins(booster, features),
        str(learner["objective"]["name"]),
        tuple(int(v) for v in saved["version"]),
    )


def margins(model: Linear, x: Wire) -> Wire:
    """Return float32 ``[rows, outputs]`` of columns in which NaN stands for what is missing."""
    found = []
    for weights, start in zip(model.weights.T, model.start, strict=True):
        # Minus zero is the number that changes no sum.
        terms: Any = np.where(np.isnan(x), np.float32(-0.0), x * weights)
        first = np.full(len(weights), -0.0, dtype=np.float32)
        first[0] = start
        found.append(ops.sum_in_order(terms + first, keepdims=True))
    return ops.concat(found)


def contributions(model: Linear, x: Wire) -> Wire:
    """Return each column's product and, at the end, what a row without values comes to."""
    found = []
    for weights, start in zip(model.weights.T, model.start, strict=True):
        products: Any = np.where(np.isnan(x), np.float32(0), x * weights)
        last = ops.constant_column(x, float(start)).astype(np.float32)
        found += [products, last]
    return ops.concat(found)
