"""What a stripper is: the source's own formulas, one method of the model each."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar, overload

from sclbl.coefficients import Coefficients
from sclbl.errors import InputError
from sclbl.signature import Input
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.graph import Builder

F = TypeVar("F", bound=Callable[..., Any])
#: The order in which methods are offered; others follow as they are written.
_ORDER = ("predict", "predict_proba", "predict_log_proba", "decision_function", "transform")


@dataclass(frozen=True, slots=True)
class Declared:
    """How a method was declared.

    Parameters
    ----------
    on_request : bool
        Whether it is written only when it is asked for: what doubles a program.
    table : bool
        Whether it takes the `Table` of the columns, rather than what `Stripper.rows` makes of it.
    ask : str
        The model's own method.
    options : mapping
        What the model's own method is called with, besides the rows.
    backwards : bool
        Whether it takes rows of what ``transform`` gives. A program of it has no other method, so
        its example holds such rows, and it is written only when it is asked for.
    """

    on_request: bool
    table: bool
    ask: str
    options: Mapping[str, Any]
    backwards: bool = False


def once(function: F) -> F:
    """Write what a function of a stripper, a model and its rows returns a single time."""

    @functools.wraps(function)
    def written(self: Any, model: Any, x: Wire | Table) -> Any:
        known = x.builder.written
        key = (self, function.__qualname__, id(model), id(x))
        if key not in known:
            known[key] = (x, function(self, model, x))  # x is kept, so that its id stays its own
        return known[key][1]

    return written  # type: ignore[return-value]  # the same signature


@overload
def method(function: F) -> F: ...
@overload
def method(
    *,
    on_request: bool = ...,
    table: bool = ...,
    ask: str = ...,
    backwards: bool = ...,
    **options: Any,
) -> Callable[[F], F]: ...
def method(
    function: F | None = None,
    *,
    on_request: bool = False,
    table: bool = False,
    ask: str = "",
    backwards: bool = False,
    **options: Any,
) -> Any:
    """Declare a method of a `Stripper` as one that its models offer; see `Declared`."""

    def declare(function: F) -> F:
        made = once(function)
        made.declared = Declared(  # type: ignore[attr-defined]  # a mark on the function
            on_request or backwards,
            table or backwards,
            ask or function.__name__,
            options,
            backwards,
        )
        return made

    return declare if function is None else declare(function)


class Stripper:
    """Turns one family of fitted objects into a piece of a graph.

    Each function marked with `method` writes the method of its name: it gets the model and the
    rows, and returns a wire, or for ``transform`` perhaps a `Table` (which may mix types).
    """

    #: Whether the models tell None, NaN and pandas.NA apart among objects. Every other model is
    #: taken to make numbers of objects at once, in which None is NaN and pandas.NA is refused.
    tells_missing: bool = False
    #: Whether ``transform`` makes an array of a sparse matrix too.
    makes_dense: bool = False
    #: Whether the models take sparse rows as they are. Others are given the dense rows.
    takes_sparse: bool = False
    #: Whether the models look at all rows of a call, where a program gives each row's own result.
    alone: bool = False
    #: Whether ``transform`` may hand on a DataFrame without being told to.
    keeps_frames: bool = False
    #: Whether the models' own methods are followed (`sclbl.traced`).
    follows: bool = False
    #: Whether a model is fitted where its parts are, which are asked when they are written.
    fitted_by_parts: bool = False
    #: Errors of programs that their models need not share: where a library does not look at what
    #: it cannot use, a bad value still never becomes a number.
    refuses_more: tuple[type[InputError], ...] = ()
    #: What to do instead, for methods of the source that no program has.
    instead: Mapping[str, str] = MappingProxyType({})

    def check(self, model: Any) -> None:
        """Raise `UnsupportedModelError` for an option that has no exact equivalent.

        The message names the class, the option and a way out.
        """

    def rows(self, model: Any, x: Any) -> Any:
        """Return the rows as the source's formulas take them, with its checks written."""
        return x

    def offers(self, model: Any) -> Mapping[str, Declared]:
        """Return the methods that a fitted object offers, those on request among them."""
        return {m: d for m, d in self.declared().items() if hasattr(model, d.ask)}

    @classmethod
    @functools.cache
    def declared(cls) -> Mapping[str, Declared]:
        """Return the methods that are written here."""
        found = {
            name: value.declared
            for base in reversed(cls.__mro__)
            for name, value in vars(base).items()
            if hasattr(value, "declared")
        }
        ordered = sorted(found, key=lambda m: _ORDER.index(m) if m in _ORDER else len(_ORDER))
        return {name: found[name] for name in ordered}

    def strip(
        self, model: Any, x: Any, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Any]:
        """Write the given methods and return what each of them results in."""
        declared = {m: d for m, d in self.declared().items() if m in methods}
        rows = x if all(d.table for d in declared.values()) else self.rows(model, x)
        return {m: getattr(self, m)(model, x if d.table else rows) for m, d in declared.items()}

    def call(self, model: Any, method: str, rows: Any, **parameters: Any) -> Any:
        """Return what the model itself returns for rows, and values of the call."""
        declared = self.declared().get(method)
        if declared is None:
            return getattr(model, method)(rows, **parameters)
        return getattr(model, declared.ask)(rows, **declared.options, **parameters)

    def as_taken(self, model: Any, rows: Any) -> Any:
        """Return rows of columns as the model itself takes them."""
        return rows

    def title(self, model: Any) -> str:
        """Return the class by which a person calls the model."""
        return type(model).__name__

    def names(self, model: Any) -> tuple[str, ...] | None:
        """Return the names of the columns as fitted; None where the model knows none."""
        return getattr(model, "feature_names_in_", None)

    def beside(self, model: Any) -> Input | None:
        """Return what the models take in place of columns; None where they take columns."""
        return None

    def coefficients(self, model: Any) -> Coefficients | None:
        """Return a regression's table of coefficients; None for other models."""
        return None

    def columns(self, model: Any) -> tuple[str, ...] | None:
        """Return the columns that the model looks up by name; None where it goes by position."""
        return None
