"""`sklearn.semi_supervised`."""

from __future__ import annotations

from sclbl.strippers.sklearn.self_training import SELF_TRAINING

CLASSES = {**SELF_TRAINING}
