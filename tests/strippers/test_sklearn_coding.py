"""Sparse codes of scikit-learn: every algorithm that has a stripper, and the others' refusals."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import DictionaryLearning, SparseCoder

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import strip
from tests.conformance.beside import check as checked
from tests.conformance.beside import run
from tests.kept import program_of

RNG = np.random.default_rng(7)


def atoms(count: int, columns: int) -> np.ndarray:
    made = RNG.normal(size=(count, columns))
    return made / np.linalg.norm(made, axis=1, keepdims=True)


WIDE, NARROW = atoms(12, 6), atoms(4, 6)
#: Atoms that are others, and one of zeros.
ODD = np.vstack([NARROW, -NARROW[:1], NARROW[1:2], np.zeros((1, 6))])
X = np.vstack([RNG.normal(size=(60, 6)), NARROW, np.zeros((1, 6)), 1e-4 * WIDE, 1e4 * WIDE])


def check(model: Any, rows: np.ndarray = X, rtol: float = 1e-11) -> None:
    """Compare each row with the largest of its weights."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        spec = strip(model.fit(rows), rows)
        expected = model.transform(rows)
    found, bound = program_of(spec).transform(rows), rtol * np.abs(expected).max(axis=1)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    assert (bound >= np.abs(found - expected).T).all(), np.abs(found - expected).max()
    defined = run(spec, rows[-6:])["transform"]
    assert (bound[-6:] >= np.abs(defined - expected[-6:]).T).all()


@pytest.mark.parametrize("dictionary", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("count", [None, 1, 3, 4])
def test_pursuit(dictionary: np.ndarray, count: int | None) -> None:
    check(SparseCoder(dictionary, transform_n_nonzero_coefs=count))


def test_pursuit_among_atoms_that_are_others() -> None:
    check(SparseCoder(ODD, transform_n_nonzero_coefs=2), RNG.normal(size=(40, 6)))


@pytest.mark.parametrize("dictionary", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("alpha", [None, 0.1, 0.01])
def test_lasso(dictionary: np.ndarray, positive: bool, alpha: float | None) -> None:
    own = {"transform_algorithm": "lasso_cd", "transform_alpha": alpha}
    for most in (1, 1000):
        model = SparseCoder(dictionary, positive_code=positive, transform_max_iter=most, **own)
        check(model, rtol=1e-10)


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_threshold(positive: bool, dtype: Any) -> None:
    rows = (X * 3).astype(dtype)
    for split in (False, True):
        model = SparseCoder(WIDE, transform_algorithm="threshold", transform_alpha=0.5,
                            positive_code=positive, split_sign=split)  # fmt: skip
        checked(model.fit(rows), rows, rtol=1e-12, atol=1e-12)


def test_a_learned_dictionary() -> None:
    for algorithm in ("lasso_cd", "threshold"):  # whose penalty is alpha
        model = DictionaryLearning(3, alpha=0.4, max_iter=3, transform_algorithm=algorithm,
                                   random_state=0)  # fmt: skip
        check(model, X[:60], rtol=1e-10)


def test_what_is_refused() -> None:
    for model, text in (
        (SparseCoder(WIDE, transform_algorithm="lars"), 'set transform_algorithm="lasso_cd"'),
        (SparseCoder(WIDE, transform_algorithm="lasso_lars"), "which has the optimum of"),
        (SparseCoder(NARROW, transform_n_nonzero_coefs=5), "dictionary of rank 4, and the last"),
        (SparseCoder(ODD, transform_n_nonzero_coefs=5), "transform_n_nonzero_coefs to 4 or fewer"),
        (SparseCoder(NARROW, positive_code=True), "set positive_code=False"),
    ):
        with pytest.raises(UnsupportedModelError, match=text):
            strip(model.fit(X), X)
    with pytest.raises(UnsupportedModelError, match="rounding decides when it stops"):
        strip(SparseCoder(NARROW).fit(X), X.astype(np.float32))
