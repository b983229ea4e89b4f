"""`Deployment`: fetched late, kept, shown, pickled."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import sclbl
from sclbl.deployment import Deployment
from sclbl.errors import NotFoundError, UnsupportedMethodError
from sclbl.registry.local import LocalRegistry
from sclbl.spec import Column, Signature
from sclbl.view import describe_inputs

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
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html_escapes_everything(stored: Deployment) -> None:
    view = Tags()
    view.feed(stored._repr_html_())
    assert view.tags == {"table", "caption", "b", "tbody", "tr", "th", "td"}
    for text in (
        "churn@1",
        "production",
        "3 columns of float64",
        ODD,
        f"{ODD}: {ODD}",
        f"{ODD}: 0.5",
        stored.sha256,
        str(stored.report),
    ):
        assert text in view.text


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
