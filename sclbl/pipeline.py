"""From a fitted model to a verified program: the stages before the registry, in order."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sclbl import example as examples
from sclbl import fidelity, manifest, onnx_format
from sclbl.coefficients import Coefficients
from sclbl.compiler import compile_spec
from sclbl.errors import FidelityError, InputError, ModelError, SpecError
from sclbl.model_files import is_file, open_model
from sclbl.program import Program
from sclbl.recompile import Verify
from sclbl.registry.refs import suggest_name
from sclbl.rows import encode
from sclbl.spec import Spec

#: How often `build` calls its `step` at most.
STEPS = 3


def build(
    model: Any,
    example_input: Any,
    methods: Sequence[str] | None,
    verify_on: Any,
    tolerance: float | None,
    step: Callable[[str], None],
    *,
    example: bool = False,
) -> Program:
    """Return the verified program of a model, a model's file, a spec, or a program itself.

    Parameters
    ----------
    model, example_input, methods, verify_on, tolerance, example
        See `sclbl.api.upload`.
    step : callable
        Told the name of each step as it begins.

    Raises
    ------
    ModelError, InputError, FidelityError, CompileError
        See `sclbl.api.upload`.
    """
    if is_file(model):
        model = open_model(model)
        if isinstance(model, Spec) and example_input is not None:
            encode(example_input, model.signature)
    if isinstance(model, (Program, Spec)):
        given = {"methods": methods, "verify_on": verify_on, "tolerance": tolerance}
        _refuse_options(model, **given, example=example or None)
    if isinstance(model, Program):
        return model
    if isinstance(model, Spec):
        step("compile")
        wasm = compile_spec(model)
        step("verify")
        return _with_report(wasm, fidelity.verify_program(wasm, onnx_format.write(model)), model)
    example_input = example_of(model, example_input)
    if example_input is None:
        raise InputError(
            f"example_input is missing: give a row or a few that {type(model).__name__} predicts "
            "from, for example X_train[:5]; they fix names, dtypes and shapes"
        )
    from sclbl.strippers import strip

    fidelity.require_tolerance(tolerance)
    step("strip")
    spec = strip(model, example_input, methods=methods)
    shown = examples.first_row(example_input, spec.signature) if example else None
    step("compile")
    wasm = compile_spec(spec)
    step("verify")
    report = fidelity.verify(
        model, spec, wasm, example_input, verify_on=verify_on, tolerance=tolerance
    )
    program = _with_report(wasm, report, spec)
    return program if shown is None else _with_example(program, examples.tried(program, shown))


def example_of(model: Any, example_input: Any) -> Any:
    """Return the example that was given, else the one of a model that has one."""
    own = isinstance(model, Coefficients) and example_input is None
    if own:
        model.check()
    return model.example_input if own else example_input


def verified_spec(program: Program) -> Spec:
    """Return the spec of a program that may be recorded.

    Raises
    ------
    FidelityError
        The program was never verified.
    SpecError
        The program came without its spec, or with another's.
    """
    if program.report is None:
        raise FidelityError(
            f"{program!r} was never verified, so it is not recorded; "
            "make it with sclbl.compile(model, example_input)"
        )
    spec = program.spec
    if spec is None:
        raise SpecError(
            f"{program!r} came without its spec, which a registry keeps with the program; upload "
            "the model, or a program from sclbl.compile or sclbl.load(ref)"
        )
    if spec.sha256 != program.manifest.get("spec"):
        raise SpecError(
            f"{program!r} was compiled from the spec {program.manifest.get('spec')}, and carries "
            f"{spec.sha256}; compile the model again"
        )
    return spec


def verifier(
    model: Any, spec: Spec, example_input: Any, verify_on: Any, tolerance: float | None
) -> Verify | None:
    """Return what compares another program of the same spec with the model, as `build` did.

    None where there is no model: a `Program` and a `Spec` can only be compared with the spec.
    """
    if isinstance(model, (Program, Spec)):
        return None

    def verify(wasm: bytes) -> fidelity.Report:
        rows = example_of(model, example_input)
        return fidelity.verify(model, spec, wasm, rows, verify_on=verify_on, tolerance=tolerance)

    return verify


def default_name(model: Any) -> str:
    """Return a deployment's name after the model's class (``ols``), or after its file."""
    if is_file(model):
        source = Path(os.fsdecode(model)).stem if isinstance(model, (str, os.PathLike)) else "model"
        return suggest_name(source)
    if isinstance(model, Program):
        source = str(model.manifest.get("source", {}).get("model", ""))
    elif isinstance(model, Spec):
        source = model.source.model
    else:
        from sclbl.strippers import dispatch

        source = dispatch.title(model)
    return suggest_name(source.rpartition(".")[2])


def _with_report(wasm: bytes, report: fidelity.Report, spec: Spec) -> Program:
    return Program(manifest.restate(wasm, {"report": report.to_json()}), spec)


def _with_example(program: Program, values: list[Any]) -> Program:
    described = {**program.manifest, "example": values}
    return Program(manifest.attach(program.wasm, described), program.spec)


def _refuse_options(model: Program | Spec, **options: object) -> None:
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise ModelError(
            f"{', '.join(given)} cannot be given with {model!r}, for which that is settled; "
            "give the fitted model instead"
        )
