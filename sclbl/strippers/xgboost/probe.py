"""What a booster answers for a row of which nothing is known."""

from __future__ import annotations

from typing import Any

import numpy as np


def margins(booster: Any, features: int) -> np.ndarray:
    """Return the margins of a row in which everything is missing, float32 ``[outputs]``."""
    import xgboost

    names, types = booster.feature_names, booster.feature_types
    rows = np.full((1, features), np.nan, dtype=np.float32)
    row = xgboost.DMatrix(rows, feature_names=names, feature_types=types, enable_categorical=True)
    return np.asarray(booster.predict(row, output_margin=True), dtype=np.float32).ravel()
