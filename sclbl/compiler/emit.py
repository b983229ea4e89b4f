"""Generated code: straight-line calls of kernels, a function per operator and per method.

For a graph ``t = Sub(numeric, mean); predict = MatMul(t, w)`` this emits, in pseudo-code:

    node_0(m, row, x):               # t = x - mean, for a tile of m rows
        elementwise_sub_f64(b0, x, w0, m, 3, 3, 1, 0, 1)
    node_1(m, row, x):
        linear_dot_f64(b1, b0, w1, m, 3)

    tile_predict(m, row, x):
        node_0(m, row, x)
        if node_k(...) refuses: return its code
        program_store(given_outputs, b1, m, row, bytes of a result)

    program_tile(method, m, row, x):
        return the tile function of the method that has this number

    method_predict(rows, inputs, outputs):
        copy and check what they point to: given_inputs, given_outputs
        return program_run(rows, given_inputs, 0, bytes of a row, rows of a tile)

``b0``, ``b1`` are buffers for one tile and ``w0``, ``w1`` weights, both placed by the linker. The
loop over tiles is ``program_run`` in kernels/program.c. What an input beside the table holds is
fetched at the start of a tile (kernels/beside.c). All shapes are constants, so LLVM
specialises each kernel for the one place that calls it, unless there are many such places.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from sclbl.compiler import beside
from sclbl.compiler.beside import Fetch
from sclbl.compiler.calls import Call
from sclbl.compiler.linker import Reserved, Weights
from sclbl.compiler.plan import Plan, Step, lifetimes, plan
from sclbl.missing import LENGTHS, of_text
from sclbl.ops import find
from sclbl.signature import Signature
from sclbl.spec import NUMERIC_INPUT, TEXT_INPUT, Graph, Node

#: Of bool that of uint8: what kernels make of it is 0 or 1 again.
SUFFIX = {
    "float64": "f64", "float32": "f32", "float16": "f16",
    "int8": "i8", "int16": "i16", "int32": "i32", "int64": "i64",
    "uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64",
    "bool": "u8", "text": "text",
}  # fmt: skip
ITEM = {
    "float64": 8, "float32": 4, "float16": 2,
    "int8": 1, "int16": 2, "int32": 4, "int64": 8,
    "uint8": 1, "uint16": 2, "uint32": 4, "uint64": 8,
    "bool": 1, "text": 8, "label": 4,
}  # fmt: skip
#: A tile's buffers should stay in the first-level cache, and a tile should fill the trees' lanes.
TILE_BYTES = 96 * 1024
TILE_MIN, TILE_MAX = 16, 256
#: A kernel that is called from more places than this is compiled once, for all of them, because
#: LLVM's time for a program of thousands of operators is that of the code in it.
MOST_PLACES = 32


#: What a method's function for a tile gets, and a node's, which knows that nothing overlaps.
TILE = "i32 %m, i32 %row, ptr %x"
NODE = TILE.replace("ptr %x", "ptr noalias %x")


#: A buffer as an argument.
_BUFFER = re.compile(r"ptr @(b\d+)\b")


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
        self.stems: set[str] = {"abi"}
        self.buffers: dict[str, int] = {}
        #: Memory that a node needs while it runs, whatever the number of rows.
        self.workspaces: dict[str, int] = {}
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
        #: Kernels that call some of them.
        self.given_functions: set[str] = set()
        self._current = _Function()
        #: How kernels are called, and the operator that did so first.
        self.calls: dict[Call, str] = {}
        self._caller = "the program"
        self._external: set[str] = {"sclbl_error", "heap_base"}
        if any(v.name == NUMERIC_INPUT for v in graph.inputs):
            self._place[NUMERIC_INPUT] = "ptr %x"
        if any(v.name == TEXT_INPUT for v in graph.inputs):
            self._place[TEXT_INPUT] = self.scratch(8 * len(signature.text))
            self._text_columns = self.weight(np.array(signature.text, dtype=np.int32), 4)
        #: Memory that grows while a call runs.
        self.growing_count = 0
        self._grows: dict[tuple[str, str], str] = {}
        #: How a tile fetches an input beside the table, by name.
        self._fetch: dict[str, Fetch] = {}
        beside.place(self)

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
        buffer = f"b{len(self.buffers) + len(self.workspaces)}"
        self.buffers[buffer] = self.width(name) * ITEM[self.dtype(name)]
        self._place[name] = f"ptr @{buffer}"
        return self._place[name]

    def scratch(self, row_bytes: int) -> str:
        """Reserve a buffer of `row_bytes` for each row of a tile."""
        buffer = f"b{len(self.buffers) + len(self.workspaces)}"
        self.buffers[buffer] = row_bytes
        return f"ptr @{buffer}"

    def workspace(self, size: int) -> str:
        """Reserve `size` bytes that hold nothing before and after the node."""
        name = f"b{len(self.buffers) + len(self.workspaces)}"
        self.workspaces[name] = size
        return f"ptr @{name}"

    def fetch(self, name: str, address: str, fetch: Fetch) -> None:
        """Say where the tile of an input beside the table lies, and what puts it there."""
        self._place[name], self._fetch[name] = address, fetch

    def growing(self, count: int = 1) -> str:
        """Return the address of records of blocks that grow while a call runs (``growing``)."""
        first = self.growing_count
        self.growing_count += count
        return self.offset("ptr @growing", 12 * first)

    def grows(self, method: str, name: str) -> str:
        """Return where a method's ragged result is put together: offsets, keys, values."""
        if (method, name) not in self._grows:
            self._grows[method, name] = self.growing(3)
        return self._grows[method, name]

    def ragged(self, node: Node, index: int = 0) -> str:
        """Reserve what tells where a tile of a ragged result lies, and return its address."""
        name = node.outputs[index]
        self._place[name] = self.reserve(12, 4)
        return self._place[name]

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
        self._current.lines.append(f"  {self.use(kernel, args, 'void')}")

    def cells(self, width: int) -> str:
        """Return the number of cells of a tile of `width` columns, as an argument."""
        if width == 1:
            return "i32 %m"
        name = f"%n{len(self._current.lines)}"
        self._current.lines.append(f"  {name} = mul i32 %m, {width}")
        return f"i32 {name}"

    def refuse(self, kernel: str, *args: str) -> None:
        """Call a kernel that may refuse rows; its code is the node's result."""
        self._current.lines.append(f"  %code = {self.use(kernel, args, 'i32')}")
        self._current.refuses = True

    def function(self, parameters: str, kernel: str, *args: str) -> str:
        """Add a function that calls a kernel, never inlined, and return its address."""
        call = self.use(kernel, args, "void")
        name = f"walk_{len(self.separate)}"
        self.separate[name] = [
            f"define internal void @{name}({parameters}) {{",
            f"  {call}",
            "  ret void",
            "}",
        ]
        return f"ptr @{name}"

    def at_start(self, kernel: str, *args: str) -> None:
        """Call a kernel when the program is instantiated."""
        self._start.append(f"  {self.use(kernel, args, 'void')}")

    def use(self, kernel: str, args: tuple[str, ...], result: str) -> str:
        """Return the instruction that calls a kernel, which is declared and linked."""
        self._places[kernel] += 1
        if any(a.removeprefix("ptr @") in self.separate for a in args):
            self.given_functions.add(kernel)
        types = tuple(a.split(" ")[0] for a in args)
        self._note(Call(kernel.split("_")[0], kernel, result, types))
        return f"call {result} @{kernel}({', '.join(args)})"

    def _note(self, call: Call) -> None:
        self.stems.add(call.stem)
        self._declared.setdefault(
            call.kernel, f"declare {call.result} @{call.kernel}({', '.join(call.types)})"
        )
        self.calls.setdefault(call, self._caller)

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
        self._caller = f"the operator {self.graph.nodes[index].op}"

    def tile(self) -> int:
        """Return how many rows a tile has."""
        if self._pictures:
            # Kernels work inside a row, and a tile of several rows costs memory.
            row = self._plan(1).size + sum(
                self.buffers[n] for n in self._apart & self.buffers.keys()
            )
            return int(np.clip(TILE_BYTES // max(row, 1), 1, TILE_MAX))
        row = sum(self.buffers.values()) or 1
        return int(np.clip(TILE_BYTES // row // 8 * 8, TILE_MIN, TILE_MAX))

    @property
    def _pictures(self) -> bool:
        """Whether rows have several axes, so that buffers are large and few."""
        return any(len(v.shape) > 1 for v in self.graph.values.values())

    def _plan(self, rows: int) -> Plan:
        """Return where the buffers lie in memory that those share which are not alive together."""
        steps = [Step(_BUFFER.findall("\n".join(f.lines))) for f in self._functions.values()]
        sizes = {n: s * rows for n, s in self.buffers.items() if n not in self._apart}
        sizes |= self.workspaces
        places = (self.pointer(v.name) for v in self.graph.outputs)
        results = [name for place in places for name in _BUFFER.findall(place)]
        shared = self._in_place(steps, sizes, results)
        found = plan(lifetimes(steps, sizes, shared, results))
        return replace(
            found, offsets={**found.offsets, **{n: found.offsets[o] for n, o in shared.items()}}
        )

    @property
    def _apart(self) -> frozenset[str]:
        """Buffers whose address functions know that are not a node's: nothing shares them."""
        code = "\n".join(
            [*(line for lines in self.separate.values() for line in lines), *self._start]
        )
        # Inputs are fetched before the first node runs.
        inputs = [a for f in self._fetch.values() for a in f.arguments]
        fetched = _BUFFER.findall(" ".join([*inputs, self._place.get(TEXT_INPUT, "")]))
        blocks = (block for block, _ in self.aliases.values())
        return frozenset([*_BUFFER.findall(code), *fetched, *blocks])

    def _in_place(
        self, steps: Sequence[Step], sizes: Mapping[str, int], results: Sequence[str]
    ) -> dict[str, str]:
        """Return buffers of element-wise results that lie where an operand does that ends there."""
        last = {name: index for index, step in enumerate(steps) for name in step.writes}
        last |= dict.fromkeys(results, len(steps))
        shared: dict[str, str] = {}
        for index, node in enumerate(self.graph.nodes):
            if find(node.op).form not in ("element-wise", "two operands"):
                continue
            (out,) = _BUFFER.findall(self.pointer(node.outputs[0]))
            for name in node.inputs:
                own = [shared.get(b, b) for b in _BUFFER.findall(self.pointer(name))]
                # Element for element: the one number that is compared with eight has the bytes of
                # their eight results, but is read after the first of them is written.
                same = self.width(name) == self.width(node.outputs[0])
                ends = own and own[0] in sizes and out in sizes and last[own[0]] == index
                if same and ends and sizes[own[0]] == sizes[out]:
                    shared[out] = own[0]
                    last[own[0]] = last[out]
                    break
        return shared

    def reserved(self) -> list[Reserved]:
        """Return the zeroed blocks: error record, buffers of a tile, tables made at the start."""
        tile = self.tile()
        if self._pictures:
            buffers = [Reserved("arena", self._plan(tile).size)]
            apart = [name for name in self.buffers if name in self._apart]
            buffers += [Reserved(name, self.buffers[name] * tile) for name in apart]
        else:
            buffers = [Reserved(name, size * tile) for name, size in self.buffers.items()]
            buffers += [Reserved(name, size) for name, size in self.workspaces.items()]
        most = max(len(self.signature.results(method)) for method in self.signature.outputs)
        count = len(self.signature.inputs) + bool(self.signature.columns)
        call = [Reserved("given_inputs", 16 * count), Reserved("given_outputs", 4 * most)]
        if self.growing_count:
            call.append(Reserved("growing", 12 * self.growing_count))
        return [Reserved("sclbl_error", 12), *call, *buffers, *self._reserved]

    def _placed(self, code: list[str]) -> list[str]:
        """Return code in which buffers that share memory are parts of one block.

        LLVM takes blocks of different names for different memory.
        """
        if not self._pictures:
            return code
        offsets = self._plan(self.tile()).offsets

        def place(found: re.Match[str]) -> str:
            if found[1] not in offsets:
                return found[0]
            return f"ptr getelementptr (i8, ptr @arena, i32 {offsets[found[1]]})"

        return [_BUFFER.sub(place, line) for line in code]

    @staticmethod
    def stop_on_error(name: str, call: str) -> list[str]:
        """Return a call whose code, where it is not 0, becomes that of the function around it."""
        return [
            f"  %code{name} = {call}",
            f"  %stop{name} = icmp ne i32 %code{name}, 0",
            f"  br i1 %stop{name}, label %end{name}, label %go{name}",
            f"end{name}:",
            f"  ret i32 %code{name}",
            f"go{name}:",
        ]

    def given_output(self, k: int) -> str:
        """Return where the address of a call's result is kept."""
        return self.offset("ptr @given_outputs", 4 * k)

    def given_input(self, k: int) -> str:
        """Return where the record of a call's input is kept."""
        return self.offset("ptr @given_inputs", 16 * k)
