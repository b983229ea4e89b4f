"""Files in place of fitted models."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import onnx
import onnxruntime
import pytest
import xgboost as xgb
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LinearRegression

import sclbl
from sclbl import onnx_format
from sclbl.errors import InputError, ModelError, SpecError, UnsupportedModelError

RNG = np.random.default_rng(2)
X = RNG.normal(size=(60, 3))
Y = X[:, 0] * 2 + 1


def network(op: str = "Relu") -> bytes:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node(op, ["h"], ["y"])]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(RNG.normal(size=(3, 2)).astype("f4"), "w")],
    )
    opset = [helper.make_opsetid("", 17)]
    data: bytes = helper.make_model(graph, opset_imports=opset, ir_version=10).SerializeToString()
    return data


def test_an_onnx_file(tmp_path: Path) -> None:
    path = tmp_path / "Credit Risk.onnx"
    path.write_bytes(network())
    rows = X.astype("f4")
    wanted = onnxruntime.InferenceSession(path.read_bytes()).run(None, {"x": rows})[0]
    for model in (path, str(path), path.read_bytes()):
        program = sclbl.compile(model, rows[:2])
        np.testing.assert_allclose(program.run("y", rows), wanted, rtol=1e-5, atol=1e-6)
    deployment = sclbl.upload(str(path), registry=tmp_path / "registry")
    assert deployment.name == "credit-risk"
    assert sclbl.upload(path.read_bytes(), registry=tmp_path / "registry").name == "model"
    with pytest.raises(InputError, match="columns"):
        sclbl.compile(path, rows[:, :2])
    path.write_bytes(network("Multinomial"))
    with pytest.raises(
        SpecError, match=r"Credit Risk\.onnx': operator Multinomial is not supported"
    ):
        sclbl.compile(path)


def test_a_spec_that_was_written(tmp_path: Path) -> None:
    spec = sclbl.strip(LinearRegression().fit(X, Y), X[:5])
    path = tmp_path / "linear.onnx"
    path.write_bytes(onnx_format.write(spec))
    model = LinearRegression().fit(X, Y)
    np.testing.assert_allclose(sclbl.compile(path).predict(X), model.predict(X), rtol=1e-12)


@pytest.mark.parametrize("suffix", ["ubj", "json"])
def test_a_boosters_own_file(tmp_path: Path, suffix: str) -> None:
    model = xgb.XGBRegressor(n_estimators=4).fit(X, Y)
    path = tmp_path / f"model.{suffix}"
    model.save_model(path)
    for given in (path, path.read_bytes()):
        program = sclbl.compile(given, X[:5])
        np.testing.assert_array_equal(program.predict(X), model.predict(X))
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(UnsupportedModelError, match="is a damaged or altered file of XGBoost"):
        sclbl.compile(path, X[:5])


def test_files_that_run_code_are_not_loaded(tmp_path: Path) -> None:
    model = LinearRegression().fit(X, Y)
    path = tmp_path / "m.bin"
    path.write_bytes(pickle.dumps(model))
    with pytest.raises(
        UnsupportedModelError,
        match=r"is not loaded, because such a file runs code.*model = pickle\.load\(open\(path",
    ):
        sclbl.compile(path, X[:5])
    joblib.dump(model, tmp_path / "m.joblib")
    with pytest.raises(UnsupportedModelError, match=r"model = joblib\.load\(path\)$"):
        sclbl.compile(str(tmp_path / "m.joblib"), X[:5])
    (tmp_path / "m.skops").write_bytes(b"PK\3\4")
    with pytest.raises(UnsupportedModelError, match=r"model = skops\.io\.load"):
        sclbl.compile(tmp_path / "m.skops", X[:5])


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"", UnsupportedModelError, "neither an ONNX file nor one of XGBoost's"),
        (b'{"a": 1}', UnsupportedModelError, "load it with its own library"),
        (b"\0asm\1\0\0\0", UnsupportedModelError, "is a compiled program; give sclbl.load"),
        (b"tree\nversion=v4\n", UnsupportedModelError, "neither an ONNX file nor"),
        (network()[:90], SpecError, "not an ONNX file, or it is truncated"),
    ],
    ids=["empty", "json", "wasm", "lightgbm", "cut"],
)
def test_other_files(tmp_path: Path, data: bytes, error: Any, words: str) -> None:
    (tmp_path / "file").write_bytes(data)
    for given in (tmp_path / "file", data):
        with pytest.raises(error, match=words):
            sclbl.compile(given, X[:5])


def test_text_that_is_no_path(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"given as text, 'churn@3', and there is no such file"):
        sclbl.compile("churn@3", X[:5])
    with pytest.raises(ModelError, match="no such file to read"):
        sclbl.compile("a\0b", X[:5])
    with pytest.raises(ModelError, match=r"no such file to read \(Is a directory\)"):
        sclbl.compile(tmp_path, X[:5])


def test_a_model_proto_is_told_to_be_bytes() -> None:
    with pytest.raises(UnsupportedModelError, match=r"model\.SerializeToString\(\)"):
        sclbl.compile(onnx.load_from_string(network()), X[:5])
