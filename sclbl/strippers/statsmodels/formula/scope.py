"""What the names in a formula's expressions mean: columns of the rows, or stand-ins of objects."""

from __future__ import annotations

import builtins
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.errors import REFUSED, ColumnError, SclblError, UnsupportedModelError
from sclbl.strippers import promotion
from sclbl.strippers.columns import Table
from sclbl.strippers.tracing.following import Follower
from sclbl.strippers.tracing.framing import frame_of
from sclbl.strippers.tracing.objects import follower_of
from sclbl.strippers.tracing.traced import like
from sclbl.strippers.wire import Wire

_ADVICE = (
    "write it with NumPy's operators and functions of whole columns, or compute the column first "
    "and use its name in the formula"
)


class Columns(Mapping[str, Any]):
    """The columns of the rows by name, which notes those that are read."""

    def __init__(self, table: Table) -> None:
        frame = frame_of(replace(table, cells=tuple(_as_pandas(c) for c in table.cells)))
        self._made = dict(
            zip(table.names, (frame._column(i) for i in range(table.width)), strict=True)
        )
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        found = self._made[name]
        self.read.add(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)  # type: ignore[arg-type]  # all have names

    def __len__(self) -> int:
        return len(self._made)

    def __contains__(self, name: object) -> bool:
        return name in self._made


class Scope:
    """The rows of a call, and what evaluates expressions on them.

    Parameters
    ----------
    table : Table
        The rows.
    formula, model : str
        For messages.
    """

    def __init__(self, table: Table, formula: str, model: str) -> None:
        if None in table.names:
            raise ColumnError(
                f"{model} was fitted from a formula and finds its columns by name; give "
                "example_input as a DataFrame or a dict of columns"
            )
        self.table, self.formula, self.model = table, formula, model
        self.columns = Columns(table)
        self.follower: Follower = follower_of(like(table), table.builder)

    def require(self, names: Iterable[str], known: Mapping[str, Any] | Iterable[str]) -> None:
        """Raise `ColumnError` where a name is neither a column nor known otherwise."""
        for name in names:
            if name not in self.columns and name not in known and not hasattr(builtins, name):
                raise ColumnError(
                    f"example_input lacks the column {name!r} of the formula of {self.model}; "
                    f"it has {', '.join(map(repr, self.table.names))}",
                    column=name,
                )

    def require_columns(self, factor: str) -> None:
        """Raise where the factor that was just evaluated reads no column of the rows."""
        if not self.columns.read:
            raise UnsupportedModelError(
                f"the factor {factor!r} of the formula {self.formula!r} of {self.model} reads no "
                "column of example_input, so it has a value for each row of the fit and none for "
                "others; make it a column of the DataFrame, and fit again"
            )

    def evaluate(self, factor: str, function: Callable[[], Any]) -> Any:
        """Return what an expression gives; see `traced.followed` for what is refused."""
        outer = REFUSED.get()
        refused = [] if outer is None else outer
        token = REFUSED.set(refused)
        self.columns.read.clear()
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")  # the model's own call warns of the same
                made = function()
            for refusal in refused:
                if self.follower.caught(refusal):
                    raise refusal
        except Exception as error:  # the user's own code: whatever it raises
            if isinstance(error, SclblError) and not isinstance(error, UnsupportedModelError):
                raise
            place = self.follower.place_of(error.__traceback__)
            where = f" ({place})" if place else ""
            raise self.refused(factor, f"{error or type(error).__name__}{where}") from error
        finally:
            REFUSED.reset(token)
        return made

    def refused(self, factor: str, why: str) -> UnsupportedModelError:
        """Return the error that says which factor cannot be compiled."""
        return UnsupportedModelError(
            f"the factor {factor!r} of the formula {self.formula!r} of {self.model} cannot be "
            f"compiled: {why}; {_ADVICE}"
        )

    def located(self, wire: Wire) -> Wire:
        """Return a wire whose columns come from the one column that was read, where it is one."""
        if len(self.columns.read) != 1:
            return wire
        (name,) = self.columns.read
        origin = self.table.cells[self.table.names.index(name)].origin
        return replace(wire, origins=tuple(origin if o < 0 else o for o in wire.origins))


def _as_pandas(cell: Any) -> Any:
    """Return a column as statsmodels hands it on: of pandas, its text as objects."""
    if cell.kind == "text":
        return cell if hasattr(cell.dtype, "categories") else replace(cell, dtype=np.dtype(object))
    if promotion.is_polars([cell.dtype]):
        return replace(cell, dtype=promotion.numpy_dtype(cell.dtype))
    return cell
