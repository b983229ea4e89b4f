"""The rows that subjects are fitted on, and rows that stress them, in every form they come in.

A form is a container and the types in it:

======================= ============================================================
float64, float32, int64 arrays
objects                 an array of Python objects
frame                   a DataFrame whose columns have types of their own
float64 frame           one of float64 alone
boolean frame           one of float32 and a column of booleans
float32 rows            float32, for a model that was fitted on float64
float64 rows            float64, for a model that was fitted on float32
======================= ============================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tests.conformance.threshold_rows import EDGES, neighbours

ROWS = 240
#: Forms in which most rows come, and all in which they come to a model of numbers.
MAIN = ("float64", "float32", "frame")
USUAL = (*MAIN, "objects")
NUMERIC_FORMS = (*MAIN, "int64", "float64 frame", "boolean frame", "float32 rows", "float64 rows")
_ARRAYS = {
    "float64": ("float64", "float64"),
    "float32": ("float32", "float32"),
    "int64": ("int64", "int64"),
    "float32 rows": ("float64", "float32"),
    "float64 rows": ("float32", "float64"),
}
#: What models of ordinary numbers meet beside them. Larger ones make sums that overflow in one
#: order and not in another.
NUMBERS = (0.0, -0.0, 5e-324, 1e-300, -1e-7, 1.0, -1.0, 37.0, -745.0, 1e6, -1e15, 1e150, -1e150)
FLOAT32_MOST, WHOLE_MOST = 1e15, 2.0**53
#: What is not ordinary, and rows hold only where the model takes it.
BAD_NUMBERS = (np.nan, np.inf, -np.inf, 1e300, -1e300, 3.4028234e38, -3.4028234e38)
EDGES_OF_TREES = np.array([v for v in EDGES if v not in BAD_NUMBERS])
BAD_CODES = (np.nan, np.inf, 77.0, 0.5, -1.0)
BAD_TEXT = ("never seen", None)


@dataclass(frozen=True)
class Domain:
    """Columns of training rows.

    Parameters
    ----------
    columns : mapping of str to array ``[rows]``
        float64 or texts, by name.
    frame : mapping of str to str
        The dtype of each column in a DataFrame.
    forms : tuple of str
        What the rows come in.
    discrete : frozenset of str
        Columns of numbers that are categories.
    """

    columns: Mapping[str, np.ndarray]
    frame: Mapping[str, str]
    forms: tuple[str, ...] = MAIN
    discrete: frozenset[str] = frozenset()

    def is_text(self, name: str) -> bool:
        return self.columns[name].dtype == object

    def dtype(self, name: str, form: str) -> str:
        """Return what a column of numbers holds in the rows of a form."""
        if form in _ARRAYS:
            return _ARRAYS[form][1]
        if form == "boolean frame":
            return "bool" if name == list(self.columns)[1] else "float32"
        return "float64" if form == "float64 frame" else self.frame[name]

    def trained(self, form: str) -> dict[str, np.ndarray]:
        """Return the training rows as columns, as the form holds them."""
        return {n: self._held(n, form, values) for n, values in self.columns.items()}

    def training(self, form: str) -> Any:
        """Return the training rows in a form."""
        if form in _ARRAYS:
            return _array(self.trained(form), _ARRAYS[form][0])
        return self.form(form, self.trained(form), known=True)

    def _held(self, name: str, form: str, values: np.ndarray) -> np.ndarray:
        dtype = self.dtype(name, form)
        if form == "int64":
            return np.rint(3 * values)
        return (values > 0).astype(np.float64) if dtype == "bool" else values

    def form(
        self, form: str, columns: Mapping[str, np.ndarray], wide: bool = False, known: bool = False
    ) -> Any:
        """Return rows in a form.

        Parameters
        ----------
        form : str
            See the module.
        columns : mapping of str to array
            The rows.
        wide : bool
            Whether all numbers are float64.
        known : bool
            Whether these are the training rows.
        """
        if form in _ARRAYS:
            return _array(columns, "float64" if wide else _ARRAYS[form][1])
        if form == "objects":
            table = np.empty((len(next(iter(columns.values()))), len(columns)), dtype=object)
            for i, values in enumerate(columns.values()):
                table[:, i] = values.tolist()
            return table
        return pd.DataFrame(
            {n: self._series(n, form, values, wide, known) for n, values in columns.items()}
        )

    def _series(self, name: str, form: str, values: np.ndarray, wide: bool, known: bool) -> Any:
        dtype = self.dtype(name, form)
        if dtype == "category":
            own = pd.unique(pd.Series(self.columns[name]).dropna())
            # Another order than in training, so that the codes differ.
            seen = [v for v in pd.unique(pd.Series(values).dropna()) if v not in set(own)]
            order = sorted(own, reverse=not known)
            cells = pd.Series(values, dtype=object)
            if not self.is_text(name):
                order, seen = [int(v) for v in order], [int(v) for v in seen]
                cells = cells.map(lambda v: None if v != v else int(v))
            return pd.Categorical(cells, categories=[*order, *seen])
        if wide and values.dtype == np.float64:
            return pd.Series(values)
        if (
            dtype == "int64"
            and not ((np.abs(values) < WHOLE_MOST) & (values == np.rint(values))).all()
        ):
            return pd.Series(values)  # as pandas holds whole numbers with missing ones
        return pd.Series(values).astype(dtype)

    def is_single(self, name: str, form: str) -> bool:
        """Return whether a column holds float32."""
        return self.dtype(name, form) == "float32"

    def is_whole(self, name: str, form: str) -> bool:
        """Return whether a column holds whole numbers that are no categories."""
        whole = np.dtype(_plain(self.dtype(name, form))).kind in "iu" and form in ("frame", "int64")
        return whole and name not in self.discrete

    def ends(self, name: str, form: str) -> tuple[float, float]:
        """Return the least and the greatest whole number that a column may hold."""
        limits = np.iinfo(self.dtype(name, form))
        return max(limits.min, 1 - WHOLE_MOST), min(limits.max, WHOLE_MOST - 1)

    def is_narrow(self, name: str, form: str) -> bool:
        """Return whether a column holds whole numbers and nothing else, or truths."""
        dtype = np.dtype(_plain(self.dtype(name, form)))
        return dtype.kind == "b" or (dtype.kind in "iu" and dtype.itemsize < 8)

    def bad(self, name: str, form: str) -> Sequence[Any]:
        """Return what a column may hold beside ordinary values."""
        if self.is_text(name):
            return BAD_TEXT
        if form == "int64" or self.is_narrow(name, form):
            return ()
        if name not in self.discrete:
            single = self.is_single(name, form)
            return tuple(v for v in BAD_NUMBERS if not (single and abs(v) == 1e300))
        return BAD_CODES[:1] if self.dtype(name, form) == "category" else BAD_CODES

    def worst(self, name: str, form: str) -> Sequence[Any]:
        """Return those of `bad` that stand for others: one number of each sort."""
        bad = self.bad(name, form)
        if self.is_text(name) or name in self.discrete:
            return bad
        largest = 3.4028234e38 if self.is_single(name, form) else 1e300
        return tuple(v for v in bad if v != v or v in (np.inf, largest))

    def alike(self, name: str, form: str, taken: list[Any], first: list[Any]) -> list[Any]:
        """Return which of `bad` a model takes that takes these of `worst`.

        Parameters
        ----------
        name, form : str
            The column and its form.
        taken : list
            What it takes of `worst`.
        first : list
            What it takes in the first column, of all numbers.
        """
        if self.is_text(name) or name in self.discrete:
            return taken
        tried = self.worst(name, form)
        return [
            v
            for v in self.bad(name, form)
            if any(v is t or v == t or -v == t for t in taken)
            or (not any(v is t or abs(v) == t for t in tried) and v in first)
        ]

    def complete_rows(self, rows: int, form: str) -> dict[str, np.ndarray]:
        """Return the first training rows, without what is missing in them."""
        found = {}
        for name, values in self.trained(form).items():
            present = [v for v in values.tolist() if v is not None and v == v]
            found[name] = np.array(present[:rows], dtype=values.dtype)
        return found

    def stress(
        self,
        rows: int,
        form: str,
        taken: Mapping[str, Sequence[Any]],
        limits: Mapping[str, np.ndarray] | None,
        seed: int = 0,
    ) -> dict[str, np.ndarray]:
        """Return rows that tell arithmetic apart, as columns.

        Parameters
        ----------
        rows : int
            How many.
        form : str
            The form that they are meant for.
        taken : mapping of str to sequence
            Which of `bad` the model takes, by column.
        limits : mapping of str to array or None
            Thresholds of trees on each column; None where the model has none.
        seed : int
            Of the choice.
        """
        rng = np.random.default_rng(seed)
        found = {}
        for name, train in self.trained(form).items():
            usual = rng.choice(train, size=rows)
            odd = np.array(taken[name], dtype=train.dtype)
            if limits is None and self.is_single(name, form):
                odd = odd[~(np.isfinite(odd) & (np.abs(odd) > FLOAT32_MOST))]
            truths = not self.is_text(name) and self.dtype(name, form) == "bool"
            if not self.is_text(name) and name not in self.discrete and not truths:
                if limits is None:
                    usual = _spread(rng, usual, self.is_single(name, form))
                else:
                    usual = _near(rng, usual, limits[name])
            if odd.size:
                usual = np.where(rng.random(rows) < 0.08, rng.choice(odd, size=rows), usual)
            if not self.is_text(name) and self.is_whole(name, form):
                # A column of whole numbers stays one.
                low, high = self.ends(name, form)
                usual = np.clip(np.rint(np.nan_to_num(usual)), low, high) + 0.0
                if self.is_narrow(name, form):
                    some = np.floor(rng.uniform(low, high + 1, size=rows))
                    usual = np.where(rng.random(rows) < 0.5, np.minimum(some, high), usual)
            found[name] = usual
        return found


@dataclass(frozen=True)
class FromZero(Domain):
    """Rows of a model that refuses what is less than 0, or than another number."""

    least: float = 0.0

    def stress(self, *given: Any, **named: Any) -> dict[str, np.ndarray]:
        found = super().stress(*given, **named)
        return {name: np.maximum(np.abs(v), self.least) for name, v in found.items()}


def _plain(dtype: str) -> str:
    return "object" if dtype == "category" else dtype


def _array(columns: Mapping[str, np.ndarray], dtype: str) -> np.ndarray:
    with np.errstate(over="ignore"):
        return np.column_stack(list(columns.values())).astype(dtype)


def _spread(rng: np.random.Generator, usual: np.ndarray, single: bool) -> np.ndarray:
    rows = len(usual)
    most = FLOAT32_MOST if single else np.inf
    edges = np.array([v for v in NUMBERS if abs(v) <= most])
    jittered = usual * rng.normal(1, 0.5, size=rows)
    scaled = usual * 10.0 ** rng.uniform(-6, 4, size=rows)
    kind = rng.choice(4, p=[0.25, 0.45, 0.2, 0.1], size=rows)
    return np.choose(kind, [usual, jittered, scaled, rng.choice(edges, size=rows)])


def _near(rng: np.random.Generator, usual: np.ndarray, limits: np.ndarray) -> np.ndarray:
    rows = len(usual)
    # Each of them as often as there are rows for.
    near = np.resize(rng.permutation(limits), rows) if limits.size else usual
    near = rng.permutation(near)
    kind = rng.choice(3, p=[0.2, 0.7, 0.1], size=rows)
    return np.choose(kind, [usual, near, rng.choice(EDGES_OF_TREES, size=rows)])


def near_thresholds(found: Sequence[np.ndarray], domain: Domain) -> dict[str, np.ndarray]:
    """Return what lies on thresholds and one ULP beside them, by column.

    A model that encodes its columns first tests others than it is given; then every column gets
    the thresholds of all.
    """
    names = list(domain.columns)
    plain = not domain.discrete and not any(map(domain.is_text, names))
    if plain and len(found) <= len(names):
        own = [*found, *([np.zeros(1)] * (len(names) - len(found)))]
        return {n: neighbours(limits) for n, limits in zip(names, own, strict=True)}
    every = neighbours(np.unique(np.concatenate(found))) if found else np.zeros(1)
    return dict.fromkeys(names, every)


# --------------------------------------------------------------- the literal ones

RNG = np.random.default_rng(11)
X = RNG.normal(size=(ROWS, 4))
X[:, 3] = np.round(X[:, 3] * 2)
SCORE = X[:, 0] * 2 - X[:, 1] + 0.5 * X[:, 3] + RNG.normal(size=ROWS) * 0.5
TWO = (SCORE > 0).astype(int)
THREE = np.digitize(SCORE, [-1.5, 1.0])
FLAGS = np.where(SCORE > 0.3, "yes", "no")
WORDS = np.array(["ape", "bée", "zebra"])[THREE]
SCORES = np.column_stack([SCORE, -SCORE, X[:, 1] ** 2])
PAIRS = np.column_stack([WORDS, FLAGS]).astype(object)
TWELVE = SCORE.argsort().argsort() * 12 // ROWS * 7 - 3
TRUTHS = SCORE > 0.5
LABELS = np.column_stack([SCORE > 0, X[:, 0] > 0.5, X[:, 1] < 0]).astype(int)
OBJECTS = WORDS.astype(object)
POSITIVE = np.exp(SCORE / 3)
SHARES = 1 / (1 + np.exp(-SCORE))
COUNTS = np.floor(POSITIVE * 2)

_NAMES = ("alpha", "b c", "grün", "d")
_MIXED_DTYPES = dict(zip(_NAMES, ("float64", "float32", "float64", "int64"), strict=True))
_HOLES = np.where(RNG.random(X.shape) < 0.15, np.nan, X)
_HOLES[:, 3] = X[:, 3]
# XGBoost 3.2 stores categories beyond ASCII cut short and mixes them up itself.
_KINDS = np.array(["fox", "ant", "cow", "", "eel"], dtype=object)
_KIND = _KINDS[RNG.choice(5, size=ROWS)]
_CITIES = np.array(["Oslo", "Århus", "Ghent", "", "東京"], dtype=object)
_CITY = _CITIES[RNG.choice(5, p=[0.4, 0.3, 0.2, 0.06, 0.04], size=ROWS)]
_PLAN = np.array(["a", "b", "c"], dtype=object)[RNG.choice(3, p=[0.6, 0.37, 0.03], size=ROWS)]
_SOME_CITY = np.where(RNG.random(ROWS) < 0.1, None, _CITY)
_CODES = np.column_stack([RNG.integers(0, 9, ROWS), RNG.choice([3, 5, 20], size=ROWS)]).astype(
    float
)

NUMERIC = Domain(dict(zip(_NAMES, X.T.copy(), strict=True)), _MIXED_DTYPES, NUMERIC_FORMS)
COUNTED = FromZero(
    {name: np.floor(np.abs(3 * v)) for name, v in NUMERIC.columns.items()}, _MIXED_DTYPES
)
#: Integers whose type enters the computation, and truths.
_WHOLE = np.random.default_rng(13)
NARROW = Domain(
    {
        "small": _WHOLE.integers(-128, 128, ROWS).astype(float),
        "byte": _WHOLE.integers(0, 256, ROWS).astype(float),
        "wide": _WHOLE.integers(-(2**31), 2**31, ROWS).astype(float),
    },
    {"small": "int8", "byte": "uint8", "wide": "int32"},
    ("frame",),
)
TRUTHS_ALONE = Domain(
    {"p": _WHOLE.normal(size=ROWS), "q": _WHOLE.normal(size=ROWS)},
    {"p": "bool", "q": "bool"},
    ("frame",),
)
#: With a column that is denormal in float32.
TINY = Domain(
    {**NUMERIC.columns, "tiny": np.random.default_rng(12).normal(size=ROWS) * 1e-41},
    {**_MIXED_DTYPES, "tiny": "float64"},
)
HOLES = Domain(dict(zip(_NAMES, _HOLES.T.copy(), strict=True)), _MIXED_DTYPES)
#: A constant, two numbers between 0 and 1, and a small count: linear predictors of one sign.
DESIGN = Domain(
    {
        "const": np.ones(ROWS),
        "age": RNG.random(ROWS),
        "income": RNG.random(ROWS),
        "visits": RNG.integers(0, 4, ROWS).astype(float),
    },
    {"const": "float64", "age": "float64", "income": "float32", "visits": "int64"},
    (*MAIN, "float64 frame", "float32 rows", "float64 rows"),
)
#: Categories that are whole numbers, and ones that are fractions.
CODES = Domain(
    {"whole": _CODES[:, 0], "few": _CODES[:, 1], "tenth": RNG.choice([0.5, 1.25, -2.0], ROWS)},
    {"whole": "int64", "few": "int64", "tenth": "float64"},
    discrete=frozenset({"whole", "few", "tenth"}),
)
MISSING_CODES = Domain(
    {"whole": np.where(RNG.random(ROWS) < 0.1, np.nan, _CODES[:, 0]), "few": _CODES[:, 1]},
    {"whole": "float64", "few": "int64"},
    discrete=frozenset({"whole", "few"}),
)
#: Categories beside numbers.
NUMBERS_AND_CODES = Domain(
    {"size": X[:, 0].copy(), "weight": _HOLES[:, 1].copy(), "code": _CODES[:, 0]},
    {"size": "float64", "weight": "float64", "code": "int64"},
    discrete=frozenset({"code"}),
)
TEXTS = Domain(
    {"city": _CITY, "plan": _PLAN}, {"city": "str", "plan": "category"}, ("objects", "frame")
)
MISSING_TEXTS = Domain(
    {"city": _SOME_CITY, "plan": _PLAN}, {"city": "str", "plan": "object"}, ("objects", "frame")
)
MIXED = Domain(
    {
        "age": _HOLES[:, 0].copy(),
        "city": _SOME_CITY,
        "rooms": X[:, 3].copy(),
        "plan": _PLAN,
        "ratio": X[:, 2].copy(),
    },
    {"age": "float64", "city": "str", "rooms": "int64", "plan": "category", "ratio": "float32"},
    ("objects", "frame"),
)
CATEGORIES = Domain(
    {
        "size": X[:, 0].copy(),
        "city": _SOME_CITY,
        "rank": _CODES[:, 1],
        "weight": _HOLES[:, 1].copy(),
    },
    {"size": "float64", "city": "category", "rank": "category", "weight": "float64"},
    ("frame",),
    discrete=frozenset({"rank"}),
)
ASCII_CATEGORIES = Domain(
    {**CATEGORIES.columns, "city": np.where(RNG.random(ROWS) < 0.1, None, _KIND)},
    CATEGORIES.frame,
    CATEGORIES.forms,
    CATEGORIES.discrete,
)
