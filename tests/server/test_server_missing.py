"""A null over HTTP, and an empty field, is the missing value that the column's model learned."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OrdinalEncoder

from sclbl.registry.local import LocalRegistry
from tests.server.conftest import Served, build, error, start, stop

ENCODER = OrdinalEncoder(
    handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2
)
#: By the name of a deployment: a model, a column that it is fitted on, and what it learned there.
COLUMNS: dict[str, tuple[Any, list[Any], Any]] = {
    "text-none": (ENCODER, ["a", "b", None], None),
    "text-nan": (ENCODER, ["a", "b", np.nan], np.nan),
    "text-two": (ENCODER, ["a", "b", None, np.nan], None),
    "text-na": (
        SimpleImputer(strategy="constant", fill_value="?", missing_values=pd.NA),
        ["a", "b", pd.NA],
        pd.NA,
    ),
    "numbers-none": (ENCODER, [1.0, 2.0, None], None),
    "numbers-nan": (ENCODER, [1.0, 2.0, np.nan], np.nan),
    "whole-none": (ENCODER, [1, 2, None], None),
}


def frame(values: list[Any]) -> pd.DataFrame:
    return pd.DataFrame({"c": pd.Series(values, dtype=object)})


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    return {name: clone(model).fit(frame(values)) for name, (model, values, _) in COLUMNS.items()}


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory, models: dict[str, Any]) -> Path:
    home = tmp_path_factory.mktemp("missing")
    with LocalRegistry(home) as registry:
        for name, model in models.items():
            case = build(model, frame(COLUMNS[name][1]))
            registry.create(name, case.wasm, case.spec)
    return home


@pytest.fixture(scope="module")
def served(stocked: Path) -> Iterator[Served]:
    running = start(stocked)
    yield running
    stop(running)


def bodies(first: Any, count: int) -> Iterator[tuple[str, str]]:
    """Return a known value and a missing one, many times, in each media type."""
    rows = [{"c": first}, {"c": None}] * count
    yield "application/json", json.dumps(rows)
    yield "application/json", json.dumps({"rows": [[row["c"]] for row in rows]}, indent=1)
    yield "application/x-ndjson", "\n".join(map(json.dumps, rows))
    yield "text/csv", "c,other\n" + f"{first},x\n,x\n" * count


@pytest.mark.parametrize("count", [1, 3000], ids=["small", "large"])
@pytest.mark.parametrize("name", COLUMNS)
def test_null_is_the_columns_own(
    served: Served, models: dict[str, Any], name: str, count: int
) -> None:
    _, values, own = COLUMNS[name]
    expected = models[name].transform(frame([values[0], own] * count)).tolist()
    assert expected[1] in (["?"], [-2.0], [2.0])  # known to the model
    for media, text in bodies(values[0], count):
        answer = served.post(
            f"/v1/deployments/{name}/predict", data=text, headers={"Content-Type": media}
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["results"] == expected, media


def test_words_are_no_null(served: Served, models: dict[str, Any]) -> None:
    words = ["NA", "null", "None", "nan"]
    for name in ("text-none", "text-nan", "text-na"):
        expected = models[name].transform(frame(words)).tolist()
        assert expected == [[w] if name == "text-na" else [-1.0] for w in words]
        for media, text in (
            ("text/csv", "c\n" + "\n".join(words) + "\n"),
            ("application/json", json.dumps([[word] for word in words])),
        ):
            answer = served.post(
                f"/v1/deployments/{name}/predict", data=text, headers={"Content-Type": media}
            )
            assert answer.json()["results"] == expected


def test_the_number_nan_is_not_a_null(served: Served) -> None:
    """A column of numbers that learned None alone knows no NaN, which CSV can write."""
    headers = {"Content-Type": "text/csv"}
    for name in ("numbers-none", "whole-none"):
        path = f"/v1/deployments/{name}/predict"
        answer = served.post(path, data="c\n1\nnan\n", headers=headers)
        status, code, message = error(answer)
        assert (status, code, answer.json()["error"]["row"]) == (422, "dtype", 1)
        assert "NaN is another value to the model than the missing number" in message
    answer = served.post("/v1/deployments/numbers-nan/predict", data="c\n1\nnan\n", headers=headers)
    assert answer.json()["results"] == [[0.0], [-2.0]]
