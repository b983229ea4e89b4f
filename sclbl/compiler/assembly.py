"""The functions around the nodes: a method on one tile, and the method that the host calls.

What they are in pseudo-code stands in `sclbl.compiler.emit`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sclbl.compiler import beside
from sclbl.compiler.beside import Check
from sclbl.compiler.calls import Call
from sclbl.compiler.emit import ITEM, MOST_PLACES, NODE, TILE, Emitter
from sclbl.kernels.build import RESIDENT
from sclbl.spec import TEXT_INPUT

#: From how many places on those that call a kernel alike share one function that does.
FEWEST_ALIKE = 3
_CALL = re.compile(
    r"(?P<before> +(?:%\w+ = )?)call (?P<result>\w+) @(?P<kernel>\w+)\((?P<arguments>.*)\)$"
)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a kernel is called: a line, what stands before the call in it, the arguments."""

    lines: list[str]
    at: int
    before: str
    arguments: list[str]


def _varies(argument: str) -> bool:
    """Whether an argument is an address or computed, and no constant."""
    return "@" in argument or "%" in argument


class Assembly(Emitter):
    """The LLVM assembly of one program."""

    def assembly(self, methods: dict[str, list[int]]) -> str:
        """Return the LLVM assembly; `methods` lists the nodes that each method runs."""
        self._caller = "the program"
        if not self._pictures:
            self._share()
        code: list[str] = []
        for index, function in self._functions.items():
            if not function.lines:
                continue
            kind, end = ("i32", "  ret i32 %code") if function.refuses else ("void", "  ret void")
            code.append(f"define internal {kind} @node_{index}({NODE}) {{")
            code += function.lines
            code += [end, "}"]
        for lines in self.separate.values():
            code += lines
        for method, nodes in methods.items():
            code += self._tile(method, nodes)
        code += self._run(list(methods))
        if self._start:
            code += ["define void @program_start() {", *self._start, "  ret void", "}"]
        symbols = [*self._external, *(w.name for w in self.weights)]
        symbols += [r.name for r in self.reserved() if r.name != "sclbl_error"]
        symbols += self.aliases
        out = [f"@{name} = external global i8, align 4" for name in sorted(symbols)]
        return "\n".join([*out, *self._declared.values(), *self._placed(code)]) + "\n"

    def _share(self) -> None:
        """Let nodes that call a kernel alike, but for addresses, call one function that does.

        A kernel that is called in many ways is compiled once for all of them anyway.
        """
        found: dict[tuple[str, str, tuple[str, ...]], list[_Place]] = {}
        for function in self._functions.values():
            for at, line in enumerate(function.lines):
                call = _CALL.match(line)
                if call is None or call["kernel"] in self.given_functions:
                    continue
                arguments = call["arguments"].split(", ")
                kinds = tuple(a.split(" ")[0] if _varies(a) else a for a in arguments)
                place = _Place(function.lines, at, call["before"], arguments)
                found.setdefault((call["result"], call["kernel"], kinds), []).append(place)
        ways = Counter(kernel for _, kernel, _ in found)
        for (result, kernel, kinds), places in found.items():
            often = len(places) >= FEWEST_ALIKE and ways[kernel] <= MOST_PLACES
            if often and kernel.split("_")[0] not in RESIDENT:
                self._places[kernel] -= len(places) - 1
                self._as_one(result, kernel, kinds, places)

    def _as_one(
        self, result: str, kernel: str, kinds: Sequence[str], places: Sequence[_Place]
    ) -> None:
        """Put one function between a kernel and the places that call it alike."""
        name = f"same_{len(self.separate)}"
        taken, given = [], []
        for k, kind in enumerate(kinds):
            if not _varies(places[0].arguments[k]):
                given.append(kind)
                continue
            own = all(p.arguments.count(p.arguments[k]) == 1 for p in places)
            taken.append(f"{kind} {'noalias ' if kind == 'ptr' and own else ''}%a{k}")
            given.append(f"{kind} %a{k}")
        call = f"call {result} @{kernel}({', '.join(given)})"
        body = [f"  {call}", "  ret void"] if result == "void" else [
            f"  %code = {call}", f"  ret {result} %code"
        ]  # fmt: skip
        head = f"define internal {result} @{name}({', '.join(taken)}) {{"
        self.separate[name] = [head, *body, "}"]
        for place in places:
            arguments = ", ".join(a for a in place.arguments if _varies(a))
            place.lines[place.at] = f"{place.before}call {result} @{name}({arguments})"

    @property
    def frequent(self) -> frozenset[str]:
        """Kernels that are called from so many places that they are compiled once for all.

        One that is given functions is not: each place calls functions of its own.
        """
        often = (k for k, places in self._places.items() if places > MOST_PLACES)
        return frozenset(often) - self.given_functions

    @property
    def has_start(self) -> bool:
        """Whether something runs at the start."""
        return bool(self._start)

    def _tile(self, method: str, nodes: list[int]) -> list[str]:
        """One method on one tile: its inputs, its nodes, then the results to where they belong."""
        results = [name for name, _ in self.signature.results(method)]
        used = {name for i in nodes for name in self.graph.nodes[i].inputs} | set(results)
        lines = [f"define internal i32 @tile_{method}({TILE}) {{"]
        if TEXT_INPUT in used:
            read = self.use(
                "abi_text",
                (
                    *(self._place[TEXT_INPUT], "ptr @given_inputs", "i32 %m", "i32 %row"),
                    f"i32 {len(self.signature.text)}",
                    self._text_columns,
                ),
                "i32",
            )
            lines += self.stop_on_error("text", read)
        for k, (name, fetch) in enumerate(self._fetch.items()):
            if name in used:
                call = self.use(fetch.kernel, fetch.arguments, fetch.result)
                lines += (
                    [f"  {call}"] if fetch.result == "void" else self.stop_on_error(f"in{k}", call)
                )
        for index in nodes:
            function = self._functions[index]
            if function.refuses:
                lines += self.stop_on_error(str(index), f"call i32 @node_{index}({TILE})")
            elif function.lines:
                lines.append(f"  call void @node_{index}({TILE})")
        # Ragged results first: what they are of may lie in the host's memory, and the other results
        # are written there.
        stores = []
        for k, name in enumerate(results):
            if self.graph.values[name].ragged is not None:
                lines += self.stop_on_error(f"out{k}", beside.append(self, method, name))
            else:
                stores.append(f"  {self._store(name, k)}")
        lines += stores
        return [*lines, "  ret i32 0", "}"]

    def _store(self, name: str, k: int) -> str:
        """Return the call that puts a tile of a result into the host's block."""
        floats = self.dtype(name) in ("float64", "float32")
        store = f"program_store_{self.suffix(name)}" if floats else "program_store"
        size = self.width(name) if floats else self._result_bytes(name)
        arguments = (self.pointer(name), "i32 %m", "i32 %row", f"i32 {size}")
        return self.use(store, (self.given_output(k), *arguments), "void")

    def _run(self, methods: Sequence[str]) -> list[str]:
        """Which tile function runs for which method, and the functions that the host calls."""
        targets = " ".join(f"i32 {k}, label %run{k}" for k in range(1, len(methods)))
        lines = [
            f"define i32 @program_tile(i32 %method, {TILE}) {{",
            f"  switch i32 %method, label %run0 [{targets}]",
        ]
        for k, method in enumerate(methods):
            lines += [
                f"run{k}:",
                f"  %code{k} = call i32 @tile_{method}({TILE})",
                f"  ret i32 %code{k}",
            ]
        lines.append("}")
        # The loop calls it: not a kernel, but of a type that both sides must agree on.
        types = ("i32", "i32", "i32", "ptr")
        self.calls[Call("program", "program_tile", "i32", types)] = self._caller
        for k, method in enumerate(methods):
            lines += self._method(k, method)
        return lines

    def _method(self, number: int, method: str) -> list[str]:
        """The function that the host calls: checks, then the loop over tiles."""
        results = self.signature.results(method)
        signature, given = self.signature, "ptr @given_inputs"
        numeric = len(signature.numeric) * ITEM[signature.numeric_dtype]
        count = (f"i32 {len(signature.inputs) + bool(signature.columns)}", f"i32 {len(results)}")
        lines = [f"define i32 @method_{method}(i32 %rows, ptr %inputs, ptr %outputs) {{"]
        if signature.one_row:
            lines += self.stop_on_error("rows", self.use("abi_one_row", ("i32 %rows",), "i32"))
        plain = len(results) == 1 and results[0][1].ragged is None
        if plain and not signature.inputs and not self.growing_count:
            sizes = (number, numeric, self._result_bytes(method), len(signature.text), self.tile())
            blocks = ("i32 %rows", "ptr %inputs", "ptr %outputs", given, self.given_output(0))
            call = self.use("program_call", (*blocks, *(f"i32 {size}" for size in sizes)), "i32")
            return [*lines, f"  %code = {call}", "  ret i32 %code", "}"]
        checks: list[Check] = [
            (
                "abi_take",
                (
                    *("i32 %rows", "ptr %inputs", given, count[0]),
                    *("ptr %outputs", "ptr @given_outputs", count[1]),
                ),
            )
        ]
        if numeric:
            checks.append(("abi_block", ("i32 %rows", given, f"i32 {numeric}")))
        if signature.text:
            checks.append(("abi_texts", ("i32 %rows", given, f"i32 {len(signature.text)}")))
        checks += beside.checks(self)
        for k, (name, output) in enumerate(results):
            if output.ragged is None:
                block = ("i32 %rows", self.given_output(k), f"i32 {self._result_bytes(name)}")
            else:
                block = ("i32 1", self.given_output(k), "i32 16")
            checks.append(("abi_block", block))
        for k, (kernel, arguments) in enumerate(checks):
            lines += self.stop_on_error(str(k), self.use(kernel, arguments, "i32"))
        lines += beside.before(self, method)
        loop = ("i32 %rows", given, f"i32 {number}", f"i32 {numeric}", f"i32 {self.tile()}")
        lines += self.stop_on_error("run", self.use("program_run", loop, "i32"))
        return [*lines, *beside.after(self, method), "  ret i32 0", "}"]

    def _result_bytes(self, name: str) -> int:
        value = self.graph.values[name]
        return value.width * ITEM[value.dtype]
