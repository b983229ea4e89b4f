"""Build a graph: what every stripper writes into.

A stripper gets a `sclbl.strippers.columns.Table` of the input columns, turns it into wires, and
writes operators on wires through the methods of `Builder`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from sclbl.errors import InputError, SpecError
from sclbl.ops import find
from sclbl.ops.infer import constant
from sclbl.ops.record import Operand
from sclbl.signature import MISSING, Column, DType, Input, Kind, Missing, Signature, stored_as
from sclbl.spec import MISSING_TEXTS, NUMERIC_INPUT, TEXT_INPUT, Graph, Node, Value, upstream
from sclbl.strippers import numpy_functions
from sclbl.strippers.columns import Cell, Table, Wire
from sclbl.strippers.labels import plain_labels
from sclbl.strippers.markers import marked
from sclbl.strippers.promotion import NATURAL, is_polars, kind_of, numpy_dtype
from sclbl.strippers.trees import Trees

Library = Literal["numpy", "pandas", "polars", "pyarrow"]


class Builder:
    """A graph under construction, with types and widths checked at every step."""

    #: What wires do where NumPy's functions meet them.
    numpy = numpy_functions

    def __init__(self, signature: Signature, dtypes: Sequence[Any] | None = None) -> None:
        self.signature = signature
        #: What the source holds each column of the example in: NumPy's, pandas' or polars' dtype.
        self.dtypes = dtypes or [NATURAL[c.kind] for c in signature.columns]
        #: By column: the dtype that its values must be of, because it enters the computation.
        self._pinned: dict[int, str] = {}
        #: What the owner of the model should know; strippers append, `strip` puts them in the spec.
        self.warnings: list[str] = []
        #: The models that were written so far, the outer ones first, by what they are called.
        self.visited: list[tuple[str, Any]] = []
        #: The one that is being written, and what it is called: ``scaler.`` inside a pipeline.
        self.model: Any = None
        self._place = ""
        #: What strippers wrote so far, by model and method (see `sclbl.strippers.base.once`).
        self.written: dict[tuple[Any, ...], tuple[Any, Any]] = {}
        #: Columns that the example holds as objects.
        self.objects: frozenset[int] = frozenset()
        #: What programs refuse and the model need not, beside what its stripper says.
        self.refuses_more: set[type[InputError]] = set()
        #: What computes what is written (see `computed_by`).
        self.library: Library = "numpy"
        #: Which missing values the model takes for what, by column (see `learn` and `take`).
        self.learned: dict[int, set[Missing]] = {}
        self.taken: dict[int, set[Missing]] = {}
        self._nodes: list[Node] = []
        self._constants: dict[str, np.ndarray] = {}
        self._constant_names: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._values: dict[str, Value] = {}
        self._inputs: list[Value] = []
        self._known: dict[tuple[Any, ...], tuple[Wire, ...]] = {}

    @contextmanager
    def writing(self, model: Any, name: str) -> Iterator[None]:
        """Record a model as visited while it is written, inside the one that is being written."""
        outer, place = self.model, self._place
        self.model, self._place = model, f"{place}{name}." if name else place
        self.visited.append((self._place, model))
        try:
            yield
        finally:
            self.model, self._place = outer, place

    @contextmanager
    def computed_by(self, library: Library) -> Iterator[None]:
        """Write what another library than NumPy computes, by its rules."""
        self.library = library
        try:
            yield
        finally:
            self.library = "numpy"

    # ------------------------------------------------------------- inputs

    def table(self) -> Table:
        """Return the input columns as a table."""
        sig = self.signature
        wires: dict[str, Wire] = {}
        if sig.numeric:
            wires["numeric"] = self._input(NUMERIC_INPUT, sig.numeric_dtype, sig.numeric)
        if sig.text:
            wires["text"] = self._input(TEXT_INPUT, "text", sig.text)
        place = {c: i for block in (sig.numeric, sig.text) for i, c in enumerate(block)}
        cells = tuple(
            Cell(
                wires["text" if c.kind == "text" else "numeric"],
                place[i],
                c.name,
                c.kind,
                self.dtypes[i],
                c.missing,
            )
            for i, c in enumerate(sig.columns)
        )
        if is_polars(self.dtypes):
            # Of a narrow column with a null polars makes float32, of one without integers: two
            # computations, of which a program does the second.
            self.pin([c for c in cells if numpy_dtype(c.dtype).itemsize < 4])
        # An array in the place of a DataFrame has its names alone.
        frame = sig.layout == "table" and any(c.missing is not None for c in sig.columns)
        return Table(self, cells, frame=frame)

    def learn(self, cell: Cell, kind: Missing) -> None:
        """Note a missing value that the model learned for a column.

        Columns of numbers that something has changed hold other missing values than their rows.
        """
        if cell.origin >= 0 and (cell.kind == "text" or cell.shown is not None):
            self.learned.setdefault(cell.origin, set()).add(kind)

    def take(self, cell: Cell, kinds: Iterable[Missing]) -> None:
        """Note which missing objects are, to the model, the one missing number of a column."""
        if cell.kind != "text" and cell.shown is not None and cell.origin >= 0:
            self.taken.setdefault(cell.origin, set(MISSING)).intersection_update(kinds)

    def columns_of_rows(self) -> tuple[Column, ...]:
        """Return the signature's columns with their missing values, once the model is written.

        Raises
        ------
        UnsupportedModelError
            Where the model tells two missing values of a column of numbers apart.
        """
        return tuple(
            marked(c, self.learned.get(i, set()), self.taken.get(i), self.signature.label_of(i))
            for i, c in enumerate(self.pinned().columns)
        )

    def _input(self, name: str, dtype: DType, origins: tuple[int, ...]) -> Wire:
        if name not in self._values:
            self._values[name] = Value(name, dtype, (len(origins),))
            self._inputs.append(self._values[name])
        return Wire(name, dtype, len(origins), origins, builder=self)

    def beside(self, given: Input) -> Wire:
        """Return an input beside the table; a parameter is a column that all rows share."""
        if given not in self.signature.inputs:
            self.signature = replace(self.signature, inputs=(*self.signature.inputs, given))
        if given.name not in self._values:
            shape = (1,) if given.kind == "parameter" else given.shape
            value = Value(given.name, given.dtype, shape, given.ragged)
            self._inputs.append(value)
            self._values[given.name] = value
        value = self._values[given.name]
        none = () if value.ragged else (-1,) * value.width
        wire = Wire(value.name, value.dtype, value.width, none, builder=self, ragged=value.ragged)
        return replace(wire, ndim=1) if given.kind == "parameter" else wire

    def parameters_of(self, wires: Sequence[Wire]) -> tuple[str, ...]:
        """Return the names of the values of a call that wires depend on."""
        kept = upstream(self._nodes, [wire.name for wire in wires])
        used = {name for node in kept for name in node.inputs}
        return tuple(i.name for i in self.signature.parameters if i.name in used)

    def wire_table(
        self,
        wire: Wire,
        names: Sequence[str] | None = None,
        kind: Kind | None = None,
        dtype: np.dtype[Any] | None = None,
    ) -> Table:
        """Return the columns of a wire as a table; `dtype` is what the source holds them in."""
        column_kind = kind or ("text" if wire.dtype == "text" else kind_of(np.dtype(wire.dtype)))
        return Table(
            self,
            tuple(
                Cell(
                    wire,
                    i,
                    None if names is None else str(names[i]),
                    column_kind,
                    dtype or NATURAL[column_kind],
                )
                for i in range(wire.width)
            ),
        )

    # -------------------------------------------------------------- nodes

    def constant(self, values: Any, dtype: str | None = None, *, scalar: bool = False) -> str:
        """Add a constant and return its name; equal constants are stored once.

        One without axes has one, save where `scalar` says that it stays as it is.
        """
        array = np.ascontiguousarray(values, dtype=dtype)
        if scalar:
            array = array.reshape(())
        if array.dtype.kind in "OU":
            array = array.astype(object)
            key = ("text", array.shape, repr(array.tolist()).encode())
        else:
            key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constant_names:
            name = f"c{len(self._constants)}"
            self._constant_names[key] = name
            self._constants[name] = array
        return self._constant_names[key]

    def node(
        self,
        op: str,
        inputs: Sequence[Wire | str],
        origins: Sequence[int] | None = None,
        **attrs: Any,
    ) -> Wire:
        """Add one operator with one output; the same operator on the same inputs is added once.

        Raises
        ------
        TypeError
            Where the operator does not take these inputs or attributes: a defect of the stripper.
        """
        (wire,) = self.nodes(op, inputs, 1, **attrs)
        return wire if origins is None else replace(wire, origins=tuple(origins))

    def nodes(
        self, op: str, inputs: Sequence[Wire | str], count: int, **attrs: Any
    ) -> tuple[Wire, ...]:
        """Add one operator with so many outputs, as `node` does."""
        names = tuple(i.name if isinstance(i, Wire) else i for i in inputs)
        key = (op, names, count, _attr_key(attrs))
        known = self._known.get(key)
        if known is not None:
            return known
        first = len(self._values)
        node = Node(op, names, tuple(f"t{first + i}" for i in range(count)), dict(attrs))
        try:
            results = find(op).infer(node, [self._operand(n) for n in names])
        except SpecError as error:
            raise TypeError(f"{error}: a defect of the stripper") from error
        wires = []
        for name, result in zip(node.outputs, results, strict=True):
            value = self._values[name] = Value(name, *result)
            none = () if value.ragged else (-1,) * value.width
            wire = Wire(name, value.dtype, value.width, none, builder=self, ragged=value.ragged)
            wires.append(wire)
        self._nodes.append(node)
        self._known[key] = tuple(wires)
        return self._known[key]

    def reshape(self, x: Wire, shape: Sequence[int]) -> Wire:
        """Give the rows of x another shape; a wire says of it how many elements it has."""
        return self.node("Reshape", [x, self.constant([0, *shape], "int64")], x.origins)

    def _operand(self, name: str) -> Operand:
        if name in self._constants:
            return constant(self._constants[name])
        value = self._values[name]
        return Operand(value.dtype, value.shape, ragged=value.ragged)

    def unary(self, op: str, x: Wire) -> Wire:
        """Apply an element-wise function."""
        return self.node(op, [x], x.origins)

    def binary(
        self, op: str, a: Wire | float | np.ndarray, b: Wire | float | np.ndarray, **attrs: Any
    ) -> Wire:
        """Apply an operator of two operands: Add, Pow, Max, a comparison, And, ….

        One side may be a number or a row ``(w,)``, taken in the other side's type; widths are
        equal or one of them is 1.
        """
        first = a if isinstance(a, Wire) else b
        if not isinstance(first, Wire):
            raise TypeError("one side of a binary operator must be a wire")
        left, left_width = self._side(a, first)
        right, right_width = self._side(b, first)
        width = max(left_width, right_width)
        origins = first.origins if first.width == width else (-1,) * width
        return self.node(op, [left, right], origins, **attrs)

    def _side(self, x: Wire | float | np.ndarray, like: Wire) -> tuple[str, int]:
        if isinstance(x, Wire):
            return x.name, x.width
        dtype = object if like.dtype == "text" else like.dtype
        row = np.atleast_2d(np.asarray(x, dtype=dtype))
        _require(row.shape[0] == 1, "constant", like)
        return self.constant(row), row.shape[1]

    def add(self, a: Wire | float | np.ndarray, b: Wire | float | np.ndarray) -> Wire:
        return self.binary("Add", a, b)

    def sub(self, a: Wire | float | np.ndarray, b: Wire | float | np.ndarray) -> Wire:
        return self.binary("Sub", a, b)

    def mul(self, a: Wire | float | np.ndarray, b: Wire | float | np.ndarray) -> Wire:
        return self.binary("Mul", a, b)

    def div(self, a: Wire | float | np.ndarray, b: Wire | float | np.ndarray) -> Wire:
        return self.binary("Div", a, b)

    def logical_not(self, x: Wire) -> Wire:
        return self.node("Not", [x], x.origins)

    def is_nan(self, x: Wire) -> Wire:
        """Return, as bool, where x is NaN."""
        return self.node("IsNaN", [x], x.origins)

    def where(
        self, condition: Wire, a: Wire | float | np.ndarray, b: Wire | float | np.ndarray
    ) -> Wire:
        """Choose a where the condition holds, b elsewhere. Text is allowed."""
        first = a if isinstance(a, Wire) else b
        if not isinstance(first, Wire):
            raise TypeError("one branch of where must be a wire")
        left, left_width = self._side(a, first)
        right, right_width = self._side(b, first)
        width = max(condition.width, left_width, right_width)
        origins = first.origins if first.width == width else (-1,) * width
        return self.node("Where", [condition, left, right], origins)

    def cast(self, x: Wire, dtype: DType) -> Wire:
        """Convert element type; the same type is no operation."""
        if x.dtype == dtype:
            return x
        return self.node("Cast", [x], x.origins, to=dtype)

    def stored(self, x: Wire) -> Wire:
        """Return a result in the type that programs store it in."""
        return self.cast(x, stored_as(x.dtype))

    def columns(self, x: Wire, indices: Sequence[int]) -> Wire:
        """Take columns of x, in the given order."""
        chosen = tuple(int(i) for i in indices)
        if chosen == tuple(range(x.width)):
            return x
        origins = [x.origins[i] for i in chosen]
        return self.node("Gather", [x, self.constant(chosen, "int64")], origins, axis=1)

    def concat(self, wires: Sequence[Wire]) -> Wire:
        """Put wires of one type side by side."""
        if len(wires) == 1:
            return wires[0]
        return self.node("Concat", list(wires), [o for w in wires for o in w.origins], axis=1)

    def matmul(self, x: Wire, weights: np.ndarray) -> Wire:
        """Multiply by a constant ``(x.width, c)`` matrix."""
        return self.node("MatMul", [x, self.constant(np.asarray(weights, dtype=x.dtype))])

    def dense(self, x: Wire) -> Wire:
        """Make sparse rows dense; each column is then one of the input's, where x is the input."""
        made = self.node("sclbl.Dense", [x], self._columns_of(x), columns=x.width)
        return replace(made, sparse="csr")

    def dense_or_missing(self, x: Wire) -> Wire:
        """Make sparse rows dense, with NaN for what a row leaves out; see `dense`."""
        return self.node("sclbl.DenseMissing", [x], self._columns_of(x), columns=x.width)

    def _columns_of(self, x: Wire) -> tuple[int, ...] | None:
        first = x.name in {i.name for i in self.signature.inputs}
        return tuple(range(x.width)) if first else None

    def reduce(self, op: str, x: Wire) -> Wire:
        """Reduce each row to one number."""
        return self.node(op, [x, self.constant([1], "int64")], keepdims=1)

    def softmax(self, x: Wire) -> Wire:
        """Softmax over each row: ``exp(x - max) / sum``, summed from left to right."""
        return self.node("Softmax", [x], axis=1)

    def argmax(self, x: Wire) -> Wire:
        """Return the position (int64) of the first largest value of each row."""
        return self.node("ArgMax", [x], axis=1, keepdims=1, select_last_index=0)

    def lookup(
        self,
        x: Wire,
        keys: Sequence[Any],
        default: int = -1,
        values: Sequence[int] | np.ndarray | None = None,
    ) -> Wire:
        """Return (int64) which key each value of a one-column wire equals; `default` if none.

        Keys are text (`sclbl.spec.MISSING_TEXTS` stand for missing) or numbers of x's type, where
        NaN equals NaN and -0.0 equals 0.0. With `values`, a key's value is returned instead of its
        position.
        """
        _require(x.width == 1, "LabelEncoder", x)
        array = np.asarray(keys, dtype=object if x.dtype == "text" else x.dtype)
        numbers = np.arange(len(array)) if values is None else np.asarray(values)
        _require(numbers.shape == array.shape, "LabelEncoder", x)
        return self.node(
            "ai.onnx.ml.LabelEncoder",
            [x],
            x.origins,
            keys=array,
            values=numbers.astype(np.int64),
            default=int(default),
        )

    def labels(self, codes: Wire, classes: Sequence[Sequence[Any] | np.ndarray]) -> Wire:
        """End a classifier: class numbers (int64, one column an output) become labels."""
        _require(codes.dtype == "int64" and codes.width == len(classes), "labels", codes)
        lists = tuple(map(plain_labels, classes))
        wire = self.node("sclbl.Labels", [codes], labels=lists)
        return replace(wire, labels=lists)

    def codes(self, labels: Wire) -> Wire:
        """Return the class numbers (int64) that became labels."""
        node = next(n for n in self._nodes if labels.name in n.outputs)
        return Wire(node.inputs[0], "int64", labels.width, labels.origins, builder=self)

    def trees(self, x: Wire, trees: Trees, start: Wire | None = None) -> Wire:
        """Sum an ensemble of trees over each row: ``[rows, outputs]`` in the type of its values.

        With `start` (``[rows, outputs]``, same type), each row's sums begin there instead of at
        `trees.init`: boosting that begins with another model adds its trees to that model's result.
        """
        _require_columns(x, trees)
        inputs = [x] if start is None else [x, start]
        return self.node("sclbl.TreeEnsemble", inputs, **trees.attrs())

    def tree_leaves(self, x: Wire, trees: Trees) -> Wire:
        """Return (int64 ``[rows, trees]``) what ``left`` holds at the leaf each tree ends in.

        That is its row in `trees.values`; an ensemble made for this operator alone has empty
        values (``[0, 1]``) and may hold any non-negative number there, a node number for one.
        """
        _require_columns(x, trees)
        return self.node("sclbl.TreeLeaves", [x], **trees.attrs())

    def refuse(self, x: Wire, *, nan: bool, inf: bool = True) -> Wire:
        """Pass x through; the program refuses the row where it holds NaN or an infinity."""
        if not nan and not inf:
            return x
        flags = {"nan": int(nan), "inf": int(inf)}
        return self.node("sclbl.Refuse", [x], x.origins, columns=x.origins, **flags)

    def refuse_missing_text(self, x: Wire, kinds: Collection[Missing] = MISSING) -> Wire:
        """Pass text through; the program refuses a row where it is missing, as one of `kinds`."""
        if not kinds:
            return x
        flags = {kind: int(kind in kinds) for kind in MISSING}
        return self.node("sclbl.RefuseMissingText", [x], x.origins, columns=x.origins, **flags)

    def refuse_unknown(self, codes: Wire) -> Wire:
        """Pass codes (int64) through; the program refuses a row where one is negative."""
        return self.node("sclbl.RefuseUnknown", [codes], codes.origins, columns=codes.origins)

    def pin(self, cells: Sequence[Cell], *, wide: bool = False) -> None:
        """Hold input columns among the cells to their own integer type, or to booleans.

        To be called where the source's result depends on that type: another type of the same
        column, a float for one, would give other numbers. Integers of 64 bits never make float32
        of anything, so they are held only where `wide` says so.
        """
        for cell in cells:
            if cell.origin < 0 or cell.kind not in ("integer", "boolean"):
                continue
            own = numpy_dtype(self.dtypes[cell.origin])
            if own.kind == "O":
                own = NATURAL[cell.kind]
            if own.kind in "iub" and (wide or own.itemsize < 8):
                self._pinned[cell.origin] = own.name

    def pinned(self) -> Signature:
        """Return the signature, with the dtypes that columns were held to."""
        own = enumerate(self.signature.columns)
        columns = tuple(replace(c, dtype=self._pinned.get(i, c.dtype)) for i, c in own)
        return replace(self.signature, columns=columns)

    # ------------------------------------------------------------- finish

    def _with_checks(self, outputs: Mapping[str, Wire]) -> dict[str, Wire]:
        """Return the outputs, made to wait for the checks that none of them needs.

        What refuses rows refuses them whether or not a column of the result comes from what it
        looked at: an encoder that drops a column's only category, an indicator that found nothing
        missing, a step whose columns the next one leaves out.
        """
        needed = _all_of(upstream(self._nodes, [w.name for w in outputs.values()]))
        loose: list[Node] = []
        for node in reversed(self._nodes):
            if find(node.op).refuses and node.outputs[0] not in needed:
                loose.append(node)
                needed |= _all_of(upstream(self._nodes, node.outputs))
        return (
            {m: self._after(wire, loose) for m, wire in outputs.items()} if loose else dict(outputs)
        )

    def _after(self, wire: Wire, checks: Iterable[Node]) -> Wire:
        """Return a wire of the same values that also needs what some checks look at."""
        if wire.dtype == "label":  # the last node: its class numbers are chosen among
            return self.labels(self._after(self.codes(wire), checks), wire.labels or ())
        for check in checks:
            value = self._values[check.outputs[0]]
            none = (-1,) * value.width
            one = self.columns(Wire(value.name, value.dtype, value.width, none, builder=self), [0])
            empty = np.full(1, MISSING_TEXTS["none"], dtype=object) if one.dtype == "text" else 0
            # Both branches are the same: only the condition must be computed.
            wire = self.where(self.binary("Equal", one, empty), wire, wire)
        return wire

    def finish(self, outputs: Mapping[str, Wire]) -> Graph:
        """Return the graph, with one output a method and nothing that no output needs."""
        outputs = self._with_checks(outputs)
        kept = upstream(self._nodes, [w.name for w in outputs.values()])
        used = {i for n in kept for i in n.inputs}
        made = {o for n in kept for o in n.outputs}  # some of several results may have no use
        names = used | made | {w.name for w in outputs.values()} | {i.name for i in self._inputs}
        # Every method gets a name of its own, so that graph outputs are named after methods.
        finals: list[Node] = []
        values = {k: v for k, v in self._values.items() if k in names}
        graph_outputs: list[Value] = []
        for method, wire in outputs.items():
            shape = () if wire.ragged == "list" else (wire.width,)
            value = Value(method, wire.dtype, shape, wire.ragged)
            finals.append(Node("Identity", (wire.name,), (method,)))
            values[method] = value
            graph_outputs.append(value)
        return Graph(
            inputs=tuple(self._inputs),
            outputs=tuple(graph_outputs),
            nodes=(*kept, *finals),
            constants={k: v for k, v in self._constants.items() if k in used},
            values=values,
        )


def _all_of(nodes: Iterable[Node]) -> set[str]:
    """Return the tensors that nodes take and give."""
    return {name for node in nodes for name in (*node.inputs, *node.outputs)}


def _attr_key(attrs: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple((name, _value_key(value)) for name, value in sorted(attrs.items()))


def _value_key(value: Any) -> Any:
    """Return what equal values of attributes share: arrays are equal by what they hold."""
    if not isinstance(value, np.ndarray):
        return repr(value) if isinstance(value, float) else value
    if value.dtype == object:
        return repr(value.tolist())
    data = np.ascontiguousarray(value).data if value.size else b""
    return value.dtype.str, value.shape, hashlib.sha256(data).digest()


def _require(condition: bool, op: str, wire: Wire) -> None:
    if not condition:
        raise TypeError(f"{op} does not take {wire.dtype}[{wire.width}]: a defect of the stripper")


def _require_columns(x: Wire, trees: Trees) -> None:
    """Refuse trees that test a column which is not there: their library may read beyond the row."""
    last = int(trees.feature.max(initial=-1))
    if last >= x.width:
        raise ValueError(f"a tree tests the column {last}, and the model is given {x.width}")
