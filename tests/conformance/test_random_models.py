"""Random models beside their programs, a hundred or two thousand of them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import sclbl
from sclbl.errors import InputError, UnsupportedMethodError, UnsupportedModelError
from tests.conformance.random_models import models

ROWS = 120
#: How many rows are tried of models that look at all rows of a call.
ALONE = 20
#: How far numbers may be apart, relative to the size of their column: errors of each step are
#: multiplied by the next.
RELATIVE = 1e-9
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
        try:
            program = sclbl.compile(model, train[:5])
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
    else:
        same(method, program.run(method, rows), theirs, rows.dtype == np.float32)


def same(method: str, ours: Any, theirs: Any, single: bool) -> None:
    if isinstance(theirs, list):
        assert isinstance(ours, list)
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            same(method, a, b, single)
        return
    theirs = np.asarray(theirs.toarray() if hasattr(theirs, "toarray") else theirs)
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype), method
    if theirs.dtype.kind != "f":
        assert (ours == theirs).all(), method
        return
    most = 1e-4 if single else RELATIVE
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(theirs), np.nanmedian(np.abs(theirs), axis=0))
        near = (np.abs(ours - theirs) <= most * size) | (ours == theirs)
    assert (near | (np.isnan(ours) & np.isnan(theirs))).all(), method


_ALIKE = {
    "deadline": None,
    "derandomize": True,
    "database": None,
    # A failure is shown as it was found: to make a model smaller takes minutes of fits.
    "phases": (Phase.explicit, Phase.generate),
    "suppress_health_check": list(HealthCheck),
}


@pytest.mark.exhaustive
@settings(max_examples=100, **_ALIKE)
@given(model=models(), data=st.data())
def test_random_models(model: tuple[str, Any], data: st.DataObject) -> None:
    kind, estimator = model
    check(kind, estimator, data.draw(st.sampled_from(TARGETS[kind])), data.draw(st.booleans()))


@pytest.mark.exhaustive
@settings(max_examples=2000, **_ALIKE)
@given(model=models(), data=st.data())
def test_many_random_models(model: tuple[str, Any], data: st.DataObject) -> None:
    kind, estimator = model
    check(kind, estimator, data.draw(st.sampled_from(TARGETS[kind])), data.draw(st.booleans()))
