"""The fidelity report."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from decimal import ROUND_UP, Context
from typing import Any

from sclbl.errors import InvalidProgramError

_TWO_DIGITS = Context(prec=2, rounding=ROUND_UP)


def _short(value: float) -> float:
    """Return an error with two digits, never a smaller one."""
    return float(_TWO_DIGITS.create_decimal(repr(float(value)))) if math.isfinite(value) else value


#: What JSON may hold for each type of a field.
_JSON: Mapping[object, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
}


def _kept(cls: type, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plain fields of a report in JSON data; raise `TypeError` for one that is none."""
    kept = {}
    for field in fields(cls):
        if field.type in _JSON and field.name in data:
            value = kept[field.name] = data[field.name]
            if type(value) not in _JSON[field.type]:
                raise TypeError(f"{field.name} is {type(value).__name__}")
    return kept


@dataclass(frozen=True, slots=True)
class MethodReport:
    """How one method of the program compares.

    Parameters
    ----------
    method : str
        The method.
    rows : int
        Rows compared.
    tolerance : float
        Largest relative error accepted; 0 asks for equality.
    max_abs, max_rel : float
        Largest absolute and relative error, in two digits, rounded up.
    max_ulp : int
        Largest distance in units in the last place; 0 for labels, integers and text.
    flips : int
        Labels, integers or texts that differ.
    """

    method: str
    rows: int
    tolerance: float
    max_abs: float = 0.0
    max_rel: float = 0.0
    max_ulp: int = 0
    flips: int = 0

    def __post_init__(self) -> None:
        for name in ("max_abs", "max_rel"):
            object.__setattr__(self, name, _short(getattr(self, name)))


@dataclass(frozen=True, slots=True)
class Report:
    """A program against its model.

    Parameters
    ----------
    against : str
        What the program was compared with: the model's class, or the spec.
    rows : int
        Different rows tried, refused ones included.
    refusals : int
        Rows that the program refuses, and the model too.
    ok : bool
        Whether every comparison passed.
    methods : tuple of MethodReport
        By method.
    worst : str
        The worst row, in words; empty where all passed.
    sequential : bool
        Whether a model that has several jobs was asked with one.
    alone : int
        Rows that the program refuses and the model answers: a bad value never becomes a number.
    frames : str
        The libraries of which DataFrames were compared too, in names, dtypes, index and values;
        the program gives arrays unless it is asked for them.
    """

    against: str
    rows: int
    refusals: int
    ok: bool
    methods: tuple[MethodReport, ...]
    worst: str = ""
    sequential: bool = False
    alone: int = 0
    frames: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON-ready data: what is zero is left out."""
        data = {k: v for k, v in asdict(self).items() if v != ""}
        if not self.sequential:
            del data["sequential"]
        if not self.alone:
            del data["alone"]
        data["methods"] = [
            {k: v for k, v in method.items() if v != 0 or k == "tolerance"}
            for method in data["methods"]
        ]
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Report:
        """Read what `to_json` wrote; entries of newer versions are left out.

        Raises
        ------
        InvalidProgramError
            It is no report.
        """
        try:
            methods = tuple(MethodReport(**_kept(MethodReport, m)) for m in data["methods"])
            return cls(**_kept(cls, data), methods=methods)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise InvalidProgramError(
                f"the program's manifest has no readable report ({error!r}); the file was "
                "altered, so fetch or compile it again"
            ) from None

    def __str__(self) -> str:
        verdict = "equal" if self.ok else "DIFFERENT"
        lines = [
            f"{verdict} to {self.against}: {self.rows:,} rows, {self.refusals} refused by both"
        ]
        if self.alone:
            lines[0] += f", {self.alone} refused by the program alone (the model answers them)"
        if self.sequential:
            lines[0] += "; the model was asked with one job (n_jobs=1)"
        name = max([len(m.method) for m in self.methods] + [6])
        titles = "rows  abs error  rel error  ULP  labels that differ  allowed"
        lines.append(f"{'method':<{name}}   {titles}")
        lines += [
            f"{m.method:<{name}}  {m.rows:5,}  {m.max_abs:9.2g}  {m.max_rel:9.2g}  {m.max_ulp:3}  "
            f"{m.flips:18}  {'equal' if m.tolerance == 0 else f'{m.tolerance:.0e}'}"
            for m in self.methods
        ]
        if self.frames:
            lines.append(f"names, dtypes and index of DataFrames equal: {self.frames}")
        if self.worst:
            lines.append(f"worst: {self.worst}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        worst = max((m.max_rel for m in self.methods), default=0.0)
        flips = sum(m.flips for m in self.methods)
        verdict = "ok" if self.ok else "FAILED"
        return (
            f"<Report {verdict} {self.rows:,} rows, rel error {worst:.2g}, {flips} labels differ>"
        )
