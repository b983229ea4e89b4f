"""What a stripper is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from sclbl.errors import InputError
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.graph import Builder


class Stripper(Protocol):
    """Turns one family of fitted objects into a piece of a graph."""

    def methods(self, model: Any) -> tuple[str, ...]:
        """Return the methods that this fitted model offers, the default ones first.

        Raise `NotFittedError` for an unfitted model and `UnsupportedModelError` for an option
        that has no exact equivalent; the message names the class, the option and a way out.
        """

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire | Table]:
        """Write the computation of the given methods and return what each of them results in.

        ``transform`` returns a Table (it may mix types), everything else a Wire.
        """


class OnRequest(Protocol):
    """What a stripper adds that has methods which are written only when they are asked for.

    ``apply`` of a forest is one: it needs a table of leaves of its own, which doubles the program.
    """

    def optional(self, model: Any) -> tuple[str, ...]:
        """Return the methods that `strip` also takes, beyond `Stripper.methods`."""


class OwnCall(Protocol):
    """What a stripper adds whose models take rows, or name methods, in a way of their own."""

    def call(self, model: Any, method: str, rows: Any) -> Any:
        """Return what the model itself returns for `rows`; by default ``model.method(rows)``."""


class Named(Protocol):
    """What a stripper adds whose models know the names of their columns in a way of their own."""

    def names(self, model: Any) -> tuple[str, ...] | None:
        """Return the columns' names as fitted; by default ``model.feature_names_in_``."""


class TellsMissing(Protocol):
    """What a stripper adds whose models tell None, NaN and pandas.NA apart among objects.

    It notes what the model learned with `Builder.learn` and `Builder.take`. Every other model is
    taken to make numbers of objects at once, in which None is NaN and pandas.NA is refused.
    """

    tells_missing: bool


class ByName(Protocol):
    """What a stripper adds whose models look columns up by name and ignore the others."""

    def columns(self, model: Any) -> tuple[str, ...] | None:
        """Return the names that the model looks up; None where it goes by position."""


class Stricter(Protocol):
    """What a stripper adds whose programs refuse rows that the model makes a number of.

    A bad value never becomes a number, also where the library does not look.
    """

    def refuses_more(self, model: Any) -> tuple[type[InputError], ...]:
        """Return the errors of a program that the model need not share."""
