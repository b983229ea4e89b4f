"""Networks in wasmtime and in Node, beside ONNX Runtime and onnxruntime-web; and their memory.

Usage: python benchmarks/networks.py [--web FOLDER] [network.onnx ...]

FOLDER is that of the npm package onnxruntime-web (``npm install onnxruntime-web``). Without it Node
runs the programs alone. Further files have one input of fixed shape, whose first axis may be open.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
from _measure import duration, interleave, save, show
from engines import node

from sclbl.compiler import compile_spec
from sclbl.onnx_format import read
from sclbl.program import Program

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.networks import Network, attention, lenet, residual

#: Seconds that a network runs in Node.
SECONDS = 4
CASES = {
    "LeNet": lenet,
    "ResNet20": lambda: residual(32, (16, 32, 64), 3),
    "attention 64 x 128": lambda: attention(64, 128),
}


def chain(size: int = 224, channels: int = 64) -> bytes:
    """Convolutions on feature maps of 224 x 224 x 64."""
    n = Network(17)
    x = n.conv("x", 3, channels, 3, pads=[1, 1, 1, 1])
    for _ in range(3):
        x = n.op("Relu", n.conv(x, channels, channels, 3, pads=[1, 1, 1, 1]))
    return n.save(["rows", 3, size, size], n.op("GlobalAveragePool", x))


def in_node(program: Program, data: bytes, x: np.ndarray, web: Path | None) -> dict[str, float]:
    """Return the seconds of a call in Node, and those of onnxruntime-web."""
    (method,) = program.methods
    with tempfile.TemporaryDirectory() as folder:
        for name, content in (("p.wasm", program.wasm), ("n.onnx", data), ("in", x.tobytes())):
            Path(folder, name).write_bytes(content)
        script = Path(__file__).resolve().with_suffix(".mjs")
        command = [node(), str(script), "p.wasm", method, "n.onnx", "in", "out", str(SECONDS)]
        command += [] if web is None else [str(web.resolve())]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        there = np.frombuffer(Path(folder, "out").read_bytes(), dtype=np.float32)
    here = program.run(method, x).ravel()
    if here.tobytes() != there.tobytes():
        raise SystemExit("Node and wasmtime do not return the same bytes")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--web", type=Path)
    parser.add_argument("files", nargs="*", type=Path)
    given = parser.parse_args()
    cases = {name: make() for name, make in CASES.items()}
    cases |= {path.stem: path.read_bytes() for path in given.files}
    rng = np.random.default_rng(0)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    table, results = [], {}
    for name, data in cases.items():
        spec = read(data)
        program = Program(compile_spec(spec))
        (method,) = program.methods
        (source,) = spec.graph.inputs
        x = rng.normal(size=(1, *source.shape)).astype(np.float32)
        session = onnxruntime.InferenceSession(data, options)
        key = session.get_inputs()[0].name
        # The whole tensor is one row where the file mixes rows.
        fed = x.reshape(source.shape) if spec.signature.one_row else x
        (want,) = session.run(None, {key: fed})
        got = program.run(method, x)
        worst = float(np.abs(got.ravel() - want.ravel()).max() / np.abs(want).max())
        here = interleave(
            {
                "wasmtime": (lambda x, p=program, m=method: p.run(m, x), [x]),
                "onnxruntime": (lambda x, s=session, k=key: s.run(None, {k: x}), [fed]),
            }
        )
        there = in_node(program, data, x, given.web)
        ratio = None if there["theirs"] is None else there["theirs"] / there["ours"]
        results[name] = {**here, "node": there["ours"], "web": there["theirs"], "error": worst}
        table.append(
            [
                name,
                f"{len(program.wasm):,}",
                f"{worst:.1e}",
                *(duration(here[k]) for k in ("onnxruntime", "wasmtime")),
                duration(there["ours"]),
                duration(there["theirs"]),
                "-" if ratio is None else f"{ratio:.2f}x",
            ]
        )
    columns = ["network", "bytes", "error", "onnxruntime", "wasmtime", "Node", "web", "web/Node"]
    show("One row, one thread; the programs' bytes are equal in Node and wasmtime", columns, table)
    program = Program(compile_spec(read(chain())))
    memory, largest = program.module.memory_bytes, 2 * 224 * 224 * 64 * 4
    print(
        f"224 x 224 x 64: {memory:,} bytes of memory, {memory / largest:.2f} times the largest two "
        "buffers"
    )
    results["memory"] = {"bytes": memory, "largest_two": largest}
    save("networks", results)


if __name__ == "__main__":
    main()
