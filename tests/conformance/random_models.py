"""Random models of scikit-learn: transformers and estimators inside each other, to some depth.

What has a stripper is found; its options here are those that change what a program computes. Models
that need more than rows and a target (an estimator inside, text, rows of their own kind) are made
by the functions below, or stand in `APART`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from hypothesis import strategies as st
from sklearn import (
    calibration,
    compose,
    ensemble,
    feature_selection,
    frozen,
    model_selection,
    multiclass,
    multioutput,
    pipeline,
    preprocessing,
    semi_supervised,
)
from sklearn.utils.discovery import all_estimators

from sclbl.strippers import dispatch

#: Found elsewhere: they take other rows, hold estimators, or are random themselves. Of a Birch the
#: centers are training rows, from which distances of nearly 0 are rounding alone; so are small
#: cells of a PolynomialCountSketch, where sparse codes end, and weights of neighbours that nearly
#: depend on each other, and the categories that CategoricalNB cuts numbers off to.
_APART = """
    Birch CategoricalNB PolynomialCountSketch DictionaryLearning MiniBatchDictionaryLearning
    LocallyLinearEmbedding AdaBoostClassifier AdaBoostRegressor BaggingClassifier
    BaggingRegressor BernoulliRBM CalibratedClassifierCV ClassifierChain ColumnTransformer
    CountVectorizer DictVectorizer FeatureHasher FeatureUnion FixedThresholdClassifier
    FrozenEstimator FunctionTransformer GridSearchCV HalvingGridSearchCV HalvingRandomSearchCV
    HashingVectorizer KernelCenterer LabelBinarizer LabelEncoder MultiLabelBinarizer
    MultiOutputClassifier MultiOutputRegressor OneVsOneClassifier OneVsRestClassifier
    OutputCodeClassifier PatchExtractor Pipeline RANSACRegressor RFE RFECV RandomizedSearchCV
    RegressorChain SelectFromModel SelfTrainingClassifier SequentialFeatureSelector SparseCoder
    StackingClassifier StackingRegressor TfidfTransformer TfidfVectorizer
    TransformedTargetRegressor TunedThresholdClassifierCV VotingClassifier VotingRegressor
    IsotonicRegression MultiTaskElasticNet MultiTaskElasticNetCV MultiTaskLasso MultiTaskLassoCV
    PLSCanonical CCA PLSSVD
"""
APART = frozenset(_APART.split())
#: These take no number below zero.
_POSITIVE = """
    AdditiveChi2Sampler SkewedChi2Sampler CategoricalNB ComplementNB LatentDirichletAllocation
    MiniBatchNMF MultinomialNB NMF
"""
POSITIVE = frozenset(_POSITIVE.split())
#: These look numbers up, so the last digit of what is computed before would decide.
DISCRETE = frozenset({"OneHotEncoder", "OrdinalEncoder", "TargetEncoder"})
#: Values of options, by class; the rest is left as it is.
OPTIONS: Mapping[str, Mapping[str, Sequence[Any]]] = {
    "BayesianGaussianMixture": {"n_components": [1, 3], "max_iter": [20]},
    "Binarizer": {"threshold": [0.0, 0.5]},
    "ComplementNB": {"norm": [False, True]},
    "DecisionTreeClassifier": {"max_depth": [None, 3], "criterion": ["gini", "entropy"]},
    "DecisionTreeRegressor": {"max_depth": [None, 3]},
    "ExtraTreesClassifier": {"n_estimators": [5], "n_jobs": [None, 2]},
    "ExtraTreesRegressor": {"n_estimators": [5]},
    "FastICA": {"n_components": [2], "whiten": ["unit-variance", "arbitrary-variance"]},
    "GaussianMixture": {"covariance_type": ["full", "tied", "diag", "spherical"]},
    # With 1e-10, equal rows make a matrix whose inverse multiplies rounding by as much.
    "GaussianProcessRegressor": {"alpha": [1e-3]},
    "GradientBoostingClassifier": {"n_estimators": [5]},
    "GradientBoostingRegressor": {"n_estimators": [5], "loss": ["squared_error", "huber"]},
    "HistGradientBoostingClassifier": {"max_iter": [5]},
    "HistGradientBoostingRegressor": {"max_iter": [5], "loss": ["squared_error", "quantile"],
                                      "quantile": [0.5]},
    "IncrementalPCA": {"n_components": [2], "whiten": [False, True]},
    "IsolationForest": {"n_estimators": [10], "contamination": ["auto", 0.1]},
    "KBinsDiscretizer": {"encode": ["onehot", "onehot-dense", "ordinal"], "n_bins": [3],
                         "strategy": ["uniform", "quantile", "kmeans"],
                         "quantile_method": ["averaged_inverted_cdf"]},
    "KMeans": {"n_clusters": [3]},
    "KNeighborsClassifier": {"n_neighbors": [1, 4], "weights": ["uniform", "distance"],
                             "algorithm": ["brute", "kd_tree", "ball_tree"]},
    "KNeighborsRegressor": {"n_neighbors": [1, 4], "weights": ["uniform", "distance"]},
    "LinearDiscriminantAnalysis": {"solver": ["svd", "lsqr", "eigen"]},
    "LogisticRegression": {"C": [0.1, 10.0], "max_iter": [200]},
    "MLPClassifier": {"hidden_layer_sizes": [(5,), (4, 3)], "max_iter": [20],
                      "activation": ["relu", "tanh", "logistic", "identity"]},
    "MLPRegressor": {"hidden_layer_sizes": [(5,)], "max_iter": [20]},
    "MiniBatchKMeans": {"n_clusters": [3]},
    "MinMaxScaler": {"feature_range": [(0, 1), (-2, 3)], "clip": [False, True]},
    "MissingIndicator": {"features": ["all"]},
    "Normalizer": {"norm": ["l1", "l2", "max"]},
    # Not "sigmoid": its matrix has negative eigenvalues, and what is left of them in float32 is
    # rounding, multiplied by half a million.
    "Nystroem": {"n_components": [5], "kernel": ["rbf", "poly"]},
    "OneHotEncoder": {"handle_unknown": ["ignore", "infrequent_if_exist"], "max_categories": [4]},
    "OrdinalEncoder": {"handle_unknown": ["use_encoded_value"], "unknown_value": [-1, np.nan]},
    "PCA": {"n_components": [1, 3, 0.9], "whiten": [False, True]},
    "PolynomialFeatures": {"degree": [2, 3], "interaction_only": [False, True],
                           "include_bias": [False, True]},
    "PowerTransformer": {"standardize": [False, True]},
    "QuantileTransformer": {"n_quantiles": [10], "output_distribution": ["uniform", "normal"]},
    "RBFSampler": {"n_components": [4]},
    "RandomForestClassifier": {"n_estimators": [5], "n_jobs": [None, 2]},
    "RandomForestRegressor": {"n_estimators": [5]},
    "RandomTreesEmbedding": {"n_estimators": [3], "max_depth": [2]},
    "RobustScaler": {"with_centering": [False, True], "unit_variance": [False, True]},
    "SGDClassifier": {"loss": ["hinge", "log_loss", "modified_huber"]},
    "SVC": {"kernel": ["rbf", "poly", "linear", "sigmoid"], "probability": [False, True]},
    "SVR": {"kernel": ["rbf", "poly", "linear"]},
    "SelectKBest": {"k": [1, 2, "all"]},
    "SimpleImputer": {"strategy": ["mean", "median", "most_frequent", "constant"],
                      "add_indicator": [False, True]},
    "SplineTransformer": {"n_knots": [4], "degree": [1, 3],
                          "extrapolation": ["constant", "linear", "continue", "periodic"]},
    "StandardScaler": {"with_mean": [False, True], "with_std": [False, True]},
    "TweedieRegressor": {"power": [0]},
}  # fmt: skip
Draw = Callable[[st.SearchStrategy[Any]], Any]


@cache
def _found(kind: str) -> tuple[type, ...]:
    """Return the classes of a kind that have strippers."""
    classes = dict(all_estimators(type_filter=kind))
    known = (cls for cls in classes.values() if dispatch.is_known(object.__new__(cls)))
    return tuple(c for c in known if c.__name__ not in APART and not _is_deprecated(c))


def _is_deprecated(cls: type) -> bool:
    return "deprecated" in (cls.__doc__ or "").lower().partition("parameters\n")[0]


def _leaf(draw: Draw, kind: str) -> Any:
    cls = draw(st.sampled_from(_found(kind)))
    options = OPTIONS.get(cls.__name__, {})
    chosen = {name: draw(st.sampled_from(list(values))) for name, values in options.items()}
    taken = cls().get_params()
    if "random_state" in taken:
        chosen["random_state"] = 0
    made = cls(**chosen)
    if cls.__name__ in POSITIVE:
        return pipeline.make_pipeline(preprocessing.MinMaxScaler(clip=True), made)
    if cls.__name__ in DISCRETE:
        return pipeline.make_pipeline(preprocessing.FunctionTransformer(np.rint), made)
    return made


def transformer(draw: Draw, depth: int) -> Any:
    """Return a transformer of numbers, of others inside each other."""
    kinds = ["leaf", "leaf", "pipeline", "union", "columns", "selection"]
    kind = draw(st.sampled_from(kinds)) if depth > 1 else "leaf"
    if kind == "leaf":
        return _leaf(draw, "transformer")
    if kind == "selection":
        inner = feature_selection.SelectFromModel(_leaf(draw, "regressor"), max_features=2)
        known = dispatch.is_known(inner) and hasattr(inner.estimator, "coef_")
        return inner if known else _leaf(draw, "transformer")
    some = [transformer(draw, depth - 1) for _ in range(draw(st.integers(1, 2)))]
    if kind == "pipeline":
        return pipeline.make_pipeline(*some)
    if kind == "union":
        weights = {f"part{i}": float(i + 2) for i in range(len(some))}
        return pipeline.FeatureUnion(
            [(f"part{i}", each) for i, each in enumerate(some)],
            transformer_weights=draw(st.sampled_from([None, weights])),
        )
    columns = [[0, 1], slice(1, 3), [3, 0]]
    return compose.ColumnTransformer(
        [(f"part{i}", each, draw(st.sampled_from(columns))) for i, each in enumerate(some)],
        remainder=draw(st.sampled_from(["drop", "passthrough"])),
    )


def _around(draw: Draw, depth: int, kind: str) -> Any:
    """Return an estimator that holds others of its kind."""
    inner = predictor(draw, depth - 1, kind)
    second = predictor(draw, depth - 1, kind)
    both = [("one", inner), ("two", second)]
    if kind == "classifier":
        made: list[Callable[[], Any]] = [
            lambda: ensemble.VotingClassifier(both, voting=draw(st.sampled_from(["hard", "soft"]))),
            lambda: multiclass.OneVsRestClassifier(inner),
            lambda: multiclass.OneVsOneClassifier(inner),
            lambda: multiclass.OutputCodeClassifier(inner, random_state=0),
            lambda: ensemble.StackingClassifier(
                both, passthrough=draw(st.booleans()), cv=2,
                final_estimator=draw(st.sampled_from([None, _leaf(draw, kind)])),
            ),
            lambda: ensemble.BaggingClassifier(inner, 3, max_features=0.5, random_state=0),
            lambda: calibration.CalibratedClassifierCV(
                inner, method=draw(st.sampled_from(["sigmoid", "isotonic"])), cv=2,
                ensemble=draw(st.booleans()),
            ),
            lambda: semi_supervised.SelfTrainingClassifier(inner),
            lambda: frozen.FrozenEstimator(inner),
        ]  # fmt: skip
    else:
        made = [
            lambda: ensemble.VotingRegressor(both),
            lambda: ensemble.StackingRegressor(both, passthrough=draw(st.booleans()), cv=2),
            lambda: ensemble.BaggingRegressor(inner, 3, max_features=0.5, random_state=0),
            lambda: ensemble.AdaBoostRegressor(inner, n_estimators=3, random_state=0),
            lambda: compose.TransformedTargetRegressor(
                inner, transformer=draw(st.sampled_from([None, preprocessing.StandardScaler()]))
            ),
        ]
    made.append(lambda: model_selection.GridSearchCV(inner, {}, cv=2))
    chosen = draw(st.sampled_from(made))()
    return chosen if dispatch.is_known(chosen) else inner


def predictor(draw: Draw, depth: int, kind: str) -> Any:
    """Return a classifier or regressor, of others inside each other."""
    how = draw(st.sampled_from(["leaf", "pipeline", "pipeline", "around"])) if depth > 1 else "leaf"
    if how == "leaf":
        return _leaf(draw, kind)
    if how == "around":
        return _around(draw, depth, kind)
    return pipeline.make_pipeline(transformer(draw, depth - 1), predictor(draw, depth - 1, kind))


def chains(draw: Draw, depth: int) -> Any:
    """Return a regressor of several outputs."""
    inner = predictor(draw, depth - 1, "regressor")
    cls = draw(st.sampled_from([multioutput.MultiOutputRegressor, multioutput.RegressorChain]))
    made = cls(inner)
    return made if dispatch.is_known(made) else inner


@st.composite
def models(draw: Draw, depth: int = 4) -> tuple[str, Any]:
    """Return a model and its kind: "classifier", "regressor", "transformer" or "outputs"."""
    kind = draw(st.sampled_from(["classifier", "regressor", "transformer", "outputs"]))
    if kind == "transformer":
        return kind, transformer(draw, depth)
    if kind == "outputs":
        return kind, chains(draw, depth)
    return kind, predictor(draw, depth, kind)
