"""`sklearn.svm`: the linear ones."""

from __future__ import annotations

from sclbl.strippers.sklearn.linear_model import LINEAR_CLASSIFIER, LinearRegressor

CLASSES = {"LinearSVC": LINEAR_CLASSIFIER, "LinearSVR": LinearRegressor()}
