"""Every operator that the compiler knows, compiled, beside the definition in sclbl.reference."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from sclbl.errors import SpecError
from sclbl.ops import OPS
from sclbl.ops.record import Operand
from sclbl.strippers.columns import Wire
from sclbl.strippers.graph import Builder
from tests.compiler.compiled import Compiled, blocks, builder
from tests.compiler.operator_cases import ALL, CASES, INTEGERS, Operands

WIDTHS = (1, 2, 3, 7, 30, 64)
#: Element-wise functions see the number of cells only.
CELLS = (1, 3, 30)
#: The kernels of narrow types are those of wide ones, with another type.
NARROW = (3, 30)
#: Written with vectors, whose remainders differ with the type.
BY_VECTOR = frozenset(("Add", "Sub", "Mul", "Div", "MatMul"))
BY_CELL = frozenset(("Cast", *(op.name for op in OPS.values() if op.form == "element-wise")))
ROWS = (1, 7, 8, 9, 15, 16, 17, 255, 256, 257, 1000)
TEXTS = np.array([None, "", "a", "ab", "é", "日本", "long" * 20, "longer" * 40, "b"], dtype=object)


def specials(dtype: str) -> np.ndarray:
    info = np.finfo(dtype)
    tiny, huge = info.smallest_subnormal, info.max
    pool = [np.nan, np.inf, 0.0, 1.0, 0.5, tiny, info.tiny, info.tiny / 4, huge, huge / 4, 1e30]
    with np.errstate(over="ignore"):  # 1e30 is too large for float16
        both = np.array([*pool, 1 - info.epsneg, 1 + info.eps], dtype=np.float64).astype(dtype)
    return np.concatenate([both, -both])


def numbers(rows: int, width: int, dtype: str, seed: int = 0) -> np.ndarray:
    """Return rows of ordinary numbers, of probabilities, and rows with one special number or more.

    Most rows hold no special number, so that sums of wide rows are tested as well.
    """
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, width)) * 10.0 ** rng.uniform(-3, 3, size=(rows, width))
    kind = rng.integers(10, size=(rows, 1))
    x = np.where(kind == 0, rng.random((rows, width)), x)
    x = np.where(kind == 1, rng.integers(-3, 4, size=(rows, width)), x).astype(dtype)
    share = rng.choice([0.0, 1 / width, 1.0], p=[0.6, 0.3, 0.1], size=(rows, 1))
    chosen = rng.random((rows, width)) < share
    x[chosen] = rng.choice(specials(dtype), size=int(chosen.sum()))
    return x


def integers(rows: int, width: int, dtype: str) -> np.ndarray:
    """Return rows of small numbers, of any numbers of a type, and of its ends, as float64."""
    rng = np.random.default_rng(1)
    limits = np.iinfo(dtype)
    x = rng.integers(max(limits.min, -4), 20, size=(rows, width)).astype(np.float64)
    kind = rng.integers(10, size=(rows, width))
    spread = rng.integers(limits.min, limits.max, size=(rows, width), dtype=dtype, endpoint=True)
    x = np.where(kind < 2, spread.astype(np.float64), x)
    # Infinities become the ends.
    ends = [2.0**53, 2.0**31, 2.0**32, float(limits.min), limits.max // 2 + 1.0, np.inf, -np.inf]
    return np.where(kind == 2, rng.choice(ends, size=(rows, width)), x)


@cache
def inputs(dtype: str, width: int) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return 1,000 rows for operands of a type: numbers and text."""
    if dtype == "text":
        rng = np.random.default_rng(2)
        return None, TEXTS[rng.integers(len(TEXTS), size=(ROWS[-1], 2 * width))]
    if dtype in INTEGERS:
        return integers(ROWS[-1], 2 * width, dtype), None
    if dtype == "bool":
        return np.random.default_rng(3).normal(size=(ROWS[-1], 2 * width)), None
    if dtype == "float16":
        return numbers(ROWS[-1], 2 * width, dtype).astype(np.float64), None
    return numbers(ROWS[-1], 2 * width, dtype), None


def operands(dtype: str, width: int) -> Operands:
    """Return a graph whose operands have this type and width."""
    if dtype == "text":
        build = builder(text=2 * width)
        both = build.table().text()
    else:
        build = builder(2 * width, "float32" if dtype == "float32" else "float64")
        both = build.table().matrix()
        if dtype in INTEGERS or dtype == "float16":
            both = build.cast(both, dtype)
        if dtype == "bool":
            both = build.binary("Greater", both, 0.0)
    x, y = build.columns(both, range(width)), build.columns(both, range(width, 2 * width))
    if dtype == "text":
        flag = build.binary("Equal", x, np.array(["a"], dtype=object))
    else:
        flag = y if dtype == "bool" else build.binary("Greater", y, np.zeros(1))
    return Operands(build, both.dtype, x, y, build.columns(both, [0]), flag)


class Group:
    """One program for a share of the operators on operands of one type and width."""

    def __init__(self, dtype: str, width: int, ops: tuple[str, ...]) -> None:
        made = operands(dtype, width)
        wires: dict[str, Wire] = {}
        self.outputs: dict[str, list[str]] = {}
        for op in ops:
            for i, wire in enumerate(CASES[op].make(made)):
                name = f"{op.replace('.', '_')}_{i}"
                wires[name] = wire
                self.outputs.setdefault(op, []).append(name)
        self.compiled = Compiled(made.build, wires)
        self.numeric, self.text = inputs(dtype, width)
        self.expected = self.compiled.expected(self.numeric, self.text)
        self.blocks = {rows: blocks(*self.last(rows)) for rows in ROWS}

    def last(self, rows: int) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Return the last rows of the inputs."""
        numeric = None if self.numeric is None else self.numeric[-rows:]
        return numeric, None if self.text is None else self.text[-rows:]


def widths(op: str, dtype: str) -> tuple[int, ...]:
    if dtype not in ("float64", "float32", "int64", "bool", "text"):
        return NARROW
    if dtype == "text" or op in BY_CELL or op.startswith("sclbl."):
        return CELLS
    return WIDTHS if dtype == "float64" or op in BY_VECTOR else CELLS


@cache
def group(dtype: str, width: int, share: int) -> Group:
    return Group(dtype, width, _shares(dtype, width)[share])


def _shares(dtype: str, width: int) -> list[tuple[str, ...]]:
    """Split operators over programs, so that none has hundreds of methods."""
    ops = [op for op, case in CASES.items() if dtype in case.types and width in widths(op, dtype)]
    return [tuple(ops[i : i + 30]) for i in range(0, len(ops), 30)]


def _group_of(op: str, dtype: str, width: int) -> Group:
    share = next(i for i, ops in enumerate(_shares(dtype, width)) if op in ops)
    return group(dtype, width, share)


def test_every_operator_has_a_case() -> None:
    # Those on rows of varying length have cases of their own, in test_ragged.py.
    of_items = {name for name, op in OPS.items() if op.ragged} - {"Identity"}
    # That of whole texts is in test_tokens.py.
    assert set(CASES) == set(OPS) - of_items - {"sclbl.FoldText"}


@pytest.mark.parametrize(
    ("op", "dtype"), [(op, dtype) for op, case in CASES.items() for dtype in case.types]
)
def test_operator(op: str, dtype: str) -> None:
    compare = CASES[op].compare
    for width in widths(op, dtype):
        made = _group_of(op, dtype, width)
        for name in made.outputs[op]:
            want = made.expected[name]
            for rows in ROWS:
                got = made.compiled.run_blocks(name, made.blocks[rows])
                last, numeric = want[-rows:], made.last(rows)[0]
                x = last if numeric is None else numeric[:, :width]
                if want.dtype.kind != "f":
                    np.testing.assert_array_equal(got, last)
                else:
                    compare(got, last, x)


@pytest.mark.parametrize("op", sorted(CASES))
def test_compiles_every_type_that_the_format_takes(op: str) -> None:
    case = CASES[op]
    for dtype in ALL:
        if dtype in case.types:
            continue
        known = operands(case.types[0], 3)
        names = {w.name for w in case.make(known)}
        nodes = [n for n in known.build.finish(_outputs(known, names)).nodes if n.op == op]
        for node in nodes:
            given = [_operand(known.build, name, dtype, case.types[0]) for name in node.inputs]
            if any(g.constant is not None and g.dtype == "float64" for g in given):
                continue
            with pytest.raises(SpecError):
                OPS[op].infer(node, given)


def _outputs(known: Operands, names: set[str]) -> dict[str, Wire]:
    values = known.build._values
    return {f"o{i}": Wire(n, values[n].dtype, values[n].width, ()) for i, n in enumerate(names)}


def _operand(build: Builder, name: str, dtype: str, instead: str) -> Operand:
    """Describe an input of a node, with another element type where it had `instead`."""
    if name in build._values:
        value = build._values[name]
        return Operand(dtype if value.dtype == instead else value.dtype, value.width)
    array = build._constants[name]
    if array.dtype.name == instead:
        array = array.astype(object if dtype == "text" else dtype)
    return Operand("text" if array.dtype == object else array.dtype.name, array.shape[-1], array)
