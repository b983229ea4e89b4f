"""A program against its spec, without the model: what a server checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from sclbl import manifest, onnx_format
from sclbl.errors import FidelityError, InputError, InvalidProgramError
from sclbl.fidelity.accept import accepted_rows, rule_of
from sclbl.fidelity.compare import Tolerance, compare, typical_size
from sclbl.fidelity.rows import Sample, generate, invent
from sclbl.fidelity.trace import reaches_trees
from sclbl.missing import of_text, value_of
from sclbl.program import Program
from sclbl.reference import evaluate
from sclbl.report import MethodReport, Report
from sclbl.rows import Blocks
from sclbl.spec import Spec

#: How many times what the definition loses by rounding a program may lose.
ROUNDING = 16
#: Rows that the reference interpreter runs, and refused rows that it is asked about.
REFERENCE_ROWS, REFERENCE_REFUSALS = 64, 12
_AGAINST = "the reference interpreter"


def verify_compiled(program: Program, spec: Spec) -> Report:
    """Compare a program that was just compiled from its spec with the definition of the operators.

    Raises
    ------
    FidelityError
        Where they differ.
    """
    base = invent(spec)
    rows = generate(spec, base)
    accepted, refused = accepted_rows(program, rows.blocks(spec.signature.numeric_dtype))
    return _reference(program, spec, rows, accepted, refused, len(base))


def verify_against_spec(wasm: bytes, spec: bytes) -> Report:
    """Compare a program with its spec; see `sclbl.fidelity.verify_program`."""
    from sclbl.compiler import compile_spec

    read = onnx_format.read(spec)
    found = manifest.read(wasm)
    _check_manifest(found, read)
    compiled = compile_spec(read)
    program = Program(wasm)
    if program.signature.to_json() != read.signature.to_json():
        raise InvalidProgramError(
            "the program's manifest and its spec have different signatures; compile the model "
            "again with sclbl.compile"
        )
    base = invent(read)
    rows = generate(read, base)
    blocks = rows.blocks(read.signature.numeric_dtype)
    accepted, refused = accepted_rows(program, blocks)
    if manifest.code_sha256(wasm) != manifest.code_sha256(compiled):
        _same_programs(program, Program(compiled), rows, accepted, refused)
    return _reference(program, read, rows, accepted, refused, len(base))


def _check_manifest(found: dict[str, object], spec: Spec) -> None:
    if found.get("spec") != spec.sha256:
        raise InvalidProgramError(
            f"the program says it was compiled from the spec {str(found.get('spec'))[:64]!r} and "
            f"came with {spec.sha256}; upload the program together with its own spec"
        )


def _same_programs(
    program: Program,
    compiled: Program,
    rows: Sample,
    accepted: np.ndarray,
    refused: dict[int, tuple[str, InputError]],
) -> None:
    """Raise `FidelityError` where two programs differ in a bit or in a refusal."""
    blocks = rows.blocks(program.signature.numeric_dtype)
    theirs, theirs_refused = accepted_rows(compiled, blocks)
    ours_why = {r: (m, type(e)) for r, (m, e) in refused.items()}
    theirs_why = {r: (m, type(e)) for r, (m, e) in theirs_refused.items()}
    if ours_why != theirs_why:
        row = min(row for row, _ in set(ours_why.items()) ^ set(theirs_why.items()))
        raise FidelityError(
            "the program refuses other rows than its spec compiled here: "
            f"numbers {rows.numeric[row].tolist()[:12]}, text {rows.text[row].tolist()[:12]}; "
            "compile the model again with sclbl.compile"
        )
    good = rows.take(np.flatnonzero(accepted & theirs)).blocks(program.signature.numeric_dtype)
    for method in program.methods:
        a, b = program.module.call(method, good), compiled.module.call(method, good)
        same = a == b
        if a.dtype.kind == "f":
            same |= np.isnan(a) & np.isnan(b)
        if not np.all(same):
            row, column = np.argwhere(~np.asarray(same, dtype=bool))[0].tolist()
            raise FidelityError(
                f"the program's {method} gives {a[row, column]!r} where its spec compiled here "
                f"gives {b[row, column]!r}; compile the model again with sclbl.compile"
            )


def _run(
    spec: Spec, blocks: Blocks, rows: Sample, methods: tuple[str, ...]
) -> dict[str, np.ndarray]:
    text = rows.text if spec.signature.text else None
    found = evaluate(spec.graph, blocks.numeric, text, methods)
    # As programs give them: the elements of a row side by side.
    return {method: values.reshape(len(values), -1) for method, values in found.items()}


def _rounding(
    spec: Spec, blocks: Blocks, rows: Sample, method: str, single: np.ndarray
) -> Callable[[], np.ndarray] | None:
    """Return a function that tells how much a result in float32 owes to its rounding.

    Where large numbers cancel out, or many layers add up, the definition itself loses digits: it is
    computed in float64 too, and a program may be off by several times the difference. None where
    the graph does not compute in float32, or makes decisions, which rounding may turn.
    """
    graph = spec.graph
    if single.dtype != np.float32 or reaches_trees(graph, method):
        return None

    def measure() -> np.ndarray:
        wide = {
            name: array.astype(np.float64) if array.dtype == np.float32 else array
            for name, array in graph.constants.items()
        }
        numeric = None if blocks.numeric is None else blocks.numeric.astype(np.float64)
        exact = Blocks(blocks.rows, numeric, blocks.text)
        widened = replace(spec, graph=replace(graph, constants=wide))
        found = _run(widened, exact, rows, (method,))[method]
        with np.errstate(all="ignore"):
            off = np.abs(single.astype(np.float64) - found)
        # One element may be right by chance; what a row loses is that of its worst.
        worst = np.where(np.isfinite(off), off, 0).max(axis=1, keepdims=True)
        return ROUNDING * np.broadcast_to(worst, single.shape)

    return measure


def _reference(
    program: Program,
    spec: Spec,
    rows: Sample,
    accepted: np.ndarray,
    refused: dict[int, tuple[str, InputError]],
    ordinary: int,
) -> Report:
    """Compare with the definition of the operators, in NumPy.

    The first rows, `ordinary` of them, say how large each output typically is.
    """
    signature = spec.signature
    keep = np.flatnonzero(accepted)
    keep = keep[np.unique(np.linspace(0, max(len(keep) - 1, 0), REFERENCE_ROWS).astype(int))]
    good = rows.take(keep)
    blocks = good.blocks(signature.numeric_dtype)
    reports, worst = [], ""
    if len(good):
        try:
            wanted = _run(spec, blocks, good, spec.methods)
        except InputError as error:
            raise FidelityError(
                f"the program accepts a row that its spec refuses: {error}"
            ) from None
    for method, output in signature.outputs.items():
        rule = rule_of(spec, method, None)
        report = MethodReport(method, 0, rule.tolerance)
        if len(good):
            ours, theirs = program.module.call(method, blocks), wanted[method]
            if output.storage == "text":
                theirs = theirs.copy()
                for place in np.ndindex(theirs.shape):
                    if kind := of_text(theirs[place]):
                        theirs[place] = value_of(kind)
            rule = Tolerance(rule.tolerance, rule.dtype, typical_size(theirs[keep < ordinary]))
            noise = _rounding(spec, blocks, good, method, theirs)
            report, found = compare(report, output, ours, theirs, rule, noise)
            if found is not None and found.excess > 1 and not worst:
                worst = (
                    f"{method}: the program gives {found.ours!r}, its spec {found.theirs!r} for "
                    f"numbers {good.numeric[found.row].tolist()[:12]}, "
                    f"text {good.text[found.row].tolist()[:12]}"
                )
        reports.append(report)
    probes = list(refused.items())[:: max(len(refused) // REFERENCE_REFUSALS, 1)]
    for row, (method, refusal) in probes[:REFERENCE_REFUSALS]:
        one = rows.take(np.array([row]))
        try:
            _run(spec, one.blocks(signature.numeric_dtype), one, (method,))
        except InputError:
            continue
        worst = worst or f"{method}: the program refuses a row that its spec accepts ({refusal})"
    done = Report(_AGAINST, len(good) + len(probes), len(probes), not worst, tuple(reports), worst)
    if worst:
        raise FidelityError(
            f"the program does not compute what its spec says: {worst}; compile the model again "
            "with sclbl.compile",
            done,
        )
    return done
