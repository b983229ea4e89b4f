"""Prediction from Python on one thread: sclbl, ONNX Runtime, the source library, treelite.

All contenders see the same rows, other ones in every call. ``sclbl f64`` and the source library
take float64 (what the model was fitted on); ``sclbl f32``, ONNX Runtime and treelite take float32.
The pipeline on mixed columns takes DataFrames; what turns one into arrays for ONNX Runtime counts.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from _measure import duration, interleave, save, show
from _models import CASES, fresh
from threadpoolctl import threadpool_limits

import sclbl
from sclbl.settings import use_threads

#: Rows of a call, how many distinct calls there are.
BATCHES = {1: 4096, 100: 128, 20_000: 3}
Call = Callable[[Any], Any]


def accept_numpy_integers() -> None:
    """Let skl2onnx convert HistGradientBoosting: it writes uint32, which today's onnx refuses."""
    from skl2onnx.common import _container

    make = _container.make_node

    def make_node(*args: Any, **attributes: Any) -> Any:
        for key, value in attributes.items():
            if isinstance(value, list) and any(isinstance(v, np.integer) for v in value):
                attributes[key] = [int(v) for v in value]
        return make(*args, **attributes)

    _container.make_node = make_node


def onnxruntime(model: Any, method: str, example: Any, threads: int = 1) -> Call:
    """Return a call of the converted model in ONNX Runtime, float32; 0 threads are its default."""
    import onnxruntime as ort

    if hasattr(example, "columns"):
        from skl2onnx import to_onnx

        floats = example.select_dtypes("float64").columns
        narrow = example[:5].astype(dict.fromkeys(floats, np.float32))
        onnx = to_onnx(model, narrow, options={"zipmap": False})
    elif type(model).__module__.startswith("xgboost"):
        from onnxmltools import convert_xgboost
        from onnxmltools.convert.common.data_types import FloatTensorType

        onnx = convert_xgboost(
            model, initial_types=[("X", FloatTensorType([None, example.shape[1]]))]
        )
    else:
        from skl2onnx import to_onnx

        classifier = method == "predict_proba"
        options = {"zipmap": False} if classifier else None
        onnx = to_onnx(model, example[:5].astype(np.float32), options=options)
    settings = ort.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = threads
    session = ort.InferenceSession(
        onnx.SerializeToString(), settings, providers=["CPUExecutionProvider"]
    )
    wanted = [session.get_outputs()[-1].name]
    names = [i.name for i in session.get_inputs()]
    if len(names) == 1:
        return lambda x: session.run(wanted, {names[0]: x})[0]
    return lambda x: session.run(wanted, x)[0]


def treelite_calls(model: Any, folder: str, native: bool) -> dict[str, Call]:
    """Return calls of treelite's interpreter and, with a C compiler, of its compiled form."""
    import treelite

    if type(model).__module__.startswith("xgboost"):
        ensemble = treelite.frontend.from_xgboost(model.get_booster())
    else:
        ensemble = treelite.sklearn.import_model(model)
    calls: dict[str, Call] = {"treelite": lambda x: treelite.gtil.predict(ensemble, x, nthread=1)}
    if native and shutil.which("gcc"):
        import tl2cgen

        path = f"{folder}/model.so"
        tl2cgen.export_lib(
            ensemble, toolchain="gcc", libpath=path, params={"parallel_comp": 8}, verbose=False
        )
        predictor = tl2cgen.Predictor(path, nthread=1)
        calls["tl2cgen"] = lambda x: predictor.predict(tl2cgen.DMatrix(x))
    return calls


def columns_of(frame: Any) -> dict[str, np.ndarray]:
    """Return a DataFrame as ONNX Runtime takes it: one ``[rows, 1]`` array a column."""
    made = {}
    for column in frame.columns:
        values = frame[column].to_numpy()
        cast = values.astype(np.float32 if values.dtype.kind == "f" else object)
        made[column] = cast.reshape(-1, 1)
    return made


def slices(x: Any, batch: int, count: int) -> list[Any]:
    """Return `count` distinct batches."""
    distinct = max(1, min(count, len(x) // batch))
    return [x[i * batch : (i + 1) * batch] for i in range(distinct)]


def contenders(name: str, native: bool) -> dict[str, tuple[Call, Callable[[Any], Any]]]:
    """Return each contender's call and how it wants the rows."""
    model, example, method = CASES[name]()
    table = hasattr(example, "columns")
    x = fresh(name, 1000)
    want = np.asarray(getattr(model, method)(x))
    program = sclbl.compile(model, example[:5], methods=[method])
    got = np.asarray(getattr(program, method)(x))
    if not np.allclose(got, want, rtol=1e-12, atol=1e-14):
        raise SystemExit(f"{name}: the program does not predict what the model predicts")
    if table:
        session = onnxruntime(model, method, example)
        return {
            "sclbl f64": (getattr(program, method), lambda part: part),
            "source": (getattr(model, method), lambda part: part),
            "onnxruntime": (lambda frame: session(columns_of(frame)), lambda part: part),
        }

    def single(part: Any) -> Any:
        return np.ascontiguousarray(part, dtype=np.float32)

    narrow = sclbl.compile(model, example[:5].astype(np.float32), methods=[method])
    calls = {
        "sclbl f64": (getattr(program, method), np.ascontiguousarray),
        "sclbl f32": (getattr(narrow, method), single),
        "onnxruntime": (onnxruntime(model, method, example), single),
        "source": (getattr(model, method), np.ascontiguousarray),
    }
    if name != "logistic":
        folder = tempfile.mkdtemp()
        calls |= {k: (v, single) for k, v in treelite_calls(model, folder, native).items()}
    return calls


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", default=list(CASES), help="names of cases")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--no-tl2cgen", action="store_true", help="compiling C takes minutes")
    arguments = parser.parse_args()
    use_threads(1)
    warnings.simplefilter("ignore")
    accept_numpy_integers()
    table, results = [], {}
    order = ["sclbl f64", "sclbl f32", "onnxruntime", "source", "treelite", "tl2cgen"]
    for name in arguments.cases:
        calls = contenders(name, not arguments.no_tl2cgen)
        x = fresh(name, 60_000)
        for batch, count in BATCHES.items():
            parts = slices(x, batch, count)
            ready = {k: (call, [shape(p) for p in parts]) for k, (call, shape) in calls.items()}
            times = interleave(ready, rounds=arguments.rounds)
            results[f"{name}, {batch} rows"] = times
            other = times.get("onnxruntime")
            ratios = [
                "-" if other is None or k not in times else f"{other / times[k]:.1f}x"
                for k in order[:2]
            ]
            table.append([name, f"{batch:,}", *(duration(times.get(k)) for k in order), *ratios])
    columns = ["model", "rows", *order, "ort / f64", "ort / f32"]
    show("One thread, medians", columns, table)
    save("predict_latency", results)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
