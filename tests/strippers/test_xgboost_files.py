"""Files that XGBoost saved, those of older releases among them.

`xgboost_files` holds, for each of some older releases, models as it saved them, rows and what it
predicted itself.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb

import sclbl
from sclbl.errors import UnsupportedModelError

RNG = np.random.default_rng(4)
X = RNG.normal(size=(90, 3))
Y = X[:, 0] * 2 + X[:, 2]
OLD = {
    path.stem: json.loads(path.read_text())
    for path in sorted((Path(__file__).parent / "xgboost_files").glob("*.json"))
}
MODELS = [(release, name) for release, held in OLD.items() for name in held["models"]]


def saved(release: str, name: str) -> bytes:
    held = OLD[release]["models"][name]
    return base64.b64decode(held) if isinstance(held, str) else json.dumps(held).encode()


@pytest.mark.parametrize(("release", "name"), [m for m in MODELS if m[1] != "vector"])
def test_a_file_of_an_older_release(release: str, name: str, tmp_path: Path) -> None:
    rows = np.array(OLD[release]["rows"], dtype=float)
    wanted = np.array(OLD[release]["predictions"][name], dtype=np.float32)
    path = tmp_path / "model.ubj"
    path.write_bytes(saved(release, name))
    with xgb.config_context(verbosity=0):  # it tells what has become of parameters
        program = sclbl.compile(path, rows[:5])
    # What the older release predicted itself.
    np.testing.assert_array_equal(program.predict(rows).reshape(wanted.shape), wanted)


def test_older_vector_leaves() -> None:
    wrote = r"^the file was written by XGBoost 2\.1\.4, whose trees with vector leaves release "
    with pytest.raises(UnsupportedModelError, match=wrote + ".*fit the model again"):
        sclbl.compile(saved("release_2.1", "vector"), X[:5])


def test_a_newer_release() -> None:
    model = xgb.train({"nthread": 1}, xgb.DMatrix(X, label=Y), 1)
    document = json.loads(model.save_raw("json"))
    document["version"][0] += 1
    release = ".".join(map(str, document["version"]))
    told = f"was written by XGBoost {release}, and .* pip install 'xgboost>={release}'"
    with pytest.raises(UnsupportedModelError, match=told):
        sclbl.compile(json.dumps(document).encode(), X[:5])


def test_the_old_binary_format(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"binf" + bytes(2000))
    with pytest.raises(UnsupportedModelError, match=r"model\.bin' is in the binary .*save it as J"):
        sclbl.compile(path, X[:5])


def _trees(document: Any) -> Any:
    boosting = document["learner"]["gradient_booster"]
    return boosting.get("gbtree", boosting)["model"]


def _shorter(key: str) -> Callable[[Any], None]:
    def damage(document: Any) -> None:
        _trees(document)["trees"][1][key].pop()

    return damage


def _set(*path: Any, to: Any) -> Callable[[Any], None]:
    def damage(document: Any) -> None:
        place = _trees(document)
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = to

    return damage


def _own(learner: dict[str, Any], y: np.ndarray = Y, **options: Any) -> Any:
    parameters = {"nthread": 1, "max_depth": 2, "verbosity": 0, **learner}
    model = xgb.train(parameters, xgb.DMatrix(X, label=y), 3, **options)
    return json.loads(model.save_raw("json"))


VECTOR = {"multi_strategy": "multi_output_tree", "tree_method": "hist"}
BOTH = np.stack([Y, -Y], axis=1)
DAMAGE: dict[str, tuple[dict[str, Any], Callable[[Any], None], str]] = {
    "shorter": ({}, _shorter("sum_hessian"), "tree 1 does not have sum_hessian for each of its no"),
    "thresholds": (VECTOR, _shorter("split_conditions"), "does not have split_conditions for each"),
    "weights": ({}, _shorter("base_weights"), "tree 1 does not have base_weights for each"),
    "averages": (VECTOR, _shorter("base_weights"), "tree 1 does not have base_weights for each"),
    "values": (VECTOR, _shorter("leaf_weights"), "tree 1 has a leaf without its row of values"),
    "no values": (VECTOR, _set("trees", 1, "leaf_weights", to=[]), "without its row of values"),
    "wide": (
        VECTOR,
        _set("trees", 1, "tree_param", "size_leaf_vector", to="4"),
        "tree 1 has leaves of 4 values, for 2 outputs",
    ),
    "nodes": ({}, _set("trees", 1, "tree_param", "num_nodes", to="99"), "7 nodes, and says other"),
    "rounds": ({}, _set("iteration_indptr", to=[0, 7, 3]), "does not lead from the first tree"),
    "linear": ({"booster": "gblinear"}, _set("weights", to=[0.5]), "1 weights, which should be 4"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_is_refused_before_it_is_loaded(name: str) -> None:
    parameters, damage, told = DAMAGE[name]
    if parameters.get("booster") == "gblinear":
        parameters = {**parameters, "max_depth": None}
    document = _own(parameters, BOTH if parameters is VECTOR else Y)
    sclbl.compile(json.dumps(document).encode(), X[:5])
    damage(document)
    with pytest.raises(UnsupportedModelError, match=f"damaged or altered file of XG.*{told}"):
        sclbl.compile(json.dumps(document).encode(), X[:5])


def test_damaged_weights_of_trees() -> None:
    document = _own({"booster": "dart", "rate_drop": 0.9, "one_drop": 1})
    boosting = document["learner"]["gradient_booster"]
    place = next(p for p in (boosting, boosting.get("model", {})) if "weight_drop" in p)
    place["weight_drop"].pop()
    with pytest.raises(UnsupportedModelError, match="there are 2 weights of 3 trees"):
        sclbl.compile(json.dumps(document).encode(), X[:5])
