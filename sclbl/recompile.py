"""A spec becomes a program again: the one way by which code comes into a registry.

A registry stores only code that it compiled itself. Whoever uploads sends the spec and says what he
states about the program (its manifest's report, an example); the registry compiles the spec. Where
its bytes are those that the uploader verified, they are stored. Where they are others (another
release of LLVM), they are verified again before they are.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sclbl import manifest
from sclbl.errors import InvalidProgramError

if TYPE_CHECKING:
    from sclbl.report import Report
    from sclbl.spec import Spec

#: How a program is verified against its model, where there is one.
Verify = Callable[[bytes], "Report"]
#: SHA-256 of ONNX files that this process wrote, and the hash of the spec in each.
_written: OrderedDict[bytes, str] = OrderedDict()
REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Made:
    """A program that this process compiled, and its report against the spec if it made one."""

    wasm: bytes
    report: Report | None


def write(spec: Spec) -> bytes:
    """Return the ONNX file of a spec, and remember that it is of this spec."""
    from sclbl import onnx_format

    data = onnx_format.write(spec)
    _written[hashlib.sha256(data).digest()] = spec.sha256
    while len(_written) > REMEMBERED:
        _written.popitem(last=False)
    return data


def recompile(spec: bytes, stated: Mapping[str, Any]) -> Made:
    """Compile an ONNX file, and compare the program with the definition of its operators.

    Parameters
    ----------
    spec : bytes
        The ONNX file.
    stated : mapping
        Entries of the manifest that the spec does not decide; see `sclbl.manifest.stated`.

    Raises
    ------
    SpecError, InvalidProgramError, LimitError, CompileError
        The file or a statement is malformed, or beyond the limits.
    FidelityError
        The program does not compute what the spec says.
    """
    from sclbl import onnx_format
    from sclbl.compiler import compile_spec
    from sclbl.fidelity.against_spec import verify_compiled
    from sclbl.program import Program

    read = onnx_format.read(spec)
    program = Program(manifest.restate(compile_spec(read), stated))
    _ = program.report  # a statement too, so it must be readable
    return Made(program.wasm, verify_compiled(program, read))


def own(wasm: bytes, spec: bytes, verify: Verify | None = None) -> Made:
    """Return the program of a spec as this process compiles it, for a program made anywhere.

    What this process compiled before is taken as it is.

    Parameters
    ----------
    wasm : bytes
        The program that the caller verified.
    spec : bytes
        The ONNX file of its spec.
    verify : callable, optional
        Compares a program with its model, where this process compiles other bytes.

    Raises
    ------
    InvalidProgramError, SpecError, FidelityError
        See `recompile` and `reverified`.
    """
    found = manifest.read(wasm)
    remembered = _written.get(hashlib.sha256(spec).digest())
    if remembered is not None and remembered == found.get("spec"):
        from sclbl.compiler import compiled_here

        if compiled_here(manifest.restate(wasm, {})):
            return Made(wasm, None)
    made = recompile(spec, manifest.stated(found))
    if made.wasm == wasm:
        return made
    return Made(reverified(made.wasm, wasm, spec, verify), made.report)


def reverified(made: bytes, given: bytes, spec: bytes, verify: Verify | None) -> bytes:
    """Verify a program of other bytes than those that were verified; return it with its report.

    Parameters
    ----------
    made : bytes
        The program that the registry compiled.
    given : bytes
        The program that the uploader verified.
    spec : bytes
        The ONNX file of both.
    verify : callable or None
        Compares a program with its model; without it, `made` is compared with the spec.

    Raises
    ------
    InvalidProgramError
        The two are programs of different specs.
    FidelityError
        `made` does not predict what the model predicts.
    """
    theirs, ours = manifest.read(made), manifest.read(given)
    for key in ("spec", "signature", "numeric_dtype"):
        if theirs.get(key) != ours.get(key):
            raise InvalidProgramError(
                f"the program and the spec that came with it have different entries {key!r}; "
                "upload the program together with its own spec"
            )
    if verify is None:
        from sclbl import fidelity

        report = fidelity.verify_program(made, spec)
    else:
        report = verify(made)
    return manifest.restate(made, {**manifest.stated(ours), "report": report.to_json()})


def warm() -> None:
    """Load what `recompile` needs and let LLVM set itself up, before it is called; no thread."""
    from sclbl.compiler import compile_spec
    from sclbl.fidelity import against_spec  # noqa: F401  # loads the runtime and the rows
    from sclbl.onnx_format import reader  # noqa: F401  # loads onnx
    from sclbl.signature import Column, Output, Signature
    from sclbl.spec import Graph, Node, Provenance, Spec, Value

    value = Value("numeric", "float64", (1,)), Value("predict", "float64", (1,))
    node = Node("Neg", (value[0].name,), (value[1].name,))
    graph = Graph(value[:1], value[1:], (node,), {}, {v.name: v for v in value})
    outputs = {"predict": Output("float64", "float64", 1, 1)}
    signature = Signature((Column(None, "float64"),), "array", outputs)
    compile_spec(Spec(graph, signature, Provenance("", {})))
