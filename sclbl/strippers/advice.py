"""What to do instead, for classes without a stripper: one literal table, by what a class does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

_DATA = ("numpy", "pandas", "polars", "pyarrow")
_TREES = "RandomForest{0} ExtraTrees{0} GradientBoosting{0} HistGradientBoosting{0}"


@dataclass(frozen=True, slots=True)
class Advice:
    """A way out.

    Parameters
    ----------
    do : str
        What to do, as a clause.
    instead : str
        Supported classes of scikit-learn that do a similar thing, by their names.
    """

    do: str
    instead: str = ""

    def __str__(self) -> str:
        return self.do + (f": {', '.join(self.instead.split())}" if self.instead else "")


def _instead(what: str, classes: str) -> Advice:
    return Advice(f"fit {what} that is supported", classes)


_CLASSIFIER = _instead(
    "a classifier", "LogisticRegression LinearSVC " + _TREES.format("Classifier")
)
_REGRESSOR = _instead("a regressor", "Ridge LinearSVR " + _TREES.format("Regressor"))
_TRANSFORMER = _instead(
    "a transformer", "StandardScaler MinMaxScaler OneHotEncoder OrdinalEncoder PCA"
)
_OUTLIERS = Advice(
    "fit a classifier to what it predicts for the training rows and upload that",
    "DecisionTreeClassifier RandomForestClassifier LogisticRegression",
)

#: Advice for classes of scikit-learn, by their names.
SKLEARN: dict[Advice, str] = {
    Advice(
        "it numbers groups of rows; fit a classifier to its labels_ and upload that",
        "DecisionTreeClassifier RandomForestClassifier LogisticRegression",
    ): """AgglomerativeClustering DBSCAN HDBSCAN OPTICS SpectralClustering""",
    Advice(
        "it numbers groups of rows; fit a classifier to its row_labels_ and upload that",
        "DecisionTreeClassifier RandomForestClassifier LogisticRegression",
    ): "SpectralBiclustering SpectralCoclustering",
    Advice(
        "it encodes targets, which a fitted classifier does itself; upload the classifier alone"
    ): "LabelBinarizer LabelEncoder",
    Advice(
        "compute its columns where you call the model, and upload the model behind it with them "
        "as example_input"
    ): "PatchExtractor",
    Advice("it maps only the rows that it was fitted on; fit a decomposition", "PCA"): (
        "ClassicalMDS MDS SpectralEmbedding TSNE"
    ),
}
BY_CLASS = {name: advice for advice, names in SKLEARN.items() for name in names.split()}

_RESULTS = Advice(
    "sclbl takes what fit() of these models of statsmodels returns: OLS, WLS, GLS, GLSAR, "
    "QuantReg, RLM, MixedLM, GLM, GEE, Logit, Probit, MNLogit, OrderedModel, Poisson, "
    "NegativeBinomial, NegativeBinomialP, GeneralizedPoisson"
)
_NETWORK = Advice(
    "export it to an ONNX file and pass the file's path, sclbl.upload('model.onnx', example_input)"
)
#: Advice for the rest of a library, by module; the longest prefix counts.
MODULES: dict[str, Advice] = {
    "statsmodels": _RESULTS,
    "statsmodels.tsa": Advice(
        "a forecast depends on the series and not on a row; compute lagged columns and fit OLS of "
        "statsmodels, or a regressor",
        "Ridge HistGradientBoostingRegressor",
    ),
    "statsmodels.gam": Advice(
        "compute the spline columns, fit statsmodels' GLM on them, and pass its results"
    ),
    "statsmodels.genmod": Advice(
        "fit statsmodels' GLM or GEE with the same family, and pass its results"
    ),
    "xgboost": Advice("fit XGBClassifier or XGBRegressor of xgboost, or pass a Booster"),
    "lightgbm": Advice(
        "fit XGBClassifier or XGBRegressor of xgboost, or a histogram boosting of scikit-learn",
        "HistGradientBoostingClassifier HistGradientBoostingRegressor",
    ),
    "catboost": Advice(
        "fit XGBClassifier or XGBRegressor of xgboost, or a histogram boosting of scikit-learn",
        "HistGradientBoostingClassifier HistGradientBoostingRegressor",
    ),
    "torch": _NETWORK,
    "keras": _NETWORK,
    "tensorflow": _NETWORK,
    "jax": _NETWORK,
    "flax": _NETWORK,
    "onnx": Advice("pass the bytes of the file, model.SerializeToString(), or its path"),
    "onnxruntime": Advice("pass the path of the ONNX file that the session was made from"),
    "scipy": Advice("fit a model of scikit-learn or statsmodels and pass that"),
    "sclbl": Advice("pass the fitted model, a Program (deployment.program) or a Spec"),
    **dict.fromkeys(_DATA, Advice("it is data; the model comes first, example_input after it")),
    "unittest.mock": Advice("it stands in for a model in tests; pass the fitted model itself"),
}
_DENSITY = Advice(
    "fit a density of scikit-learn", "GaussianMixture BayesianGaussianMixture KernelDensity"
)
_KINDS = {
    "classifier": _CLASSIFIER,
    "regressor": _REGRESSOR,
    "clusterer": BY_CLASS["DBSCAN"],
    "outlier_detector": _OUTLIERS,
    "density_estimator": _DENSITY,
    "transformer": _TRANSFORMER,
}
_ANY = Advice(
    "sclbl takes fitted models of scikit-learn, statsmodels and XGBoost, and ONNX files; "
    "docs/models.md lists them"
)


def advise(model: Any, known: Callable[[Any], bool]) -> Advice:
    """Return what to do with an object that no stripper knows.

    Parameters
    ----------
    model : object
        What was given for a model.
    known : callable
        Whether an object has a stripper: a container of one is told from others.
    """
    if model is None:
        return Advice("fit the model first, and pass the fitted object")
    if isinstance(model, (str, bytes)):
        return Advice("pass the fitted model itself; sclbl.compile and upload take ONNX files too")
    if isinstance(model, Mapping):
        return _inside([(f"[{k!r}]", v) for k, v in model.items()], known)
    if isinstance(model, (list, tuple)):
        return _inside([(f"[{i}]", v) for i, v in enumerate(model)], known)
    if isinstance(model, ModuleType):
        return Advice("it is a module; pass a fitted instance of one of its classes")
    if isinstance(model, (MethodType, BuiltinFunctionType, FunctionType)):
        owner = getattr(model, "__self__", None)
        if owner is None or isinstance(owner, ModuleType):
            return Advice("it is a function; pass the fitted model itself")
        return Advice(f"it is a method; pass the {type(owner).__name__} whose method it is")
    cls = type(model)
    module = str(cls.__module__)
    if module.partition(".")[0] == "sklearn" and cls.__qualname__ in BY_CLASS:
        return BY_CLASS[cls.__qualname__]
    while module:
        if module in MODULES:
            return MODULES[module]
        module = module.rpartition(".")[0]
    return _KINDS.get(_kind(model), _ANY)


def _inside(parts: Collection[tuple[str, Any]], known: Callable[[Any], bool]) -> Advice:
    found = next(((place, part) for place, part in parts if known(part)), None)
    if found is None:
        return _ANY
    return Advice(f"pass the fitted model inside it, {found[0]}, a {type(found[1]).__name__}")


def _kind(model: Any) -> str:
    """Return what scikit-learn's tags of an estimator call it; empty where they do not say."""
    if not hasattr(model, "__sklearn_tags__"):
        return ""
    try:
        tags = model.__sklearn_tags__()
        kind = tags.estimator_type or ("" if tags.transformer_tags is None else "transformer")
    except (AttributeError, TypeError, ValueError):
        # Someone else's class: its parameters may not even be set.
        return ""
    return str(kind)
