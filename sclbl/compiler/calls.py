"""Hold the calls of generated code to the kernels' own types.

LLVM links a call to a function of other types without a word, and what the program computes then is
anything. So each call is compared with the type that the C compiler gave the kernel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sclbl.errors import CompileError


@dataclass(frozen=True, slots=True)
class Call:
    """How generated code calls a kernel: the kernel's file, its name, and LLVM's types."""

    stem: str
    kernel: str
    result: str
    types: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.result} ({', '.join(self.types)})"


def check_calls(stem: str, kernels: Any, calls: Mapping[Call, str]) -> None:
    """Compare calls with the kernels of one file.

    Parameters
    ----------
    stem : str
        The file.
    kernels : llvmlite.binding.ModuleRef
        Its bitcode.
    calls : mapping of Call to str
        What generated code calls, in this file and others, and on whose behalf.

    Raises
    ------
    CompileError
        Where a kernel does not exist, or takes or returns something else.
    """
    for call, caller in calls.items():
        if call.stem != stem:
            continue
        try:
            takes = str(kernels.get_function(call.kernel).global_value_type)
        except NameError:
            raise CompileError(
                f"{caller} calls the kernel {call.kernel}, which {stem}.c does not define: "
                "a defect of sclbl"
            ) from None
        if takes != str(call):
            raise CompileError(
                f"{caller} calls the kernel {call.kernel} as {call}, but {stem}.c defines it as "
                f"{takes}: a defect of sclbl"
            )
