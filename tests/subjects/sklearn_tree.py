"""sklearn.tree."""

from __future__ import annotations

import numpy as np
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from tests.conformance.domains import (
    FLAGS,
    HOLES,
    PAIRS,
    POSITIVE,
    ROWS,
    SCORE,
    SCORES,
    THREE,
    TINY,
    TRUTHS,
    WORDS,
    X,
)
from tests.conformance.subject import fitted, of_trees

#: Medians of zeros keep their sign, which a sum that starts at 0.0 would lose.
_SIGNED = np.where(X[:, 0] > 0, -0.0, SCORE)

SUBJECTS = (
    of_trees("DecisionTreeClassifier",
             fitted(DecisionTreeClassifier(random_state=0), THREE)),
    of_trees("DecisionTreeClassifier, text", fitted(DecisionTreeClassifier(
             max_depth=5, class_weight="balanced", random_state=0), WORDS), TINY),
    of_trees("DecisionTreeClassifier, truths",
             fitted(DecisionTreeClassifier(max_leaf_nodes=7, random_state=0), TRUTHS)),
    of_trees("DecisionTreeClassifier, monotonic", fitted(DecisionTreeClassifier(
             max_depth=4, monotonic_cst=[1, 0, 0, -1], random_state=0), TRUTHS)),
    of_trees("DecisionTreeClassifier, 1 class",
             fitted(DecisionTreeClassifier(random_state=0), np.zeros(ROWS, dtype=np.int64))),
    of_trees("DecisionTreeClassifier, 2 outputs",
             fitted(DecisionTreeClassifier(max_depth=5, random_state=0), PAIRS)),
    of_trees("DecisionTreeClassifier, missing",
             fitted(DecisionTreeClassifier(random_state=0), FLAGS), HOLES),
    of_trees("DecisionTreeRegressor", fitted(DecisionTreeRegressor(random_state=0), SCORE)),
    of_trees("DecisionTreeRegressor, tiny",
             fitted(DecisionTreeRegressor(random_state=0), SCORE), TINY),
    of_trees("DecisionTreeRegressor, absolute", fitted(DecisionTreeRegressor(
             criterion="absolute_error", max_depth=4, random_state=0), SCORE)),
    of_trees("DecisionTreeRegressor, Poisson", fitted(DecisionTreeRegressor(
             criterion="poisson", max_depth=5, random_state=0), POSITIVE)),
    of_trees("DecisionTreeRegressor, pruned",
             fitted(DecisionTreeRegressor(ccp_alpha=0.02, random_state=0), SCORE)),
    of_trees("DecisionTreeRegressor, negative zero", fitted(DecisionTreeRegressor(
             criterion="absolute_error", max_depth=2, random_state=0), _SIGNED)),
    of_trees("DecisionTreeRegressor, 3 outputs",
             fitted(DecisionTreeRegressor(max_depth=6, random_state=0), SCORES)),
    of_trees("DecisionTreeRegressor, missing",
             fitted(DecisionTreeRegressor(random_state=0), SCORE), HOLES),
    of_trees("ExtraTreeClassifier", fitted(ExtraTreeClassifier(random_state=0), WORDS), TINY),
    of_trees("ExtraTreeClassifier, best", fitted(ExtraTreeClassifier(
             splitter="best", random_state=0), THREE)),
    of_trees("ExtraTreeClassifier, missing",
             fitted(ExtraTreeClassifier(random_state=0), WORDS), HOLES),
    of_trees("ExtraTreeRegressor", fitted(ExtraTreeRegressor(random_state=0), SCORE)),
    of_trees("ExtraTreeRegressor, best", fitted(ExtraTreeRegressor(
             max_depth=3, splitter="best", random_state=0), SCORE)),
)  # fmt: skip
