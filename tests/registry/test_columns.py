"""A new version with other columns is recorded, and its owner is told."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

import sclbl
from sclbl.errors import ColumnsWarning
from sclbl.registry.base import Registry
from sclbl.registry.columns import differences
from sclbl.registry.local import LocalRegistry
from sclbl.registry.remote import RemoteRegistry
from sclbl.signature import Column, Input, Signature
from tests.server.threads import serving


def table(
    *columns: tuple[str | None, Any], layout: Literal["table", "array"] = "table"
) -> Signature:
    return Signature(tuple(Column(name, kind) for name, kind in columns), layout)


def array(*kinds: Any) -> Signature:
    return table(*((None, kind) for kind in kinds), layout="array")


def beside(*inputs: Input, of: Signature | None = None) -> Signature:
    return replace(of or Signature((), "array"), inputs=inputs)


LISTS = Input("X", "list", "text")
SPARSE = Input("X", "sparse", "float64", (4,))
RADIUS = Input("radius", "parameter", "float64", default=1.0)
AGE, PLAN = ("age", "float64"), ("plan", "text")
MANY = [(f"c{i}", "float64") for i in range(20)]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (table(AGE, PLAN), table(AGE, PLAN), ""),
        (table(AGE), table(AGE, PLAN), "new: 'plan' (text)"),
        (table(AGE, PLAN), table(AGE), "no longer: 'plan'"),
        (table(AGE), table(PLAN), "new: 'plan' (text); no longer: 'age'"),
        (table(AGE), table(("age", "integer")), "changed: 'age' (float64 → integer)"),
        (table(AGE, PLAN), table(PLAN, AGE), "the same ones in another order, which matters to"),
        (table(AGE), array("float64"), "columns by position in place of named columns"),
        (array("float64"), array("float64", "float64"), "2 in place of 1"),
        (array("float64"), array("text"), "changed: '0' (float64 → text)"),
        (table(AGE), table(AGE, *MANY), "'c7' (float64) and 12 more"),
        (beside(LISTS), beside(LISTS), ""),
        (table(AGE), beside(LISTS), "no table in place of one; new input: 'X'"),
        (beside(LISTS), table(AGE), "a table of columns in place of none; no longer an input: 'X'"),
        (
            beside(SPARSE),
            beside(replace(SPARSE, shape=(5,))),
            "changed input: 'X' (sparse of float64 (4,) → sparse of float64 (5,))",
        ),
        (table(AGE), beside(RADIUS, of=table(AGE)), "new input: 'radius'"),
        (beside(RADIUS, of=table(AGE)), beside(replace(RADIUS, default=2), of=table(AGE)), ""),
    ],
)
def test_differences(old: Signature, new: Signature, said: str) -> None:
    found = differences(old, new)
    assert said in found
    assert bool(found) == bool(said)


def upload(registry: Registry, columns: Sequence[str]) -> sclbl.Deployment:
    rows = pd.DataFrame({name: [1.0, 2.0, 4.0] for name in columns})
    model = LinearRegression().fit(rows, [1.0, 2.0, 3.0])
    return sclbl.upload(model, rows, name="m", registry=registry)


def test_upload_warns(tmp_path: Path) -> None:
    with LocalRegistry(tmp_path) as registry:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            upload(registry, "ab")
            upload(registry, "ab")
        with pytest.warns(
            ColumnsWarning, match="m@3 takes other columns than m@2: new: 'c'"
        ) as got:
            made = upload(registry, "abc")
        assert made.version == 3
        assert got[0].filename == __file__
        registry.delete("m")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            upload(registry, "z")


def test_upload_to_a_server_warns(tmp_path: Path) -> None:
    with (
        LocalRegistry(tmp_path) as local,
        serving(local) as (url, token),
        RemoteRegistry(url, token) as registry,
    ):
        upload(registry, "ab")
        with pytest.warns(ColumnsWarning, match="m@2 takes other columns than m@1: no longer: 'b'"):
            upload(registry, "a")
