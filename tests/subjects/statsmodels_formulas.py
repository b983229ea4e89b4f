"""statsmodels from formulas, which take raw rows."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import statsmodels.formula.api as smf

from tests.conformance.domains import COUNTS, MIXED, SCORE, TEXTS, TWO, Domain
from tests.conformance.subject import Make, Subject

_RNG = np.random.default_rng(17)
#: Every cell is there: what lacks one statsmodels leaves out.
_COLUMNS = {
    "age": _RNG.normal(size=len(SCORE)),
    "city": TEXTS.columns["city"],
    "rooms": np.rint(3 * _RNG.random(len(SCORE))),
    "plan": MIXED.columns["plan"],
    "ratio": MIXED.columns["ratio"],
}
_DTYPES = {"age": "float64", "city": "str", "rooms": "int64", "plan": "str", "ratio": "float32"}


def _rows(names: str, *discrete: str) -> Domain:
    """Return the columns that a formula reads."""
    own = names.split()
    columns, dtypes = ({n: found[n] for n in own} for found in (_COLUMNS, _DTYPES))
    return Domain(columns, dtypes, ("frame",), frozenset(discrete))


def _fitted(method: str, formula: str, y: Any, **options: Any) -> Make:
    def make(rows: Any) -> Any:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            model = getattr(smf, method)(f"y ~ {formula}", rows.assign(y=y), **options)
            return model.fit(**({"disp": 0} if method in ("logit", "poisson") else {}))

    return make


def _stats(method: str, formula: str, y: Any, domain: Domain, *chances: str) -> Subject:
    make = _fitted(method, formula, y)
    name = f"{method}, {formula}"
    return Subject(name, make, domain, chances=frozenset(chances), checks=False)


_SCALED = "standardize(rooms) * city + I(age * 2)"
_CODES = "city + C(rooms, Poly) * ratio + C(plan)"
_NUMBERS = "C(plan, Helmert) + np.log1p(np.abs(age)) + center(ratio)"

SUBJECTS = (
    _stats("ols", "age + city + rooms * plan + ratio", SCORE, _rows(" ".join(_COLUMNS))),
    _stats("ols", "age:ratio + C(city, Sum) - 1", SCORE, _rows("age city ratio")),
    _stats("ols", _NUMBERS, SCORE, _rows("age plan ratio")),
    _stats("ols", _SCALED, SCORE, _rows("age city rooms")),
    _stats("ols", _CODES, SCORE, _rows("city rooms plan ratio", "rooms")),
    _stats("logit", "age + plan + rooms", TWO, _rows("age plan rooms"), "predict"),
    _stats("poisson", "I(rooms / 4) + plan", COUNTS, _rows("rooms plan")),
)
