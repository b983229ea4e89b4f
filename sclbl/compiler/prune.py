"""Cut files of kernels down to what is called of them.

Most of what LLVM would read for a program are kernels that the program does not have. What is left
of a file for a set of calls is remembered, so that a process that compiles a model like one before
reads that alone.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import llvmlite.binding as llvm

from sclbl.kernels import build

#: What is left of files, by the sets of functions that were called: some kilobytes each.
REMEMBERED = 512


@dataclass(slots=True)
class _File:
    """A file of kernels: what it defines, what it calls of others, and what was left of it."""

    code: bytes
    defined: frozenset[str]
    called: frozenset[str]
    left: OrderedDict[frozenset[str], bytes] = field(default_factory=OrderedDict)


_files: dict[str, _File] = {}


def internalize(module: Any, keep: Collection[str]) -> None:
    """Let a function go where nothing calls it, unless it is kept."""
    for function in module.functions:
        if not function.is_declaration and function.name not in keep:
            function.linkage = "internal"


def drop_unused(module: Any, passes: Any) -> None:
    """Drop the internal functions that nothing calls."""
    manager = llvm.create_new_module_pass_manager()
    manager.add_global_dead_code_eliminate_pass()
    manager.run(module, passes)


def kernels(
    code: Any, stems: Iterable[str], keep: Collection[str], passes: Any
) -> list[tuple[str, Any]]:
    """Return modules of kernels with what generated code calls of them, and what that calls.

    Parameters
    ----------
    code : llvmlite.binding.ModuleRef
        The generated code.
    stems : iterable of str
        The files.
    keep : collection of str
        Functions that stay, called or not.
    passes : llvmlite.binding.PassBuilder
        Of the target.

    Returns
    -------
    list of (str, llvmlite.binding.ModuleRef)
        In order of the stems.
    """
    bitcode = build.kernels(sorted(stems))
    files = {stem: _file(stem, raw) for stem, raw in bitcode.items()}
    called = _functions(code, declared=True).union(keep, *(f.called for f, _ in files.values()))
    return [
        (stem, _left(file, module, file.defined & called, passes))
        for stem, (file, module) in files.items()
    ]


def _functions(module: Any, *, declared: bool) -> frozenset[str]:
    return frozenset(f.name for f in module.functions if f.is_declaration == declared)


def _file(stem: str, code: bytes) -> tuple[_File, Any]:
    """Return a file of kernels, and its module where it had to be read."""
    known = _files.get(stem)
    if known is not None and known.code == code:
        return known, None
    module = llvm.parse_bitcode(code)
    defined, called = (_functions(module, declared=d) for d in (False, True))
    known = _files[stem] = _File(code, defined, called)
    return known, module


def _left(file: _File, module: Any, called: frozenset[str], passes: Any) -> Any:
    left = file.left.get(called)
    if left is None:
        module = module or llvm.parse_bitcode(file.code)
        internalize(module, called)
        drop_unused(module, passes)
        left = file.left[called] = bytes(module.as_bitcode())
        if len(file.left) > REMEMBERED:
            file.left.popitem(last=False)
    return llvm.parse_bitcode(left)
