"""What programs refuse, where they say it is, and what the compiler itself refuses."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from sclbl.compiler import compile_spec
from sclbl.errors import (
    InfiniteValueError,
    InputError,
    MissingValueError,
    OutOfRangeError,
    SpecError,
    UnknownCategoryError,
)
from sclbl.spec import Spec
from sclbl.strippers import ops
from sclbl.strippers.columns import Wire
from sclbl.strippers.graph import Builder
from tests.compiler.compiled import Compiled, builder, make_spec

#: Operators that refuse rows: a wire that does, what is wrong in a row, the error.
Refusal = tuple[str, float | str | None, type[InputError]]
REFUSALS: dict[str, Refusal] = {
    "nan": ("float64", np.nan, MissingValueError),
    "nan32": ("float32", np.nan, MissingValueError),
    "inf": ("float64", -np.inf, InfiniteValueError),
    "inf32": ("float32", np.inf, InfiniteValueError),
    "range": ("float64 in range", -7.5, OutOfRangeError),
    "range32": ("float32 in range", 8.5, OutOfRangeError),
    "unknown": ("int64", -1.0, UnknownCategoryError),
    "text": ("text", None, MissingValueError),
}


@cache
def refusing(dtype: str) -> Compiled:
    """A program whose methods check five columns in order, and two of them in another order."""
    if dtype == "text":
        build = builder(text=5)
        x = build.table().text()
        some = build.columns(x, [3, 1])
        return Compiled(
            build, {"all": build.refuse_missing_text(x), "some": build.refuse_missing_text(some)}
        )
    build = builder(5, "float32" if dtype.startswith("float32") else "float64")
    x = build.table().matrix()
    check = build.refuse_unknown
    if dtype == "int64":
        x = build.cast(x, "int64")
    elif dtype.endswith("in range"):

        def check(wire: Wire) -> Wire:
            return ops.refuse_outside(wire, -7.0, 8.0)

    else:

        def check(wire: Wire) -> Wire:
            return build.refuse(wire, nan=True)

    return Compiled(build, {"all": check(x), "some": check(build.columns(x, [3, 1]))})


# Within the first tile, at its edge, in the second, in a later chunk of rows; the last row.
@pytest.mark.parametrize("row", [0, 7, 255, 256, 300, 17_001, 19_999])
@pytest.mark.parametrize("case", REFUSALS)
def test_refusals_name_row_and_column(case: str, row: int) -> None:
    dtype, bad, error = REFUSALS[case]
    program = refusing(dtype)
    if dtype == "text":
        rows = np.full((20_000, 5), "fine", dtype=object)
    else:
        rows = np.ones((20_000, 5), dtype="float64" if dtype == "int64" else dtype.split()[0])
    given = (None, rows) if dtype == "text" else (rows,)
    for column in (1, 3):
        rows[row, column] = bad
    for method, first in (("all", 1), ("some", 3)):
        with pytest.raises(error, match=rf"^row {row}, column '{first}' ") as refused:
            program.run(method, *given)
        assert (refused.value.row, refused.value.column) == (row, str(first))
        with pytest.raises(error) as defined:
            program.expected(*given)
        assert defined.value.row == row
    # The program goes on: once the value is mended, the same instance answers.
    for column in (1, 3):
        rows[row, column] = "fine" if dtype == "text" else 1
    assert len(program.run("all", *given)) == 20_000


def test_a_check_for_one_of_nan_and_infinity_lets_the_other_through() -> None:
    build = builder(3)
    x = build.table().matrix()
    program = Compiled(
        build, {"nan": build.refuse(x, nan=True, inf=False), "inf": build.refuse(x, nan=False)}
    )
    rows = np.ones((20, 3))
    rows[13, 1] = np.inf
    assert np.isposinf(program.run("nan", rows)[13, 1])
    with pytest.raises(InfiniteValueError, match=r"^row 13, column '1' is infinite"):
        program.run("inf", rows)
    rows[13, 1] = np.nan
    assert np.isnan(program.run("inf", rows)[13, 1])
    with pytest.raises(MissingValueError, match=r"^row 13, column '1' is missing"):
        program.run("nan", rows)


def test_a_later_check_stands_for_an_earlier_one() -> None:
    """The simplified graph refuses what the graph refuses; a result in between is checked too."""
    build = builder(2)
    x = build.refuse(build.table().matrix(), nan=True)
    scaled = build.div(build.sub(x, np.array([1.0, 2.0])), np.array([3.0, 4.0]))
    last = build.refuse(scaled, nan=True)
    zeroed = build.refuse(build.mul(x, 0.0), nan=True)
    program = Compiled(build, {"last": last, "between": scaled, "zeroed": zeroed, "first": x})
    for bad, error in ((np.nan, MissingValueError), (np.inf, InfiniteValueError)):
        rows = np.array([[1.0, 2.0], [3.0, bad]])
        for method in ("last", "between", "zeroed", "first"):
            with pytest.raises(error, match=r"^row 1, column '1' is "):
                program.run(method, rows)


def spec_of(build: Builder, wire: Wire, method: str = "predict") -> Spec:
    return make_spec(build, {method: wire})


def test_unknown_operator() -> None:
    build = builder(1)
    x = build.table().matrix()
    with pytest.raises(TypeError, match=r"operator Nonsense is not supported; supported are Abs, "):
        build.node("Nonsense", [x])
    spec = spec_of(build, build.unary("Exp", x))
    nodes = [replace(n, op="Nonsense") if n.op == "Exp" else n for n in spec.graph.nodes]
    with pytest.raises(
        SpecError, match=r"operator Nonsense .*is not supported; supported are Abs, "
    ):
        compile_spec(replace(spec, graph=replace(spec.graph, nodes=tuple(nodes))))


@pytest.mark.parametrize("name", ["memory", "alloc", "reset", "error"])
def test_reserved_method_names(name: str) -> None:
    build = builder(1)
    with pytest.raises(SpecError, match=f"cannot be called '{name}'; rename the output"):
        compile_spec(spec_of(build, build.table().matrix(), name))


@pytest.mark.parametrize("number", [2**31, -(2**31) - 1])
@pytest.mark.parametrize("which", ["values", "default"])
def test_a_lookup_of_numbers_beyond_32_bits(which: str, number: int) -> None:
    build = builder(1)
    wide = {"values": [number]} if which == "values" else {"values": [1], "default": number}
    wire = build.lookup(build.table().matrix(), [1.0], **wide)
    with pytest.raises(SpecError, match="must fit 32 bits; number its keys from 0"):
        compile_spec(spec_of(build, wire))


def test_a_lookup_with_a_text_twice() -> None:
    build = builder(text=1)
    wire = build.lookup(build.table().text(), ["a", "b", "a"])
    with pytest.raises(SpecError, match="the same text key twice; give each key once"):
        compile_spec(spec_of(build, wire))


def test_the_last_of_equal_keys_counts() -> None:
    build = builder(1)
    wire = build.lookup(build.table().matrix(), [0.0, 1.0, -0.0, 1.0], values=[5, 6, 7, 8])
    program = Compiled(build, {"predict": wire})
    rows = np.array([[0.0], [-0.0], [1.0], [2.0]])
    np.testing.assert_array_equal(program.run("predict", rows), [[7], [7], [8], [-1]])
    np.testing.assert_array_equal(program.expected(rows)["predict"], [[7], [7], [8], [-1]])


def test_gather_beyond_the_columns() -> None:
    build = builder(3)
    wire = build.columns(build.table().matrix(), [0, 2])
    spec = spec_of(build, wire)
    (name,) = spec.graph.constants
    wrong = replace(spec.graph, constants={name: np.array([0, 3])})
    with pytest.raises(SpecError, match="takes column 3 of a tensor of 3"):
        compile_spec(replace(spec, graph=wrong))


def test_values_that_the_operators_do_not_give() -> None:
    build = builder(3)
    spec = spec_of(build, build.columns(build.table().matrix(), [0, 2]))
    values = {n: replace(v, shape=(2,)) for n, v in spec.graph.values.items()}
    with pytest.raises(SpecError, match="are not those that its operators give"):
        compile_spec(replace(spec, graph=replace(spec.graph, values=values)))
