"""A model that takes one whole tensor, over HTTP."""

from __future__ import annotations

import json

import numpy as np
import requests

from sclbl.compiler import compile_spec
from sclbl.onnx_format import read, write
from tests.networks import Network
from tests.server.conftest import Case, Served


def test_a_tensor_is_the_one_row_of_a_request(server: Served) -> None:
    n = Network(17)
    mixed = n.op("Mul", "x", n.op("ReduceMax", "x", axes=[0], keepdims=0))
    spec = read(n.save([3, 4], mixed))
    assert server.upload("both", Case(None, None, compile_spec(spec), write(spec))).ok
    x = np.random.default_rng(5).normal(size=(3, 4)).astype(np.float32)
    want = (x * x.max(axis=0)).tolist()
    for rows in (x.tolist(), [x.tolist()]):
        answer = server.predict("both", rows)
        assert answer.ok, answer.text
        np.testing.assert_allclose(answer.json()["results"], [want], rtol=1e-6)
    assert server.predict("both", [x.tolist()] * 2).json()["error"]["code"] == "shape"
    lines = server.post(
        "/v1/deployments/both/predict",
        data=json.dumps([x.tolist()]),
        headers={"content-type": "application/json", "accept": "application/x-ndjson"},
    )
    np.testing.assert_allclose(json.loads(lines.text), want, rtol=1e-6)
    # Other tests list what this server has.
    gone = requests.delete(f"{server.url}/v1/deployments/both", headers=server.auth, timeout=30)
    assert gone.ok
