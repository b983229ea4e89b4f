"""The language of specs: one record an operator, one file a family.

`OPS` holds every operator of a graph by its name, `REWRITTEN` the standard operators that files of
other tools have beside them. A record is made where its family stands; nothing is listed twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sclbl.errors import SpecError
from sclbl.ops import (
    arithmetic,
    coding,
    curves,
    density,
    elementwise,
    imputing,
    items,
    iteration,
    linear,
    lookup,
    median,
    neighborhoods,
    neighbors,
    normalization,
    points,
    ragged,
    reduction,
    refusal,
    shape,
    solving,
    svm,
    tokens,
    trees,
    windows,
)
from sclbl.ops.record import Op, Rewritten

__all__ = ["BY_UFUNC", "FAMILIES", "OPS", "REWRITTEN", "find"]

FAMILIES = {
    "element-wise": elementwise,
    "arithmetic": arithmetic,
    "reductions": reduction,
    "normalization": normalization,
    "columns": shape,
    "products": linear,
    "windows": windows,
    "look-ups": lookup,
    "checks": refusal,
    "trees": trees,
    "rows of varying length": ragged,
    "texts": tokens,
    "items of sparse rows": items,
    "neighbours": neighbors,
    "points": points,
    "support vectors": svm,
    "curves": curves,
    "iterations": iteration,
    "codes": coding,
    "what neighbours hold": neighborhoods,
    "medians": median,
    "equations": solving,
    "what is missing": imputing,
    "densities": density,
}


def _members(kind: type[Any]) -> dict[str, Any]:
    members = (m for family in FAMILIES.values() for m in vars(family).values())
    return {m.name: m for m in members if isinstance(m, kind)}


OPS: Mapping[str, Op] = _members(Op)
REWRITTEN: Mapping[str, Rewritten] = _members(Rewritten)
#: Operators by NumPy's function of the same meaning.
BY_UFUNC: Mapping[Callable[..., Any], Op] = {
    op.ufunc: op for op in OPS.values() if op.ufunc is not None
}


def find(name: str) -> Op:
    """Return an operator.

    Raises
    ------
    SpecError
        Where there is none of this name.
    """
    op = OPS.get(name)
    if op is None:
        raise SpecError(f"operator {name} is not supported; supported are {', '.join(sorted(OPS))}")
    return op
