"""What the project knows about an operator: one record, an `Op`.

The builder, the reader of files, the reference interpreter, the compiler, the conformance tests and
the table in the docs all read these records; nothing else spells what an operator takes, means or
becomes. A family of operators is one file beside this one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, cast

import numpy as np

from sclbl.errors import SpecError
from sclbl.shapes import elements
from sclbl.signature import DType, Ragged
from sclbl.spec import Node

Array = np.ndarray[Any, Any]
Attrs = Mapping[str, Any]
#: Sets of element types.
Types = frozenset[str]

FLOATS: Types = frozenset(("float32", "float64"))
NUMBERS: Types = FLOATS | {"int64"}
BOOL: Types = frozenset(("bool",))
SIGNED: Types = frozenset(("int8", "int16", "int32", "int64"))
INTEGERS: Types = SIGNED | {"uint8", "uint16", "uint32", "uint64"}
#: float16 is computed in float32 and rounded after each operation.
HALVES: Types = FLOATS | {"float16"}
#: All numbers; integers wrap around.
EVERY: Types = HALVES | INTEGERS
#: ONNX's number of each element type (TensorProto.DataType).
ELEMENTS: Mapping[str, int] = {
    "float32": 1,
    "uint8": 2,
    "int8": 3,
    "uint16": 4,
    "int16": 5,
    "int32": 6,
    "int64": 7,
    "text": 8,
    "bool": 9,
    "float16": 10,
    "float64": 11,
    "uint32": 12,
    "uint64": 13,
}
#: What a tensor in the middle of a graph may hold; labels only ever come out.
PLAIN: Types = EVERY | {"bool", "text"}
ANY: Types = PLAIN | {"label"}


@dataclass(frozen=True, slots=True)
class Operand:
    """An input of an operator: a tensor of the graph with the shape of a row, or a constant."""

    dtype: str
    shape: tuple[int, ...]
    constant: Array | None = None
    ragged: Ragged | None = None

    @property
    def width(self) -> int:
        """Elements of a row; of a constant, those along its last axis."""
        if self.constant is None:
            return elements(self.shape)
        return self.shape[-1] if self.shape else 1


class Emitter(Protocol):
    """What a lowering calls: kernels, on tiles of rows, with weights beside them.

    Addresses and numbers are arguments of LLVM assembly (``ptr @b0``, ``i32 3``), opaque here.
    """

    #: The most rows that a tile has.
    most_rows: int

    def dtype(self, name: str) -> str:
        """Return the element type of a tensor or constant."""

    def suffix(self, name: str) -> str:
        """Return how kernels call that type."""

    def item(self, name: str) -> int:
        """Return the bytes of one element."""

    def shape(self, name: str) -> Shape:
        """Return the shape of a row of a tensor, or that of a constant."""

    def width(self, name: str) -> int:
        """Return the elements of a row of a tensor, or of a constant along its last axis."""

    def constant(self, name: str) -> Array | None:
        """Return a constant's values; None for a tensor with rows."""

    def maker(self, name: str) -> Node | None:
        """Return the node that makes a tensor; None for an input or a constant."""

    def pointer(self, name: str) -> str:
        """Return the address of a tensor's tile, or of a constant."""

    def cells(self, width: int) -> str:
        """Return the number of cells of a tile of `width` columns."""

    def output(self, node: Node, index: int = 0) -> str:
        """Reserve the buffer of one of a node's results and return its address."""

    def ragged(self, node: Node, index: int = 0) -> str:
        """Reserve what tells where a tile of a ragged result lies, and return its address."""

    def growing(self, count: int = 1) -> str:
        """Return the address of records of blocks that grow while a call runs (``growing``)."""

    def alias(self, node: Node) -> None:
        """Let a node's result be its first input's tile."""

    def scratch(self, row_bytes: int) -> str:
        """Reserve a buffer of `row_bytes` for each row of a tile."""

    def workspace(self, size: int) -> str:
        """Reserve `size` bytes that hold nothing before and after the node."""

    def weight(self, array: Array, alignment: int = 16) -> str:
        """Add constant bytes to the program and return their address."""

    def reserve(self, size: int, alignment: int = 16) -> str:
        """Add zeroed memory to the program and return its address."""

    def offset(self, block: str, distance: int) -> str:
        """Return the address `distance` bytes into a reserved block."""

    def call(self, kernel: str, *args: str) -> None:
        """Call a kernel; its file is named after the part before the first underscore."""

    def refuse(self, kernel: str, *args: str) -> None:
        """Call a kernel that may refuse rows."""

    def function(self, parameters: str, kernel: str, *args: str) -> str:
        """Add a function that calls a kernel, never inlined, and return its address."""

    def at_start(self, kernel: str, *args: str) -> None:
        """Call a kernel when the program is instantiated."""


class Body(Protocol):
    """A function of an ONNX file under construction, in standard operators.

    Its inputs are called ``x`` (and ``start``).
    """

    def op(self, op: str, *inputs: str, **attrs: Any) -> str:
        """Add an operator (its domain in front, where it has one); return its result's name."""

    def several(self, op: str, count: int, *inputs: str, **attrs: Any) -> list[str]:
        """Add an operator of several results and return their names."""

    def tensor(self, values: Any, dtype: Any = None) -> str:
        """Add a constant as it is."""

    def number(self, value: float) -> str:
        """Add a number in the type of ``x``."""


class Reading(Protocol):
    """A file of another tool while it is read; inputs and outputs are names of tensors."""

    #: The results of the node that is read; the first is also given to its `Read`.
    outputs: list[str]
    #: How many rows the file's input has, where it says so.
    rows: int | None
    #: Axes of a file's tensors in front of a row's: 1, the rows; 0 where a tensor is one row.
    lead: int
    #: The version of the standard operators.
    opset: int
    #: Columns that the file holds as rows, until a Reshape makes columns of them.
    lying: set[str]

    def array(self, inputs: list[str], index: int, op: str) -> Array:
        """Return an input that must be a constant."""

    def shape(self, name: str, op: str) -> Shape:
        """Return the shape of a row of an input that must be a tensor."""

    def constant(self, values: Any, dtype: Any) -> str:
        """Add a constant and return its name."""

    def node(self, op: str, inputs: list[str], *outputs: str, **attrs: Any) -> None:
        """Add an operator."""

    def keep(self, name: str, values: Array) -> None:
        """Let a name of the file be a constant."""

    def is_constant(self, name: str) -> bool:
        """Return whether an input is a constant."""

    def dtype(self, name: str) -> str:
        """Return the element type of a tensor or constant."""


Shape = tuple[int, ...]
#: Element type and row shape of each output, and how it holds its items where it is ragged.
Typed = Sequence[tuple[DType, Shape] | tuple[DType, Shape, Ragged]]
Infer = Callable[[Node, Sequence[Operand]], Typed]
#: Arrays, and ragged rows (`sclbl.ops.ragged.Items`).
Define = Callable[..., Any]
Lower = Callable[[Emitter, Node], None]
Read = Callable[[Reading, list[str], str, dict[str, Any]], None]

#: What an operator does to the values that pass through it, for those who follow columns through a
#: graph: hand them on one by one, choose among them, join them, move and scale them, compare them,
#: look them up, walk trees over them, take texts apart, end in labels.
Role = Literal[
    "passes", "chooses", "joins", "selects", "moves", "compares", "finds", "trees", "reads",
    "labels", "",
]  # fmt: skip

Form = Literal["element-wise", "two operands", "reduction", ""]


@dataclass(frozen=True, slots=True)
class Op:
    """One operator.

    Parameters
    ----------
    name : str
        As in ONNX, with its domain in front where it is not the default one.
    infer : callable
        ``(node, operands) → [(element type, shape of a row), …]``, one an output; raises
        `SpecError` for what it does not take.
    define : callable
        ``(attrs, *arrays) → array``, a tuple of them where there are several outputs: the meaning,
        in NumPy. Plain and slow is right.
    lower : callable
        ``(emitter, node)``: writes the kernel calls.
    takes : set of str
        Element types of its first operand, for the docs and the tests.
    body : callable, optional
        For the domain ``sclbl``: writes the function of standard operators that stands for it in
        files, ``(body, node)``, and returns the name of its result.
    private : bool
        Whether each node has a function of its own, because constants of the node are in it.
    read : callable, optional
        How a node of another tool's file becomes nodes of the graph, where it is not as it is.
    encode, decode : callable, optional
        Attributes on their way into a file, and back.
    check : callable, optional
        ``(node, operands)``: what `infer` leaves out because it takes time. It is asked where a
        file is read; a stripper's arrays were checked in the source's own terms.
    exact : bool
        The promise: results depend on nothing but comparisons and correctly rounded arithmetic in
        a stated order, so they are the definition's to the bit.
    ulp : int
        The promise where it is not exact: how many units in the last place a result may be from
        the definition, in either type. 0: to the bit, or what the family says (sums, products).
    form : {"element-wise", "two operands", "reduction", ""}
        Operators of one form are tested by one case.
    role : str
        See `Role`.
    refuses : bool
        Whether it is a check that may refuse rows.
    holds : str
        What a person calls the arrays among its attributes, in the list of what was kept.
    ufunc : callable, optional
        NumPy's function of the same meaning.
    ragged : bool
        Whether it takes rows whose length varies.
    """

    name: str
    infer: Infer
    define: Define
    lower: Lower
    takes: Types
    body: Callable[[Body, Node], str] | None = None
    private: bool = False
    read: Read | None = None
    encode: Callable[[Attrs], Mapping[str, Any]] | None = None
    decode: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    check: Callable[[Node, Sequence[Operand]], None] | None = None
    exact: bool = False
    ulp: int = 0
    form: Form = ""
    role: Role = ""
    refuses: bool = False
    holds: str = ""
    ufunc: Callable[..., Any] | None = None
    ragged: bool = False

    @property
    def short(self) -> str:
        """The name without its domain."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A standard operator that files have and graphs do not: it is written with others."""

    name: str
    read: Read


def kernel_name(op: str) -> str:
    """Return how kernels call an operator: ``sclbl.NormCdf`` is ``norm_cdf``, IsNaN ``is_nan``."""
    return "_".join(re.findall("NaN|[A-Z][a-z0-9]*", op.rpartition(".")[2])).lower()


@dataclass(frozen=True, slots=True)
class Ints:
    """Integers that a file holds as a list; an array by itself is held as a tensor."""

    values: Sequence[int] | Array


@dataclass(frozen=True, slots=True)
class Floats:
    """Numbers (float32) that a file holds as a list."""

    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts that a file holds as a list."""

    values: Sequence[str]


# ------------------------------------------------------------- checks for inference


def fail(node: Node, why: str) -> SpecError:
    """Return the error for a node that an operator does not take."""
    return SpecError(f"operator {node.op} (output {node.outputs[0]!r}) {why}")


def has_attrs(node: Node, **wanted: Any) -> None:
    """Require these attributes, and no others."""
    if dict(node.attrs) != wanted:
        raise fail(node, f"has attributes {dict(node.attrs)!r}; supported are {wanted!r}")


def has_inputs(node: Node, xs: Sequence[Operand], count: int) -> None:
    """Require a number of inputs."""
    if len(xs) != count:
        raise fail(node, f"has {len(xs)} inputs; it takes {count}")


def tensor(node: Node, x: Operand, types: Types = ANY) -> Operand:
    """Require a tensor with rows, of one of the types."""
    if x.constant is not None:
        raise fail(node, "works on a constant where it takes a tensor with rows")
    if x.dtype not in types:
        raise fail(node, f"does not take {x.dtype}; it takes {', '.join(sorted(types))}")
    return x


def same_type(node: Node, xs: Sequence[Operand], types: Types) -> DType:
    """Return the one type that all operands have."""
    found = {x.dtype for x in xs}
    if len(found) != 1 or not found <= types:
        raise fail(node, f"does not take {', '.join(sorted(x.dtype for x in xs))} together")
    return cast("DType", next(iter(found)))


def row_shape(node: Node, x: Operand, axes: int) -> Shape:
    """Return the shape of a row of an operand beside tensors of so many axes a row.

    A constant may have an axis of length one in front, in the place of the rows.
    """
    if x.constant is None:
        if len(x.shape) != axes:
            raise fail(node, f"does not take tensors of {len(x.shape)} and {axes} axes together")
        return x.shape
    shape = x.shape
    if len(shape) > axes + 1 or (len(shape) == axes + 1 and shape[0] != 1):
        raise fail(node, f"takes constants of one row; this one has shape {shape}")
    return shape[1:] if len(shape) == axes + 1 else shape


def common_shape(node: Node, xs: Sequence[Operand]) -> Shape:
    """Return the shape of a row of operands that are spread over each other as in NumPy."""
    tensors = [x for x in xs if x.constant is None]
    if not tensors:
        raise fail(node, "works on constants only")
    axes = max(len(x.shape) for x in tensors)
    shapes = [row_shape(node, x, axes) for x in xs]
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        if axes == 1:
            raise fail(node, f"does not take widths {[x.width for x in xs]} together") from None
        raise fail(node, f"does not take rows of shapes {shapes} together") from None
    if len(shape) > axes:
        raise fail(node, f"does not take rows of shapes {shapes} together")
    return shape


# ------------------------------------------------------------- reading files of other tools


def axis_of_row(r: Reading, name: str, op: str, attrs: dict[str, Any], default: int) -> int:
    """Take the attribute ``axis``, an axis of the file's tensor, and return it as one of the graph.

    There the rows are axis 0.
    """
    axis = attrs.pop("axis", default)
    no_more(op, attrs)
    if not isinstance(axis, int):
        raise SpecError(f"operator {op} works along axis {axis!r}; give its number")
    return axes_of_row(r, op, [axis], rank_of(r, name, op))[0]


def rank_of(r: Reading, name: str, op: str) -> int:
    """Return how many axes a tensor has in the file."""
    return r.lead + len(r.shape(name, op))


def axes_of_row(r: Reading, op: str, axes: Sequence[Any], count: int) -> list[int]:
    """Return axes of a tensor that has `count` of them in the file as axes of the graph, in order.

    Raises
    ------
    SpecError
        Where the rows are one of them, or one is no axis or there twice.
    """
    found = whole_axes(op, axes, count)
    if r.lead and 0 in found:
        along = f"axis {axes[0]}" if len(axes) == 1 else f"axes {list(axes)}"
        raise SpecError(
            f"operator {op} works along {along} of rows with axes 1 to {count - 1}; the rows "
            "themselves, axis 0, stay apart"
        )
    return [axis + 1 - r.lead for axis in found]


def reshaped(r: Reading, name: str, shape: Sequence[int], out: str) -> str:
    """Give the rows of a tensor a shape; return `out`, the name of the result."""
    r.node("Reshape", [name, r.constant([0, *shape], np.int64)], out)
    return out


def aligned(r: Reading, inputs: Sequence[str], out: str) -> list[str]:
    """Give tensors of fewer axes more in front, which ONNX and NumPy add where shapes differ.

    Rows stay in front of all axes, so between tensors with rows there is nothing to add.
    """
    if r.lead:
        return list(inputs)
    shapes = {name: r.shape(name, "") for name in inputs if not r.is_constant(name)}
    ranks = [len(shape) for shape in shapes.values()]
    # Constants are last axes of a row, of which there are as many as any operand has.
    most = max([*ranks, *(r.array([name], 0, "").ndim for name in inputs if name not in shapes)])
    return [
        reshaped(r, name, [1] * (most - len(shapes[name])) + list(shapes[name]), f"{out}_wide{k}")
        if name in shapes and len(shapes[name]) < most
        else name
        for k, name in enumerate(inputs)
    ]


def whole_axes(op: str, axes: Sequence[Any], count: int) -> list[int]:
    """Return axes of a tensor of `count` axes, counted from the front, each of them once."""
    if any(not isinstance(a, int) or not -count <= a < count for a in axes):
        raise SpecError(f"operator {op} has axes {list(axes)} of a tensor of {count} axes")
    found = sorted(a % count for a in axes)
    if len(set(found)) < len(found):
        raise SpecError(f"operator {op} has an axis twice: {list(axes)}")
    return found


def no_more(op: str, attrs: Mapping[str, Any]) -> None:
    """Require that no attribute is left."""
    if attrs:
        raise SpecError(f"operator {op} has attributes {sorted(attrs)}, which are not supported")
