"""Programs by what makes them, kept from one run to the next and shared by test processes.

A program is a function of its spec, of the compiler's and the kernels' code and of LLVM's release;
a file named after the hash of all these holds it.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

import llvmlite

import sclbl
from sclbl.compiler import compile_spec
from sclbl.program import Program
from sclbl.spec import Spec

#: Where programs are kept; None: nowhere. The tests' configuration sets it.
folder: Path | None = None
#: Packages of sclbl that no compiler reads.
_APART = {"batch", "cli", "fidelity", "registry", "rows", "runtime", "server", "strippers", "web"}


@cache
def _compiler() -> bytes:
    """Return the hash of all that makes a program of a spec."""
    digest = hashlib.sha256(llvmlite.__version__.encode())
    root = Path(sclbl.__file__).parent
    for path in sorted((*root.rglob("*.py"), *root.rglob("*.bc"))):
        place = path.relative_to(root)
        if place.parts[0] not in _APART:
            digest.update(f"{place}".encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.digest()


def key(spec: Spec) -> str:
    """Return the hash of what makes a program, the order of a graph's parts included."""
    digest = hashlib.sha256(_compiler())
    graph = spec.graph
    for part in (spec.sha256, spec.source, list(graph.constants), graph.values, graph.outputs):
        digest.update(f"{part!r}\n".encode())
    return digest.hexdigest()


def compiled(spec: Spec) -> bytes:
    """Return the program of a spec, compiled where it is not kept."""
    if folder is None:
        return compile_spec(spec)
    path = folder / f"{key(spec)}.wasm"
    try:
        return path.read_bytes()
    except FileNotFoundError:
        wasm = compile_spec(spec)
        new = path.with_suffix(f".{os.getpid()}")
        new.write_bytes(wasm)
        new.replace(path)
        return wasm


def program_of(spec: Spec) -> Program:
    """Return the program of a spec, ready to run."""
    return Program(compiled(spec))
