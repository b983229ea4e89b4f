"""Classes of users whose methods are followed: `sclbl.register(cls)`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sclbl.errors import REFUSED, SclblError, UnsupportedModelError
from sclbl.strippers import dispatch, ops, promotion
from sclbl.strippers.base import Declared, Stripper
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.graph import Builder
from sclbl.strippers.tracing.arrays import Array
from sclbl.strippers.tracing.following import Follower, refuse_line
from sclbl.strippers.tracing.objects import StandIn, follower_of

#: What is followed where nothing is named.
METHODS = (
    "predict", "predict_proba", "predict_log_proba", "decision_function", "transform",
    "score_samples",
)  # fmt: skip
_ADVICE = (
    "use NumPy's operators and functions on whole columns (np.log1p, np.where, np.clip, "
    "np.sum(X, axis=1), ...)"
)
_BY_HAND = f"{_ADVICE}, or write a stripper for the class, sclbl.register(cls, stripper)"


class Traced(Stripper):
    """The methods of a user's class, as they stand there.

    Parameters
    ----------
    methods : tuple of str
        Those that are followed; empty for all of `METHODS` that the class has.
    """

    follows = keeps_frames = True

    def __init__(self, methods: tuple[str, ...]) -> None:
        self.methods = methods

    def offers(self, model: Any) -> Mapping[str, Declared]:
        named = self.methods or METHODS
        back = "inverse_transform"
        return {
            m: Declared(m == back, True, m, {}, backwards=m == back)
            for m in named
            if hasattr(model, m)
        }

    def check(self, model: Any) -> None:
        lacking = [m for m in self.methods if not hasattr(type(model), m)]
        if lacking:
            raise UnsupportedModelError(
                f"{type(model).__name__} was registered with the methods {', '.join(lacking)}, "
                "which it does not have; name those that it has"
            )

    def strip(
        self, model: Any, x: Any, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Any]:
        found = {}
        for name in self.offers(model):
            if name in methods:
                rows = stand_in(x)
                follower = follower_of(like(x), build)
                function = getattr(StandIn(follower, model, build), name)
                what = f"{type(model).__name__}.{name}"
                try:
                    found[name] = followed(follower, function, rows, what)
                except UnsupportedModelError as error:
                    cause = error.__cause__
                    if cause is not None and dispatch.lacks(model, cause):
                        raise cause from None  # which `dispatch.reading` says
                    raise
        return found


def traced(*methods: str) -> Stripper:
    """Return a stripper that follows a class's own methods; see `sclbl.traced`."""
    if not all(isinstance(m, str) for m in methods):
        raise TypeError("traced takes the names of methods")
    return Traced(methods)


def like(x: Table | Wire) -> Wire:
    """Return a wire of numbers with the rows of x."""
    if isinstance(x, Wire):
        return x
    numbers = [i for i, cell in enumerate(x.cells) if cell.kind != "text"]
    return x.column(numbers[0]) if numbers else ops.constant_column(x, 0.0)


class Unread:
    """What stands for rows that only scikit-learn's checks make arrays of."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def _sclbl_table(self) -> Table:
        return self._table

    def _sclbl_array(self) -> Any:
        raise UnsupportedModelError(
            "a polars DataFrame is followed through check_array and validate_data alone; call one "
            "of them first, or fit the model on a pandas DataFrame"
        )

    def __getattr__(self, name: str) -> Any:
        if name[:1] == "_":
            raise AttributeError(name)
        self._sclbl_array()


def stand_in(x: Table | Wire) -> Any:
    """Return what a user's code is given for rows."""
    if isinstance(x, Wire):
        return Array(x)
    if x.frame:
        if promotion.is_polars(cell.dtype for cell in x.cells):
            return Unread(x)
        from sclbl.strippers.tracing.framing import frame_of

        return frame_of(x)
    held = promotion.array_dtype(c.dtype for c in x.cells)
    if x.has_text:
        return Unread(x)
    if held.kind == "O":
        for number in x.cells:
            x.builder.take(number, ("nan",))
        held = np.dtype(np.float64)
    return Array(x.held_matrix(held))


def followed(
    follower: Follower,
    function: Callable[..., Any],
    rows: Any,
    what: str,
    advice: str = _BY_HAND,
    own: Any = None,
) -> Any:
    """Call a user's function with stand-ins, and return what it makes of them.

    Raises
    ------
    UnsupportedModelError
        Where it does what programs cannot; the message names the line.
    """
    outer = REFUSED.get()
    refused = [] if outer is None else outer
    token = REFUSED.set(refused)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the model's own call warns of the same
            made = function(rows)
        for refusal in refused:
            if follower.caught(refusal):  # where the model's call goes another way
                raise refusal
    except Exception as error:  # the user's own code: whatever it raises
        if isinstance(error, SclblError) and not isinstance(error, UnsupportedModelError):
            raise
        place = follower.place_of(error.__traceback__)
        raise refuse_line(place, error, advice, what) from error
    finally:
        REFUSED.reset(token)
    if type(made) is Array:
        return made.wire
    if isinstance(made, Wire):
        return made
    if hasattr(made, "_sclbl_table"):
        return made._sclbl_table()
    other = UnsupportedModelError("it does not return columns made from X")
    raise refuse_line(follower.defined(own or function), other, advice, what)
