"""How scikit-learn's linear classifiers turn scores into probabilities.

Each function takes scores ``[rows, 1]`` (binary) or ``[rows, classes]`` and returns
``[rows, classes]``, with the operations of the source in its order.
"""

from __future__ import annotations

from sclbl.strippers.columns import Wire
from sclbl.strippers.graph import Builder


def logistic(build: Builder, scores: Wire) -> Wire:
    """Return `LinearClassifierMixin._predict_proba_lr`: a sigmoid each, normalised over classes."""
    p = build.unary("Sigmoid", scores)
    if p.width == 1:
        return build.concat([build.sub(1.0, p), p])
    return _normalised(build, p)


def softmax(build: Builder, scores: Wire) -> Wire:
    """Return `sklearn.utils.extmath.softmax`; a single column of scores stands for ``[-s, s]``."""
    if scores.width == 1:
        scores = build.concat([build.unary("Neg", scores), scores])
    return build.softmax(scores)


def modified_huber(build: Builder, scores: Wire) -> Wire:
    """Return `SGDClassifier.predict_proba` for the loss ``modified_huber``.

    ``(clip(score, -1, 1) + 1) / 2``. The binary case is computed in float64 whatever the type of
    the scores, the other one in their own.
    """
    clipped = build.binary("Min", build.binary("Max", scores, -1.0), 1.0)
    if scores.width == 1:
        p = build.div(build.add(build.cast(clipped, "float64"), 1.0), 2.0)
        return build.concat([build.sub(1.0, p), p])
    return _normalised(build, build.div(build.add(clipped, 1.0), 2.0))


def _normalised(build: Builder, p: Wire) -> Wire:
    """Divide rows by their sums; a row of zeros becomes the uniform distribution."""
    total = build.reduce("ReduceSum", p)
    all_zero = build.binary("Equal", total, 0.0)
    return build.div(build.where(all_zero, 1.0, p), build.where(all_zero, float(p.width), total))
