"""Generated code: one function per operator, one per method, one that runs at the start.

For a graph ``t = Sub(numeric, mean); predict = MatMul(t, w)`` this emits, in pseudo-code:

    node_0(m, row, x, texts):        # t = x - mean, for a tile of m rows
        elementwise_sub_f64(b0, x, w0, m, 3, 3, 1, 0, 1)
    node_1(m, row, x, texts):
        linear_dot_f64(b1, b0, w1, m, 3)

    method_predict(rows, numeric, texts, out):
        if abi_check(rows, ...) return code
        for row in 0, TILE, 2 * TILE ... below rows:
            m = min(TILE, rows - row);  x = numeric + row * bytes of a row
            node_0(m, row, x, texts)
            if node_k(...) refuses: return its code
            shape_copy(out + row * bytes of a result, b1, m * bytes of a result)
        return 0

``b0``, ``b1`` are buffers for one tile and ``w0``, ``w1`` weights, both placed by the linker. All
shapes are constants, so LLVM specialises each kernel for the one place that calls it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sclbl.compiler.linker import Reserved, Weights
from sclbl.errors import SpecError
from sclbl.spec import MISSING_TEXT, NUMERIC_INPUT, TEXT_INPUT, Graph, Node, Signature

SUFFIX = {"float64": "f64", "float32": "f32", "int64": "i64", "bool": "u8", "text": "text"}
ITEM = {"float64": 8, "float32": 4, "int64": 8, "bool": 1, "text": 8, "label": 4}
#: A tile's buffers should stay in the first-level cache, and a tile should fill the trees' lanes.
TILE_BYTES = 96 * 1024
TILE_MIN, TILE_MAX = 16, 256
#: The length of a missing text, as in kernels/abi.h.
MISSING_LENGTH = 0xFFFFFFFF


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
        self._reserved: list[Reserved] = []
        self._place: dict[str, str] = {}
        self._alias: dict[str, str] = {}
        self._constant: dict[str, str] = {}
        self._declared: dict[str, str] = {}
        self._functions: dict[int, _Function] = {}
        self._start: list[str] = []
        self._current = _Function()
        self._external: set[str] = {"sclbl_error", "heap_base"}
        if any(v.name == NUMERIC_INPUT for v in graph.inputs):
            self._place[NUMERIC_INPUT] = "ptr %x"
        if any(v.name == TEXT_INPUT for v in graph.inputs):
            self._place[TEXT_INPUT] = self.scratch(8 * len(signature.text))
            self._text_columns = self.weight(np.array(signature.text, dtype=np.int32), 4)

    # ---------------------------------------------------- what lowerings use

    def dtype(self, name: str) -> str:
        """Return the element type of a tensor or constant."""
        if name in self.graph.values:
            return self.graph.values[name].dtype
        array = self.graph.constants[name]
        return "text" if array.dtype == object else str(array.dtype)

    def width(self, name: str) -> int:
        """Return the number of columns of a tensor or of a constant row."""
        if name in self.graph.values:
            return self.graph.values[name].width
        array = self.graph.constants[name]
        return int(array.shape[-1]) if array.ndim else 1

    def suffix(self, name: str) -> str:
        """Return how kernels call the element type of a tensor."""
        return SUFFIX[self.dtype(name)]

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

    def strides(self, name: str, width: int) -> tuple[str, str]:
        """Return row and column stride (elements) of an operand spread over `width` columns."""
        own = self.width(name)
        row = own if name in self.graph.values else 0
        return f"i32 {row}", f"i32 {1 if own == width and own > 1 or width == 1 else 0}"

    def output(self, node: Node) -> str:
        """Reserve the buffer of a node's result and return its address."""
        name = node.outputs[0]
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

    def call(self, kernel: str, *args: str, stem: str | None = None) -> None:
        """Call a kernel; its file is named after the part before the first underscore."""
        self._use(kernel, args, "void", stem)
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
        self._use(kernel, args, "i32", None)
        self._current.lines.append(f"  %code = call i32 @{kernel}({', '.join(args)})")
        self._current.refuses = True

    def at_start(self, kernel: str, *args: str) -> None:
        """Call a kernel when the program is instantiated."""
        self._use(kernel, args, "void", None)
        self._start.append(f"  call void @{kernel}({', '.join(args)})")

    def _use(self, kernel: str, args: tuple[str, ...], result: str, stem: str | None) -> None:
        self.stems.add(stem or kernel.split("_")[0])
        types = ", ".join(a.split(" ")[0] for a in args)
        declaration = f"declare {result} @{kernel}({types})"
        if self._declared.setdefault(kernel, declaration) != declaration:
            raise SpecError(f"kernel {kernel} is called with two types: a defect of sclbl")

    def _text_constant(self, array: np.ndarray) -> str:
        """Texts of a constant become (address, length) when the program starts."""
        items = [str(t) for t in array.ravel()]
        raw = [b"" if t == MISSING_TEXT else t.encode() for t in items]
        lengths = [
            MISSING_LENGTH if t == MISSING_TEXT else len(r)
            for t, r in zip(items, raw, strict=True)
        ]
        table = self.reserve(8 * len(items))
        self.at_start(
            "text_unpack", table,
            self.weight(np.frombuffer(b"".join(raw), dtype=np.uint8), 1),
            self.weight(np.array(lengths, dtype=np.uint32), 4), f"i32 {len(items)}",
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
        out = [f"@{name} = external global i8, align 4" for name in sorted(symbols)]
        out += [
            *self._declared.values(),
            "declare i32 @abi_check(i32, i32, i32, i32, i32, i32, i32)",
            "declare i32 @abi_text(ptr, ptr, i32, i32, i32, ptr)",
            "declare void @shape_copy(ptr, ptr, i32)",
        ]
        arguments = "i32 %m, i32 %row, ptr %x, ptr %texts"
        for index, function in self._functions.items():
            if not function.lines:
                continue
            kind, end = ("i32", "  ret i32 %code") if function.refuses else ("void", "  ret void")
            out.append(f"define internal {kind} @node_{index}({arguments}) {{")
            out += function.lines
            out += [end, "}"]
        for method, nodes in methods.items():
            out += self._method(method, nodes)
        if self._start:
            out += ["define void @program_start() {", *self._start, "  ret void", "}"]
        return "\n".join(out) + "\n"

    @property
    def has_start(self) -> bool:
        """Whether something runs at the start."""
        return bool(self._start)

    def _method(self, method: str, nodes: list[int]) -> list[str]:
        signature = self.signature
        row_bytes = len(signature.numeric) * ITEM[signature.numeric_dtype]
        texts = len(signature.text)
        value = self.graph.values[method]
        out_bytes = value.width * ITEM[value.dtype]
        lines = [
            f"define i32 @method_{method}(i32 %rows, i32 %numeric, i32 %records, i32 %out) {{",
            f"  %bad = call i32 @abi_check(i32 %rows, i32 %numeric, i32 {row_bytes}, "
            f"i32 %records, i32 {texts}, i32 %out, i32 {out_bytes})",
            "  %texts = inttoptr i32 %records to ptr",
            "  %wrong = icmp ne i32 %bad, 0",
            "  br i1 %wrong, label %end, label %head",
            "head:",
            "  %row = phi i32 [ 0, %0 ], [ %next, %store ]",
            "  %more = icmp slt i32 %row, %rows",
            "  br i1 %more, label %body, label %end",
            "body:",
            "  %rest = sub i32 %rows, %row",
            f"  %short = icmp slt i32 %rest, {self.tile()}",
            f"  %m = select i1 %short, i32 %rest, i32 {self.tile()}",
            f"  %xo = mul i32 %row, {row_bytes}",
            "  %xa = add i32 %numeric, %xo",
            "  %x = inttoptr i32 %xa to ptr",
        ]
        exits = [("%bad", "%0"), ("0", "%head")]
        block = "body"
        if any(TEXT_INPUT in self.graph.nodes[i].inputs for i in nodes):
            lines += [
                f"  %read = call i32 @abi_text({self._place[TEXT_INPUT]}, ptr %texts, i32 %m, "
                f"i32 %row, i32 {texts}, {self._text_columns})",
                "  %unread = icmp ne i32 %read, 0",
                "  br i1 %unread, label %end, label %texted",
                "texted:",
            ]
            exits.append(("%read", "%body"))
            block = "texted"
        for index in nodes:
            function = self._functions[index]
            if not function.lines:
                continue
            call = f"@node_{index}(i32 %m, i32 %row, ptr %x, ptr %texts)"
            if not function.refuses:
                lines.append(f"  call void {call}")
                continue
            lines += [
                f"  %code{index} = call i32 {call}",
                f"  %stop{index} = icmp ne i32 %code{index}, 0",
                f"  br i1 %stop{index}, label %end, label %go{index}",
                f"go{index}:",
            ]
            exits.append((f"%code{index}", f"%{block}"))
            block = f"go{index}"
        lines += [
            "  br label %store",
            "store:",
            f"  %oo = mul i32 %row, {out_bytes}",
            "  %oa = add i32 %out, %oo",
            "  %o = inttoptr i32 %oa to ptr",
            f"  %ob = mul i32 %m, {out_bytes}",
            f"  call void @shape_copy(ptr %o, {self.pointer(method)}, i32 %ob)",
            f"  %next = add i32 %row, {self.tile()}",
            "  br label %head",
            "end:",
            f"  %result = phi i32 {', '.join(f'[ {v}, {b} ]' for v, b in exits)}",
            "  ret i32 %result",
            "}",
        ]
        return lines
