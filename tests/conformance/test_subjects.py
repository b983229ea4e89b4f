"""The list of subjects: each has a name of its own, and every class with a stripper has one."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import statsmodels.api as sm
import xgboost
from sklearn.utils.discovery import all_estimators
from statsmodels.base.model import Results
from statsmodels.base.wrapper import ResultsWrapper

from sclbl.strippers import dispatch
from tests.conformance.ragged import ragged_subjects
from tests.conformance.subject import Subject, subjects


def test_every_subject_has_a_name_of_its_own() -> None:
    names = [subject.name for subject in (*subjects(), *ragged_subjects())]
    assert len(set(names)) == len(names)


def test_every_form_is_the_default_of_some_subject() -> None:
    assert {s.form for s in subjects()} == {form for s in subjects() for form in s.domain.forms}


def models_of_libraries() -> Iterator[type]:
    """Yield the classes of which a fitted model can be."""
    yield from (cls for _, cls in all_estimators())
    bases = (Results, ResultsWrapper, xgboost.XGBModel, xgboost.Booster)
    for library in (sm.__name__.partition(".")[0], xgboost.__name__):
        modules = [m for n, m in sys.modules.items() if n.partition(".")[0] == library]
        for module in modules:
            classes = (v for v in vars(module).values() if isinstance(v, type))
            yield from (cls for cls in classes if issubclass(cls, bases))


def has_stripper(cls: type) -> bool:
    return dispatch.is_known(object.__new__(cls))


def class_of(subject: Subject) -> type:
    return type(subject.make(subject.domain.training(subject.form)))


def test_every_class_with_a_stripper_has_a_subject() -> None:
    known = {cls for cls in models_of_libraries() if has_stripper(cls)}
    assert len(known) > 60
    for one in ragged_subjects():
        known.discard(type(one.make(one.train)))
    for subject in subjects():
        known.discard(class_of(subject))
        if not known:  # fit no more than it takes
            break
    assert known == set()
