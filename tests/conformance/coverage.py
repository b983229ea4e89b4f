"""Which methods of scikit-learn's estimators are programs, and how near: writes docs/coverage.md.

Usage: python -m tests.conformance.coverage [docs/coverage.md]
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from sklearn.experimental import enable_halving_search_cv, enable_iterative_imputer  # noqa: F401
from sklearn.utils.discovery import all_estimators

import sclbl
from sclbl.fidelity.near import settled
from tests.conformance.bars import RELATIVE_32, Found, errors, flat
from tests.conformance.method_models import GROUPS, MethodModel
from tests.conformance.pair import Pair
from tests.conformance.ragged import RaggedPair, ragged_subjects
from tests.conformance.subject import subjects

ROWS = 800
PAGE = Path(__file__).parents[2] / "docs" / "coverage.md"
#: Methods whose result is a function of the row.
METHODS = (
    "predict", "predict_proba", "predict_log_proba", "decision_function", "transform",
    "score_samples", "inverse_transform", "apply", "kneighbors", "radius_neighbors",
)  # fmt: skip
_TARGETS = "it transforms targets, which a fitted classifier does itself"
_WORDS = "which words a row had is all that is left of it: the source returns lists of them"
#: What is no program, and why: a class, or a class and its method.
OUTSIDE: Mapping[str, str] = {
    "BernoulliRBM.score_samples": "its result is random",
    "CountVectorizer.inverse_transform": _WORDS,
    "DictVectorizer.inverse_transform": "it makes dicts, not rows",
    "LabelBinarizer": _TARGETS,
    "LabelEncoder": _TARGETS,
    "MultiLabelBinarizer.inverse_transform": _TARGETS,
    "PatchExtractor": "it makes several rows of one, as many as the picture has patches",
    "SimpleImputer.inverse_transform": "whether all rows of a call miss a value decides",
    "TfidfVectorizer.inverse_transform": _WORDS,
}
HEAD = """# Coverage of scikit-learn

Written by the conformance suite (`python -m tests.conformance.coverage`) with scikit-learn
{version}: every class of `sklearn.utils.all_estimators()` that has a method whose result is a
function of the row, and each of these methods. The error is the worst over all fitted models of
the class in `tests/subjects/`, each on {rows} rows chosen to tell a program from its model: "equal"
means every value, label or bit; otherwise it is relative to the scale that
`tests/conformance/bars.py` defines (for trees in units of the last place, ULP). Where the source
computes in float32 for some rows or options, the error of these is apart.
[models.md](models.md) says which options are refused.

{covered} of {total} classes have a program for every one of these methods;
{methods} of {all_methods} methods have one.

| class | method | worst error | in float32 |
|---|---|---|---|
"""


@dataclass
class Worst:
    """The worst of what was found of one method of a class, in float64 and in float32."""

    ulp: int = 0
    scaled: float = 0.0
    single: float | None = None
    equal: bool = True
    in_ulps: bool = True

    def add(self, found: Found) -> None:
        if found.bar == "exact":
            self.equal &= found.flips == 0
        elif found.allowed == RELATIVE_32:
            self.single = max(self.single or 0.0, found.scaled)
        else:
            self.equal &= found.ulp == 0
            self.in_ulps &= found.bar in ("bits", "ulp")
            self.ulp = max(self.ulp, found.ulp)
            if found.bar in ("chance", "relative"):
                self.scaled = max(self.scaled, found.scaled)

    def add_arrays(self, ours: np.ndarray, theirs: np.ndarray, single: bool = False) -> None:
        """Add numbers relative to the median size of their column; all else must be equal."""
        if theirs.dtype.kind != "f":
            self.equal &= all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))
            return
        wanted = flat(theirs)
        absolute = errors(flat(ours), wanted).absolute
        with np.errstate(all="ignore"):
            scale = np.fmax(np.abs(wanted), np.nanmedian(np.abs(wanted), axis=0))
            worst = float((absolute / scale)[absolute > 0].max(initial=0.0))
        if single or theirs.dtype == np.float32:
            self.single = max(self.single or 0.0, worst)
            return
        self.equal &= worst == 0.0
        self.in_ulps &= worst == 0.0
        self.scaled = max(self.scaled, worst)

    def __str__(self) -> str:
        error = f"{self.ulp} ULP" if self.in_ulps else f"{self.scaled:.1e}"
        single = "" if self.single is None else f"{self.single:.1e}"
        return f"{'equal' if self.equal else error} | {single}"


def inference_methods() -> dict[str, tuple[str, ...]]:
    """Return the methods of each class of scikit-learn that has some."""
    found = {name: tuple(m for m in METHODS if hasattr(cls, m)) for name, cls in all_estimators()}
    return {name: methods for name, methods in found.items() if methods}


def outside(name: str, method: str) -> str | None:
    """Return why a method is no program; None where it should be one."""
    return OUTSIDE.get(name) or OUTSIDE.get(f"{name}.{method}")


def beside_each_other(found: MethodModel) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield what a program and its model return: method, ours, theirs; some return several."""
    program = sclbl.compile(found.model, found.rows[:20], methods=found.methods)
    for method in found.methods:
        own, its = (getattr(m, method)(found.rows) for m in (program, found.model))
        yield from ((method, a, b) for a, b in parts(own, its))


def parts(own: Any, its: Any) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the arrays of two results side by side; some methods return several."""
    yield from zip(*(r if isinstance(r, tuple) else (r,) for r in (own, its)), strict=True)


def measured() -> dict[tuple[str, str], Worst]:
    """Return the worst error of each class's method over all subjects, one form of each."""
    worst: dict[tuple[str, str], Worst] = {}
    for subject in subjects():
        pair = Pair(subject, subject.form)
        for found in pair.sweep(ROWS):
            worst.setdefault((type(pair.model).__name__, found.method), Worst()).add(found)
    for ragged in ragged_subjects():
        one = RaggedPair(ragged)
        rows = ragged.rows(ROWS, 1)
        for method in one.program.methods:
            own = getattr(one.program, method)(rows)
            its = settled(one.spec, method, rows, own, one.source(method, rows))
            one.same(method, own, its)
            cell = worst.setdefault((type(one.model).__name__, method), Worst())
            for a, b in parts(own, its):
                cell.add_arrays(a, b, single=ragged.rtol >= RELATIVE_32)
    for found in (found for group in GROUPS for found in group()):
        program = sclbl.compile(found.model, found.rows[:20], methods=found.methods)
        for method in found.methods:
            own, its = (getattr(m, method)(found.rows) for m in (program, found.model))
            cell = worst.setdefault((type(found.model).__name__, method), Worst())
            for a, b in zip(
                *(r if isinstance(r, tuple) else (r,) for r in (own, its)), strict=True
            ):
                cell.add_arrays(a, b)
    return worst


def lines(worst: Mapping[tuple[str, str], Worst]) -> Iterator[str]:
    """Yield the page, line by line."""
    wanted = inference_methods()
    done = {n: [m for m in ms if (n, m) in worst] for n, ms in wanted.items()}
    left = {n: [m for m in ms if m not in done[n]] for n, ms in wanted.items()}
    yield HEAD.format(
        version=".".join(sklearn.__version__.split(".")[:2]),
        rows=ROWS,
        covered=sum(not ms for ms in left.values()),
        total=len(wanted),
        methods=sum(map(len, done.values())),
        all_methods=sum(map(len, wanted.values())),
    ).rstrip("\n")
    for name, methods in done.items():
        for method in methods:
            yield f"| {name} | `{method}` | {worst[name, method]} |"
    yield "\n## What has no program\n\n| class | method | why |\n|---|---|---|"
    for name, methods in left.items():
        for method in methods:
            yield f"| {name} | `{method}` | {outside(name, method) or 'not yet written'} |"


def main() -> None:
    page = Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = measured()
    page.write_text("\n".join(lines(found)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
