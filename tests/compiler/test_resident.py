"""Kernels that stand in programs as they are: only those that are reached, called as they are."""

from __future__ import annotations

import re

import numpy as np
import pytest

from sclbl.compiler import compile_spec, llvm
from sclbl.compiler.calls import Call
from sclbl.compiler.object import parse
from sclbl.compiler.resident import complete
from sclbl.errors import CompileError, MissingValueError
from sclbl.kernels import build as kernels
from sclbl.program import Program
from tests.compiler.compiled import builder, make_spec

CODE = """declare i32 @abi_one_row(i32)
@sclbl_error = external global i8, align 4
define i32 @f(i32 %x) {
  %code = call i32 @abi_one_row(i32 %x)
  ret i32 %code
}
"""


def test_a_program_holds_the_functions_that_it_reaches() -> None:
    made = complete(parse(llvm.build(CODE, ["abi"], ["f"])), ["f"])
    assert len(made.functions) == len(made.bodies) == 2
    made = complete(parse(llvm.build(CODE, ["abi"], ["f"])), ["f", "abi_alloc", "abi_reset"])
    assert len(made.functions) == len(made.bodies) == 4
    # Of what `alloc` hands out, one number is kept: it stands once.
    assert [len(s.content) for s in made.segments] == [4]


def test_refusals_cost_nothing_where_there_are_none() -> None:
    build = builder(2)
    x = build.table().matrix()
    without = compile_spec(make_spec(build, {"transform": build.add(x, x)}))
    build = builder(2)
    x = build.refuse(build.table().matrix(), nan=True)
    with_one = compile_spec(make_spec(build, {"transform": build.add(x, x)}))
    assert 300 < len(with_one) - len(without) < 1000


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (Call("abi", "abi_no", "i32", ("i32",)), r"abi_no, which abi\.c does not define"),
        (Call("abi", "abi_one_row", "void", ("i32",)), r"as void \(i32\), but abi\.c defines it"),
        (Call("abi", "abi_one_row", "i32", ("i64",)), r"as i32 \(i64\), but abi\.c defines it"),
        (Call("abi", "abi_one_row", "i32", ()), r"as i32 \(\), but abi\.c defines it"),
    ],
)
def test_wrong_calls(call: Call, message: str) -> None:
    with pytest.raises(CompileError, match=f"an operator calls the kernel .*{message}"):
        llvm.build(CODE, ["abi"], ["f"], calls={call: "an operator"})


def test_files_that_are_resident_have_objects() -> None:
    made = kernels.kernels(sorted(kernels.RESIDENT))
    assert all(code.startswith(b"\0asm") for code in made.values())
    assert {s.stem for s in kernels.sources()} > kernels.RESIDENT
    names = {s.name for code in made.values() for s in parse(code).symbols}
    assert {"abi_alloc", "program_call", "refuse_f64"} <= names
    # Their data hold no address, and nothing of theirs needs a stack.
    assert not any(re.match(r"__stack", name) for name in names)
    assert not any(parse(code).data_relocations for code in made.values())


def test_what_is_refused_is_refused_in_every_type() -> None:
    for kind in (np.float64, np.float32):
        build = builder(3, kind=kind.__name__)  # type: ignore[arg-type]
        x = build.refuse(build.table().matrix(), nan=True)
        program = Program(compile_spec(make_spec(build, {"transform": build.add(x, x)})))
        rows = np.arange(60, dtype=kind).reshape(20, 3)
        np.testing.assert_array_equal(program.transform(rows), rows + rows)
        rows[17, 1] = np.nan
        with pytest.raises(MissingValueError, match="row 17, column '1' is missing"):
            program.transform(rows)
