"""Attributes of functions, with llvmlite's own call and through the module's text."""

from __future__ import annotations

import llvmlite.binding as llvm
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import sclbl
from sclbl.compiler import attributes, compile_spec

CODE = """
declare i32 @elsewhere(i32)
define i32 @plain(i32 %x) {
  ret i32 %x
}
define internal i32 @marked(i32 %x) #0 {
  %y = call i32 @plain(i32 %x)
  ret i32 %y
}
define void @"wide"(ptr %x, i32 %n) {
  ret void
}
attributes #0 = { nounwind }
"""


def test_the_text_of_a_definition_gets_attributes() -> None:
    given = {"plain": ("noinline", "optsize"), "marked": ("alwaysinline",), "wide": ()}
    lines = attributes.written(CODE, given).splitlines()
    assert "define i32 @plain(i32 %x) noinline optsize {" in lines
    assert "define internal i32 @marked(i32 %x) #0 alwaysinline {" in lines
    assert 'define void @"wide"(ptr %x, i32 %n) {' in lines
    assert "declare i32 @elsewhere(i32)" in lines
    llvm.parse_assembly("\n".join(lines)).verify()


def test_both_ways_make_the_same_program(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).normal(size=(40, 3))
    spec = sclbl.strip(LogisticRegression().fit(x, x[:, 0] > 0), x[:2])
    programs = []
    for way in (attributes.on_functions(), False):
        monkeypatch.setattr(attributes, "on_functions", lambda way=way: way)
        programs.append(compile_spec(spec))
    assert programs[0] == programs[1]
