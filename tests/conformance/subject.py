"""A subject: a fitted model in one of its variations, and the rows that it takes.

The lists stand in `tests/subjects`, one file for each public module of a library; each has a
`SUBJECTS`, and `subjects` finds them all.
"""

from __future__ import annotations

import importlib
import pkgutil
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
from sklearn.base import clone

import tests.subjects
from tests.conformance.bars import ULPS
from tests.conformance.domains import NUMERIC, Domain

Make = Callable[[Any], Any]


#: How a model is asked for what a program calls a method of its own.
_ARGUMENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "predict_margin": ("predict", {"output_margin": True}),
    "predict_linear": ("predict", {"which": "linear"}),
}


def asked(model: Any, method: str, rows: Any) -> Any:
    """Return what a method of a model makes of rows."""
    if method == "predict_std":
        return model.predict(rows, return_std=True)[1]
    name, arguments = _ARGUMENTS.get(method, (method, {}))
    return getattr(model, name)(rows, **arguments)


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
    asked : callable
        Returns what the model's method of a name makes of rows.
    terms : callable, optional
        Returns, for a model and rows, how large the terms of the sums are that results are, where
        they may cancel: what the rounding of a sum is relative to.
    ulps : int
        How far trees' results may be away, in units of the last place, where they are not exact.
    methods : tuple of str
        What its program has; by default all methods that take the rows it was fitted on.
    single : bool
        Whether rows of float32 are computed in float32, whatever type the results have.
    inside : bool
        Whether the model refuses what it made of a row too, which names no column.
    """

    name: str
    make: Make
    domain: Domain = NUMERIC
    family: Literal["trees", "other"] = "other"
    after_exp: frozenset[str] = frozenset({"predict_proba", "predict_log_proba"})
    chances: frozenset[str] = frozenset({"predict_proba"})
    checks: bool = True
    asked: Callable[[Any, str, Any], Any] = asked
    ulps: int = ULPS
    methods: tuple[str, ...] = ()
    single: bool = False
    inside: bool = False
    terms: Callable[[Any, Any], np.ndarray] | None = None

    @property
    def form(self) -> str:
        """The form that is tried by default: another one for each subject, the same every time."""
        forms = self.domain.forms
        return forms[zlib.crc32(self.name.encode()) % len(forms)]


@cache
def subjects() -> tuple[Subject, ...]:
    """Return the subjects of all modules of `tests.subjects`."""
    found: list[Subject] = []
    for info in sorted(pkgutil.iter_modules(tests.subjects.__path__), key=lambda m: m.name):
        found += importlib.import_module(f"{tests.subjects.__name__}.{info.name}").SUBJECTS
    return tuple(found)


def first_of_each() -> tuple[Subject, ...]:
    """Return one subject of each class: the first that is called by it."""
    found: dict[str, Subject] = {}
    for subject in subjects():
        found.setdefault(subject.name.partition(",")[0], subject)
    return tuple(found.values())


def named(name: str) -> Subject:
    """Return the subject of a name."""
    return next(subject for subject in subjects() if subject.name == name)


def fitted(estimator: Any, y: Any = None, **options: Any) -> Make:
    """Fit a copy of an estimator, or what a function makes; how well is of no interest here."""

    def make(rows: Any) -> Any:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            fresh = clone(estimator) if hasattr(estimator, "fit") else estimator()
            return fresh.fit(rows, y, **options)

    return make


def backwards(name: str, estimator: Any, y: Any = None, domain: Domain = NUMERIC) -> Subject:
    """``inverse_transform``, of a model that makes as many columns as the domain has.

    It is fitted on more columns than that, made from those.
    """
    spread = np.random.default_rng(5).uniform(0.5, 2.0, size=(len(domain.columns), 6))

    def make(rows: Any) -> Any:
        wide = np.asarray(rows)
        return fitted(estimator, y)((wide.astype(np.float64) @ spread).astype(wide.dtype))

    return Subject(name, make, domain, methods=("inverse_transform",))


def of_trees(name: str, make: Make, domain: Domain = NUMERIC) -> Subject:
    """Trees whose probabilities are averages: only their logarithms are not exact."""
    return Subject(name, make, domain, "trees", frozenset({"predict_log_proba"}))


def boosted(name: str, make: Make, domain: Domain = NUMERIC, *also: str) -> Subject:
    """Trees whose sums pass through a link; `also`: methods after an exponential function."""
    after = frozenset({"predict_proba", "predict_log_proba", *also})
    return Subject(name, make, domain, "trees", after)
