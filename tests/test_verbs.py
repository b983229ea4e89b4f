"""What messages advise, for readers of Python and for readers of a terminal."""

from __future__ import annotations

import copy
import pickle

from sclbl import verbs
from sclbl.errors import AuthenticationError, InputError, NotFoundError, SclblError


def test_an_error_carries_both_spellings() -> None:
    error = NotFoundError(verbs.say("not there; ", verbs.promote("churn@3", "beta"), " moves it"))
    assert str(error) == "not there; sclbl.promote('churn@3', 'beta') moves it"
    assert error.shell == "not there; `sclbl promote churn@3 beta` moves it"
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (str(again), again.shell) == (str(error), error.shell)
        assert type(again) is NotFoundError


def test_other_messages_are_the_same_in_both() -> None:
    assert SclblError().shell == ""
    assert AuthenticationError("no").shell == "no"
    assert InputError("row 3 is bad", row=3).shell == "row 3 is bad"


def test_names_are_quoted_for_the_shell() -> None:
    assert "'a b'" in verbs.promote("a b", "c").shell
    assert "'a b'" in verbs.upload("a b").shell
