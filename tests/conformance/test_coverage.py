"""Every class of scikit-learn that answers rows has programs, or a reason why it has none."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction.image import PatchExtractor
from sklearn.neural_network import BernoulliRBM
from sklearn.preprocessing import LabelBinarizer, LabelEncoder
from sklearn.utils.discovery import all_estimators

import sclbl
from sclbl.errors import UnsupportedMethodError, UnsupportedModelError
from sclbl.strippers.base import Stripper
from sclbl.strippers.table import stripper_of
from tests.conformance.bars import RELATIVE
from tests.conformance.coverage import (
    OUTSIDE,
    PAGE,
    Worst,
    beside_each_other,
    inference_methods,
    outside,
)
from tests.conformance.method_models import GROUPS, MethodModel

_CELL = re.compile(r"^\| (\w+) \| `(\w+)` \| ([^|]+) (?:\|.*)?\|$", re.MULTILINE)
X = np.random.default_rng(0).uniform(size=(20, 3))
Y = X[:, 0] > 0.5


def cells() -> tuple[dict[tuple[str, str], str], dict[tuple[str, str], str]]:
    """Return what the page says is covered, and what is not, by class and method."""
    covered, left = PAGE.read_text(encoding="utf-8").split("\n## ")
    found = [{(c, m): text for c, m, text in _CELL.findall(part)} for part in (covered, left)]
    return found[0], found[1]


def test_every_method_stands_in_the_page() -> None:
    covered, left = cells()
    every = {(name, m) for name, methods in inference_methods().items() for m in methods}
    assert len(every) > 350
    assert covered.keys() | left.keys() == every
    assert not covered.keys() & left.keys()
    assert {cell: outside(*cell) for cell in left} == left


def test_what_is_covered_is_written() -> None:
    classes = dict(all_estimators())
    missing = set()
    for name, method in cells()[0]:
        stripper = stripper_of(classes[name])
        # What a model of models offers is known of fitted ones alone.
        plain = type(stripper).offers is Stripper.offers
        if stripper is None or (plain and method not in stripper.declared()):
            missing.add((name, method))
    assert missing == set()


def test_what_is_outside_is_there() -> None:
    wanted = inference_methods()
    for place in OUTSIDE:
        name, _, method = place.partition(".")
        assert name in wanted
        assert not method or method in wanted[name]


@pytest.mark.parametrize(
    ("model", "rows", "said"),
    [
        (LabelBinarizer().fit(Y), Y[:, None], "it encodes targets"),
        (LabelEncoder().fit(Y), Y[:, None], "it encodes targets"),
        (PatchExtractor(patch_size=(2, 2)), X[:, None], "compute its columns where you call"),
    ],
    ids=lambda v: type(v).__name__,
)
def test_what_is_outside_is_refused(model: Any, rows: Any, said: str) -> None:
    with pytest.raises(UnsupportedModelError, match=said):
        sclbl.compile(model, rows)


def test_methods_outside_are_refused() -> None:
    model = BernoulliRBM(2, n_iter=1, random_state=0).fit(X)
    with pytest.raises(UnsupportedMethodError, match="does not offer score_samples"):
        sclbl.compile(model, X, methods=["score_samples"])


@pytest.mark.parametrize("group", GROUPS, ids=lambda g: g.__name__)
def test_methods_that_no_subject_has(group: Callable[[], Iterator[MethodModel]]) -> None:
    """On rows near those that a compilation looks at, too."""
    with warnings.catch_warnings():
        # Some do not converge on so few rows.
        warnings.simplefilter("ignore")
        for found in group():
            for method, ours, theirs in beside_each_other(found):
                cell = Worst()
                assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
                cell.add_arrays(ours, theirs)
                assert cell.equal or cell.scaled <= RELATIVE, (found.model, method)
