"""Random models beside their programs, a hundred or two thousand of them, in parts of 25."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

import sclbl
from sclbl.errors import InputError, UnsupportedMethodError, UnsupportedModelError
from sclbl.fidelity.donors import as_chosen
from tests.conformance.random_models import models

#: Parts that are tried by default, and all.
PARTS, ALL = 4, 80
ROWS = 120
#: How many rows are tried of models that look at all rows of a call.
ALONE = 20
#: How far numbers may be apart, relative to the size of their column: errors of each step are
#: multiplied by the next.
RELATIVE, SINGLE = 1e-9, 1e-4
#: How many units in the last place a row is moved by, where rounding may decide, and how often.
NUDGE, NUDGES = 4, 50
#: How many rows at a time then; not one, which scikit-learn's sparse codes come back without an
#: axis for.
BATCHES = (2, 3, 24)
_RNG = np.random.default_rng(7)
X = _RNG.normal(size=(ROWS, 4))
X[:, 3] = np.round(2 * X[:, 3])
_SCORE = X[:, 0] * 2 - X[:, 1] + 0.5 * X[:, 3] + 0.5 * _RNG.normal(size=ROWS)
TARGETS: dict[str, list[Any]] = {
    "classifier": [
        np.where(_SCORE > 0.3, "yes", "no"),
        np.array(["ape", "bée", "zebra"])[np.digitize(_SCORE, [-1.5, 1.0])],
        (_SCORE > 0).astype(int),
    ],
    "regressor": [_SCORE],
    "transformer": [_SCORE],
    "outputs": [np.column_stack([_SCORE, X[:, 1] ** 2])],
}
#: What is refused for what an option or the data left, in the words of the refusal.
REFUSED = (
    "keeps no component",
    "leave score_samples out of methods",
    "results in no columns",
    "iterates in float32",
    "fitted on a sparse matrix",
    "of sparse rows that are stored",
    "otherwise where rows are an array",
    "of float32 numbers whose condition number is above",
)


def check(kind: str, model: Any, y: Any, single: bool) -> None:
    """Fit a model and put its program beside it, on rows like the training rows and odd ones."""
    rng = np.random.default_rng(1)
    train = X.astype(np.float32) if single else X
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            model.fit(train, y)
        except (ValueError, TypeError, AttributeError, NotImplementedError):
            return  # the source's own affair
        if single and rounding_decides(model, train):
            return
        try:
            program = sclbl.compile(model, train[:5], tolerance=SINGLE if single else RELATIVE)
        except InputError:
            # What a step makes of some training rows the next one refuses.
            with pytest.raises(ValueError):
                getattr(model, asked(model))(train[:5])
            return
        except UnsupportedMethodError:
            # A vote, say, of classifiers that have no probabilities.
            with pytest.raises(AttributeError):
                getattr(model, asked(model))(train)
            return
        except UnsupportedModelError as error:
            if any(words in str(error) for words in REFUSED):
                return
            # One against the rest of voters by label, say, fits and has no result.
            with pytest.raises(AttributeError):
                getattr(model, asked(model))(train[:5])
            return
        rows = np.concatenate([train, train * rng.normal(1, 0.3, size=train.shape)])
        rows = rows.astype(train.dtype)
        for method in program.methods:
            alike(program, model, method, rows)
            for column in range(X.shape[1]) if method == program.methods[0] else ():
                for value in (np.nan, np.inf):
                    odd = rows[:2].copy()
                    odd[1, column] = value
                    alike(program, model, method, odd)


def rounding_decides(model: Any, rows: np.ndarray) -> bool:
    """Return whether a model of float32 rows says something else of the same numbers in float64.

    A matrix with an eigenvalue that is zero but for rounding, say, multiplies that rounding by
    millions.
    """
    found = []
    for own in (rows, rows.astype(np.float64)):
        try:
            found.append(parts_of(getattr(model, asked(model))(own)))
        except (ValueError, TypeError, AttributeError):
            return False  # to be refused
    pairs = zip(*found, strict=True)
    return not all(near(a, b.astype(a.dtype), single=True).all() for a, b in pairs)


def asked(model: Any) -> str:
    return "predict" if hasattr(model, "predict") else "transform"


def alike(program: sclbl.Program, model: Any, method: str, rows: np.ndarray) -> None:
    """Check that both return the same, or refuse it both."""
    assert program.spec is not None
    if program.spec.source.alone and len(rows) > 1:
        # A row's own result: among others it is another.
        for row in rows[:ALONE]:
            alike(program, model, method, row[None])
        return
    try:
        theirs = getattr(model, method)(rows)
    except (ValueError, IndexError):  # CategoricalNB looks unknown categories up
        with pytest.raises(InputError):
            program.run(method, rows)
        return
    # Of donors that are equally near, KNNImputer takes those that the processor's order leaves.
    ours = parts_of(as_chosen(program.spec, method, rows, program.run(method, rows)))
    single = rows.dtype == np.float32
    wanted = parts_of(theirs)
    apart = [~near(o, t, single) for o, t in zip(ours, wanted, strict=True)]
    if not any(a.any() for a in apart):
        return
    # What rounding decides, such as on which side of a threshold a training row lies: the model
    # itself gives as different results for rows that differ in a last digit, or in other batches.
    moved = [parts_of(getattr(model, method)(nudged(rows))) for _ in range(NUDGES)]
    moved += [in_batches(getattr(model, method), rows, size) for size in BATCHES]
    for k, own in enumerate(ours):
        results = np.stack([wanted[k], *(parts[k] for parts in moved)])
        if own.dtype.kind == "f":
            low, high = results.min(axis=0), results.max(axis=0)
            span = np.clip(own, low - (high - low), high + (high - low))
            within = near(own, span, single)
        else:
            within = (results == own).any(axis=0)
        assert (within | ~apart[k]).all(), method


def in_batches(method: Any, rows: np.ndarray, size: int) -> list[np.ndarray]:
    """Return what a method returns for so many rows at a time."""
    found = [parts_of(method(rows[i : i + size])) for i in range(0, len(rows), size)]
    return [np.concatenate(parts) for parts in zip(*found, strict=True)]


def nudged(rows: np.ndarray) -> np.ndarray:
    """Return rows whose numbers are a few units in the last place away, at random."""
    steps = _RNG.integers(-NUDGE, NUDGE + 1, size=rows.shape)
    moved: np.ndarray = rows + steps * np.spacing(rows)
    return moved.astype(rows.dtype)


def parts_of(returned: Any) -> list[np.ndarray]:
    """Return what a method returned as dense arrays: several where it returned a list."""
    parts = returned if isinstance(returned, list) else [returned]
    return [np.asarray(p.toarray() if hasattr(p, "toarray") else p) for p in parts]


def near(ours: np.ndarray, theirs: np.ndarray, single: bool) -> np.ndarray:
    """Return for each cell whether it is the same, in an array of the same shape and dtype."""
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    if theirs.dtype.kind != "f":
        return np.asarray(ours == theirs)
    most = SINGLE if single else RELATIVE
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(theirs), np.nanmedian(np.abs(theirs), axis=0))
        same = (np.abs(ours - theirs) <= most * size) | (ours == theirs)
    return np.asarray(same | (np.isnan(ours) & np.isnan(theirs)))


_SETTINGS = settings(
    max_examples=25,
    deadline=None,
    database=None,
    # A failure is shown as it was found: to make a model smaller takes minutes of fits.
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    most = 1 if metafunc.config.getoption("one_of_each") else PARTS
    parts = [pytest.param(i, marks=() if i < most else pytest.mark.exhaustive) for i in range(ALL)]
    metafunc.parametrize("part", parts)


def test_random_models(part: int) -> None:
    @seed(part)
    @_SETTINGS
    @given(model=models(), data=st.data())
    def compare(model: tuple[str, Any], data: st.DataObject) -> None:
        kind, estimator = model
        check(kind, estimator, data.draw(st.sampled_from(TARGETS[kind])), data.draw(st.booleans()))

    compare()
