"""Generated code: one function per operator, one per method, one that runs at the start.

For a graph ``t = Sub(numeric, mean); predict = MatMul(t, w)`` this emits, in pseudo-code:

    node_0(m, row, x, texts):        # t = x - mean, for a tile of m rows
        elementwise_sub_f64(b0, x, w0, m, 3, 3, 1, 0, 1)
    node_1(m, row, x, texts):
        linear_dot_f64(b1, b0, w1, m, 3)

    tile_predict(m, row, x, texts, out):
        node_0(m, row, x, texts)
        if node_k(...) refuses: return its code
        shape_copy(out + row * bytes of a result, b1, m * bytes of a result)

    program_run(rows, numeric, texts, out, bytes of a result, method):
        if abi_check(rows, ...) return code
        for row in 0, TILE, 2 * TILE ... below rows:
            m = min(TILE, rows - row);  x = numeric + row * bytes of a row
            switch method: tile_predict(...), tile_...: return a code that is not 0

    method_predict(rows, numeric, texts, out):
        return program_run(rows, numeric, texts, out, 8, 0)

``b0``, ``b1`` are buffers for one tile and ``w0``, ``w1`` weights, both placed by the linker. All
shapes are constants, so LLVM specialises each kernel for the one place that calls it, unless there
are many such places.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sclbl.compiler.linker import Reserved, Weights
from sclbl.errors import SpecError
from sclbl.missing import LENGTHS, of_text
from sclbl.signature import Signature
from sclbl.spec import NUMERIC_INPUT, TEXT_INPUT, Graph, Node

SUFFIX = {"float64": "f64", "float32": "f32", "int64": "i64", "bool": "u8", "text": "text"}
ITEM = {"float64": 8, "float32": 4, "int64": 8, "bool": 1, "text": 8, "label": 4}
#: A tile's buffers should stay in the first-level cache, and a tile should fill the trees' lanes.
TILE_BYTES = 96 * 1024
TILE_MIN, TILE_MAX = 16, 256
#: A kernel that is called from more places than this is compiled once, for all of them, because
#: LLVM's time for a program of thousands of operators is that of the code in it.
MOST_PLACES = 32


@dataclass
class _Function:
    lines: list[str] = field(default_factory=list)
    refuses: bool = False


class Emitter:
    """Collects the code, weights and buffers of one program."""

    def __init__(self, graph: Graph, signature: Signature) -> None:
        self.graph = graph
        self.signature = signature
        self.weights: list[Weights] = []
        self.stems: set[str] = {"abi", "shape"}
        self.buffers: dict[str, int] = {}
        self.aliases: dict[str, tuple[str, int]] = {}
        self._reserved: list[Reserved] = []
        self._place: dict[str, str] = {}
        self._alias: dict[str, str] = {}
        self._constant: dict[str, str] = {}
        self._declared: dict[str, str] = {}
        self._places: Counter[str] = Counter()
        self._functions: dict[int, _Function] = {}
        self._start: list[str] = []
        self._makers = {name: node for node in graph.nodes for name in node.outputs}
        self.separate: dict[str, list[str]] = {}
        self._current = _Function()
        self._external: set[str] = {"sclbl_error", "heap_base"}
        if any(v.name == NUMERIC_INPUT for v in graph.inputs):
            self._place[NUMERIC_INPUT] = "ptr %x"
        if any(v.name == TEXT_INPUT for v in graph.inputs):
            self._place[TEXT_INPUT] = self.scratch(8 * len(signature.text))
            self._text_columns = self.weight(np.array(signature.text, dtype=np.int32), 4)

    # ------------------------------- what lowerings use: `sclbl.ops.record.Emitter`

    most_rows = TILE_MAX

    def dtype(self, name: str) -> str:
        """Return the element type of a tensor or constant."""
        if name in self.graph.values:
            return self.graph.values[name].dtype
        array = self.graph.constants[name]
        return "text" if array.dtype == object else str(array.dtype)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a row of a tensor, or that of a constant."""
        if name in self.graph.values:
            return self.graph.values[name].shape
        return self.graph.constants[name].shape

    def width(self, name: str) -> int:
        """Return the number of columns of a tensor or of a constant row."""
        if name in self.graph.values:
            return self.graph.values[name].width
        array = self.graph.constants[name]
        return int(array.shape[-1]) if array.ndim else 1

    def suffix(self, name: str) -> str:
        """Return how kernels call the element type of a tensor."""
        return SUFFIX[self.dtype(name)]

    def item(self, name: str) -> int:
        """Return the bytes of one element."""
        return ITEM[self.dtype(name)]

    def constant(self, name: str) -> np.ndarray | None:
        """Return a constant's values; None for a tensor with rows."""
        return self.graph.constants.get(name)

    def maker(self, name: str) -> Node | None:
        """Return the node that makes a tensor; None for an input or a constant."""
        return self._makers.get(name)

    def pointer(self, name: str) -> str:
        """Return the address of a tensor's tile, or of a constant."""
        name = self._alias.get(name, name)
        if name in self._place:
            return self._place[name]
        if name not in self._constant:
            array = self.graph.constants[name]
            if array.dtype == object:
                self._constant[name] = self._text_constant(array)
            else:
                self._constant[name] = self.weight(array)
        return self._constant[name]

    def output(self, node: Node, index: int = 0) -> str:
        """Reserve the buffer of one of a node's results and return its address."""
        name = node.outputs[index]
        buffer = f"b{len(self.buffers)}"
        self.buffers[buffer] = self.width(name) * ITEM[self.dtype(name)]
        self._place[name] = f"ptr @{buffer}"
        return self._place[name]

    def scratch(self, row_bytes: int) -> str:
        """Reserve a buffer of `row_bytes` for each row of a tile."""
        buffer = f"b{len(self.buffers)}"
        self.buffers[buffer] = row_bytes
        return f"ptr @{buffer}"

    def alias(self, node: Node) -> None:
        """Let a node's result be its first input's tile."""
        source = node.inputs[0]
        self._alias[node.outputs[0]] = self._alias.get(source, source)

    def weight(self, array: np.ndarray, alignment: int = 16) -> str:
        """Add constant bytes to the program and return their address."""
        name = f"w{len(self.weights)}"
        self.weights.append(Weights(name, array, alignment))
        return f"ptr @{name}"

    def reserve(self, size: int, alignment: int = 16) -> str:
        """Add zeroed memory to the program and return its address."""
        name = f"r{len(self._reserved)}"
        self._reserved.append(Reserved(name, size, alignment))
        return f"ptr @{name}"

    def offset(self, block: str, distance: int) -> str:
        """Return the address `distance` bytes into a reserved block, as a symbol of its own."""
        if distance == 0:
            return block
        name = f"{block.removeprefix('ptr @')}_{distance}"
        self.aliases[name] = (block.removeprefix("ptr @"), distance)
        return f"ptr @{name}"

    def call(self, kernel: str, *args: str) -> None:
        """Call a kernel; its file is named after the part before the first underscore."""
        self._use(kernel, args, "void")
        self._current.lines.append(f"  call void @{kernel}({', '.join(args)})")

    def cells(self, width: int) -> str:
        """Return the number of cells of a tile of `width` columns, as an argument."""
        if width == 1:
            return "i32 %m"
        name = f"%n{len(self._current.lines)}"
        self._current.lines.append(f"  {name} = mul i32 %m, {width}")
        return f"i32 {name}"

    def refuse(self, kernel: str, *args: str) -> None:
        """Call a kernel that may refuse rows; its code is the node's result."""
        self._use(kernel, args, "i32")
        self._current.lines.append(f"  %code = call i32 @{kernel}({', '.join(args)})")
        self._current.refuses = True

    def function(self, parameters: str, kernel: str, *args: str) -> str:
        """Add a function that calls a kernel, never inlined, and return its address."""
        self._use(kernel, args, "void")
        name = f"walk_{len(self.separate)}"
        self.separate[name] = [
            f"define internal void @{name}({parameters}) {{",
            f"  call void @{kernel}({', '.join(args)})",
            "  ret void",
            "}",
        ]
        return f"ptr @{name}"

    def at_start(self, kernel: str, *args: str) -> None:
        """Call a kernel when the program is instantiated."""
        self._use(kernel, args, "void")
        self._start.append(f"  call void @{kernel}({', '.join(args)})")

    def _use(self, kernel: str, args: tuple[str, ...], result: str) -> None:
        self.stems.add(kernel.split("_")[0])
        self._places[kernel] += 1
        types = ", ".join(a.split(" ")[0] for a in args)
        declaration = f"declare {result} @{kernel}({types})"
        if self._declared.setdefault(kernel, declaration) != declaration:
            raise SpecError(f"kernel {kernel} is called with two types: a defect of sclbl")

    def _text_constant(self, array: np.ndarray) -> str:
        """Texts of a constant become (address, length) when the program starts."""
        items = [str(t) for t in array.ravel()]
        kinds = [of_text(t) for t in items]
        raw = [b"" if k else t.encode() for t, k in zip(items, kinds, strict=True)]
        lengths = [LENGTHS[k] if k else len(r) for r, k in zip(raw, kinds, strict=True)]
        table = self.reserve(8 * len(items))
        self.at_start(
            "text_unpack",
            table,
            self.weight(np.frombuffer(b"".join(raw), dtype=np.uint8), 1),
            self.weight(np.array(lengths, dtype=np.uint32), 4),
            f"i32 {len(items)}",
        )
        return table

    # ------------------------------------------------------------- functions

    def begin(self, index: int) -> None:
        """Start the function of the node at `index`."""
        self._current = self._functions[index] = _Function()

    def tile(self) -> int:
        """Return how many rows a tile has."""
        row = sum(self.buffers.values()) or 1
        return int(np.clip(TILE_BYTES // row // 8 * 8, TILE_MIN, TILE_MAX))

    def reserved(self) -> list[Reserved]:
        """Return the zeroed blocks: error record, buffers of a tile, tables made at the start."""
        tile = self.tile()
        buffers = [Reserved(name, size * tile) for name, size in self.buffers.items()]
        return [Reserved("sclbl_error", 12), *buffers, *self._reserved]

    def assembly(self, methods: dict[str, list[int]]) -> str:
        """Return the LLVM assembly; `methods` lists the nodes that each method runs."""
        symbols = [*self._external, *(w.name for w in self.weights)]
        symbols += [r.name for r in self.reserved() if r.name != "sclbl_error"]
        symbols += self.aliases
        out = [f"@{name} = external global i8, align 4" for name in sorted(symbols)]
        out += [
            *self._declared.values(),
            "declare i32 @abi_check(i32, i32, i32, i32, i32)",
            "declare i32 @abi_check_text(i32, i32, i32)",
            "declare i32 @abi_text(ptr, ptr, i32, i32, i32, ptr)",
            "declare void @shape_copy(ptr, ptr, i32)",
        ]
        arguments = "i32 %m, i32 %row, ptr noalias %x, ptr %texts"
        for index, function in self._functions.items():
            if not function.lines:
                continue
            kind, end = ("i32", "  ret i32 %code") if function.refuses else ("void", "  ret void")
            out.append(f"define internal {kind} @node_{index}({arguments}) {{")
            out += function.lines
            out += [end, "}"]
        for lines in self.separate.values():
            out += lines
        for method, nodes in methods.items():
            out += self._tile(method, nodes)
        out += self._run(list(methods))
        if self._start:
            out += ["define void @program_start() {", *self._start, "  ret void", "}"]
        return "\n".join(out) + "\n"

    @property
    def frequent(self) -> frozenset[str]:
        """Kernels that are called from so many places that they are compiled once for all."""
        return frozenset(k for k, places in self._places.items() if places > MOST_PLACES)

    @property
    def has_start(self) -> bool:
        """Whether something runs at the start."""
        return bool(self._start)

    def _tile(self, method: str, nodes: list[int]) -> list[str]:
        """One method on one tile: its nodes, then the results to the host's block."""
        value = self.graph.values[method]
        out_bytes = value.width * ITEM[value.dtype]
        lines = [
            f"define internal i32 @tile_{method}(i32 %m, i32 %row, ptr %x, ptr %texts, i32 %out) {{"
        ]
        exits = []
        block = "%0"

        def may_stop(name: str, call: str) -> None:
            nonlocal block
            lines.extend(
                [
                    f"  %code{name} = call i32 {call}",
                    f"  %stop{name} = icmp ne i32 %code{name}, 0",
                    f"  br i1 %stop{name}, label %end, label %go{name}",
                    f"go{name}:",
                ]
            )
            exits.append((f"%code{name}", block))
            block = f"%go{name}"

        if any(TEXT_INPUT in self.graph.nodes[i].inputs for i in nodes):
            may_stop(
                "_text",
                f"@abi_text({self._place[TEXT_INPUT]}, ptr %texts, i32 %m, i32 %row, "
                f"i32 {len(self.signature.text)}, {self._text_columns})",
            )
        for index in nodes:
            function = self._functions[index]
            call = f"@node_{index}(i32 %m, i32 %row, ptr %x, ptr %texts)"
            if function.refuses:
                may_stop(str(index), call)
            elif function.lines:
                lines.append(f"  call void {call}")
        lines += [
            f"  %oo = mul i32 %row, {out_bytes}",
            "  %oa = add i32 %out, %oo",
            "  %o = inttoptr i32 %oa to ptr",
            f"  %ob = mul i32 %m, {out_bytes}",
            f"  call void @shape_copy(ptr %o, {self.pointer(method)}, i32 %ob)",
            "  br label %end",
            "end:",
        ]
        exits.append(("0", block))
        lines += [
            f"  %result = phi i32 {', '.join(f'[ {v}, {b} ]' for v, b in exits)}",
            "  ret i32 %result",
            "}",
        ]
        return lines

    def _run(self, methods: Sequence[str]) -> list[str]:
        """The loop over tiles, which all methods share, and a function for each method."""
        signature = self.signature
        row_bytes = len(signature.numeric) * ITEM[signature.numeric_dtype]
        texts = len(signature.text)
        tile = self.tile()
        lines = [
            "define internal i32 @program_run(i32 %rows, i32 %numeric, i32 %records, i32 %out, "
            "i32 %bytes, i32 %method) {",
            f"  %bad = call i32 @abi_check(i32 %rows, i32 %numeric, i32 {row_bytes}, i32 %out, "
            "i32 %bytes)",
            "  %texts = inttoptr i32 %records to ptr",
            "  %wrong = icmp ne i32 %bad, 0",
            f"  br i1 %wrong, label %end, label %{'text' if texts else 'head'}",
        ]
        exits = [("%bad", "%0"), ("0", "%head")]
        entry = "%0"
        if texts:
            lines += [
                "text:",
                f"  %unread = call i32 @abi_check_text(i32 %rows, i32 %records, i32 {texts})",
                "  %unreadable = icmp ne i32 %unread, 0",
                "  br i1 %unreadable, label %end, label %head",
            ]
            exits.append(("%unread", "%text"))
            entry = "%text"
        lines += [
            "head:",
            f"  %row = phi i32 [ 0, {entry} ], [ %next, %tail ]",
            "  %more = icmp slt i32 %row, %rows",
            "  br i1 %more, label %body, label %end",
            "body:",
            "  %rest = sub i32 %rows, %row",
            f"  %short = icmp slt i32 %rest, {tile}",
            f"  %m = select i1 %short, i32 %rest, i32 {tile}",
            f"  %xo = mul i32 %row, {row_bytes}",
            "  %xa = add i32 %numeric, %xo",
            "  %x = inttoptr i32 %xa to ptr",
            "  switch i32 %method, label %run0 ["
            + " ".join(f"i32 {k}, label %run{k}" for k in range(1, len(methods)))
            + "]",
        ]
        for k, method in enumerate(methods):
            lines += [
                f"run{k}:",
                f"  %code{k} = call i32 @tile_{method}(i32 %m, i32 %row, ptr %x, ptr %texts, "
                "i32 %out)",
                "  br label %ran",
            ]
        codes = ", ".join(f"[ %code{k}, %run{k} ]" for k in range(len(methods)))
        lines += [
            "ran:",
            f"  %code = phi i32 {codes}",
            "  %stop = icmp ne i32 %code, 0",
            "  br i1 %stop, label %end, label %tail",
            "tail:",
            f"  %next = add i32 %row, {tile}",
            "  br label %head",
            "end:",
        ]
        exits.append(("%code", "%ran"))
        lines += [
            f"  %result = phi i32 {', '.join(f'[ {v}, {b} ]' for v, b in exits)}",
            "  ret i32 %result",
            "}",
        ]
        for k, method in enumerate(methods):
            value = self.graph.values[method]
            lines += [
                f"define i32 @method_{method}(i32 %rows, i32 %numeric, i32 %records, i32 %out) {{",
                "  %code = call i32 @program_run(i32 %rows, i32 %numeric, i32 %records, "
                f"i32 %out, i32 {value.width * ITEM[value.dtype]}, i32 {k})",
                "  ret i32 %code",
                "}",
            ]
        return lines
