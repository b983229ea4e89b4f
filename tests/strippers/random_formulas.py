"""Formulas and rows that hypothesis draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

#: Factors that both engines know.
NUMBERS = (
    "x", "z", "k", "single", "x", "z", "I(x ** 2)", "I(x * z)", "I(k + 0.5)", "np.log(z + 3)",
    "np.exp(x)", "np.sqrt(np.abs(x))", "np.where(x > 0, z, -x)", "np.minimum(x, z)",
    "x.clip(-1, 1)", "center(x)", "center(k)", "standardize(z)", "scale(x)", "np.abs(center(z))",
    "Q('two words')", "bs(x, df=4)", "bs(z, df=5, degree=2)", "bs(k, df=3)", "cr(x, df=4)",
    "cc(hour, df=3)",
    "cr(z, df=3, constraints='center')", "cc(hour, df=4, lower_bound=0, upper_bound=24)",
)  # fmt: skip
CATEGORIES = (
    "city", "size", "member", "C(k)", "city", "C(city, Sum)", "C(city, Helmert)", "C(k, Poly)",
    "C(k, Treatment(2))", "C(city, Treatment('Ulm'))", "C(size, Diff)", "C(x > 0)",
    "C(city, levels=['Ulm', 'Köln', 'Bonn'])", "C(member)",
)  # fmt: skip
ONLY = {
    "patsy": ("te(cr(x, df=3), cr(z, df=3))", "te(x, cr(hour, df=3))"),
    "formulaic": ("poly(x, 3)", "poly(z, 2, raw=True)", "bs(x, df=4, extrapolation='clip')",
                  "C(city, contr.sum)", "C(k, contr.helmert(scale=True))"),
}  # fmt: skip


@st.composite
def formulas(draw: st.DrawFn, engine: str) -> str:
    """Return a formula of some terms, with its columns at least once."""
    factor = st.sampled_from(NUMBERS + CATEGORIES + ONLY[engine])
    term = st.lists(factor, min_size=1, max_size=3, unique=True)
    operators = st.sampled_from([":", ":", "*"])
    terms = []
    for factors in draw(st.lists(term, min_size=1, max_size=5)):
        made = factors[0]
        for other in factors[1:]:
            made += draw(operators) + other
        terms.append(made)
    start = draw(st.sampled_from(["", "", "1 + ", "0 + "]))
    return f"y ~ {start}{' + '.join(terms)}{draw(st.sampled_from(['', '', ' - 1']))}"


def training(seed: int, count: int = 120) -> pd.DataFrame:
    """Return rows to fit on, in each of which every column has a value."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=count)
    z = rng.uniform(-2, 3, count)
    k = np.concatenate([np.arange(4), rng.integers(0, 4, count - 4)])
    city = np.concatenate([["Ulm", "Bonn", "Köln"], rng.choice(["Ulm", "Bonn", "Köln"], count - 3)])
    size = np.concatenate([["S", "M", "L"], rng.choice(["S", "M", "L"], count - 3)])
    member = np.concatenate([[True, False], rng.random(count - 2) > 0.4])
    frame = pd.DataFrame(
        {
            "x": x,
            "z": z,
            "k": k,
            "hour": rng.integers(0, 24, count).astype(float),
            "city": city,
            "size": pd.Categorical(size, ["S", "M", "L"]),
            "member": member,
            "single": rng.normal(size=count).astype(np.float32),
            "two words": rng.normal(size=count),
        }
    )
    return frame.assign(y=rng.normal(size=count) + x * (city == "Ulm"))


def in_form(rows: pd.DataFrame, form: str, names: list[str]) -> Any:
    """Return rows in a container that programs take."""
    if form == "frame":
        return rows
    if form == "shuffled, with more":
        return rows[rows.columns[::-1]].assign(more="?")
    if form == "dict":
        return rows[names].to_dict("list")
    return rows[names].to_dict("records")


FORMS = ("frame", "shuffled, with more", "dict", "dicts")
