"""``inverse_transform`` of preprocessing, selectors and encoders: types, edges and refusals."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.cluster import FeatureAgglomeration
from sklearn.compose import TransformedTargetRegressor
from sklearn.feature_selection import RFE, SelectKBest, VarianceThreshold, f_regression
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

import sclbl
from sclbl.errors import (
    ColumnError,
    InputError,
    MissingValueError,
    UnsupportedMethodError,
    UnsupportedModelError,
)
from sclbl.strippers import strip
from tests.conformance.beside import dense, run, same

RNG = np.random.default_rng(3)
X = np.column_stack([RNG.normal(size=200), RNG.lognormal(size=200), RNG.integers(0, 9, 200) / 3])
Y = X[:, 0] + X[:, 1]
TEXTS = RNG.choice(np.array(["a", "bb", "c", "d"], dtype=object), (200, 3))
NUMBERS = RNG.integers(0, 4, (200, 3)) * 1.5
BACK = "inverse_transform"


def fit(model: Any, x: Any, y: Any = None) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(x, y)


def check(model: Any, given: Any, rtol: float = 0.0, atol: float = 0.0) -> None:
    """Compare what the spec defines with the model, where the model takes the rows."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = dense(model.inverse_transform(given))
    if hasattr(given, "tocsr"):
        found = sclbl.compile(model, given[:5], methods=[BACK]).inverse_transform(given)
    else:
        found = run(strip(model, given[:5], methods=[BACK]), given)[BACK]
    same(BACK, found, wanted, rtol, atol)


def holes(rows: np.ndarray) -> np.ndarray:
    return np.where(RNG.random(rows.shape) < 0.2, np.nan, rows)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
@pytest.mark.parametrize(
    "model",
    [
        StandardScaler(with_std=False),
        MinMaxScaler((-1, 3), clip=True),
        RobustScaler(with_centering=False),
        PowerTransformer(),
        PowerTransformer("box-cox", standardize=False),
        QuantileTransformer(n_quantiles=50),
        QuantileTransformer(n_quantiles=50, output_distribution="normal"),
    ],
    ids=repr,
)
def test_numbers_of_each_column(model: Any, dtype: str) -> None:
    fit(model, (np.abs(X) + 1).astype(dtype))
    made = model.transform((np.abs(X) + 1).astype(dtype))
    rows = np.concatenate([made, RNG.normal(size=made.shape) * 5, np.round(made)])
    rows = rows.astype(dtype) if dtype == "int64" else np.concatenate([rows, holes(rows)])
    check(model, rows, 1e-12, 1e-13)


@pytest.mark.parametrize("exponent", [0.0, 2.0, 1.0, -0.7, 3.1, 1e-17])
def test_exponents_at_which_powers_are_other_functions(exponent: float) -> None:
    for method in ("yeo-johnson", "box-cox"):
        model = fit(PowerTransformer(method), np.abs(X) + 1)
        model.lambdas_ = np.full(3, exponent)
        check(model, np.concatenate([RNG.normal(size=(200, 3)) * 2, [[0, -0.0, 1e300]]]),
              1e-12, 1e-13)  # fmt: skip


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
@pytest.mark.parametrize(
    "model",
    [SelectKBest(f_regression, k=2), VarianceThreshold(0.5),
     RFE(LinearRegression(), n_features_to_select=1), FeatureAgglomeration(2)],
    ids=lambda m: type(m).__name__,
)  # fmt: skip
def test_columns_in_their_places(model: Any, dtype: str) -> None:
    made = fit(model, X, Y).transform(X).astype(dtype)
    check(model, made)
    program = sclbl.compile(model, made[:4], methods=[BACK])
    if dtype != "int64" and not isinstance(model, FeatureAgglomeration):
        with pytest.raises(MissingValueError):
            program.inverse_transform(np.full((1, made.shape[1]), np.nan, dtype))
    with pytest.raises(ColumnError, match=f"transform makes {made.shape[1]} columns"):
        strip(model, X[:, [0, 1, 2, 0]], methods=[BACK])


def test_sparse_rows() -> None:
    made = csr_matrix(np.where(RNG.random((50, 3)) < 0.5, 0, X[:50]))
    for model in (StandardScaler(with_mean=False), RobustScaler(with_centering=False)):
        check(fit(model, X), made)
    check(fit(SelectKBest(f_regression, k=2), X, Y), made[:, :2])
    encoder = fit(OneHotEncoder(handle_unknown="ignore"), TEXTS)
    check(encoder, csr_matrix(RNG.random((50, 12)) * (RNG.random((50, 12)) < 0.3)))
    with pytest.raises(InputError, match="Cannot uncenter sparse matrices"):
        strip(StandardScaler().fit(X), made, methods=[BACK])


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
def test_middles_of_bins(dtype: str) -> None:
    model = KBinsDiscretizer(4, encode="ordinal", quantile_method="linear").fit(X)
    numbers = model.transform(X)
    rows = np.concatenate([numbers, numbers * 0.7, numbers - 4, np.minimum(numbers, 2) + 0.99])
    check(model, rows.astype(dtype))
    program = sclbl.compile(model, numbers[:3].astype(dtype), methods=[BACK])
    for bad in (4, -5):
        with pytest.raises(InputError):
            program.inverse_transform(np.full((1, 3), bad, dtype))
        with pytest.raises(IndexError):
            model.inverse_transform(np.full((1, 3), bad, dtype))
    for encode in ("onehot", "onehot-dense"):
        model = KBinsDiscretizer(4, encode=encode, quantile_method="linear").fit(X)
        check(model, model.transform(X))
        check(model, dense(model.transform(X)).astype(dtype))


def test_functions_and_what_is_made_of_models() -> None:
    grid = {"minmaxscaler__clip": [True]}
    for model in (
        FunctionTransformer(np.log1p, np.expm1),
        FunctionTransformer(np.sqrt, np.square, validate=True),
        FunctionTransformer(np.abs),
        make_pipeline(StandardScaler(), SelectKBest(f_regression, k=2), MinMaxScaler()),
        make_pipeline(MinMaxScaler(), "passthrough"),
        GridSearchCV(make_pipeline(MinMaxScaler()), grid, scoring=lambda *_: 0, cv=2),
    ):
        given = fit(model, np.abs(X), Y).transform(np.abs(X))
        check(model, given, 1e-12, 1e-14)
    model = make_pipeline(FunctionTransformer(np.abs), OrdinalEncoder()).fit(NUMBERS)
    check(model, model.transform(NUMBERS))
    model = make_pipeline(FunctionTransformer(), OrdinalEncoder()).fit(TEXTS)
    with pytest.raises(UnsupportedModelError, match="hands text to the step before an encoder"):
        strip(model, model.transform(TEXTS), methods=[BACK])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "transformer",
    [StandardScaler(), MinMaxScaler(), PowerTransformer(), QuantileTransformer(n_quantiles=30),
     make_pipeline(MinMaxScaler(), PowerTransformer())],
    ids=repr,
)  # fmt: skip
def test_targets_transformed_back(transformer: Any, dtype: type) -> None:
    for y in (Y, np.column_stack([Y, -Y])):
        model = TransformedTargetRegressor(LinearRegression(), transformer=transformer)
        rows = X.astype(dtype)
        fit(model, rows, y.astype(dtype))
        made = run(strip(model, rows[:5]), rows)["predict"]
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted = model.predict(rows)
        same("predict", made, wanted, 1e-11, 1e-12)


# --------------------------------------------------------------------------- encoders


def taken(model: Any, rows: np.ndarray) -> np.ndarray:
    """Return the rows that a model takes."""

    def takes(row: np.ndarray) -> bool:
        try:
            model.inverse_transform(row[None])
        except (ValueError, IndexError):
            return False
        return True

    return rows[[takes(row) for row in rows]]


def check_encoder(model: Any, x: Any) -> None:
    made = dense(fit(model, x).transform(x)).astype(float)[:40]
    odd = RNG.random(made.shape) if isinstance(model, OneHotEncoder) else made - 2
    rows = np.concatenate([made, made * 0.7, odd, np.round(odd), -made])
    for dtype in ("float64", "float32", "int64"):
        given = taken(model, np.nan_to_num(rows).astype(dtype))
        refused = (r for r in rows if len(taken(model, r[None].astype(dtype))) == 0)
        if len(given) < len(rows):
            spec = strip(model, given[:5], methods=[BACK])
            with pytest.raises(InputError):
                run(spec, next(refused)[None].astype(dtype))
        check(model, given)


MISSING = np.where(RNG.random(TEXTS.shape) < 0.1, None, TEXTS)
CONSTANT = np.column_stack([TEXTS[:, 0], np.full(200, "k", dtype=object)])


@pytest.mark.parametrize("x", [TEXTS, MISSING, NUMBERS, NUMBERS.astype(int), NUMBERS > 2,
                               TEXTS.astype(str)], ids=range(6))  # fmt: skip
def test_categories(x: Any) -> None:
    check_encoder(OrdinalEncoder(), x)
    check_encoder(OneHotEncoder(), x)
    check_encoder(OneHotEncoder(drop="first", handle_unknown="ignore"), x)


@pytest.mark.parametrize("x", [TEXTS, MISSING], ids=["texts", "missing"])
def test_unknown_categories_are_none(x: Any) -> None:
    check_encoder(OneHotEncoder(handle_unknown="ignore"), x)
    coded = {"handle_unknown": "use_encoded_value", "unknown_value": -1}
    check_encoder(OrdinalEncoder(**coded, encoded_missing_value=-2), x)


def test_groups_of_categories_and_those_left_out() -> None:
    grouped = {"max_categories": 3, "handle_unknown": "infrequent_if_exist"}
    check_encoder(OneHotEncoder(**grouped), TEXTS)
    check_encoder(OneHotEncoder(drop="first", **grouped), TEXTS)
    check_encoder(OrdinalEncoder(max_categories=3), TEXTS)
    for drop in ("first", "if_binary"):
        check_encoder(OneHotEncoder(drop=drop), CONSTANT)


def test_results_that_no_program_gives() -> None:
    def refused(model: Any, x: Any, why: str) -> None:
        made = fit(model, x, Y).transform(x)
        with pytest.raises(UnsupportedModelError, match=why):
            strip(model, made, methods=[BACK])

    refused(OneHotEncoder(handle_unknown="ignore"), NUMBERS, "puts None among the numbers")
    refused(OneHotEncoder(handle_unknown="ignore"), TEXTS.astype(str), "None among the texts")
    refused(OneHotEncoder(max_categories=2), NUMBERS, "objects that are not all text")
    mixed = np.column_stack([TEXTS[:, :1], NUMBERS.astype(object)])
    refused(OrdinalEncoder(), mixed, "encode text and numbers in separate steps")
    refused(SelectKBest(f_regression, k=2), X.astype(object), "zeros among objects")
    imputer = fit(SimpleImputer(add_indicator=True), holes(X))
    with pytest.raises(UnsupportedMethodError, match="does not offer inverse_transform"):
        strip(imputer, X, methods=[BACK])
