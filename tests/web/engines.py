"""Programs of every kind, run by JavaScript engines on rows that come near to what they look at.

Each engine reads the same rows from a file of JSON, in which typed arrays are the bytes of NumPy's:
NaN of both signs and with several payloads, neighbours of numbers that tell. What comes back is
compared as bytes with what Python's own runtime returns.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors, RadiusNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    StandardScaler,
)
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import sclbl
from sclbl.program import Program
from sclbl.rows import OneNull

HERE = Path(__file__).parent
ROWS = 240
CITIES = ["Breda", "Delft", "Ede", "'s-Hertogenbosch", "Ærø", "東京", "", None]
WORDS = ["good", "bad", "film", "plot", "actor", "dull", "slow", "very", "not", "the", "of", "and"]
#: NaN of both signs, with several payloads.
PAYLOADS = np.array(
    [0x7FF8000000000000, 0xFFF8000000000000, 0x7FF8DEADBEEF0001, 0xFFFC000000000001], np.uint64
).view(np.float64)


@dataclass(frozen=True)
class Model:
    """A program, and how rows for it are made: `count` of them, as Python takes them."""

    name: str
    program: Callable[[], Program]
    rows: Callable[[int], Any]
    methods: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = ()  # type: ignore[assignment]


def _numbers(count: int, width: int, missing: bool, seed: int = 1) -> np.ndarray:
    """Return rows near those that models were fitted on, and next to their numbers."""
    random = np.random.default_rng(seed)
    found = _example(width)[random.integers(0, ROWS, count)].copy()
    found[::3] = np.nextafter(found[::3], np.inf)
    found[1::3] = np.nextafter(found[1::3], -np.inf)
    found[::7] *= random.choice([-1.0, 0.0, 1e-8, 1e3], (len(found[::7]), width))
    found[::11, 0] = -0.0
    if missing:
        where = random.random(found.shape) < 0.1
        found[where] = random.choice(PAYLOADS, where.sum())
    return found


def _example(width: int) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 2, (ROWS, width)).round(3)


def _table(count: int, missing: bool = True) -> dict[str, Any]:
    random = np.random.default_rng(2)
    age, size = _numbers(count, 2, missing, 3).T.copy()
    kinds = CITIES if missing else CITIES[:4]
    city = [kinds[k] for k in random.integers(0, len(kinds), count)]
    return {"age": age, "size": size, "rooms": random.integers(-3, 9, count), "city": city}


def _frame(missing: bool = True) -> pd.DataFrame:
    frame = pd.DataFrame(_table(ROWS, missing))
    return frame.astype({"city": object})


def _texts(count: int) -> list[str]:
    random = np.random.default_rng(4)
    found = [" ".join(random.choice(WORDS, random.integers(0, 12))) for _ in range(count)]
    found[::9] = ["Ça, a\u0000 GOOD\U0001f600film — naïve straße" for _ in found[::9]]
    return found


def _dicts(count: int) -> list[dict[str, Any]]:
    random = np.random.default_rng(5)
    return [
        {"age": float(random.normal()), "city": str(random.choice(CITIES[:4])), f"w{k % 7}": k}
        for k in range(count)
    ]


TWO = np.random.default_rng(6).integers(0, 2, ROWS)
THREE = np.random.default_rng(7).integers(0, 3, ROWS)
SCORE = np.random.default_rng(8).normal(size=ROWS)
NAMES = np.array(["no", "yes", "può darsi"])[THREE]
IMPUTED = (SimpleImputer(strategy="median"), ["age", "size"])
ENCODED = (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["city"])


def _of(
    model: Any, target: Any = None, width: int = 4, *, missing: bool = False, **more: Any
) -> Any:
    """Return how a model of numbers is compiled, and its rows."""
    example = _example(width).astype(more.pop("dtype", np.float64))
    fitted: list[Any] = []

    def program() -> Program:
        if missing:
            held = example.copy()
            held[::5, 1] = np.nan
            fitted.append(model.fit(held, target))
            return sclbl.compile(model, held[:6])
        fitted.append(model.fit(example, target))
        return sclbl.compile(model, example[:6])

    return program, lambda count: _numbers(count, width, missing).astype(example.dtype)


def _of_table(model: Any, target: Any, missing: bool = True) -> Any:
    frame = _frame(missing)
    return lambda: sclbl.compile(model.fit(frame, target), frame[:9]), lambda n: _table(n, missing)


def _of_texts(model: Any, target: Any = None) -> Any:
    texts = _texts(ROWS)
    return lambda: sclbl.compile(model.fit(texts, target), texts[:9]), _texts


def _of_dicts(model: Any, target: Any = None) -> Any:
    rows = _dicts(ROWS)
    return lambda: sclbl.compile(model.fit(rows, target), rows[:9]), _dicts


def _columns(*more: Any) -> Any:
    return make_column_transformer(IMPUTED, ENCODED, (StandardScaler(), ["rooms"]), *more)


def models() -> Iterator[Model]:
    """Yield every model; those of a quick run first."""
    yield Model("logistic", *_of(LogisticRegression(), NAMES))
    yield Model("table", *_of_table(make_pipeline(_columns(), LogisticRegression()), NAMES))
    yield Model("boosting", *_of(HistGradientBoostingClassifier(max_iter=9), TWO, missing=True))
    yield Model("text", *_of_texts(make_pipeline(TfidfVectorizer(), LogisticRegression()), TWO))
    yield Model("network", *_of(MLPClassifier((9, 7), max_iter=30), THREE, dtype=np.float32))
    yield Model("counts", *_of_texts(CountVectorizer()))
    yield Model("linear", *_of(LinearRegression(), SCORE))
    yield Model("poisson", *_of(PoissonRegressor(), np.abs(SCORE)))
    yield Model("truths", *_of(LogisticRegression(), TWO == 1))
    yield Model("large labels", *_of(LogisticRegression(), THREE + 2**60))
    yield Model("float labels", *_of(DecisionTreeClassifier(max_depth=4), THREE * 1.0))
    yield Model("several", *_of(MultiOutputClassifier(LogisticRegression()), np.c_[TWO, THREE]))
    yield Model("trees", *_of(RandomForestClassifier(9), NAMES, missing=True))
    yield Model("forest", *_of(RandomForestRegressor(9), np.c_[SCORE, -SCORE]))
    yield Model("tree", *_of(DecisionTreeRegressor(), SCORE, dtype=np.float32))
    yield Model("gradients", *_of(GradientBoostingRegressor(n_estimators=9), SCORE))
    yield Model("histograms", *_of(HistGradientBoostingRegressor(max_iter=9), SCORE, missing=True))
    yield Model("isolation", *_of(IsolationForest(n_estimators=9), None))
    yield Model("bayes", *_of(GaussianNB(), NAMES))
    yield Model("machine", *_of(SVC(), THREE))
    yield Model(
        "regression network", *_of(MLPRegressor(hidden_layer_sizes=(8,), max_iter=30), SCORE)
    )
    yield Model("process", *_of(GaussianProcessRegressor(), SCORE))
    yield Model("means", *_of(KMeans(3, n_init=1), None))
    yield Model("neighbours", *_of(KNeighborsClassifier(3), NAMES))
    yield Model("radius", *_of(RadiusNeighborsClassifier(9.0, outlier_label="no"), NAMES))
    yield Model(
        "lists", *_of(NearestNeighbors(radius=1.5), None), ("radius_neighbors",), {"radius": 2.5}
    )
    yield Model("polynomials", *_of(PolynomialFeatures(2), None, dtype=np.float32))
    yield Model("quantiles", *_of(QuantileTransformer(n_quantiles=50), None, missing=True))
    yield Model("bins", *_of(KBinsDiscretizer(4, encode="ordinal", subsample=None), None))
    yield Model("components", *_of(make_pipeline(StandardScaler(), PCA(2)), None))
    yield Model(
        "ordinals",
        *_of_table(
            make_column_transformer(
                (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["city"]),
                remainder="drop",
            ),
            None,
        ),
    )
    yield Model("cells", *_of_table(make_column_transformer(("passthrough", ["city"])), None))
    yield Model(
        "hashes", *_of_texts(make_pipeline(HashingVectorizer(n_features=64), LinearSVC()), NAMES)
    )
    yield Model("characters", *_of_texts(TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 2))))
    yield Model("words", *_of_texts(make_pipeline(CountVectorizer(), MultinomialNB()), NAMES))
    yield Model("dicts", *_of_dicts(make_pipeline(DictVectorizer(), LogisticRegression()), NAMES))
    yield Model("sparse dicts", *_of_dicts(DictVectorizer()))


def in_json(value: Any) -> Any:
    """Return rows as JSON for an engine: typed arrays are the bytes of NumPy's."""
    if isinstance(value, np.ndarray):
        raw = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        return {"$": value.dtype.name, "v": raw}
    if isinstance(value, dict):
        return {str(name): in_json(v) for name, v in value.items()}
    return [in_json(v) for v in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class Job:
    """A method of a program, its rows, and what Python's runtime returns."""

    name: str
    method: str
    program: Program
    rows: Any
    parameters: Mapping[str, Any]
    expected: Any

    def to_json(self) -> dict[str, Any]:
        """Return what an engine is told."""
        return {
            "name": self.name,
            "program": base64.b64encode(self.program.wasm).decode(),
            "method": self.method,
            "rows": in_json(self.rows),
            "parameters": dict(self.parameters),
        }


def jobs(count: int, most: int | None = None) -> list[Job]:
    """Return every method of models on so many rows each."""
    found = []
    for number, model in enumerate(models()):
        if number == most:
            break
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # fits end early on purpose
            program = model.program()
        rows = model.rows(count)
        parameters = dict(model.parameters)
        for method in model.methods or program.methods:
            given = pd.DataFrame(rows) if isinstance(rows, dict) else rows
            if isinstance(rows, list):
                given = OneNull(rows)
            expected = _expected(program, method, given, parameters)
            found.append(Job(model.name, method, program, rows, parameters, expected))
    return found


def _expected(program: Program, method: str, rows: Any, parameters: Mapping[str, Any]) -> Any:
    output = program.signature.outputs[method]
    sparse = "sparse" if output.ragged == "sparse" else None
    return program.run(method, rows, output=sparse, **parameters)


def told(job: Job) -> list[dict[str, Any]]:
    """Return what an engine is to answer: of each result its dtype, shape and bytes."""
    output = job.program.signature.outputs[job.method]
    results = job.expected if isinstance(job.expected, (list, tuple)) else [job.expected]
    return [_told(result, output.ragged) for result in results]


def _told(result: Any, ragged: str | None) -> dict[str, Any]:
    if hasattr(result, "indptr"):
        held = {
            "offsets": result.indptr.astype(np.uint32),
            "columns": result.indices.astype(np.uint32),
        }
        return {"dtype": result.data.dtype.name, "shape": list(result.shape), "data": {
            **{k: _raw(v) for k, v in held.items()}, "values": _raw(result.data)}}  # fmt: skip
    if ragged == "list":
        offsets = np.cumsum([0, *map(len, result)]).astype(np.uint32)
        values = np.concatenate(list(result))
        return {"dtype": values.dtype.name, "shape": [len(result)], "data": {
            "offsets": _raw(offsets), "columns": None, "values": _raw(values)}}  # fmt: skip
    if result.dtype.kind in "OU":
        data: Any = [None if v is None or v != v else v for v in result.ravel().tolist()]
    else:
        data = _raw(result)
    dtype = result.dtype.str if result.dtype.kind == "U" else result.dtype.name
    return {"dtype": dtype, "shape": list(result.shape), "data": data}


def _raw(array: np.ndarray) -> str:
    # JavaScript has no float16 everywhere: there they stand in a Float32Array.
    wide = array.astype(np.float32) if array.dtype == np.float16 else array
    return base64.b64encode(np.ascontiguousarray(wide).tobytes()).decode()


def in_node(loader: Path, jobs_path: Path) -> list[Any]:
    """Return what Node answers."""
    return _outside([str(Path(sys.executable).with_name("node"))], loader, jobs_path)


def in_deno(loader: Path, jobs_path: Path) -> list[Any]:
    """Return what Deno answers."""
    deno = str(Path(sys.executable).with_name("deno"))
    return _outside([deno, "run", "--allow-read", "--no-config", "--quiet"], loader, jobs_path)


def _outside(command: list[str], loader: Path, jobs_path: Path) -> list[Any]:
    done = subprocess.run(
        [*command, str(HERE / "engine.mjs"), str(loader), str(jobs_path)],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def in_jsc(jobs_of: list[Job], folder: Path) -> list[bytes]:
    """Return what JavaScriptCore's own shell computes: of each job the bytes of its result.

    It has neither the encoder of texts nor modules of the web, so it gets encoded rows.
    """
    plans = []
    for number, job in enumerate(jobs_of):
        blocks = job.program.module.encoder.encode(
            pd.DataFrame(job.rows) if isinstance(job.rows, dict) else OneNull(job.rows)
            if isinstance(job.rows, list) else job.rows
        )  # fmt: skip
        path = folder / f"{number}.wasm"
        path.write_bytes(job.program.wasm)
        kinds = [
            np.ones(blocks.rows, np.uint8) if c.kinds is None else c.kinds for c in blocks.text
        ]
        cells = [
            part.tobytes().hex()
            for c, k in zip(blocks.text, kinds, strict=True)
            for part in (c.offsets.astype(np.uint32), c.data, k)
        ]
        output = job.program.signature.outputs[job.method]
        itemsize = {"float64": 8, "int64": 8, "uint64": 8, "float32": 4, "label": 4, "bool": 1}
        plans.append({
            "program": str(path), "method": job.method, "rows": blocks.rows, "cells": cells,
            "numbers": "" if blocks.numeric is None else blocks.numeric.tobytes().hex(),
            "bytes": blocks.rows * output.width * itemsize[output.storage],
        })  # fmt: skip
    plan = folder / "plan.json"
    plan.write_text(json.dumps(plans))
    jsc = shutil.which("jsc")
    assert jsc is not None, "jsc is missing; `make browsers` installs it"
    done = subprocess.run(
        [jsc, str(HERE / "engine.jsc.js"), "--", str(plan)], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:] + done.stdout.decode()[-2000:]
    return [bytes.fromhex(line) for line in done.stdout.decode().split()]


def is_plain(job: Job) -> bool:
    """Return whether a job is a table's, with one result of numbers: what `in_jsc` takes."""
    signature = job.program.signature
    output = signature.outputs[job.method]
    return not signature.inputs and output.is_plain and output.storage != "text"
