"""Calls of kernels, held to the kernels' own types; the shape of generated code."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from sclbl import compiler
from sclbl.compiler import compile_spec, llvm
from sclbl.compiler.calls import Call
from sclbl.compiler.emit import Emitter
from sclbl.errors import CompileError
from sclbl.spec import Spec
from tests.compiler.compiled import builder, make_spec
from tests.compiler.test_linker import mixed_spec

TAKES = r"linear\.c defines it as void \(ptr, ptr, ptr, ptr, i32, i32\): a defect of sclbl"


def product() -> Spec:
    build = builder(3)
    return make_spec(build, {"predict": build.matmul(build.table().matrix(), np.ones((3, 1)))})


@pytest.mark.parametrize(
    ("change", "given"),
    [
        (lambda args: args[:-1], r"void \(ptr, ptr, ptr, ptr, i32\)"),
        (lambda args: (*args, "i32 0"), r"void \(ptr, ptr, ptr, ptr, i32, i32, i32\)"),
        (lambda args: (*args[:-1], "i64 3"), r"void \(ptr, ptr, ptr, ptr, i32, i64\)"),
        (lambda args: (args[-1], *args[1:-1], args[0]), r"void \(i32, ptr, ptr, ptr, i32, ptr\)"),
    ],
)
def test_wrong_arguments(
    change: Callable[[tuple[str, ...]], tuple[str, ...]],
    given: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    right = Emitter.call

    def wrong(self: Emitter, kernel: str, *args: str) -> None:
        right(self, kernel, *change(args))

    monkeypatch.setattr(Emitter, "call", wrong)
    message = f"the operator MatMul calls the kernel linear_dot_f64 as {given}, but {TAKES}"
    with pytest.raises(CompileError, match=message):
        compile_spec(product())


def test_a_result_that_a_kernel_does_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Emitter, "call", Emitter.refuse)
    given = r"i32 \(ptr, ptr, ptr, ptr, i32, i32\)"
    with pytest.raises(CompileError, match=f"linear_dot_f64 as {given}, but {TAKES}"):
        compile_spec(product())


def test_a_kernel_that_a_file_does_not_have() -> None:
    code = "declare void @linear_none()\ndefine void @f() {\n  ret void\n}"
    calls = {Call("linear", "linear_none", "void", ()): "the operator Conv"}
    message = r"the operator Conv calls the kernel linear_none, which linear\.c does not define"
    with pytest.raises(CompileError, match=message):
        llvm.build(code, ["linear"], ["f"], calls=calls)


def test_every_call_of_generated_code_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    built = []
    real = llvm.build

    def build(code: str, stems: set[str], *rest: object, **more: object) -> bytes:
        built.append((code, rest[-1]))
        return real(code, stems, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(compiler.llvm, "build", build)
    compile_spec(mixed_spec())
    ((code, calls),) = built
    assert isinstance(calls, dict)
    called = set(re.findall(r"call \w+ @(\w+)\(", code))
    own = set(re.findall(r"^define [^@]*@(\w+)\(", code, re.MULTILINE))
    assert called - own == {c.kernel for c in calls} - own
    assert {c.kernel for c in calls} & own == {"program_tile"}
    # Loops and values that depend on a way taken are C's.
    assert " phi " not in code
