"""sklearn.impute."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.experimental import enable_iterative_imputer  # noqa: F401  # lets the next line work
from sklearn.impute import IterativeImputer, KNNImputer, MissingIndicator, SimpleImputer
from sklearn.linear_model import Ridge

from tests.conformance.domains import HOLES, MISSING_TEXTS
from tests.conformance.subject import Make, Subject, fitted


def _filled(estimator: type, **options: Any) -> Make:
    """Of texts: what stands for a missing one depends on the container."""

    def make(rows: Any) -> Any:
        missing = np.nan if isinstance(rows, pd.DataFrame) else None
        return estimator(missing_values=missing, **options).fit(rows)

    return make


SUBJECTS = (
    Subject("SimpleImputer, mean", fitted(SimpleImputer()), HOLES),
    Subject("SimpleImputer, median", fitted(SimpleImputer(strategy="median")), HOLES),
    Subject("SimpleImputer, most frequent",
            fitted(SimpleImputer(strategy="most_frequent")), HOLES),
    Subject("SimpleImputer, constant",
            fitted(SimpleImputer(strategy="constant", fill_value=-0.1)), HOLES),
    Subject("SimpleImputer, own", fitted(SimpleImputer(strategy=np.ptp)), HOLES),
    Subject("SimpleImputer, indicator", fitted(SimpleImputer(add_indicator=True)), HOLES),
    Subject("SimpleImputer, text", _filled(SimpleImputer, strategy="most_frequent"),
            MISSING_TEXTS),
    Subject("SimpleImputer, text, constant",
            _filled(SimpleImputer, strategy="constant", fill_value="?"), MISSING_TEXTS),
    Subject("IterativeImputer", fitted(IterativeImputer(max_iter=3)), HOLES),
    Subject("IterativeImputer, bounds, indicator", fitted(IterativeImputer(
            Ridge(), max_iter=2, min_value=-2, initial_strategy="median",
            add_indicator=True)), HOLES),
    Subject("KNNImputer", fitted(KNNImputer()), HOLES),
    Subject("KNNImputer, distance, indicator", fitted(KNNImputer(
            n_neighbors=3, weights="distance", add_indicator=True)), HOLES),
    Subject("MissingIndicator", fitted(MissingIndicator()), HOLES),
    Subject("MissingIndicator, all", fitted(MissingIndicator(features="all")), HOLES),
    Subject("MissingIndicator, new",
            fitted(MissingIndicator(error_on_new=False)), HOLES),
    Subject("MissingIndicator, text", _filled(MissingIndicator, features="all"), MISSING_TEXTS),
)  # fmt: skip
