"""Which engine made a model's design, and what it reads and computes."""

from __future__ import annotations

from typing import Any

from sclbl.errors import UnsupportedModelError
from sclbl.strippers.columns import Table
from sclbl.strippers.statsmodels.formula import of_formulaic, of_patsy
from sclbl.strippers.statsmodels.formula.columns import Design
from sclbl.strippers.statsmodels.formula.scope import Scope

_ENGINES: dict[str, Any] = {"formulaic": of_formulaic, "patsy": of_patsy}


def spec_of(model: Any) -> Any:
    """Return the specification of a model's design, which its fit left.

    Raises
    ------
    UnsupportedModelError
        Where there is none: results that were saved and loaded without their data.
    """
    for holder in (model, getattr(model, "data", None)):
        for name in ("model_spec", "design_info"):
            found = getattr(holder, name, None)
            if found is not None:
                return found
    raise UnsupportedModelError(
        f"statsmodels {type(model).__name__} was fitted from the formula {model.formula!r}, whose "
        "design is gone, as it is after results were saved without their data and loaded; "
        "statsmodels cannot predict from raw rows either: fit the model again"
    )


def columns(spec: Any) -> tuple[str, ...]:
    """Return the names that a design looks up in rows; some may mean something else."""
    found: tuple[str, ...] = _engine(spec).names(spec)
    return found


def design(spec: Any, x: Table, formula: str, model: str) -> Design:
    """Write the design matrix of raw rows.

    Parameters
    ----------
    spec : object
        patsy's ``DesignInfo`` or formulaic's ``ModelSpec``.
    x : Table
        The rows.
    formula, model : str
        For messages.
    """
    found: Design = _engine(spec).design(spec, Scope(x, formula, model))
    return found


def _engine(spec: Any) -> Any:
    name = type(spec).__module__.partition(".")[0]
    _require_engine(name)
    return _ENGINES[name]


def _require_engine(name: str) -> None:
    """Raise where statsmodels would now ask another engine than the one that fitted."""
    from statsmodels import formula

    options = getattr(formula, "options", None)
    now = getattr(options, "formula_engine", name)
    if name not in _ENGINES:
        raise UnsupportedModelError(
            f"the design of the formula was made by {name}, which has no stripper; fit the model "
            "with patsy or formulaic"
        )
    if now != name:
        raise UnsupportedModelError(
            f"the model was fitted with the formula engine {name}, and statsmodels predicts with "
            f"{now} now; set statsmodels.formula.options.formula_engine = {name!r} as it was"
        )
