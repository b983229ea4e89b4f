"""Proof that a program predicts what its model predicts: `verify`, `verify_program`."""

from __future__ import annotations

import math
import numbers
from typing import TYPE_CHECKING, Any

from sclbl.errors import InputError
from sclbl.report import MethodReport, Report

if TYPE_CHECKING:
    from sclbl.spec import Spec

__all__ = ["MethodReport", "Report", "verify", "verify_program"]


def verify(
    model: Any,
    spec: Spec,
    wasm: bytes,
    example_input: Any,
    *,
    verify_on: Any = None,
    tolerance: float | None = None,
) -> Report:
    """Compare a program with the model it was made from.

    Rows: the example, rows around it, rows on and one ULP either side of the thresholds of trees,
    every category and an unknown one, missing values, zeros of both signs, extremes, and
    `verify_on`. The rows are the same at every run. What the program accepts the model must
    accept, and what the program refuses the model must refuse (a few such rows are tried), save
    for NaN and infinity in libraries that check nothing and return NaN (statsmodels).

    Parameters
    ----------
    model : object
        The fitted object.
    spec : Spec
        What it was stripped to.
    wasm : bytes
        The program that the spec was compiled to.
    example_input : array, DataFrame, Series, dict of columns, list
        What the spec was stripped with.
    verify_on : like `example_input`, optional
        More rows, all of them compared.
    tolerance : float, optional
        Largest relative error to accept. By default 0 for trees (equal to the bit), else 1e-12 in
        float64 and 1e-5 in float32, relative to the value or to the typical size of its column,
        whichever is larger. Labels, integers and text are always equal.

    Returns
    -------
    Report
        The same for the same model and program on the same machine.

    Raises
    ------
    FidelityError
        Where a prediction or a refusal differs; the message shows the worst row, the attribute
        ``report`` holds the report.
    InputError
        Where `verify_on` is not what the program takes.
    """
    require_tolerance(tolerance)
    if spec.signature.beside:
        from sclbl.fidelity.beside import BesideCheck

        return BesideCheck(model, spec, wasm, tolerance).run(example_input, verify_on)
    from sclbl.fidelity.against_model import verify_against_model

    return verify_against_model(model, spec, wasm, example_input, verify_on, tolerance)


def require_tolerance(tolerance: Any) -> None:
    """Raise `InputError` for a tolerance that is no number of 0 or more: it allows anything."""
    is_number = isinstance(tolerance, numbers.Real) and not isinstance(tolerance, bool)
    if tolerance is None or (is_number and 0 <= tolerance < math.inf):
        return
    raise InputError(
        f"tolerance is {tolerance!r:.60}, which is no number of 0 or more; give the largest "
        "relative error that is nothing to the model's use, such as 1e-9, or leave it out"
    )


def verify_program(wasm: bytes, spec: bytes) -> Report:
    """Compare a program with its spec, without the model.

    The spec is compiled again. Where that gives the same code, program and spec agree; where it
    does not (another compiler release), both programs run on generated rows and must agree to the
    bit. In either case some rows are compared with `sclbl.reference`, in NumPy.

    Parameters
    ----------
    wasm : bytes
        The program, with its manifest.
    spec : bytes
        The ONNX file of its spec.

    Returns
    -------
    Report
        Of the comparison with `sclbl.reference`.

    Raises
    ------
    InvalidProgramError, SpecError, LimitError
        Where program or spec are malformed, or beyond the limits.
    FidelityError
        Where they disagree: signature, spec hash, or a prediction.
    """
    from sclbl.fidelity.against_spec import verify_against_spec

    return verify_against_spec(wasm, spec)
