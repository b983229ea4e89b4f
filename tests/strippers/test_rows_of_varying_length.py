"""Models whose rows are no table: sparse matrices, dicts, lists of texts, neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.impute import MissingIndicator
from sklearn.linear_model import (
    Lasso,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsTransformer, NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MultiLabelBinarizer,
    Normalizer,
    OneHotEncoder,
    StandardScaler,
)
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier

import sclbl
from sclbl.compiler import compile_spec
from sclbl.errors import (
    ColumnError,
    DtypeError,
    InfiniteValueError,
    LimitError,
    MissingValueError,
    ParameterError,
    ShapeError,
    UnsupportedModelError,
)
from sclbl.program import Program
from sclbl.strippers import strip

RNG = np.random.default_rng(7)
CITIES = ["Breda", "Ede", "Ühlingen", "日本", ""]
DICTS: list[dict[str, Any]] = [
    {"age": float(RNG.normal()), "city": str(RNG.choice(CITIES)), f"k{RNG.integers(9)}": 2}
    for _ in range(400)
]
DICTS[3] = {}
TEXTS = [[str(w) for w in RNG.choice(list("abcdefgh"), RNG.integers(0, 9))] for _ in range(400)]
SPARSE = sparse.random(600, 40, 0.15, random_state=0, format="csr")
TARGET = (np.asarray(SPARSE.sum(axis=1)).ravel() > 3).astype(int)


def same(ours: Any, theirs: Any) -> None:
    """Compare results to the bit: arrays, matrices, lists of arrays, tuples."""
    if isinstance(theirs, tuple):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            same(a, b)
        return
    theirs = theirs.toarray() if sparse.issparse(theirs) else theirs
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    if theirs.dtype == object and isinstance(theirs[0], np.ndarray):
        for a, b in zip(ours, theirs, strict=True):
            same(a, b)
    else:
        np.testing.assert_array_equal(ours, theirs)


def check(model: Any, rows: Any, rtol: float = 0) -> sclbl.Program:
    """Compile, and compare each method on all rows and on one."""
    program = sclbl.compile(model, rows[:20])
    assert program.report is not None
    for method in program.methods:
        for some in (rows, rows[:1]):
            with np.errstate(divide="ignore"):
                ours, theirs = program.run(method, some), getattr(model, method)(some)
            theirs = theirs.toarray() if sparse.issparse(theirs) else theirs
            if method == "predict_log_proba":  # np.log of some machines is another ULP
                np.testing.assert_allclose(ours, theirs, rtol=1e-13)
            elif rtol:
                np.testing.assert_allclose(ours, theirs, rtol=rtol)
            else:
                same(ours, theirs)
    return program


# ------------------------------------------------------------------ features and texts


@pytest.mark.parametrize("alternate_sign", [True, False])
@pytest.mark.parametrize("columns", [1, 7, 16, 2**20])
def test_hashed_features(columns: int, alternate_sign: bool) -> None:
    model = FeatureHasher(columns, alternate_sign=alternate_sign).fit(DICTS)
    program = sclbl.compile(model, DICTS[:5])
    ours = program.transform(DICTS, output="sparse")
    theirs = model.transform(DICTS)
    assert type(ours) is sparse.csr_matrix
    for part in ("indptr", "indices", "data"):
        np.testing.assert_array_equal(getattr(ours, part), getattr(theirs, part))
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)


def test_pairs_of_features_may_repeat_a_name() -> None:
    model = FeatureHasher(8, input_type="pair").fit([[("a", 1)]])
    rows = [[("a", 1.5), ("b", 2), ("a", -0.5)], [], [("c", 0)], [("a", 1), ("a", -1)]]
    program = sclbl.compile(model, rows)
    same(program.transform(rows), model.transform(rows))


def test_lists_of_text() -> None:
    check(FeatureHasher(32, input_type="string").fit(TEXTS), TEXTS)
    check(MultiLabelBinarizer().fit(TEXTS), TEXTS)
    check(MultiLabelBinarizer(sparse_output=True).fit(TEXTS), TEXTS)


def test_labels_may_be_unknown_repeated_or_a_set() -> None:
    model = MultiLabelBinarizer().fit([["a", "b"], ["c"]])
    program = sclbl.compile(model, [["a"]])
    rows = [{"b", "a"}, ("c", "c"), ["zzz"], [], np.array(["b", "c"])]
    with pytest.warns(UserWarning, match="unknown class"):
        theirs = model.transform(rows)
    same(program.transform(rows), theirs)


@pytest.mark.parametrize("dense", [True, False])
def test_vectorized_dicts(dense: bool) -> None:
    model = DictVectorizer(sparse=not dense).fit(DICTS[:200])
    program = check(model, DICTS)
    assert program.signature.outputs["transform"].names == tuple(model.get_feature_names_out())
    assert program.run("transform", DICTS[0]).shape == (1, len(model.feature_names_))


def test_two_keys_of_a_row_that_name_one_column() -> None:
    """scikit-learn's sparse rows hold both; verification takes them for their sum."""
    rows = [{"city": "Oslo", "city=Oslo": 2.5}, {"city": "Ghent"}, {"city=Oslo": True}]
    model = DictVectorizer().fit(rows)
    assert model.transform(rows[:1]).nnz == 2
    program = sclbl.compile(model, rows)
    np.testing.assert_array_equal(program.transform(rows), model.transform(rows).toarray())


def test_pipelines_and_searches_from_dicts() -> None:
    y = [int(row.get("age", 0) > 0) for row in DICTS]
    check(make_pipeline(FeatureHasher(64), LogisticRegression()).fit(DICTS, y), DICTS)
    # A scaler makes the rows dense, whose products are added in another order.
    scaled = make_pipeline(DictVectorizer(), MaxAbsScaler(), LinearSVC()).fit(DICTS, y)
    check(scaled, DICTS, rtol=1e-12)
    check(make_pipeline(DictVectorizer(), RandomForestClassifier(5)).fit(DICTS, y), DICTS)
    check(make_pipeline(DictVectorizer(), StandardScaler(with_mean=False)).fit(DICTS, y), DICTS)
    pipe = make_pipeline(DictVectorizer(), Ridge())
    check(GridSearchCV(pipe, {"ridge__alpha": [0.1, 1]}, cv=2).fit(DICTS, y), DICTS)


def test_many_rows_and_many_items() -> None:
    rows = [[f"w{k}" for k in range(int(n))] for n in RNG.integers(0, 400, size=700)]
    model = FeatureHasher(50, input_type="string", alternate_sign=False).fit(rows)
    program = sclbl.compile(model, rows[:3])
    same(program.transform(rows), model.transform(rows))
    assert program.transform(rows[:0] or [[]]).tolist() == [[0.0] * 50]


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        ([{"a": "x"}, {"a": None}], DtypeError, "row 1 has None for 'a'; leave it out"),
        ([{"a": np.True_}], DtypeError, r"row 0 has a NumPy truth for 'a'; give bool"),
        ([{3: 1.0}], DtypeError, "row 0 holds 3, which is no text"),
        ([{"a": 2**60 + 1}], DtypeError, "beyond 2"),
        ([3], ShapeError, "row 0 holds 3, which is no dict"),
        ([["ab"]], ShapeError, "give dicts of names and values"),
        ("text", ShapeError, "give a list of rows"),
        ([], ShapeError, "no rows"),
        ([{"\ud800": 1}], DtypeError, "not valid Unicode"),
        ([{"a": np.float32(0.1)}, {"a": 1 + 2j}], DtypeError, "which is no float64"),
    ],
)
def test_features_that_are_none(rows: Any, error: type[Exception], message: str) -> None:
    program = sclbl.compile(DictVectorizer().fit(DICTS), DICTS[:3])
    with pytest.raises(error, match=message):
        program.transform(rows)
    same(program.transform(DICTS[:3]), DictVectorizer().fit(DICTS).transform(DICTS[:3]))


def test_what_makes_no_program() -> None:
    for model, rows, message in (
        (FeatureHasher(8, dtype=np.float32), DICTS, "dtype=numpy.float64"),
        (DictVectorizer(separator=":"), DICTS, "separator='='"),
        (MultiLabelBinarizer(), [[1], [2]], "fit it on their names"),
        (
            NearestNeighbors(algorithm="brute", metric="hamming"),
            np.eye(4),
            'algorithm="ball_tree"',
        ),
    ):
        model.fit(rows)
        with pytest.raises(UnsupportedModelError, match=message):
            sclbl.compile(model, rows[:2])


# ------------------------------------------------------------------ sparse matrices


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        Ridge(),
        Lasso(0.01),
        SGDClassifier(loss="log_loss", random_state=0),
        RidgeClassifier(),
        LinearSVC(),
        PoissonRegressor(),
        DecisionTreeClassifier(random_state=0),
        MaxAbsScaler(),
    ],
    ids=lambda m: type(m).__name__,
)
def test_sparse_rows(model: Any, dtype: type) -> None:
    rows = (SPARSE * 3).astype(dtype)
    model.fit(rows, TARGET)
    program = sclbl.compile(model, rows[:20])
    for method in program.methods:
        with np.errstate(divide="ignore"):
            theirs = getattr(model, method)(rows)
        theirs = theirs.toarray() if sparse.issparse(theirs) else theirs
        ours = program.run(method, rows)
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
        tight = 1e-12 if dtype is not np.float32 else 1e-5
        np.testing.assert_allclose(ours, theirs, rtol=tight, atol=tight)
        for form in (rows.tocsc(), rows.tocoo(), sparse.csr_array(rows)):
            np.testing.assert_array_equal(program.run(method, form), ours)


def test_items_may_repeat_be_zero_and_lie_in_any_order() -> None:
    model = Ridge().fit(SPARSE, TARGET)
    program = sclbl.compile(model, SPARSE[:5])
    odd = sparse.csr_matrix(
        (np.array([1.5, 0.0, 2.0, -1.5, 3.0]), np.array([7, 3, 7, 0, 39]), np.array([0, 4, 4, 5])),
        shape=(3, 40),
    )
    same(program.predict(odd), model.predict(odd))
    dense = odd.toarray()
    np.testing.assert_allclose(program.predict(dense), model.predict(odd), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.int8, bool, np.float64])
def test_items_of_one_place_in_coo_are_added_as_floats(dtype: type) -> None:
    model = Ridge().fit(SPARSE, TARGET)
    program = sclbl.compile(model, SPARSE[:5])
    data = np.array([1, 100, 100, 1]).astype(dtype)
    rows = sparse.coo_matrix((data, ([2, 0, 0, 1], [3, 1, 1, 5])), shape=(3, 40))
    same(program.predict(rows), model.predict(rows))


@pytest.mark.parametrize("norm", ["l1", "l2", "max"])
def test_norms_of_sparse_rows(norm: Any) -> None:
    check(Normalizer(norm=norm).fit(SPARSE), SPARSE, rtol=1e-15)


def test_what_a_sparse_row_leaves_out_is_missing_to_xgboost() -> None:
    y = [i % 2 for i in range(len(DICTS))]
    forest = XGBClassifier(n_estimators=3, max_depth=4, n_jobs=1)
    with_zeros = SPARSE.copy()
    with_zeros.data[::3] = 0  # items that are there, and are no missing ones
    for model, rows in (
        (XGBClassifier(n_estimators=3, n_jobs=1).fit(with_zeros, TARGET), with_zeros),
        (XGBClassifier(n_estimators=3, missing=0.0, n_jobs=1).fit(SPARSE, TARGET), with_zeros),
        (make_pipeline(DictVectorizer(), forest).fit(DICTS, y), [*DICTS, {"age": 0.0}, {"k1": 0}]),
        (make_pipeline(FeatureHasher(8), clone(forest)).fit(DICTS, y), DICTS),
    ):
        program = sclbl.compile(model, rows[:5])
        np.testing.assert_array_equal(program.predict_proba(rows), model.predict_proba(rows))
    assert not np.array_equal(
        XGBClassifier(n_estimators=3, n_jobs=1).fit(with_zeros, TARGET).predict_proba(with_zeros),
        XGBClassifier(n_estimators=3, n_jobs=1).fit(SPARSE, TARGET).predict_proba(with_zeros),
    )


def test_no_columns_at_all() -> None:
    dense = sparse.csr_matrix(np.arange(1.0, 13).reshape(4, 3))
    with pytest.raises(UnsupportedModelError, match="results in no columns at all"):
        sclbl.compile(MissingIndicator().fit(dense), dense)


def test_a_missing_or_infinite_item_is_refused_where_the_model_refuses() -> None:
    program = sclbl.compile(LogisticRegression().fit(SPARSE, TARGET), SPARSE[:5])
    rows = SPARSE[:4].tolil()
    for value, error in ((np.nan, MissingValueError), (np.inf, InfiniteValueError)):
        rows[2, 5] = value
        with pytest.raises(error, match="row 2, column '5'") as raised:
            program.predict(rows.tocsr())
        assert (raised.value.row, raised.value.column) == (2, "5")


def test_sparse_rows_that_do_not_fit() -> None:
    program = sclbl.compile(Ridge().fit(SPARSE, TARGET), SPARSE[:5])
    with pytest.raises(ColumnError, match="41 columns; the model takes 40"):
        program.predict(sparse.csr_matrix((2, 41)))
    with pytest.raises(DtypeError, match="a complex, which is no float64"):
        program.predict(SPARSE.astype(complex))
    with pytest.raises(ShapeError, match="no sparse row"):
        program.predict(["a"])
    single = sclbl.compile(Ridge().fit(SPARSE.astype(np.float32), TARGET), SPARSE.astype("f4")[:5])
    with pytest.raises(DtypeError, match="which is no float32"):
        single.predict(SPARSE)


def test_a_large_dense_form_is_asked_for_by_name() -> None:
    model = FeatureHasher(2**20).fit(DICTS)
    program = sclbl.compile(model, DICTS[:2])
    with pytest.raises(LimitError, match="output='sparse'"):
        program.transform(DICTS)
    assert program.transform(DICTS[:2], output="dense").shape == (2, 2**20)
    with pytest.raises(ParameterError, match="no output 'pandas'; it offers 'dense' and 'sparse'"):
        program.transform(DICTS, output="pandas")


# ------------------------------------------------------------------ neighbours


@pytest.mark.parametrize("algorithm", ["kd_tree", "ball_tree"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_points_within_a_radius(algorithm: Any, dtype: type) -> None:
    points = (RNG.normal(size=(500, 3)) * 4).astype(dtype)
    model = NearestNeighbors(radius=1.0, algorithm=algorithm, leaf_size=7, n_jobs=2).fit(points)
    program = sclbl.compile(model, points[:5])
    rows = np.concatenate([points[:80], points[:80] + dtype(1)])
    same(program.radius_neighbors(rows), model.radius_neighbors(rows))
    for radius in (0, 0.5, 2, 7.5, np.inf, -1.0, float(np.nextafter(1, 0))):
        found = program.radius_neighbors(rows, radius=radius)
        same(found, model.radius_neighbors(rows, radius=radius))
        assert [len(d) for d in found[0]] == [len(i) for i in found[1]]


def test_a_grid_has_points_on_the_radius_itself() -> None:
    points = np.array(np.meshgrid(range(9), range(9))).reshape(2, -1).T.astype(float)
    model = NearestNeighbors(algorithm="kd_tree", leaf_size=2).fit(points)
    program = sclbl.compile(model, points[:5])
    for radius in (1, 2, 5, np.sqrt(2), np.nextafter(np.sqrt(2), 0), np.nextafter(5, 9)):
        same(
            program.radius_neighbors(points, radius=radius),
            model.radius_neighbors(points, radius=radius),
        )


@pytest.mark.parametrize("algorithm", ["kd_tree", "ball_tree"])
def test_nodes_decide_for_their_points(algorithm: Any) -> None:
    """A tree takes or leaves a whole node by bounds of its own, rounded in their own way."""
    for seed in range(25):
        rng = np.random.default_rng(seed)
        points = rng.integers(0, 4, size=(int(rng.integers(1, 60)), int(rng.integers(1, 5))))
        model = NearestNeighbors(algorithm=algorithm, leaf_size=int(rng.choice([1, 2, 5, 30])))
        model.fit(points.astype(float))
        program = Program(compile_spec(strip(model, points[:1].astype(float))))
        rows = np.concatenate([points, points + 1]).astype(float)
        for radius in (0.01, 1, 2, 3, 2**0.5, 3**0.5, 5**0.5, np.nan):
            wanted = model.radius_neighbors(rows, radius=radius)
            same(program.radius_neighbors(rows, radius=radius), wanted)


@pytest.mark.parametrize("beside", ["passthrough", StandardScaler(), OneHotEncoder(), "drop"])
def test_stored_order_of_neighbors_beside_columns(beside: Any) -> None:
    """SciPy keeps the order of stored items between CSR matrices, and sorts what else it stacks."""
    X = np.random.default_rng(1).normal(size=(90, 3)).round(1)
    columns = [("n", KNeighborsTransformer(n_neighbors=4), [0, 1]), ("c", beside, [2])]
    for model in (ColumnTransformer(columns), ColumnTransformer(columns[::-1])):
        model.fit(X)
        program = sclbl.compile(model, X[:5])
        ours, theirs = program.transform(X, output="sparse"), model.transform(X)
        np.testing.assert_array_equal(ours.indices, theirs.indices)
        np.testing.assert_array_equal(ours.data, theirs.data)
        np.testing.assert_array_equal(program.transform(X), theirs.toarray())


def test_parameters_of_a_call() -> None:
    points = RNG.normal(size=(50, 2))
    model = NearestNeighbors(radius=0.7, algorithm="kd_tree").fit(points)
    program = sclbl.compile(model, points[:5])
    assert program.signature.outputs["radius_neighbors"].parameters == ("radius",)
    given = program.run("radius_neighbors", points, radius=np.float32(0.5))
    same(given, model.radius_neighbors(points, radius=0.5))
    same(program.radius_neighbors(points, radius=None), model.radius_neighbors(points))
    for wrong, message in (("1", "give a number"), (True, "give a number")):
        with pytest.raises(ParameterError, match=message):
            program.radius_neighbors(points, radius=wrong)
    with pytest.raises(ParameterError, match=r"values of the call by name; give radius=0\.5"):
        program.radius_neighbors(points, 0.5)
    with pytest.raises(ParameterError, match="no parameter 'k'; it has radius"):
        program.radius_neighbors(points, k=3)
    with pytest.raises(MissingValueError, match="row 1, column '0'"):
        program.radius_neighbors([[0.0, 0.0], [np.nan, 1.0]])
    plain = sclbl.compile(Ridge().fit(points, points[:, 0]), points[:5])
    with pytest.raises(TypeError):
        plain.predict(points, radius=3)
