"""`Deployment`: fetched late, kept, shown, pickled."""

from __future__ import annotations

import json
import pathlib
import pickle
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

import sclbl
from sclbl import settings
from sclbl.deployment import Deployment
from sclbl.errors import NotFoundError, UnsupportedMethodError
from sclbl.registry.local import LocalRegistry
from sclbl.signature import Column, Signature
from sclbl.view import calls, describe_inputs
from tests.server.threads import serving

X = np.random.default_rng(3).normal(size=(40, 3))
ODD = "<script>alert('&')</script>"
MODEL = LogisticRegression().fit(X, np.where(X[:, 0] > 0, ODD, "b"))


@pytest.fixture(scope="module")
def program() -> sclbl.Program:
    return sclbl.compile(MODEL, X[:5])


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[LocalRegistry]:
    with LocalRegistry(tmp_path / "registry") as registry:
        yield registry


@pytest.fixture
def stored(registry: LocalRegistry, program: sclbl.Program) -> Deployment:
    sclbl.upload(
        program,
        name="churn",
        alias="production",
        docs=ODD,
        tags={ODD: ODD},
        metrics={ODD: 0.5},
        registry=registry,
    )
    return sclbl.get("churn", registry=registry)


def test_methods_of_the_model(stored: Deployment) -> None:
    assert stored.predict(X).tolist() == MODEL.predict(X).tolist()
    assert stored.classes_.tolist() == MODEL.classes_.tolist()
    assert {"predict", "predict_proba", "name", "report"} <= set(dir(stored))
    assert stored.program is stored.program


def test_methods_that_are_not_there(stored: Deployment) -> None:
    with pytest.raises(
        UnsupportedMethodError, match=r"churn@1 has no method 'fit'; it offers .*pr"
    ):
        stored.fit(X)
    assert not hasattr(stored, "transform")
    assert not hasattr(stored, "__array__")
    assert not hasattr(stored, "_repr_png_")


def test_looking_fetches_nothing(
    stored: Deployment, registry: LocalRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []
    program = registry.program
    monkeypatch.setattr(registry, "program", lambda r: fetched.append(r.ref) or program(r))
    found = sclbl.get("churn", registry=registry)
    assert repr(found)
    assert found._repr_html_()
    assert found.methods
    assert hasattr(found, "transform") is False
    assert fetched == []
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: found.predict(X).tolist(), range(8)))
    assert fetched == ["churn@1"]
    assert answers == [MODEL.predict(X).tolist()] * 8


def test_repr_is_short(stored: Deployment) -> None:
    start = "<Deployment churn@1 [production] LogisticRegression predict+predict_proba"
    assert repr(stored).startswith(start)
    assert repr(stored).endswith(f" {stored.size:,} bytes>")
    assert len(repr(stored)) < 160


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str | None] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value for key, value in attrs if key in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += data


OWN = {"b", "div", "h4", "p", "pre", "table", "thead", "tbody", "tr", "th", "td"}


def seen(deployment: Deployment) -> Tags:
    view = Tags()
    view.feed(deployment._repr_html_())
    return view


def test_html_escapes_everything(stored: Deployment) -> None:
    view = seen(stored)
    assert view.tags == OWN
    for text in (
        "churn@1 (production)",
        "3 columns of float64",
        ODD,
        f"{ODD}: {ODD}",
        f"{ODD}: 0.5",
        stored.sha256,
        "predicts the same",
        "labels that differ",
    ):
        assert text in view.text
    assert "flip" not in view.text


def test_docs_are_rendered_and_harmless(stored: Deployment) -> None:
    docs = (
        "# Who leaves\n\n- **soon** [more](https://example.org/a)\n- [bad](javascript:alert(1))\n\n"
        "![spy](https://example.org/spy.png) <img src=x onerror=alert(1)>"
    )
    view = seen(stored.edit(docs=docs))
    assert view.tags - OWN == {"h1", "ul", "li", "strong", "a"}
    # A picture is no more than a link: looking fetches nothing.
    assert view.links == ["https://example.org/a", "https://example.org/spy.png"]
    assert "<img src=x" in view.text
    assert seen(stored.edit(docs="")).tags == OWN


def test_a_served_version_has_links_and_a_call(
    stored: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = replace(stored._record, url="https://models.example.org/x/v1/deployments/churn@1")
    registry = stored._registry
    monkeypatch.setattr(registry, "location", "https://models.example.org/x")
    view = seen(Deployment(record, registry))
    assert view.links == [record.url, f"{record.url}/openapi.json"]
    python, shell = calls(record, registry.location)
    assert python == (
        "import sclbl\nsclbl.get('churn@1', registry='https://models.example.org/x').predict(X)"
    )
    assert f"curl -s {record.url}/predict" in shell
    assert python in view.text
    assert shell in view.text


FRAME = pd.DataFrame({"it's": [1.5, 2.0, 4.0], "n": [1, 2, 3]})


@pytest.mark.parametrize("rows", [FRAME, FRAME.to_numpy()], ids=["table", "array"])
@pytest.mark.parametrize("example", [True, False])
def test_calls_can_be_pasted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: Any, example: bool
) -> None:
    model = LinearRegression().fit(rows, [1.0, 2.0, 3.0])
    monkeypatch.chdir(tmp_path)
    with LocalRegistry(tmp_path / "r") as local, serving(local) as (url, _):
        sclbl.upload(model, rows, name="m", example=example, registry=local)
        record = sclbl.get("m", registry=url)._record
        python, shell = calls(record, url)
        names = {"X": rows, "json": json, "pathlib": pathlib, "sclbl": sclbl}
        expected = model.predict(rows[:1])
        found = eval(python.partition("\n")[2], names)
        assert np.allclose(found[:1], expected, rtol=1e-12, atol=0)
        if not example:
            comment, _, shell = shell.partition("\n")
            eval(comment.partition(": ")[2], names)
        done = subprocess.run(["bash", "-c", shell], capture_output=True, check=True)
        assert np.allclose(json.loads(done.stdout)["results"], expected, rtol=1e-12, atol=0)


def test_long_examples_are_not_spelled_out(tmp_path: Path) -> None:
    x = np.arange(2000.0).reshape(2, 1000) / 7
    with LocalRegistry(tmp_path) as registry:
        model = LinearRegression().fit(x, [1.0, 2.0])
        made = sclbl.upload(model, x, name="wide", example=True, registry=registry)
        python, shell = calls(made._record, registry.location)
        assert len(made._repr_html_()) < 5_000
    assert python.endswith(".predict(X)")
    assert "-d @row.json" in shell
    assert shell.startswith(f"sclbl --registry {tmp_path} serve")


def test_the_registry_of_the_user_needs_no_naming(
    stored: Deployment, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    assert f"registry={str(home)!r}" in calls(stored._record, str(home))[0]
    monkeypatch.delenv("SCLBL_HOME")
    python, shell = calls(stored._record, str(settings.home()))
    assert python == "import sclbl\nsclbl.get('churn@1').predict(X)"
    assert shell.startswith("sclbl serve ")


def test_many_columns_are_counted() -> None:
    table = Signature(tuple(Column(f"c{i}", "text") for i in range(40)), "table")
    text = describe_inputs(table)
    assert text.startswith("c0: text, c1: text")
    assert text.endswith("c11: text, … (40 in all)")


def test_pickles_with_its_program(stored: Deployment, registry: LocalRegistry) -> None:
    data = pickle.dumps(stored)
    registry.delete("churn")
    copy = pickle.loads(data)
    assert copy.ref == "churn@1"
    assert copy.predict(X).tolist() == MODEL.predict(X).tolist()
    copy._registry.close()


def test_deleted_meanwhile(stored: Deployment, registry: LocalRegistry) -> None:
    registry.delete("churn")
    with pytest.raises(NotFoundError, match="no live version has the program"):
        stored.predict(X)


def test_save(stored: Deployment, tmp_path: Path) -> None:
    path = stored.save(tmp_path / "churn.wasm")
    assert sclbl.load(path).sha256 == stored.sha256
