"""sklearn.compose."""

from __future__ import annotations

import numpy as np
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.linear_model import Ridge
from sklearn.preprocessing import MaxAbsScaler, RobustScaler, StandardScaler

from tests.conformance.domains import POSITIVE
from tests.conformance.subject import Subject, fitted

SUBJECTS = (
    Subject("ColumnTransformer, by position", fitted(make_column_transformer(
            (StandardScaler(), [2, 0]), (MaxAbsScaler(), [-1]), remainder="passthrough"))),
    Subject("ColumnTransformer, remainder", fitted(make_column_transformer(
            ("passthrough", [1]), ("drop", [3]), remainder=RobustScaler()))),
    Subject("TransformedTargetRegressor", fitted(TransformedTargetRegressor(
            Ridge(), func=np.log1p, inverse_func=np.expm1, check_inverse=False), POSITIVE)),
)  # fmt: skip
