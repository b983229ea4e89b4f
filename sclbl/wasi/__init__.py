"""A program as a command: a WASI module that reads rows from stdin and writes what it predicts.

It is a file of its own, beside the program: it imports WASI's functions, so registries, servers and
`sclbl.load` do not take it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sclbl.compiler.command import compile_command
from sclbl.errors import SpecError
from sclbl.methods import default_method
from sclbl.program import Program
from sclbl.wasi.tables import tables

if TYPE_CHECKING:
    from sclbl.deployment import Deployment
    from sclbl.signature import Signature


def command(program: Program | Deployment) -> bytes:
    """Return a program as a WASI command.

    Parameters
    ----------
    program : Program or Deployment
        A program of tables, with its spec: from `sclbl.compile`, or a version in a registry.

    Returns
    -------
    bytes
        A module of WASI preview 1, which reads CSV or NDJSON and writes what ``sclbl run`` writes.

    Raises
    ------
    SpecError
        The program came without its spec, takes more than a table, or returns what is none.
    """
    source = program
    if not isinstance(program, Program):
        if not hasattr(program, "program"):
            raise SpecError(
                f"a command is made of a program, and {type(program).__name__} is none; give what "
                "sclbl.compile, sclbl.load of a ref or sclbl.get return"
            )
        program = program.program
    signature = program.signature
    _check(signature)
    methods = [name for name, output in signature.outputs.items() if output.is_plain]
    if not methods:
        raise SpecError(
            f"no method of {program!r} returns a table of results, which a command writes; run it "
            "with `sclbl run` or a host of docs/abi.md"
        )
    spec = source.spec
    if spec is None:
        raise SpecError(
            f"{program!r} came without its spec, of which a command is compiled; give the model, "
            "its .onnx spec, or a ref of a registry"
        )
    if spec.sha256 != program.manifest.get("spec"):
        raise SpecError(
            f"{program!r} was compiled from the spec {program.manifest.get('spec')}, and carries "
            f"{spec.sha256}; compile the model again"
        )
    about = {"spec": spec.sha256, "program": program.sha256, "methods": methods}
    written = tables(signature, methods, default_method(methods), program.module.chunk)
    return compile_command(spec, methods, written, json.dumps(about).encode())


def _check(signature: Signature) -> None:
    """Raise where a model takes what no line of CSV holds."""
    what = ""
    if signature.beside:
        what = f"{signature.beside[0].kind} rows ({signature.beside[0].name!r})"
    elif signature.one_row or signature.shape is not None:
        what = f"rows of shape {signature.shape}"
    if what or not signature.columns:
        raise SpecError(
            f"a command reads tables, and this model takes {what or 'no table'}; run its program "
            "with `sclbl run`, or in a host of docs/abi.md"
        )
