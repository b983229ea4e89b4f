"""Whose a difference is: the model's own, or sclbl's, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sclbl.errors import InputError, UnsupportedModelError
from sclbl.fidelity.compare import Difference, Tolerance, flatten

DEFECT = "This is a defect of sclbl; please report it with the model's parameters"
CODE = (
    "It holds code of yours, which was followed once, on what stands for rows: code that catches "
    "errors (try), keeps a state, or asks what type it is given may do something else there; write "
    "it without, or write a stripper for it, sclbl.register(cls, stripper)"
)
#: A larger error is no rounding, whatever the model computes.
_ROUNDING = 1e-3

Call = Callable[[str, Any], Any]


def of_result(
    call: Call,
    model: Any,
    method: str,
    rows: Any,
    theirs: np.ndarray,
    worst: Difference,
    rule: Tolerance,
) -> str:
    """Say what to do where the program's result is not the model's.

    Parameters
    ----------
    call : callable
        Asks the model: ``call(method, rows)``.
    model : object
        The model.
    method : str
        What was asked.
    rows : array or DataFrame
        For which.
    theirs : array ``[rows, width]``
        What the model returned.
    worst : Difference
        Where the program differs most.
    rule : Tolerance
        What was accepted.

    Returns
    -------
    str
        A sentence.
    """
    replaced = of_replaced(model, method)
    if replaced:
        return replaced
    try:
        again = flatten(call(method, rows))
        alone = flatten(call(method, rows[worst.row : worst.row + 1]))
    except (InputError, UnsupportedModelError) as error:
        return (
            f"Asked for the same rows once more, the model refuses them ({error.__cause__ or error}"
            "); find out why its answers change, a program gives one"
        )
    if not _same(again, theirs):
        return (
            "Asked for the same rows twice, the model gives two answers: it is random, or it has a "
            "state; make it deterministic, a program gives one answer"
        )
    if worst.error == np.inf and not _same(alone[0], theirs[worst.row]):
        return (
            "The model's own answer for this row depends on the rows beside it: two outcomes are "
            "equal up to rounding there; leave such rows out of example_input and verify_on, or "
            "fit the model on scaled columns"
        )
    if worst.error < _ROUNDING:
        return (
            f"Where an error of {worst.error:.1e} is nothing to the model's use, give "
            f"tolerance={_above(worst.error)}; otherwise please report it, with the model's "
            "parameters"
        )
    return DEFECT


def of_refusal(call: Call, model: Any, method: str, row: Any, error: Exception) -> str:
    """Say what to do where the model refuses a row, or all rows, that the program takes.

    Parameters
    ----------
    call, model, method
        See `of_result`.
    row : array or DataFrame
        The row that was found.
    error : Exception
        What the model said first.
    """
    replaced = of_replaced(model, method)
    if replaced:
        return replaced
    try:
        call(method, row)
    except (InputError, UnsupportedModelError):
        return DEFECT
    return (
        "The model takes that row alone, and refuses it among others or at another time "
        f"({error.__cause__ or error}); find out why, a program answers for each row alone"
    )


def of_code(model: Any, advice: str) -> str:
    """Return advice that does not call a defect what a user's own code may be the reason of."""
    from sclbl.strippers import dispatch

    params = model.get_params() if hasattr(model, "get_params") else {}
    found = any(dispatch.is_code(part) for part in (model, *params.values()))
    return advice.replace(DEFECT, CODE) if found else advice


def of_replaced(model: Any, method: str) -> str:
    """Say what to do where a method was replaced on the object itself; empty where it was not."""
    if method not in getattr(model, "__dict__", {}):
        return ""
    return (
        f"The method {method} was replaced on this very object, and programs follow its class; "
        f"delete the attribute, or write a class and register its stripper with "
        "sclbl.register(cls, stripper)"
    )


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    if a.dtype.kind in "fc" and b.dtype.kind in "fc":
        return bool(np.array_equal(a, b, equal_nan=True))
    # Missing text is equal to nothing, itself among them.
    return a.shape == b.shape and bool(np.all((a == b) | ((a != a) & (b != b))))


def _above(error: float) -> str:
    """Return the next power of ten, as it is written in Python."""
    return f"1e{int(np.ceil(np.log10(error))):d}" if error > 0 else "1e-15"
