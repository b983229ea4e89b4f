"""Every engine computes the bytes that Python's runtime computes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sclbl.rows import OneNull
from sclbl.web import bundle
from tests.web import engines
from tests.web.engines import Job
from tests.web.hosting import hosting

#: How many models, and rows of each, a quick run has.
QUICK = (6, 50)
MANY = (None, 1000)


class Sweep:
    """Jobs in a file, and what engines answer to them."""

    def __init__(self, folder: Path, most: int | None, count: int) -> None:
        self.folder = folder
        self.jobs = engines.jobs(count, most)
        self.path = folder / "jobs.json"
        self.path.write_text(json.dumps([job.to_json() for job in self.jobs]))
        self.loader = folder / "sclbl.mjs"
        self.loader.write_bytes(bundle.loader())

    def check(self, answers: list[Any]) -> None:
        """Compare what an engine answered with what Python computes."""
        assert len(answers) == len(self.jobs)
        for job, found in zip(self.jobs, answers, strict=True):
            expected = engines.told(job)
            where = f"{job.name}, {job.method}"
            assert len(found) == len(expected), where
            for ours, theirs in zip(expected, found, strict=True):
                assert theirs.pop("rows") == ours["shape"][0], where
                assert theirs["dtype"] == ours["dtype"], where
                assert theirs["shape"] == ours["shape"], where
                assert theirs["data"] == ours["data"], where


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(QUICK, id="quick"),
        pytest.param(MANY, id="many", marks=pytest.mark.exhaustive),
    ],
)
def sweep(request: Any, tmp_path_factory: Any) -> Sweep:
    most, count = request.param
    return Sweep(tmp_path_factory.mktemp("engines"), most, count)


@pytest.mark.parametrize("run", [engines.in_node, engines.in_deno])
def test_outside_of_browsers(sweep: Sweep, run: Callable[[Path, Path], list[Any]]) -> None:
    sweep.check(run(sweep.loader, sweep.path))


@pytest.mark.parametrize("name", ["chromium", "firefox"])
def test_browsers(sweep: Sweep, name: str, request: Any) -> None:
    browser = request.getfixturevalue(name)
    with hosting() as host:
        host.replies["/jobs.json"] = sweep.path.read_bytes()
        host.replies["/engine.js"] = (engines.HERE / "engine.mjs").read_bytes()
        page = browser.page(host.url)
        answers = page.run(
            "const { answers } = await import('/engine.js');"
            "return await answers('/sclbl.js', await (await fetch('/jobs.json')).json());"
        )
        page.close()
    sweep.check(answers)


def test_javascriptcore(sweep: Sweep) -> None:
    plain = [job for job in sweep.jobs if engines.is_plain(job)]
    assert len(plain) > 5
    for job, found in zip(plain, engines.in_jsc(plain, sweep.folder), strict=True):
        assert found == _computed(job), f"{job.name}, {job.method}"


def _computed(job: Job) -> bytes:
    """Return the bytes that Python's runtime computes, undecoded."""
    rows: Any = job.rows
    if isinstance(rows, dict):
        rows = pd.DataFrame(rows)
    module = job.program.module
    blocks = module.encoder.encode(OneNull(rows) if isinstance(rows, list) else rows)
    return np.ascontiguousarray(module.call(job.method, blocks)).tobytes()
