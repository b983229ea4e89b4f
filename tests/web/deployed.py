"""Deployments that pages of tests load: on a real server, and as files of a made-up one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

import sclbl
from sclbl.program import Program
from sclbl.registry.base import Record
from sclbl.registry.local import LocalRegistry
from sclbl.server.limits import Settings
from tests.server.threads import serving
from tests.web.hosting import Hosted, Reply

#: Rows that pages ask for.
ROWS = [[0.5, -1.25, 3.0, 0.1], [2.0, 0.0, -7.5, 1e-3], [1e3, 1.0, -1.0, 0.0]]
REF = "churn@production"


@dataclass
class Deployed:
    """A deployment ``churn`` with two versions; the alias ``production`` names the first one."""

    registry: LocalRegistry
    url: str
    token: str
    versions: tuple[Record, Record]
    programs: tuple[Program, Program]

    def expected(self, version: int = 1, rows: Any = ROWS) -> list[list[float]]:
        """Return what Python's program answers."""
        found = self.programs[version - 1].predict_proba(np.array(rows))
        return found.tolist()  # type: ignore[no-any-return]  # an array's lists

    def wasm(self, version: int = 1) -> bytes:
        """Return the bytes of a program."""
        return self.registry.program(self.versions[version - 1].sha256)

    def on(self, hosted: Hosted, version: int = 1, ref: str = REF, **changes: Any) -> None:
        """Answer as a server does, from files: for what a real one does not do on purpose."""
        record = self.versions[version - 1]
        found = {**record.to_json(), **changes}
        hosted.replies[f"/v1/deployments/{ref}"] = Reply(
            json.dumps(found).encode(), headers={"content-type": "application/json"}
        )
        hosted.replies[f"/v1/programs/{record.sha256}.wasm"] = self.wasm(version)


@contextmanager
def deployed(folder: Path, settings: Settings | None = None) -> Iterator[Deployed]:
    """Serve the deployment from a folder."""
    random = np.random.default_rng(7)
    x = random.normal(size=(60, 4))
    with LocalRegistry(folder) as registry:
        records, programs = [], []
        for _ in range(2):
            model = LogisticRegression().fit(x, random.integers(0, 3, 60))
            sclbl.upload(model, x[:5], name="churn", registry=registry)
            record = registry.get("churn")
            records.append(record)
            programs.append(sclbl.load(registry.program(record.sha256)))
        registry.promote("churn@1", "production")
        with serving(registry, settings) as (url, token):
            yield Deployed(
                registry, url, token, (records[0], records[1]), (programs[0], programs[1])
            )
