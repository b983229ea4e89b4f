"""A program against its spec, without the model: what a server checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sclbl import manifest, onnx_format
from sclbl.errors import FidelityError, InputError, InvalidProgramError
from sclbl.fidelity.accept import accepted_rows, results_of, rule_of
from sclbl.fidelity.compare import Difference, Tolerance, compare, typical_size
from sclbl.fidelity.invented import ORDINARY, Invented, calls_of
from sclbl.fidelity.several import Part, compare_parts, parts_of_result
from sclbl.fidelity.trace import reaches_trees
from sclbl.missing import of_text, value_of
from sclbl.program import Program
from sclbl.reference import evaluate
from sclbl.report import MethodReport, Report
from sclbl.rows import Blocks
from sclbl.runtime.general import Result
from sclbl.signature import Output
from sclbl.spec import Graph, Spec

#: How many times what the definition loses by rounding a program may lose.
ROUNDING = 16
#: Rows that the reference interpreter runs, and refused rows that it is asked about.
REFERENCE_ROWS, REFERENCE_REFUSALS = 64, 12
#: Most elements of a tensor that the interpreter makes of sparse rows.
REFERENCE_CELLS = 2**25
_AGAINST = "the reference interpreter"


@dataclass(frozen=True)
class _Tried:
    """A call, the rows of it that a program accepts, and the others with what refuses them."""

    rows: Invented
    accepted: np.ndarray
    refused: dict[int, tuple[str, InputError]]


def verify_compiled(program: Program, spec: Spec) -> Report:
    """Compare a program that was just compiled from its spec with the definition of the operators.

    Raises
    ------
    FidelityError
        Where they differ.
    """
    return _reference(program, spec, _tried(program, calls_of(spec)))


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
    calls = _tried(program, calls_of(read))
    if manifest.code_sha256(wasm) != manifest.code_sha256(compiled):
        other = Program(compiled)
        for call in calls:
            _same_programs(program, other, call)
    return _reference(program, read, calls)


def _tried(program: Program, calls: list[Invented]) -> list[_Tried]:
    return [_Tried(rows, *accepted_rows(program, rows.blocks())) for rows in calls]


def _check_manifest(found: dict[str, object], spec: Spec) -> None:
    if found.get("spec") != spec.sha256:
        raise InvalidProgramError(
            f"the program says it was compiled from the spec {str(found.get('spec'))[:64]!r} and "
            f"came with {spec.sha256}; upload the program together with its own spec"
        )


def _same_programs(program: Program, compiled: Program, call: _Tried) -> None:
    """Raise `FidelityError` where two programs differ in a bit or in a refusal."""
    theirs, theirs_refused = accepted_rows(compiled, call.rows.blocks())
    ours_why = {r: (m, type(e)) for r, (m, e) in call.refused.items()}
    theirs_why = {r: (m, type(e)) for r, (m, e) in theirs_refused.items()}
    if ours_why != theirs_why:
        row = min(row for row, _ in set(ours_why.items()) ^ set(theirs_why.items()))
        raise FidelityError(
            "the program refuses other rows than its spec compiled here: "
            f"{call.rows.shown(row)}; compile the model again with sclbl.compile"
        )
    good = call.rows.take(np.flatnonzero(call.accepted & theirs)).blocks()
    for method in program.methods:
        ours, others = _parts(program, method, good), _parts(compiled, method, good)
        for a, b in zip(ours, others, strict=True):
            if a.values.shape != b.values.shape:
                continue  # its lengths differ, and came before
            same = a.values == b.values
            if a.values.dtype.kind == "f":
                same |= np.isnan(a.values) & np.isnan(b.values)
            if not np.all(same):
                row, column = np.argwhere(~np.asarray(same, dtype=bool))[0].tolist()
                raise FidelityError(
                    f"the program's {method} gives {a.values[row, column]!r} where its spec "
                    f"compiled here gives {b.values[row, column]!r}; compile the model again with "
                    "sclbl.compile"
                )


def _parts(program: Program, method: str, blocks: Blocks) -> list[Part]:
    return _parts_of(program.signature.results(method), results_of(program, method, blocks))


def _parts_of(
    results: tuple[tuple[str, Output], ...], found: tuple[Result | Any, ...]
) -> list[Part]:
    pairs = zip(results, found, strict=True)
    return [part for (_, output), one in pairs for part in parts_of_result(output, one)]


def _run(
    spec: Spec, graph: Graph, rows: Invented, methods: tuple[str, ...], wide: bool = False
) -> dict[str, tuple[Any, ...]]:
    """Return the results of methods by the definition; with `wide`, in float64 where float32 is."""
    signature = spec.signature
    blocks = rows.table.blocks(signature.numeric_dtype)
    numeric = blocks.numeric
    if wide and numeric is not None:
        numeric = numeric.astype(np.float64)
    text = rows.table.text if signature.text else None
    results = {m: [name for name, _ in signature.results(m)] for m in methods}
    names = tuple(name for listed in results.values() for name in listed)
    found = evaluate(graph, numeric, text, names, rows.given(wide))
    return {
        method: tuple(_as_given(found[name], len(rows)) for name in listed)
        for method, listed in results.items()
    }


def _as_given(found: Any, rows: int) -> Any:
    """Return a result as programs give it: the elements of a row side by side, texts as objects."""
    if not isinstance(found, np.ndarray):
        return found
    flat = found.reshape(rows, -1)
    if flat.dtype == object:
        flat = flat.copy()
        for place in np.ndindex(flat.shape):
            if kind := of_text(flat[place]):
                flat[place] = value_of(kind)
    return flat


def _rounding(
    spec: Spec, rows: Invented, method: str, single: np.ndarray
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
        (found,) = _run(spec, replace(graph, constants=wide), rows, (method,), wide=True)[method]
        with np.errstate(all="ignore"):
            off = np.abs(single.astype(np.float64) - found)
        # One element may be right by chance; what a row loses is that of its worst.
        worst = np.where(np.isfinite(off), off, 0).max(axis=1, keepdims=True)
        return ROUNDING * np.broadcast_to(worst, single.shape)

    return measure


def _reference(program: Program, spec: Spec, calls: list[_Tried]) -> Report:
    """Compare with the definition of the operators, in NumPy."""
    rules = {method: rule_of(spec, method, None) for method in spec.methods}
    reports = {m: MethodReport(m, 0, rule.tolerance) for m, rule in rules.items()}
    rows = refusals = 0
    worst = ""
    for call in calls:
        keep = np.flatnonzero(call.accepted)
        most = _most_rows(spec)
        keep = keep[np.unique(np.linspace(0, max(len(keep) - 1, 0), most).astype(int))]
        good = call.rows.take(keep)
        if len(good):
            try:
                wanted = _run(spec, spec.graph, good, spec.methods)
            except InputError as error:
                raise FidelityError(
                    f"the program accepts a row that its spec refuses: {error}"
                ) from None
            for method in spec.methods:
                reports[method], found = _compare(
                    program, spec, method, good, wanted[method], reports[method],
                    rules[method], keep < ORDINARY,
                )  # fmt: skip
                if found is not None and found.excess > 1 and not worst:
                    worst = (
                        f"{method}: the program gives {found.ours!r}, its spec {found.theirs!r} "
                        f"for {good.shown(found.row)}"
                    )
        probes = _probes(call)
        for row, (method, refusal) in probes:
            try:
                _run(spec, spec.graph, call.rows.take(np.array([row])), (method,))
            except InputError:
                continue
            worst = worst or (
                f"{method}: the program refuses a row that its spec accepts ({refusal})"
            )
        rows, refusals = rows + len(good) + len(probes), refusals + len(probes)
    done = Report(_AGAINST, rows, refusals, not worst, tuple(reports.values()), worst)
    if worst:
        raise FidelityError(
            f"the program does not compute what its spec says: {worst}; compile the model again "
            "with sclbl.compile",
            done,
        )
    return done


def _most_rows(spec: Spec) -> int:
    """Return how many rows of a call the interpreter runs."""
    # Rows of the votes of classes, or dense ones made of sparse ones, may be millions wide.
    widths = [v.width for v in spec.graph.values.values() if v.ragged is None]
    return min(REFERENCE_ROWS, max(REFERENCE_CELLS // max(widths, default=1), 1))


def _probes(call: _Tried) -> list[tuple[int, tuple[str, InputError]]]:
    """Return some of the refused rows."""
    listed = list(call.refused.items())
    return listed[:: max(len(listed) // REFERENCE_REFUSALS, 1)][:REFERENCE_REFUSALS]


def _compare(
    program: Program,
    spec: Spec,
    method: str,
    rows: Invented,
    wanted: tuple[Any, ...],
    report: MethodReport,
    rule: Tolerance,
    ordinary: np.ndarray,
) -> tuple[MethodReport, Difference | None]:
    """Compare a method's results; the `ordinary` rows say how large they typically are."""
    output = spec.signature.outputs[method]
    found = results_of(program, method, rows.blocks())
    if not output.is_plain:
        results = spec.signature.results(method)
        report = replace(report, rows=report.rows + len(rows))
        return compare_parts(report, rule, _parts_of(results, found), _parts_of(results, wanted))
    (ours,), (theirs,) = found, wanted
    rule = Tolerance(rule.tolerance, rule.dtype, typical_size(theirs[ordinary]))
    return compare(report, output, ours, theirs, rule, _rounding(spec, rows, method, theirs))  # type: ignore[arg-type]  # plain
