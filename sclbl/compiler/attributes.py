"""Give functions of an LLVM module attributes, with every supported llvmlite.

llvmlite 0.46 puts an attribute on the function's return value, where LLVM refuses it. There the
module is written out, the attributes are put into its text, and it is read again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import llvmlite.binding as llvm

_DEFINITION = re.compile(r'^(define [^@\n]*@"?([^"(\s]+)"?\(.*)\{$', re.MULTILINE)


@cache
def on_functions() -> bool:
    """Return whether this llvmlite puts a function's attribute on the function."""
    probe = llvm.parse_assembly("define i32 @f() { ret i32 0 }")
    probe.get_function("f").add_function_attribute("optsize")
    try:
        probe.verify()
    except RuntimeError:
        return False
    return True


def written(text: str, attributes: Mapping[str, tuple[str, ...]]) -> str:
    """Return LLVM assembly with attributes added to the functions that it defines."""

    def add(found: re.Match[str]) -> str:
        return " ".join([found[1].rstrip(), *attributes.get(found[2], ()), "{"])

    return _DEFINITION.sub(add, text)


def give(module: Any, attributes: Mapping[str, tuple[str, ...]]) -> Any:
    """Return the module with attributes on its functions; the one given is used up.

    Parameters
    ----------
    module : llvmlite.binding.ModuleRef
        Every function named in `attributes` is defined in it.
    attributes : mapping of str to tuple of str
        By function: ``alwaysinline``, ``noinline``, ``optsize``.
    """
    if not on_functions():
        return llvm.parse_assembly(written(str(module), attributes))
    for name, each in attributes.items():
        function = module.get_function(name)
        for attribute in each:
            function.add_function_attribute(attribute)
    return module
