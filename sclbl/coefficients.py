"""A model as a table: a number for each term, a family and a link.

`Spec.coefficients` of a regression is one, and one that was written by hand, of a paper for
example, is compiled like any fitted model:
``sclbl.upload(sclbl.Coefficients({"Intercept": -3, "age": 0.04}, family="binomial"))``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError

#: What the constant is called: by formulas, by `statsmodels.api.add_constant` and by R.
CONSTANTS = ("Intercept", "const", "(Intercept)")
#: The link that is meant where none is said, by family: the canonical one, but of the negative
#: binomial and of Tweedie the usual one (`statsmodels.genmod.families.family`).
FAMILIES: Mapping[str, str] = {
    "gaussian": "identity",
    "binomial": "logit",
    "poisson": "log",
    "gamma": "inverse",
    "inverse_gaussian": "inverse_squared",
    "negative_binomial": "log",
    "tweedie": "log",
}
_LEVEL = re.compile(
    r"(?:C\((?P<coded>[^()\[\]]+)\)|(?P<plain>[^()\[\]]+))\[(?:T\.)?(?P<level>.+)\]"
)
_NORMAL = np.vectorize(lambda z: 0.5 * math.erfc(-z / math.sqrt(2)), otypes=[np.float64])


def _logistic(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


#: What each link makes of the linear predictor: its inverse.
LINKS: Mapping[str, Callable[[Any], Any]] = {
    "identity": lambda z: z,
    "log": np.exp,
    "logit": _logistic,
    "probit": _NORMAL,
    "cauchy": lambda z: 0.5 + np.arctan(z) / math.pi,
    "cloglog": lambda z: 1 - np.exp(-np.exp(z)),
    "loglog": lambda z: np.exp(-np.exp(-z)),
    "logc": lambda z: 1 - np.exp(z),
    "inverse": lambda z: 1 / z,
    "inverse_squared": lambda z: 1 / np.sqrt(z),
    "sqrt": lambda z: z * z,
}


@dataclass(frozen=True)
class Factor:
    """One of the things that a term multiplies: a column, or whether a column has a level."""

    column: str
    level: str | None = None


@dataclass(frozen=True)
class Coefficients:
    """A regression as a table of coefficients.

    Parameters
    ----------
    coefficients : mapping of str to float
        By term. A term is a column of numbers (``age``), a level of a column of text
        (``city[Delft]``, ``city[T.Delft]`` or ``C(city)[T.Delft]``), several of these with colons
        between them (``age:income``), which are multiplied, or the constant: ``Intercept``,
        ``const`` or ``(Intercept)``.
    family : {"gaussian", "binomial", "poisson", "gamma", "inverse_gaussian", \
"negative_binomial", "tweedie"}
        What the target follows; it decides the link where none is given.
    link : str, optional
        One of ``identity``, ``log``, ``logit``, ``probit``, ``cauchy``, ``cloglog``, ``loglog``,
        ``logc``, ``inverse``, ``inverse_squared``, ``sqrt``.
    levels : mapping of str to sequence of str
        All levels of each column of text, those without a coefficient among them: others are
        refused.

    Raises
    ------
    UnsupportedModelError
        A number is not finite, or a family or link is not known.
    """

    coefficients: Mapping[str, float]
    family: str = "gaussian"
    link: str = ""
    levels: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise UnsupportedModelError(
                f"there is no family {self.family!r:.80}; take one of {', '.join(FAMILIES)}"
            )
        link = self.link or FAMILIES[self.family]
        if link not in LINKS:
            raise UnsupportedModelError(
                f"there is no link {link!r:.80}; take one of {', '.join(LINKS)}"
            )
        numbers = {}
        for term, number in dict(self.coefficients).items():
            real = isinstance(number, (int, float, np.integer, np.floating))
            if not isinstance(term, str) or not real or isinstance(number, bool):
                raise UnsupportedModelError(
                    f"the coefficient of {term!r:.80} is {number!r:.80}; give numbers by term"
                )
            if not math.isfinite(number):
                raise UnsupportedModelError(f"the coefficient of {term!r:.80} is {number}")
            numbers[term] = float(number)
        levels = {str(name): tuple(map(str, held)) for name, held in dict(self.levels).items()}
        held = {
            "link": link,
            "coefficients": MappingProxyType(numbers),
            "levels": MappingProxyType(levels),
        }
        for name, value in held.items():
            object.__setattr__(self, name, value)

    def check(self) -> None:
        """Raise where the table is for reading alone.

        Raises
        ------
        UnsupportedModelError
            A term is more than columns and levels of columns, or their levels are missing.
        """
        if not self.columns:
            raise UnsupportedModelError(
                "the coefficients name no column, so every row has the same prediction"
            )

    @property
    def constant(self) -> float:
        """The constant; 0 where there is none."""
        return sum(number for term, number in self.coefficients.items() if term in CONSTANTS)

    @cached_property
    def terms(self) -> tuple[tuple[tuple[Factor, ...], float], ...]:
        """Every term but the constant, as what it multiplies, with its coefficient."""
        return tuple(
            (tuple(self._factor(part, term) for part in term.split(":")), number)
            for term, number in self.coefficients.items()
            if term not in CONSTANTS
        )

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns that the terms are made of, in the order in which they come."""
        return tuple(dict.fromkeys(f.column for factors, _ in self.terms for f in factors))

    def _factor(self, part: str, term: str) -> Factor:
        found = _LEVEL.fullmatch(part)
        if found is None:
            if part in self.levels or re.search(r"[()\[\]*]", part) or not part.strip():
                raise UnsupportedModelError(
                    f"the term {term!r:.80} is no column, no level of a column and no product of "
                    "these; make a column of it before, or compile the fitted results"
                )
            return Factor(part)
        column, level = (found["coded"] or found["plain"]).strip(), found["level"]
        if level not in self.levels.get(column, ()):
            raise UnsupportedModelError(
                f"the term {term!r:.80} is of the level {level!r:.80}, which levels[{column!r}] "
                "lacks; give all levels of the column, those without a coefficient too"
            )
        return Factor(column, level)

    @property
    def example_input(self) -> list[dict[str, Any]]:
        """Rows that the model takes: one with zeros, one with ones, and one for each level."""
        count = max([2, *(len(held) for held in self.levels.values())])
        return [
            {
                name: self.levels[name][row % len(self.levels[name])]
                if name in self.levels
                else float(row > 0)
                for name in self.columns
            }
            for row in range(count)
        ]

    def predict_linear(self, rows: Any) -> np.ndarray:
        """Return the linear predictor, float64 ``[rows]``.

        Parameters
        ----------
        rows : DataFrame, dict of columns or list of dicts

        Raises
        ------
        ValueError
            Where a number is missing or infinite, or a level is none of the column's.
        """
        if not hasattr(rows, "columns") and not isinstance(rows, Mapping):
            rows = {name: [row[name] for row in rows] for name in self.columns}
        held: dict[str, np.ndarray] = {}
        for name in self.columns:
            if name in self.levels:
                held[name] = np.array(list(rows[name]), dtype=object)
                if not set(held[name]) <= set(self.levels[name]):
                    raise ValueError(f"column {name!r} holds a level that is not its own")
            else:
                held[name] = np.array(list(rows[name]), dtype=np.float64)
                if not np.isfinite(held[name]).all():
                    raise ValueError(f"column {name!r} holds what is no finite number")
        z: Any = self.constant
        for factors, number in self.terms:
            value: Any = number
            for factor in factors:
                column = held[factor.column]
                value = value * (column if factor.level is None else column == factor.level)
            z = z + value
        return np.asarray(z, dtype=np.float64)

    def predict(self, rows: Any) -> np.ndarray:
        """Return the mean, float64 ``[rows]``; for the rest see `predict_linear`."""
        found: np.ndarray = LINKS[self.link](self.predict_linear(rows))
        return found

    def to_json(self) -> dict[str, Any]:
        """Return the table as JSON-ready data."""
        return {
            "family": self.family,
            "link": self.link,
            "coefficients": dict(self.coefficients),
            "levels": {name: list(held) for name, held in self.levels.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Coefficients:
        """Return the table of what `to_json` returned."""
        return cls(
            dict(data["coefficients"]), data["family"], data["link"], dict(data.get("levels", {}))
        )

    def __str__(self) -> str:
        width = max(map(len, self.coefficients))
        lines = [f"{self.family}, link {self.link}"]
        lines += [f"  {term:<{width}}  {number!r}" for term, number in self.coefficients.items()]
        return "\n".join(lines)
