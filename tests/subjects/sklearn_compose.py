"""sklearn.compose."""

from __future__ import annotations

from sklearn.compose import make_column_transformer
from sklearn.preprocessing import MaxAbsScaler, RobustScaler, StandardScaler

from tests.conformance.subject import Subject, fitted

SUBJECTS = (
    Subject("ColumnTransformer, by position", fitted(make_column_transformer(
            (StandardScaler(), [2, 0]), (MaxAbsScaler(), [-1]), remainder="passthrough"))),
    Subject("ColumnTransformer, remainder", fitted(make_column_transformer(
            ("passthrough", [1]), ("drop", [3]), remainder=RobustScaler()))),
)  # fmt: skip
