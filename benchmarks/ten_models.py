"""Ten models of scikit-learn: bytes and one row's time, beside skl2onnx and ONNX Runtime.

Usage: python benchmarks/ten_models.py [--web FOLDER]

FOLDER is that of the npm package onnxruntime-web. Without it the size of its WebAssembly file is
left out. What runs a model in Python is counted as installed: the folders of the packages that a
process imports to predict with it (NumPy, which both need, is not counted).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from _measure import duration, interleave, save, show
from _models import logistic_mixed
from predict_latency import accept_numpy_integers, columns_of
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

import sclbl
from sclbl.settings import use_threads

#: What a process imports beside NumPy and the standard library to predict, ours and theirs.
OURS = ("sclbl", "wasmtime", "msgspec")
THEIRS = ("onnxruntime",)
CALLS = 512


def models() -> dict[str, tuple[Any, Any, str]]:
    """Return fitted models, rows, and the method that is asked."""
    x, y = load_breast_cancer(return_X_y=True)
    dx, dy = load_diabetes(return_X_y=True)

    def scaled(model: Any) -> Any:
        return make_pipeline(StandardScaler(), model).fit(x, y)

    process = GaussianProcessRegressor(
        RBF(0.1) + WhiteKernel(0.5), optimizer=None, normalize_y=True
    )
    return {
        "linear (Ridge)": (Ridge().fit(dx, dy), dx, "predict"),
        "logistic pipeline": (scaled(LogisticRegression()), x, "predict_proba"),
        "mixed columns": logistic_mixed(),
        "tree": (DecisionTreeClassifier(random_state=0).fit(x, y), x, "predict_proba"),
        "forest 100": (RandomForestClassifier(random_state=0).fit(x, y), x, "predict_proba"),
        "HistGradientBoosting": (
            HistGradientBoostingClassifier(random_state=0).fit(x, y), x, "predict_proba",
        ),
        "SVC rbf": (scaled(SVC()), x, "decision_function"),
        "kNN": (scaled(KNeighborsClassifier()), x, "predict_proba"),
        "Gaussian process": (process.fit(dx, dy), dx, "predict"),
        "MLP": (scaled(MLPClassifier(random_state=0, max_iter=300)), x, "predict_proba"),
    }  # fmt: skip


def converted(model: Any, rows: Any, method: str) -> tuple[int, Callable[[Any], Any]] | str:
    """Return the bytes of skl2onnx's file in float32, and a call of it; else why there is none."""
    from skl2onnx import to_onnx

    options: dict[str, Any] = {"zipmap": False} if method == "predict_proba" else {}
    if method == "decision_function":
        options = {"zipmap": False, "raw_scores": True}
    table = hasattr(rows, "columns")
    floats = dict.fromkeys(rows.select_dtypes("float64"), "float32") if table else "float32"
    example = rows[:5].astype(floats)
    try:
        onnx = to_onnx(model, example, options=options or None).SerializeToString()
    except (RuntimeError, ValueError, NotImplementedError) as error:
        return type(error).__name__
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(onnx, settings, providers=["CPUExecutionProvider"])
    wanted = [session.get_outputs()[-1].name]
    if table:
        return len(onnx), lambda frame: session.run(wanted, columns_of(frame))[0]
    name = session.get_inputs()[0].name
    return len(onnx), lambda part: session.run(wanted, {name: part})[0]


def installed(packages: tuple[str, ...]) -> int:
    """Return the bytes of the folders of packages, compiled Python left out."""
    code = (
        f"import {', '.join(packages)}; print(*({', '.join(p + '.__file__' for p in packages)},))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    folders = [Path(p).parent for p in found.stdout.split()]
    every = (f for folder in folders for f in folder.rglob("*") if f.is_file())
    return sum(f.stat().st_size for f in every if f.suffix not in (".pyc", ".c", ".h"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--web", type=Path, help="folder of the npm package onnxruntime-web")
    arguments = parser.parse_args()
    use_threads(1)
    warnings.simplefilter("ignore")
    accept_numpy_integers()
    python = installed(OURS), installed(THEIRS)
    web = 0
    if arguments.web:
        web = (arguments.web / "dist" / "ort-wasm-simd-threaded.wasm").stat().st_size
    table, results = [], {}
    for name, (model, rows, method) in models().items():
        program = sclbl.compile(model, rows[:5], methods=[method])
        theirs = converted(model, rows, method)
        parts = [rows[i % len(rows) : i % len(rows) + 1] for i in range(CALLS)]
        single = parts if hasattr(rows, "columns") else [p.astype(np.float32) for p in parts]
        calls: dict[str, Any] = {
            "sclbl": (getattr(program, method), parts),
            "source": (getattr(model, method), parts),
        }
        if not isinstance(theirs, str):
            calls["onnxruntime"] = (theirs[1], single)
        times = interleave(calls)
        size = None if isinstance(theirs, str) else theirs[0]
        results[name] = {"bytes": program.size, "skl2onnx": size, "seconds": times}
        other = times.get("onnxruntime")
        table.append([
            name, f"{program.size:,}", theirs if size is None else f"{size:,}",
            duration(times["sclbl"]), duration(other), duration(times["source"]),
            "-" if other is None else f"{other / times['sclbl']:.1f}x",
        ])  # fmt: skip
    columns = ["model", "sclbl", "skl2onnx", "one row", "onnxruntime", "source", "ratio"]
    show("Bytes of the file; one row from Python, one thread, medians", columns, table)
    print(f"What runs it in Python: {python[0]:,} bytes; onnxruntime {python[1]:,}")
    if web:
        print(f"In a browser: nothing; onnxruntime-web {web:,} bytes of WebAssembly")
    save("ten_models", {"models": results, "python": python, "web": web})


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
