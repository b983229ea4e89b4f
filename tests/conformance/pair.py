"""A program beside the model it was made from, on rows chosen to tell them apart."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from sclbl.errors import (
    InfiniteValueError,
    InputError,
    MissingValueError,
    OutOfRangeError,
    OutOfReachError,
    UnknownCategoryError,
    UnsupportedModelError,
)
from sclbl.fidelity import tails
from sclbl.fidelity.donors import as_chosen
from sclbl.missing import is_missing
from sclbl.strippers import dispatch, strip
from tests.conformance import bars
from tests.conformance.domains import near_thresholds
from tests.conformance.subject import Subject
from tests.conformance.threshold_rows import thresholds
from tests.kept import program_of

#: By how much of its size a number is moved to see what a result hangs on.
_STEP = 2.0**-30
#: What models say of a row that they refuse, and what a program must raise for it.
_REFUSALS: tuple[tuple[str, type[InputError]], ...] = (
    ("unknown categor", UnknownCategoryError),
    ("not in the training set", UnknownCategoryError),
    ("no missing values in fit", MissingValueError),
    ("contains nan", MissingValueError),
    ("infinity", InfiniteValueError),
    ("`inf`", InfiniteValueError),
    ("out of bounds", OutOfRangeError),
    ("negative values", OutOfRangeError),
    ("infs or nans", InfiniteValueError),
    ("contains zeros", OutOfRangeError),
    ("strictly positive", OutOfRangeError),
    ("smaller than -skewedness", OutOfRangeError),
    ("does not match any of the expected levels", UnknownCategoryError),
    ("outside the outermost knots", OutOfRangeError),
    ("no neighbors found", OutOfReachError),
    ("zero weights", OutOfReachError),
)
#: What returns several results, or ragged ones: compared by `tests.conformance.ragged`.
_SEVERAL = ("kneighbors", "radius_neighbors")
#: Defined a row and a tree at a time; tests/strippers/test_xgboost_contributions.py has its rows.
_APART = ("pred_contribs",)
_OF_SCORES = ("predict_proba", "predict_log_proba")
#: Methods that return what probabilities are made of.
_SCORERS = ("decision_function", "predict_joint_log_proba")
Columns = Mapping[str, np.ndarray]
Taken = dict[str, list[Any]]


def run(subject: Subject, form: str, rows: int, *, strict: bool = False) -> list[bars.Found]:
    """Compare every method of a subject on so many rows of one form, and on refused ones.

    With `strict`, a softmax is held to the bar on every processor.
    """
    return Pair(subject, form, strict=strict, every=True).sweep(rows)


class Pair:
    """A fitted model and its program, which went through strip, compile and the runtime.

    Parameters
    ----------
    subject : Subject
        What is fitted.
    form : str
        The form of its rows.
    strict : bool
        Whether a softmax is held to the bar on every processor.
    every : bool
        Whether each column is tried with every odd value; otherwise the first one is, and the
        others with those that stand for several.
    """

    def __init__(
        self, subject: Subject, form: str, *, strict: bool = False, every: bool = False
    ) -> None:
        self.subject, self.form, self.domain, self.every = subject, form, subject.domain, every
        self.ulps = bars.ULPS if strict else bars.ulps_of_softmax()
        training = self.domain.training(form)
        self.model = subject.make(training)
        self.train = self.domain.form(form, self.domain.trained(form), known=True)
        self.example = self.train[:5]
        with warnings.catch_warnings():
            # Encoders tell of unknown categories.
            warnings.simplefilter("ignore")
            self.spec = self._stripped()
        self.program = program_of(self.spec)
        self.limits = None
        if subject.family == "trees":
            self.limits = near_thresholds(thresholds(self.spec.graph), self.domain)

    def _stripped(self) -> Any:
        """Strip with all methods that the model offers, those on request too."""
        if self.subject.methods:
            return strip(self.model, self.example, methods=self.subject.methods)
        methods = dispatch.methods(self.model)
        offered = dispatch.offers(self.model)
        more = [m for m in dispatch.optional(self.model) if m not in (*_SEVERAL, *_APART)]
        more = [m for m in more if not offered[m].backwards]
        try:
            return strip(self.model, self.example, methods=(*methods, *more))
        except UnsupportedModelError as error:
            if not any(f"leave {method} out of methods" in str(error) for method in more):
                raise
            return strip(self.model, self.example, methods=methods)

    def source(self, method: str, rows: Any) -> Any:
        """Return what the model itself returns: a dense array or a list of them."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            returned = self.subject.asked(self.model, method, rows)
        if isinstance(returned, list):
            return [np.asarray(part) for part in returned]
        return np.asarray(returned.toarray() if hasattr(returned, "toarray") else returned)

    def sweep(self, rows: int) -> list[bars.Found]:
        """Compare every method on so many rows; misses of the first tell of refusals too."""
        found = []
        for method in self.program.methods:
            columns, given = self.stress(method, rows)
            ours = self.program.run(method, given)
            ours = as_chosen(self.spec, method, given, ours)
            theirs = tails.settled(self.spec, method, given, ours, self.source(method, given))
            found.append(self.compare(method, columns, ours, theirs, self.probed[method][1]))
        return found

    def stress(self, method: str, rows: int) -> tuple[Columns, Any]:
        """Return rows that the model's method takes, as columns and in the form."""
        taken = self.probed[method][0]
        key = repr((taken, rows))
        if key not in self._stress:
            columns = self.domain.stress(rows, self.form, taken, self.limits)
            self._stress[key] = columns, self.domain.form(self.form, columns)
        return self._stress[key]

    @cached_property
    def _stress(self) -> dict[str, tuple[Columns, Any]]:
        return {}

    # -------------------------------------------------------------- refused rows

    def refused(self, method: str) -> list[Any]:
        """Return rows that the program refuses, of which the second is not ordinary."""
        return self._refused.get(method, []) if self.probed else []

    @cached_property
    def _refused(self) -> dict[str, list[Any]]:
        return {}

    @cached_property
    def probed(self) -> dict[str, tuple[Taken, list[str]]]:
        """By method, the odd values that the model takes, and where the program differs."""
        found: dict[str, tuple[Taken, list[str]]] = {}
        first, *rest = self.domain.columns
        known: Taken | None = None
        for method in self.program.methods:
            taken, misses = self._probe(method, (first,), self.domain.bad)
            if known is not None and taken[first] == known[first]:
                # Methods of one model mostly refuse alike; one that does not is probed in full.
                taken = known
            else:
                values = self.domain.bad if self.every else self.domain.worst
                others, more = self._probe(method, tuple(rest), values)
                taken, misses = {**others, first: taken[first]}, [*misses, *more]
                for name in () if self.every else rest:
                    taken[name] = self.domain.alike(name, self.form, taken[name], taken[first])
                known = known or taken
            found[method] = taken, misses
        return found

    def _probe(
        self, method: str, names: tuple[str, ...], values: Callable[[str, str], Sequence[Any]]
    ) -> tuple[Taken, list[str]]:
        """Return which odd values the model takes, by column, and where the program differs."""
        domain = self.domain
        taken: Taken = {name: [] for name in domain.columns}
        misses: list[str] = []
        ordinary = domain.complete_rows(2, self.form)
        for name in names:
            label = name if "frame" in self.form else str(list(domain.columns).index(name))
            labels = (label, None) if self.subject.inside else (label,)
            for value in values(name, self.form):
                columns = {n: v.copy() for n, v in ordinary.items()}
                columns[name][1] = value
                rows = domain.form(self.form, columns)
                wanted, got = self.refusal(method, rows, value), None
                try:
                    self.program.run(method, rows)
                except InputError as error:
                    got = error
                    self._refused.setdefault(method, []).append(rows)
                where = f"{method}, column {name!r} = {value!r}"
                if got is None and wanted is None:
                    taken[name].append(value)
                elif got is None and wanted is not None:
                    misses.append(f"{where}: taken, and the model refuses it ({wanted.__name__})")
                elif wanted is None:
                    misses.append(f"{where}: refused ({got}), and the model takes it")
                elif (
                    type(got) is wanted
                    and (got.row, got.column) == (1, None)
                    and (wanted is OutOfReachError or np.isfinite(value))
                ):
                    pass  # the whole row is, or what was computed from it
                elif (type(got), got.row) != (wanted, 1) or got.column not in labels:
                    misses.append(f"{where}: {got!r}, not {wanted.__name__} of row 1, {label!r}")
        return taken, misses

    def refusal(self, method: str, rows: Any, value: Any) -> type[InputError] | None:
        """Return how the program must refuse rows; None where the model takes them."""
        if not self.subject.checks and is_missing(value):
            return MissingValueError
        if not self.subject.checks and not isinstance(value, str) and not np.isfinite(value):
            return InfiniteValueError
        try:
            self.source(method, rows)
        except Exception as error:  # of classes of the libraries' own
            said = str(error).lower()
            for words, kind in _REFUSALS:
                if words in said:
                    return kind
            raise
        return None

    # ------------------------------------------------------------- compared rows

    def compare(
        self, method: str, columns: Columns, ours: Any, theirs: Any, misses: list[str]
    ) -> bars.Found:
        """Compare what two make of rows that the model takes; `misses` are known already."""
        misses = list(misses)
        if bars.described(ours) != bars.described(theirs):
            misses.append(f"{method} is {bars.described(ours)}, not {bars.described(theirs)}")
        a, b = bars.flat(ours), bars.flat(theirs)
        base: dict[str, Any] = {
            "subject": self.subject.name, "form": self.form, "method": method, "rows": len(b)
        }  # fmt: skip
        if b.dtype.kind != "f":
            different = (a != b).any(axis=1)
            if different.any():
                row = int(np.argmax(different))
                misses.append(
                    f"{method}: {different.sum()} rows differ, first {_shown(columns, row)}: "
                    f"{a[row]!r}, not {b[row]!r}"
                )
            flips = int((a != b).sum())
            return bars.Found(**base, bar="exact", flips=flips, misses=tuple(misses))
        bar, allowed = self.bar(method, b)
        found = bars.errors(a.astype(b.dtype), b)
        if bar in ("bits", "ulp"):
            measure = found.ulp.astype(np.float64)
            if method == "predict_log_proba":
                measure = bars.logarithms(found)
        else:
            measure = bars.scaled(
                found,
                self.scale(method, bar, allowed, b),
                allowed,
                lambda some: self.sensitivity(method, {n: v[some] for n, v in columns.items()}),
            )
        if (measure > allowed).any():
            row, column = (int(i) for i in np.unravel_index(np.argmax(measure), measure.shape))
            misses.append(
                f"{method}: {(measure > allowed).any(axis=1).sum()} rows differ, worst output "
                f"{column} by {measure[row, column]:.3g} ({found.ulp[row, column]} ULP; allowed "
                f"{allowed:.3g}) at {_shown(columns, row)}: {a[row, column]!r}, not "
                f"{b[row, column]!r}"
            )
        return bars.Found(
            **base, bar=bar, allowed=allowed, misses=tuple(misses),
            ulp=int(found.ulp.max(initial=0)), absolute=float(found.absolute.max(initial=0)),
            relative=float(found.relative.max(initial=0)), scaled=float(measure.max(initial=0)),
        )  # fmt: skip

    def bar(self, method: str, theirs: np.ndarray) -> tuple[bars.Bar, float]:
        """Return which bar holds for a method that returns floats, and what it allows."""
        subject = self.subject
        if subject.family == "trees":
            after = method in subject.after_exp
            # NumPy computes softmax only for scikit-learn's models of more than two classes.
            softmax = method in _OF_SCORES and theirs.shape[1] > 2 and theirs.dtype == np.float64
            return (
                ("ulp", float(self.ulps if softmax else subject.ulps)) if after else ("bits", 0.0)
            )
        # With float32 coefficients products are summed in float32, whatever is added afterwards.
        models = [self.model, *getattr(self.model, "estimators_", [])]
        weights = {getattr(getattr(m, "coef_", None), "dtype", None) for m in models}
        single = theirs.dtype == np.float32 or np.dtype(np.float32) in weights
        held = {self.domain.dtype(name, self.form) for name in self.domain.columns}
        single |= subject.single and held <= {"float32", "bool"}
        if method in subject.chances:
            return "chance", bars.RELATIVE_32 if single else bars.CHANCE
        return "relative", bars.RELATIVE_32 if single else bars.RELATIVE

    def scale(self, method: str, bar: bars.Bar, allowed: float, theirs: np.ndarray) -> np.ndarray:
        """Return what errors are relative to at least."""
        sizes = np.abs(theirs.astype(np.float64))
        if bar == "chance":
            return np.maximum(sizes, 1.0)
        usual = np.abs(bars.flat(self.source(method, self.train)).astype(np.float64))
        scale = np.maximum(sizes, np.nanmedian(usual, axis=0))
        if method == "predict_log_proba":
            single = allowed == bars.RELATIVE_32
            scale = np.maximum(scale, bars.scale_of_logarithms(theirs.astype(np.float64), single))
        return scale

    def sensitivity(self, method: str, columns: Columns) -> np.ndarray:
        """Return ``sum_i |x_i * df/dx_i|`` of the source, and the like of its scores."""
        still = self._as_float64(method, columns)
        moved = np.zeros_like(still)
        for name, values in columns.items():
            if self.domain.is_text(name) or name in self.domain.discrete:
                continue
            now = self._as_float64(method, {**columns, name: values * (1 - _STEP)})
            with np.errstate(all="ignore"):
                moved += np.nan_to_num(np.abs(now - still), nan=0.0, posinf=0.0) / _STEP
        if self.subject.terms is not None:
            rows = self.domain.form(self.form, columns, wide=True)
            moved = np.maximum(moved, self.subject.terms(self.model, rows).reshape(len(moved), -1))
        scorer = next((s for s in _SCORERS if hasattr(self.model, s)), None)
        if method in _OF_SCORES and scorer is not None:
            logarithm = method == "predict_log_proba"
            chances = np.exp(still) if logarithm else still
            scores = self._as_float64(scorer, columns)
            moved = np.maximum(moved, bars.reach_of_scores(chances, scores, logarithm))
        return moved

    def _as_float64(self, method: str, columns: Columns) -> np.ndarray:
        rows = self.domain.form(self.form, columns, wide=True)
        return bars.flat(self.source(method, rows)).astype(np.float64)


def _shown(columns: Columns, row: int) -> str:
    return (
        "(" + ", ".join(f"{n}={v[row : row + 1].tolist()[0]!r}" for n, v in columns.items()) + ")"
    )
