"""Every model of the first release, fitted on seeded rows in its main variations: one list."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import scipy.stats
import statsmodels.api as sm
import xgboost as xgb
from sklearn import ensemble, impute, preprocessing, svm, tree
from sklearn import linear_model as lm
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from statsmodels.genmod.families import links

from tests.fidelity.domains import (
    ASCII_CATEGORIES,
    CATEGORIES,
    CODES,
    COUNTS,
    DESIGN,
    FLAGS,
    HOLES,
    MISSING_CODES,
    MISSING_TEXTS,
    MIXED,
    NUMBERS_AND_CODES,
    NUMERIC,
    PAIRS,
    POSITIVE,
    SCORE,
    SCORES,
    TEXTS,
    THREE,
    TWO,
    WORDS,
    Domain,
)

Make = Callable[[Any], Any]
families = sm.families


@dataclass(frozen=True)
class Subject:
    """A model and the rows that it takes.

    Parameters
    ----------
    name : str
        How it is called in reports.
    make : callable
        Returns the fitted model for training rows in one form.
    domain : Domain
        Its rows.
    family : {"trees", "other"}
        Which bar holds.
    after_exp : frozenset of str
        Methods of trees whose result passed through an exponential function or a logarithm.
    chances : frozenset of str
        Methods of other models that return probabilities.
    checks : bool
        Whether the model itself refuses what it cannot use. statsmodels does not.
    """

    name: str
    make: Make
    domain: Domain = NUMERIC
    family: Literal["trees", "other"] = "other"
    after_exp: frozenset[str] = frozenset({"predict_proba", "predict_log_proba"})
    chances: frozenset[str] = frozenset({"predict_proba"})
    checks: bool = True


def _fit(estimator: Any, y: Any = None, **options: Any) -> Make:
    def make(rows: Any) -> Any:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            # How well the fit converged is of no interest here, only what it predicts.
            warnings.simplefilter("ignore")
            return clone(estimator).fit(rows, y, **options)

    return make


def _filled(**options: Any) -> Make:
    """An imputer of texts: what stands for a missing one depends on the container."""

    def make(rows: Any) -> Any:
        missing = np.nan if isinstance(rows, pd.DataFrame) else None
        return impute.SimpleImputer(missing_values=missing, **options).fit(rows)

    return make


def _stopped(estimator: Any, y: np.ndarray) -> Make:
    def make(rows: Any) -> Any:
        model = clone(estimator).fit(
            rows[:160], y[:160], eval_set=[(rows[160:], y[160:])], verbose=False
        )
        if model.best_iteration + 1 >= model.get_booster().num_boosted_rounds():
            raise ValueError(f"{estimator} was not stopped early")
        return model

    return make


def _results(build: Callable[..., Any], y: np.ndarray, **options: Any) -> Make:
    def make(rows: Any) -> Any:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return build(y, rows, **options).fit(**({} if build in _QUIET else {"disp": 0}))

    return make


_QUIET = (sm.OLS, sm.WLS, sm.GLM)


def _glm(family: type, link: Any, sign: float = 1.0, **options: Any) -> Make:
    """Fit on what the link gives for known coefficients, so that every pair of them converges."""

    def make(rows: Any) -> Any:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            y = link.inverse(sign * (DESIGN.form("float64") @ [0.25, 0.11, 0.163, 0.047]))
            made = family(link=link, check_link=False, **options)
            return sm.GLM(y, rows, family=made).fit()

    return make


def _linear(name: str, make: Make, **options: Any) -> Subject:
    return Subject(name, make, **options)


def _exact(name: str, make: Make, domain: Domain = NUMERIC) -> Subject:
    """Trees whose probabilities are averages: only their logarithms are not exact."""
    return Subject(name, make, domain, "trees", frozenset({"predict_log_proba"}))


def _boosted(name: str, make: Make, domain: Domain = NUMERIC, *also: str) -> Subject:
    after = frozenset({"predict_proba", "predict_log_proba", *also})
    return Subject(name, make, domain, "trees", after)


def _stats(name: str, make: Make, *chances: str) -> Subject:
    return Subject(name, make, DESIGN, chances=frozenset(chances), checks=False)


def _mixed(remainder: Any = "drop", *, by: Literal["name", "position"]) -> ColumnTransformer:
    numeric: Any = ["age", "rooms"] if by == "name" else [0, 2]
    text: Any = ["city", "plan"] if by == "name" else slice(1, 4, 2)
    fill = impute.SimpleImputer(strategy="most_frequent", missing_values=np.nan)
    if by == "position":
        fill.missing_values = None
    scaled = make_pipeline(impute.SimpleImputer(), preprocessing.StandardScaler())
    hot = make_pipeline(fill, preprocessing.OneHotEncoder(handle_unknown="ignore"))
    return ColumnTransformer(
        [("number", scaled, numeric), ("text", hot, text)], remainder=remainder
    )


_SMALL: dict[str, Any] = {"n_estimators": 8, "random_state": 0}
_FOREST: dict[str, Any] = {**_SMALL, "max_depth": 6, "n_jobs": 1}
_HIST: dict[str, Any] = {"max_iter": 8, "min_samples_leaf": 5, "random_state": 0}
_XGB: dict[str, Any] = {"n_estimators": 8, "max_depth": 4, "n_jobs": 1, "random_state": 0}
_STOP: dict[str, Any] = {**_XGB, "n_estimators": 80, "early_stopping_rounds": 3}
_STOP["learning_rate"] = 0.8
_IGNORE: dict[str, Any] = {"handle_unknown": "ignore"}
_CODED: dict[str, Any] = {"handle_unknown": "use_encoded_value", "unknown_value": -1}
_CODED["encoded_missing_value"] = -2

_INVERSE = (links.InversePower(), links.InverseSquared())
_CHANCE_LINKS = (links.Logit(), links.Probit(), links.Cauchy(), links.CLogLog(), links.LogLog())

SUBJECTS: tuple[Subject, ...] = (
    # ------------------------------------------------------------ linear regression
    _linear("LinearRegression", _fit(lm.LinearRegression(), SCORE)),
    _linear("LinearRegression, 3 targets", _fit(lm.LinearRegression(), SCORES)),
    _linear("LinearRegression, no intercept",
            _fit(lm.LinearRegression(fit_intercept=False), SCORE)),
    _linear("Ridge", _fit(lm.Ridge(), SCORE)),
    _linear("Ridge, 3 targets", _fit(lm.Ridge(), SCORES)),
    _linear("RidgeCV", _fit(lm.RidgeCV(), SCORE)),
    _linear("Lasso", _fit(lm.Lasso(alpha=0.1), SCORE)),
    _linear("Lasso, 3 targets", _fit(lm.Lasso(alpha=0.1), SCORES)),
    _linear("LassoCV", _fit(lm.LassoCV(cv=3, alphas=5), SCORE)),
    _linear("ElasticNet", _fit(lm.ElasticNet(alpha=0.1), SCORE)),
    _linear("ElasticNetCV", _fit(lm.ElasticNetCV(cv=3, alphas=5), SCORE)),
    _linear("SGDRegressor", _fit(lm.SGDRegressor(random_state=0), SCORE)),
    _linear("SGDRegressor, averaged", _fit(lm.SGDRegressor(random_state=0, average=True), SCORE)),
    _linear("LinearSVR", _fit(svm.LinearSVR(random_state=0), SCORE)),
    # -------------------------------------------------------- linear classification
    _linear("LogisticRegression, binary", _fit(lm.LogisticRegression(), TWO)),
    _linear("LogisticRegression, binary, text", _fit(lm.LogisticRegression(), FLAGS)),
    _linear("LogisticRegression, multinomial", _fit(lm.LogisticRegression(), THREE)),
    _linear("LogisticRegression, multinomial, text", _fit(lm.LogisticRegression(), WORDS)),
    _linear("LogisticRegression, liblinear",
            _fit(lm.LogisticRegression(solver="liblinear"), FLAGS)),
    _linear("LogisticRegression, no intercept",
            _fit(lm.LogisticRegression(fit_intercept=False), THREE)),
    _linear("LogisticRegression, one-vs-rest",
            _fit(OneVsRestClassifier(lm.LogisticRegression()), WORDS)),
    _linear("LogisticRegressionCV, binary", _fit(lm.LogisticRegressionCV(cv=3, Cs=3), TWO)),
    _linear("LogisticRegressionCV, multinomial", _fit(lm.LogisticRegressionCV(cv=3, Cs=3), WORDS)),
    _linear("SGDClassifier, hinge", _fit(lm.SGDClassifier(random_state=0), FLAGS)),
    _linear("SGDClassifier, hinge, 3", _fit(lm.SGDClassifier(random_state=0), WORDS)),
    _linear("SGDClassifier, log", _fit(lm.SGDClassifier(loss="log_loss", random_state=0), TWO)),
    _linear("SGDClassifier, log, 3",
            _fit(lm.SGDClassifier(loss="log_loss", random_state=0), THREE)),
    _linear("SGDClassifier, Huber",
            _fit(lm.SGDClassifier(loss="modified_huber", random_state=0), TWO)),
    _linear("SGDClassifier, Huber, 3",
            _fit(lm.SGDClassifier(loss="modified_huber", random_state=0), WORDS)),
    _linear("LinearSVC", _fit(svm.LinearSVC(random_state=0), FLAGS)),
    _linear("LinearSVC, 3", _fit(svm.LinearSVC(random_state=0), THREE)),
    _linear("LinearSVC, one-vs-rest",
            _fit(OneVsRestClassifier(svm.LinearSVC(random_state=0)), WORDS)),
    # ----------------------------------------------------------- scalers, components
    Subject("StandardScaler", _fit(preprocessing.StandardScaler()), HOLES),
    Subject("StandardScaler, no mean", _fit(preprocessing.StandardScaler(with_mean=False))),
    Subject("MinMaxScaler", _fit(preprocessing.MinMaxScaler((-0.3, 0.7))), HOLES),
    Subject("MinMaxScaler, clipped", _fit(preprocessing.MinMaxScaler(clip=True))),
    Subject("RobustScaler", _fit(preprocessing.RobustScaler()), HOLES),
    Subject("RobustScaler, unit variance", _fit(preprocessing.RobustScaler(unit_variance=True))),
    Subject("MaxAbsScaler", _fit(preprocessing.MaxAbsScaler()), HOLES),
    Subject("Normalizer, l1", _fit(preprocessing.Normalizer("l1"))),
    Subject("Normalizer, l2", _fit(preprocessing.Normalizer("l2"))),
    Subject("Normalizer, max", _fit(preprocessing.Normalizer("max"))),
    Subject("PCA", _fit(PCA())),
    Subject("PCA, 2, whitened", _fit(PCA(2, whiten=True))),
    # --------------------------------------------------------------------- imputers
    Subject("SimpleImputer, mean", _fit(impute.SimpleImputer()), HOLES),
    Subject("SimpleImputer, median", _fit(impute.SimpleImputer(strategy="median")), HOLES),
    Subject("SimpleImputer, most frequent",
            _fit(impute.SimpleImputer(strategy="most_frequent")), HOLES),
    Subject("SimpleImputer, constant",
            _fit(impute.SimpleImputer(strategy="constant", fill_value=-0.1)), HOLES),
    Subject("SimpleImputer, indicator", _fit(impute.SimpleImputer(add_indicator=True)), HOLES),
    Subject("SimpleImputer, text", _filled(strategy="most_frequent"), MISSING_TEXTS),
    Subject("SimpleImputer, text, constant", _filled(strategy="constant", fill_value="?"),
            MISSING_TEXTS),
    # --------------------------------------------------------------------- encoders
    Subject("OneHotEncoder, numbers", _fit(preprocessing.OneHotEncoder()), CODES),
    Subject("OneHotEncoder, missing", _fit(preprocessing.OneHotEncoder()), MISSING_CODES),
    Subject("OneHotEncoder, numbers, ignore", _fit(preprocessing.OneHotEncoder(**_IGNORE)), CODES),
    Subject("OneHotEncoder, numbers, infrequent", _fit(preprocessing.OneHotEncoder(
            handle_unknown="infrequent_if_exist", max_categories=3)), CODES),
    Subject("OneHotEncoder, text", _fit(preprocessing.OneHotEncoder()), TEXTS),
    Subject("OneHotEncoder, missing text", _fit(preprocessing.OneHotEncoder()), MISSING_TEXTS),
    Subject("OneHotEncoder, text, ignore", _fit(preprocessing.OneHotEncoder(**_IGNORE)), TEXTS),
    Subject("OneHotEncoder, text, drop", _fit(preprocessing.OneHotEncoder(drop="first")), TEXTS),
    Subject("OneHotEncoder, text, infrequent", _fit(preprocessing.OneHotEncoder(
            handle_unknown="infrequent_if_exist", min_frequency=20)), TEXTS),
    Subject("OrdinalEncoder, numbers", _fit(preprocessing.OrdinalEncoder()), CODES),
    Subject("OrdinalEncoder, missing",
            _fit(preprocessing.OrdinalEncoder(encoded_missing_value=-1)), MISSING_CODES),
    Subject("OrdinalEncoder, numbers, coded", _fit(preprocessing.OrdinalEncoder(**_CODED)), CODES),
    Subject("OrdinalEncoder, text", _fit(preprocessing.OrdinalEncoder()), TEXTS),
    Subject("OrdinalEncoder, text, coded",
            _fit(preprocessing.OrdinalEncoder(**_CODED)), MISSING_TEXTS),
    Subject("OrdinalEncoder, text, infrequent",
            _fit(preprocessing.OrdinalEncoder(max_categories=3)), TEXTS),
    # ------------------------------------------------------------------ composition
    Subject("ColumnTransformer, by position", _fit(make_column_transformer(
            (preprocessing.StandardScaler(), [2, 0]), (preprocessing.MaxAbsScaler(), [-1]),
            remainder="passthrough"))),
    Subject("ColumnTransformer, remainder", _fit(make_column_transformer(
            ("passthrough", [1]), ("drop", [3]), remainder=preprocessing.RobustScaler()))),
    Subject("FeatureUnion", _fit(FeatureUnion([
            ("scaled", preprocessing.StandardScaler()), ("components", PCA(2))],
            transformer_weights={"components": 0.3}))),
    Subject("Pipeline, impute, scale, components", _fit(make_pipeline(
            impute.SimpleImputer(add_indicator=True), preprocessing.StandardScaler(), PCA(3))),
            HOLES),
    Subject("Pipeline, scale, LogisticRegression", _fit(make_pipeline(
            preprocessing.StandardScaler(), lm.LogisticRegression()), WORDS)),
    Subject("Pipeline, mixed by name, LogisticRegression", _fit(make_pipeline(
            _mixed(by="name"), lm.LogisticRegression()), FLAGS),
            Domain(MIXED.columns, MIXED.frame, ("frame",))),
    Subject("Pipeline, mixed by position, LogisticRegression", _fit(make_pipeline(
            _mixed("passthrough", by="position"), lm.LogisticRegression()), WORDS),
            Domain(MIXED.columns, MIXED.frame, ("objects",))),
    Subject("Pipeline, mixed, Ridge", _fit(make_pipeline(
            _mixed("passthrough", by="name"), lm.Ridge()), SCORES),
            Domain(MIXED.columns, MIXED.frame, ("frame",))),
    _exact("Pipeline, scale, RandomForestClassifier", _fit(make_pipeline(
            preprocessing.StandardScaler(), ensemble.RandomForestClassifier(**_FOREST)), WORDS)),
    _exact("Pipeline, mixed, RandomForestRegressor", _fit(make_pipeline(
            _mixed("passthrough", by="name"), ensemble.RandomForestRegressor(**_FOREST)), SCORE),
            Domain(MIXED.columns, MIXED.frame, ("frame",))),
    # -------------------------------------------------------------- trees and forests
    _exact("DecisionTreeClassifier", _fit(tree.DecisionTreeClassifier(random_state=0), THREE)),
    _exact("DecisionTreeClassifier, text", _fit(tree.DecisionTreeClassifier(max_depth=5), WORDS)),
    _exact("DecisionTreeClassifier, 2 outputs",
           _fit(tree.DecisionTreeClassifier(max_depth=5), PAIRS)),
    _exact("DecisionTreeClassifier, missing",
           _fit(tree.DecisionTreeClassifier(random_state=0), FLAGS), HOLES),
    _exact("DecisionTreeRegressor", _fit(tree.DecisionTreeRegressor(random_state=0), SCORE)),
    _exact("DecisionTreeRegressor, 3 outputs",
           _fit(tree.DecisionTreeRegressor(max_depth=6), SCORES)),
    _exact("DecisionTreeRegressor, missing",
           _fit(tree.DecisionTreeRegressor(random_state=0), SCORE), HOLES),
    _exact("ExtraTreeClassifier", _fit(tree.ExtraTreeClassifier(random_state=0), WORDS)),
    _exact("ExtraTreeRegressor", _fit(tree.ExtraTreeRegressor(random_state=0), SCORE)),
    _exact("RandomForestClassifier", _fit(ensemble.RandomForestClassifier(**_FOREST), THREE)),
    _exact("RandomForestClassifier, text",
           _fit(ensemble.RandomForestClassifier(**_FOREST, class_weight="balanced"), WORDS)),
    _exact("RandomForestClassifier, 2 outputs",
           _fit(ensemble.RandomForestClassifier(**_FOREST), PAIRS)),
    _exact("RandomForestClassifier, missing",
           _fit(ensemble.RandomForestClassifier(**_FOREST), FLAGS), HOLES),
    _exact("RandomForestRegressor", _fit(ensemble.RandomForestRegressor(**_FOREST), SCORE)),
    _exact("RandomForestRegressor, 3 outputs",
           _fit(ensemble.RandomForestRegressor(**_FOREST), SCORES)),
    _exact("RandomForestRegressor, missing",
           _fit(ensemble.RandomForestRegressor(**_FOREST), SCORE), HOLES),
    _exact("ExtraTreesClassifier", _fit(ensemble.ExtraTreesClassifier(**_FOREST), WORDS)),
    _exact("ExtraTreesClassifier, 2 outputs",
           _fit(ensemble.ExtraTreesClassifier(**_FOREST), PAIRS)),
    _exact("ExtraTreesClassifier, missing",
           _fit(ensemble.ExtraTreesClassifier(**_FOREST), THREE), HOLES),
    _exact("ExtraTreesRegressor", _fit(ensemble.ExtraTreesRegressor(**_FOREST), SCORE)),
    _exact("ExtraTreesRegressor, 3 outputs",
           _fit(ensemble.ExtraTreesRegressor(**_FOREST), SCORES)),
    # --------------------------------------------------------------------- boosting
    _boosted("GradientBoostingClassifier, binary",
             _fit(ensemble.GradientBoostingClassifier(**_SMALL), FLAGS)),
    _boosted("GradientBoostingClassifier, exponential",
             _fit(ensemble.GradientBoostingClassifier(**_SMALL, loss="exponential"), TWO)),
    _boosted("GradientBoostingClassifier, 3",
             _fit(ensemble.GradientBoostingClassifier(**_SMALL, subsample=0.7), WORDS)),
    _boosted("GradientBoostingRegressor",
             _fit(ensemble.GradientBoostingRegressor(**_SMALL), SCORE)),
    _boosted("GradientBoostingRegressor, Huber",
             _fit(ensemble.GradientBoostingRegressor(**_SMALL, loss="huber"), SCORE)),
    _boosted("GradientBoostingRegressor, quantile",
             _fit(ensemble.GradientBoostingRegressor(**_SMALL, loss="quantile"), SCORE)),
    _boosted("HistGradientBoostingClassifier, binary",
             _fit(ensemble.HistGradientBoostingClassifier(**_HIST), FLAGS)),
    _boosted("HistGradientBoostingClassifier, missing",
             _fit(ensemble.HistGradientBoostingClassifier(**_HIST), TWO), HOLES),
    _boosted("HistGradientBoostingClassifier, 3",
             _fit(ensemble.HistGradientBoostingClassifier(**_HIST), WORDS), HOLES),
    _boosted("HistGradientBoostingClassifier, codes",
             _fit(ensemble.HistGradientBoostingClassifier(**_HIST, categorical_features=[2]),
             FLAGS), NUMBERS_AND_CODES),
    _boosted("HistGradientBoostingClassifier, categories",
             _fit(ensemble.HistGradientBoostingClassifier(**_HIST), WORDS), CATEGORIES),
    _boosted("HistGradientBoostingRegressor",
             _fit(ensemble.HistGradientBoostingRegressor(**_HIST), SCORE)),
    _boosted("HistGradientBoostingRegressor, missing",
             _fit(ensemble.HistGradientBoostingRegressor(**_HIST), SCORE), HOLES),
    _boosted("HistGradientBoostingRegressor, absolute",
             _fit(ensemble.HistGradientBoostingRegressor(**_HIST, loss="absolute_error"), SCORE)),
    _boosted("HistGradientBoostingRegressor, Poisson",
             _fit(ensemble.HistGradientBoostingRegressor(**_HIST, loss="poisson"), COUNTS),
             NUMERIC, "predict"),
    _boosted("HistGradientBoostingRegressor, gamma",
             _fit(ensemble.HistGradientBoostingRegressor(**_HIST, loss="gamma"), POSITIVE),
             NUMERIC, "predict"),
    _boosted("HistGradientBoostingRegressor, codes",
             _fit(ensemble.HistGradientBoostingRegressor(**_HIST, categorical_features=[2]), SCORE),
             NUMBERS_AND_CODES),
    _boosted("HistGradientBoostingRegressor, categories",
             _fit(ensemble.HistGradientBoostingRegressor(**_HIST), SCORE), CATEGORIES),
    # ---------------------------------------------------------------------- XGBoost
    _boosted("XGBClassifier, binary", _fit(xgb.XGBClassifier(**_XGB), TWO)),
    _boosted("XGBClassifier, binary, missing", _fit(xgb.XGBClassifier(**_XGB), TWO), HOLES),
    _boosted("XGBClassifier, base_score", _fit(xgb.XGBClassifier(**_XGB, base_score=0.3), TWO)),
    _boosted("XGBClassifier, 3", _fit(xgb.XGBClassifier(**_XGB), THREE)),
    _boosted("XGBClassifier, 3, missing", _fit(xgb.XGBClassifier(**_XGB), THREE), HOLES),
    _boosted("XGBClassifier, 3, stopped", _stopped(xgb.XGBClassifier(**_STOP), THREE)),
    _boosted("XGBClassifier, codes", _fit(xgb.XGBClassifier(
             **_XGB, enable_categorical=True, feature_types=["q", "q", "c"]), THREE),
             Domain(NUMBERS_AND_CODES.columns, NUMBERS_AND_CODES.frame, ("float64", "float32"),
                    NUMBERS_AND_CODES.discrete)),
    _boosted("XGBClassifier, categories",
             _fit(xgb.XGBClassifier(**_XGB, enable_categorical=True), TWO), ASCII_CATEGORIES),
    _boosted("XGBRegressor", _fit(xgb.XGBRegressor(**_XGB), SCORE)),
    _boosted("XGBRegressor, missing", _fit(xgb.XGBRegressor(**_XGB), SCORE), HOLES),
    _boosted("XGBRegressor, base_score", _fit(xgb.XGBRegressor(**_XGB, base_score=1.7), SCORE)),
    _boosted("XGBRegressor, stopped", _stopped(xgb.XGBRegressor(**_STOP), SCORE)),
    _boosted("XGBRegressor, 3 outputs", _fit(xgb.XGBRegressor(**_XGB), SCORES)),
    _boosted("XGBRegressor, Poisson", _fit(xgb.XGBRegressor(**_XGB, objective="count:poisson"),
             COUNTS), NUMERIC, "predict"),
    _boosted("XGBRegressor, logistic", _fit(xgb.XGBRegressor(**_XGB, objective="reg:logistic"),
             TWO), NUMERIC, "predict"),
    _boosted("XGBRegressor, categories", _fit(xgb.XGBRegressor(
             **_XGB, enable_categorical=True, max_cat_to_onehot=2), SCORE), ASCII_CATEGORIES),
    # ------------------------------------------------------------------ statsmodels
    _stats("OLS", _results(sm.OLS, SCORE)),
    _stats("WLS", _results(sm.WLS, SCORE, weights=np.linspace(0.5, 2, len(SCORE)))),
    _stats("Logit", _results(sm.Logit, TWO), "predict"),
    _stats("Probit", _results(sm.Probit, TWO), "predict"),
    _stats("Poisson", _results(sm.Poisson, COUNTS)),
    *(_stats(f"GLM, Gaussian, {type(link).__name__}", _glm(families.Gaussian, link))
      for link in (links.Identity(), links.Log(), links.Sqrt(), *_INVERSE, *_CHANCE_LINKS)),
    *(_stats(f"GLM, Gaussian, Power {p}", _glm(families.Gaussian, links.Power(p)))
      for p in (3.0, -0.7)),
    *(_stats(f"GLM, Gaussian, CDFLink {d.name}", _glm(families.Gaussian, links.CDFLink(d)))
      for d in (scipy.stats.norm, scipy.stats.logistic, scipy.stats.gumbel_r)),
    *(_stats(f"GLM, Binomial, {type(link).__name__}", _glm(families.Binomial, link), "predict")
      for link in _CHANCE_LINKS),
    # These links give what is no probability far from the training rows.
    *(_stats(f"GLM, Binomial, {type(link).__name__}", _glm(families.Binomial, link, sign))
      for link, sign in ((links.Identity(), 1), (links.Log(), -1), (links.LogC(), -1))),
    *(_stats(f"GLM, Poisson, {type(link).__name__}", _glm(families.Poisson, link))
      for link in (links.Log(), links.Identity(), links.Sqrt())),
    *(_stats(f"GLM, Gamma, {type(link).__name__}", _glm(families.Gamma, link))
      for link in (links.Log(), links.Identity(), links.InversePower())),
    *(_stats(f"GLM, InverseGaussian, {type(link).__name__}", _glm(families.InverseGaussian, link))
      for link in (links.Log(), links.Identity(), *_INVERSE)),
    *(_stats(f"GLM, NegativeBinomial, {type(link).__name__}",
             _glm(families.NegativeBinomial, link, sign, alpha=0.7))
      for link, sign in ((links.Log(), 1), (links.Identity(), 1), (links.CLogLog(), 1),
                         (links.NegativeBinomial(0.7), -1))),
    *(_stats(f"GLM, Tweedie, {type(link).__name__}",
             _glm(families.Tweedie, link, var_power=1.5))
      for link in (links.Log(), links.Power(-0.7))),
)  # fmt: skip
