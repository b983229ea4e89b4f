"""`sklearn.semi_supervised.SelfTrainingClassifier`: the methods of the estimator inside."""

from __future__ import annotations

from sclbl.strippers.sklearn.inside import InsideOfArrays

SELF_TRAINING = {"SelfTrainingClassifier": InsideOfArrays("estimator_")}
