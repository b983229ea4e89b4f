"""The loader in Chromium: its size, the time to a first answer, rows a second; beside its peers.

Peers come from npm into a folder of their own (``--npm FOLDER`` keeps it): ONNX Runtime Web with
one thread and with two (for which its page is isolated from other origins; ours is not), and for
the network TensorFlow.js, whose fused operations compute its layers with WebAssembly.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from _measure import duration, save, show
from onnx import numpy_helper
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression

import sclbl
from sclbl.wasm import sections
from sclbl.web import bundle

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.web.browser import Page, running  # noqa: E402  # the same driver as the tests
from tests.web.hosting import Hosted, Reply, hosting  # noqa: E402

PEERS = (
    "onnxruntime-web@1.30.0",
    "@tensorflow/tfjs-core@4.22.0",
    "@tensorflow/tfjs-converter@4.22.0",
    "@tensorflow/tfjs-backend-wasm@4.22.0",
)
TENSORFLOW = (
    "tfjs-core/dist/tf-core.min.js",
    "tfjs-converter/dist/tf-converter.min.js",
    "tfjs-backend-wasm/dist/tf-backend-wasm.min.js",
    "tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm",
)
RUNTIME = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
ISOLATED = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
}
DATA_SECTION = 11

#: Seconds a call of one row and of all, and the longest task while all are predicted.
TIMED = """
    const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
    const timed = async (one, all, rounds) => {
      for (let i = 0; i < 20; i++) await one();
      let begin = performance.now();
      let calls = 0;
      while (performance.now() - begin < 300) for (let i = 0; i < 10; i++, calls++) await one();
      const single = (performance.now() - begin) / calls / 1000;
      await all();
      const times = [];
      const since = performance.now();
      while (times.length < rounds || performance.now() - since < 500) {
        begin = performance.now();
        await all();
        times.push((performance.now() - begin) / 1000);
      }
      return [single, median(times)];
    };
    const longest = async (all) => {
      let [worst, last, on] = [0, performance.now(), true];
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        const now = performance.now();
        [worst, last] = [Math.max(worst, now - last), now];
        if (on) port2.postMessage(0);
      };
      port2.postMessage(0);
      await all();
      on = false;
      return worst / 1000;
    };
    const values = (count, seed) =>
      Float32Array.from({ length: count }, (_, i) => ((i * 7919 + seed) % 256) / 255);
"""
OURS = """
    const { load } = await import("/sclbl.js");
    const model = await load(given.url, { workers: given.workers });
    const shape = (count) => given.tensor
      ? { [given.tensor]: values(count * given.width, 1) } : values(count * given.width, 1);
    const [first, rows] = [shape(1), shape(given.rows)];
    const one = () => model.run(given.method, given.tensor ? first[given.tensor] : first);
    const all = () => model.run(given.method, given.tensor ? rows[given.tensor] : rows);
"""
THEIRS = """
    const ort = await import("/ort/ort.wasm.min.mjs");
    ort.env.wasm.wasmPaths = "/ort/";
    ort.env.wasm.numThreads = given.workers || 1;
    const session = await ort.InferenceSession.create(given.onnx);
    const feed = (count) => ({ [session.inputNames[0]]:
      new ort.Tensor("float32", values(count * given.width, 1), [count, ...given.shape]) });
    const [first, rows] = [feed(1), feed(given.rows)];
    const one = () => session.run(first, given.fetches ?? session.outputNames);
    const all = () => session.run(rows, given.fetches ?? session.outputNames);
"""
TENSORS = """
    const script = (name) => new Promise((done, failed) => {
      document.head.append(Object.assign(document.createElement("script"),
        { src: `/tensorflow/${name}`, onload: done, onerror: failed }));
    });
    if (!globalThis.tf?.wasm) {
      for (const name of given.scripts) await script(name);
      tf.wasm.setWasmPaths("/tensorflow/");
      await tf.setBackend("wasm");
    }
    const layers = (await (await fetch(given.layers)).json()).map(([kind, shape, numbers, bias]) =>
      [kind, shape && tf.tensor(numbers, shape), bias && tf.tensor1d(bias)]);
    const compute = (given) => tf.tidy(() => layers.reduce((x, [kind, filter, bias]) => {
      if (kind === "convolve") {
        return tf.fused.conv2d({ x, filter, strides: 1, pad: "same", bias, activation: "relu" });
      }
      if (kind === "pool") return tf.maxPool(x, 2, 2, "valid");
      if (kind === "mean") return tf.mean(x, [1, 2]);
      return tf.softmax(tf.add(tf.matMul(x, filter), bias));
    }, given));
    const feed = (count) => tf.tensor4d(values(count * given.width, 1), [count, 28, 28, 1]);
    const [first, rows] = [feed(1), feed(given.rows)];
    const asked = async (x) => {
      const y = compute(x);
      const numbers = await y.data();
      y.dispose();
      return numbers;
    };
    const one = () => asked(first);
    const all = () => asked(rows);
"""


def installed(folder: Path) -> Path:
    """Install the peers and return where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text("{}")
    npm = str(Path(sys.executable).with_name("npm"))
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    subprocess.run([npm, "install", *options, *PEERS], cwd=folder, check=True)
    return folder / "node_modules"


def models() -> dict[str, dict[str, Any]]:
    """Return the two models: programs, the same as ONNX files, and how they are asked."""
    random = np.random.default_rng(0)
    x = random.uniform(size=(500, 20)).astype(np.float32)
    logistic = LogisticRegression(max_iter=500).fit(x, random.integers(0, 3, 500))
    digits = ROOT / "examples" / "digits" / "digits.onnx"
    network = sclbl.compile(digits)
    (given,) = network.signature.beside or (None,)
    return {
        "logistic regression": {
            "program": sclbl.compile(logistic, x[:5]).wasm,
            "onnx": to_onnx(logistic, x[:1], options={"zipmap": False}).SerializeToString(),
            "ask": {"method": "predict_proba", "width": 20, "shape": [20], "tensor": "",
                    "fetches": ["probabilities"]},
        },
        "digits (MNIST) network": {
            "program": network.wasm,
            "onnx": digits.read_bytes(),
            "ask": {"method": network.methods[0], "width": 784, "shape": [1, 28, 28],
                    "tensor": given.name if given else "", "fetches": None},
        },
    }  # fmt: skip


def layers_of(network: bytes) -> list[Any]:
    """Return the layers of the network for TensorFlow.js: kind, shape, weights, bias.

    Convolutions take the normalisation behind them in their weights.
    """
    graph = onnx.load_from_string(network).graph
    held = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    found: list[Any] = []
    filters = None
    for node in graph.node:
        if node.op_type == "Conv":
            filters = held[node.input[1]]
        elif node.op_type == "BatchNormalization":
            scale, shift, mean, variance = (held[name] for name in node.input[1:])
            factor = scale / np.sqrt(variance + onnx.helper.get_attribute_value(node.attribute[0]))
            weights = (filters * factor[:, None, None, None]).transpose(2, 3, 1, 0)
            bias = shift - mean * factor
            found.append(["convolve", weights.shape, weights.ravel().tolist(), bias.tolist()])
        elif node.op_type == "Gemm":
            weights = held[node.input[1]].T
            bias = held[node.input[2]].tolist()
            found.append(["classify", weights.shape, weights.ravel().tolist(), bias])
        elif node.op_type in ("MaxPool", "ReduceMean"):
            found.append(["pool" if node.op_type == "MaxPool" else "mean", None, None, None])
    return found


def without_weights(wasm: bytes) -> bytes:
    """Return a program without the section that holds its weights."""
    kept = (wasm[start:end] for kind, start, _, end in sections(wasm) if kind != DATA_SECTION)
    return b"".join(kept)


def sizes(packages: Path, network: bytes, onnx: bytes) -> dict[str, dict[str, int]]:
    """Return the gzipped bytes that a page loads to run the network, weights apart."""

    def weigh(folder: Path, names: tuple[str, ...]) -> int:
        return sum(bundle.weight((folder / name).read_bytes()) for name in names)

    bare = without_weights(network)
    return {
        "sclbl: the loader alone": {"code": bundle.weight(bundle.loader()), "weights": 0},
        "sclbl: the loader and the network": {
            "code": bundle.weight(bundle.loader()) + bundle.weight(bare),
            "weights": bundle.weight(network) - bundle.weight(bare),
        },
        "TensorFlow.js: core, converter, wasm": {
            "code": weigh(packages / "@tensorflow", TENSORFLOW),
            "weights": bundle.weight(onnx),
        },
        "ONNX Runtime Web: wasm": {
            "code": weigh(packages / "onnxruntime-web" / "dist", RUNTIME),
            "weights": bundle.weight(onnx),
        },
    }


def first_answer(page: Page, code: str, given: dict[str, Any]) -> float:
    """Return the median seconds from loading what the page has cached to a first answer."""
    body = f"""
        const times = [];
        const fresh = async () => {{
          const begin = performance.now();
          {code}
          await one();
          return performance.now() - begin;
        }};
        await fresh();
        await new Promise((done) => setTimeout(done, 300));
        for (let i = 0; i < 9; i++) times.push(await fresh());
        return median(times) / 1000;
    """
    return float(page.run(TIMED + body, {**given, "rows": 1, "workers": 0}))


def together(url: str, given: dict[str, Any]) -> float:
    """Return the seconds of all rows in each of two browsers at the same time."""
    with running("chromium") as one, running("chromium") as two:
        pages = [one.page(url), two.page(url)]
        with ThreadPoolExecutor(2) as pool:
            code = TIMED + OURS + "return (await timed(one, all, 2))[1];"
            return max(pool.map(lambda page: float(page.run(code, given)), pages))


def timings(host: Hosted, name: str, ask: dict[str, Any], rows: int) -> dict[str, Any]:
    """Return what one model takes, with ours and with ONNX Runtime Web."""
    given = {
        "url": f"/{name}.wasm",
        "onnx": f"/{name}.onnx",
        "layers": f"/{name}.json",
        "scripts": [Path(path).name for path in TENSORFLOW if path.endswith("js")],
        "rows": rows,
        **ask,
    }
    found: dict[str, Any] = {}
    with running("chromium") as browser:
        for workers in (0, 1, 2):
            page = browser.page(host.url)
            code = "return [...(await timed(one, all, 3)), await longest(all)];"
            found[f"sclbl, {workers} workers"] = page.run(
                TIMED + OURS + code, {**given, "workers": workers}
            )
            page.close()
        for threads in (1, 2):
            page = browser.page(f"{host.url}/isolated")
            assert page.evaluate("crossOriginIsolated")
            code = "return [...(await timed(one, all, 3)), await longest(all)];"
            found[f"ONNX Runtime Web, {threads} threads"] = page.run(
                TIMED + THEIRS + code, {**given, "workers": threads}
            )
            page.close()
        tensors = name == "digits"
        if tensors:
            page = browser.page(host.url)
            code = "return [...(await timed(one, all, 3)), await longest(all)];"
            found["TensorFlow.js, 1 thread"] = page.run(TIMED + TENSORS + code, given)
            theirs = page.run(TIMED + TENSORS + "return [...(await one())];", {**given, "rows": 1})
            ours = page.run(
                TIMED + OURS + "return [(await one()).data].flat().flatMap((part) => [...part]);",
                {**given, "rows": 1, "workers": 0},
            )
            np.testing.assert_allclose(theirs, ours, atol=1e-4)
            page.close()
        page = browser.page(host.url)
        sha256 = page.run(
            "const { load } = await import('/sclbl.js'); return (await load(given)).sha256",
            given["url"],
        )
        pinned = OURS.replace("{ workers: given.workers }", "{ sha256: given.sha256 }")
        found["first answer"] = {
            "sclbl": first_answer(page, pinned, {**given, "sha256": sha256}),
            "ONNX Runtime Web": first_answer(page, THEIRS, given),
        }
        if tensors:
            found["first answer"]["TensorFlow.js"] = first_answer(page, TENSORS, given)
    pair = together(host.url, {**given, "workers": 1})
    one, two = found["sclbl, 1 workers"][1], found["sclbl, 2 workers"][1]
    found["two workers over one"] = one / two
    found["two processes over one"] = 2 * one / pair
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--npm", type=Path, help="where the peers are installed, and stay")
    parser.add_argument("--rows", type=int, default=10_000, help="rows of a large batch")
    given = parser.parse_args()
    folder, rows = given.npm, given.rows
    with tempfile.TemporaryDirectory(prefix="sclbl-peers-") as scratch:
        kept = (folder or Path(scratch)).resolve()
        there = kept / "node_modules" / "onnxruntime-web"
        packages = kept / "node_modules" if there.is_dir() else installed(kept)
        subjects = models()
        network = subjects["digits (MNIST) network"]
        weights = sizes(packages, network["program"], network["onnx"])
        show(
            "gzip -9, bytes",
            ["what", "code", "weights"],
            [[k, f"{v['code']:,}", f"{v['weights']:,}"] for k, v in weights.items()],
        )
        results: dict[str, Any] = {"sizes": weights}
        with hosting() as host:
            page = host.replies["/"]
            assert isinstance(page, str)
            host.replies["/isolated"] = Reply(page.encode(), headers=ISOLATED)
            for name in RUNTIME:
                content = (packages / "onnxruntime-web" / "dist" / name).read_bytes()
                kind = "text/javascript" if name.endswith("mjs") else "application/wasm"
                head = {**ISOLATED, "content-type": kind, "cache-control": "max-age=3600"}
                host.replies[f"/ort/{name}"] = Reply(content, headers=head)
            for path in TENSORFLOW:
                content = (packages / "@tensorflow" / path).read_bytes()
                kind = "text/javascript" if path.endswith("js") else "application/wasm"
                head = {"content-type": kind, "cache-control": "max-age=3600"}
                host.replies[f"/tensorflow/{Path(path).name}"] = Reply(content, headers=head)
            host.replies["/digits.json"] = Reply(
                json.dumps(layers_of(network["onnx"])).encode(),
                headers={"content-type": "application/json", "cache-control": "max-age=3600"},
            )
            for name, subject in subjects.items():
                short = name.partition(" ")[0]
                host.replies[f"/{short}.wasm"] = subject["program"]
                host.replies[f"/{short}.onnx"] = subject["onnx"]
                found = timings(host, short, subject["ask"], rows)
                results[name] = found
                table = [
                    [k, duration(v[0]), duration(v[1]), f"{rows / v[1]:,.0f}", duration(v[2])]
                    for k, v in found.items()
                    if isinstance(v, list)
                ]
                columns = ["", "one row", f"{rows:,} rows", "rows a second", "longest task"]
                show(name, columns, table)
                first = found["first answer"]
                print(
                    "cached, to a first answer: "
                    + ", ".join(f"{who} {duration(taken)}" for who, taken in first.items())
                    + f"; two workers over one "
                    f"{found['two workers over one']:.2f}, two processes over one "
                    f"{found['two processes over one']:.2f}"
                )
    save("web", results)
    print(json.dumps(results["sizes"]))


if __name__ == "__main__":
    main()
