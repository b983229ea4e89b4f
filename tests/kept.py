"""What the compiler made, kept from one run of the tests to the next and shared by their processes.

A program is a function of its spec, of the compiler's and the kernels' code and of LLVM's release;
LLVM's objects are one of the text they are made of. Files named after the hash of all that hold
them. What tests want afresh they ask for with the fixture `afresh`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from functools import cache, wraps
from pathlib import Path
from typing import Any

import llvmlite

import sclbl
from sclbl.compiler import compile_spec, llvm
from sclbl.program import Program
from sclbl.spec import Spec

#: Packages of sclbl that no compiler reads.
_APART = {"batch", "cli", "fidelity", "registry", "rows", "runtime", "server", "strippers", "web"}
#: Compilers whose results are kept: those of the oldest and the newest release, and one's last.
COMPILERS = 4
#: Where results are kept; None: nowhere.
folder: Path | None = None
real_build = llvm.build


def keep_in(root: Path, *, clean: bool) -> None:
    """Keep what is made in a folder under `root`; `clean`: delete what others made long ago."""
    global folder
    folder = root / _compiler().hex()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    folder.touch()
    llvm.build = build
    if clean:
        by_age = sorted(root.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in by_age[COMPILERS:]:
            shutil.rmtree(old, ignore_errors=True)


@cache
def _compiler() -> bytes:
    """Return the hash of all that makes a program of a spec."""
    digest = hashlib.sha256(llvmlite.__version__.encode())
    root = Path(sclbl.__file__).parent
    # Kernels by their source: what is compiled of it may be older when this is asked.
    kinds = ("*.py", "*.c", "*.h", "*.bc", "*.o")
    for path in sorted(path for kind in kinds for path in root.rglob(kind)):
        place = path.relative_to(root)
        if place.parts[0] not in _APART:
            digest.update(f"{place}".encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.digest()


def _kept(key: str, kind: str, make: Callable[[], bytes]) -> bytes:
    if folder is None:
        return make()
    path = folder / f"{key}.{kind}"
    try:
        return path.read_bytes()
    except FileNotFoundError:
        made = make()
        new = path.with_suffix(f".{os.getpid()}")
        new.write_bytes(made)
        new.replace(path)
        return made


def _said(value: Any) -> str:
    """Return a value in words that are the same in every process."""
    if isinstance(value, Mapping):
        return repr(sorted((_said(k), _said(v)) for k, v in value.items()))
    if isinstance(value, (set, frozenset)):
        return repr(sorted(map(_said, value)))
    return value if isinstance(value, str) else repr(value)


@wraps(real_build)
def build(*given: Any, **named: Any) -> bytes:
    """Return what LLVM makes of generated code, made where it is not kept."""
    digest = hashlib.sha256()
    for part in (*map(_said, given), _said(named)):
        digest.update(f"{len(part)}:{part}".encode())
    return _kept(digest.hexdigest(), "o", lambda: real_build(*given, **named))


def _key(spec: Spec) -> str:
    """Return the hash of a spec, the order of a graph's parts included."""
    digest, graph = hashlib.sha256(), spec.graph
    for part in (spec.sha256, spec.source, list(graph.constants), graph.values, graph.outputs):
        digest.update(f"{part!r}\n".encode())
    return digest.hexdigest()


def compiled(spec: Spec) -> bytes:
    """Return the program of a spec, compiled where it is not kept."""
    return _kept(_key(spec), "wasm", lambda: compile_spec(spec))


def program_of(spec: Spec) -> Program:
    """Return the program of a spec, ready to run."""
    return Program(compiled(spec))
