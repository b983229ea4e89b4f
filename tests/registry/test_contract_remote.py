"""The remote registry keeps the contract: a real server, a real client."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from sclbl import manifest, onnx_format
from sclbl.compiler import compile_spec
from sclbl.registry.local import LocalRegistry
from sclbl.registry.remote import RemoteRegistry
from sclbl.server.workshop import Compiled, Workshop
from tests.registry.contract import RegistryContract
from tests.server.threads import serving


@cache
def compiled(spec: bytes) -> bytes:
    return compile_spec(onnx_format.read(spec))


async def compile_once(self: Workshop, body: BinaryIO, stated: Mapping[str, Any]) -> Compiled:
    spec = zlib.decompress(body.read())
    return Compiled(manifest.restate(compiled(spec), stated), spec, None)


class TestRemoteRegistry(RegistryContract):
    @pytest.fixture
    def registry(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RemoteRegistry]:
        # In this process and once for each spec; the one that compiles has tests of its own.
        monkeypatch.setattr(Workshop, "compile", compile_once)
        monkeypatch.setattr(Workshop, "open", lambda self: None)
        with (
            LocalRegistry(tmp_path / "registry") as local,
            serving(local) as (url, token),
            RemoteRegistry(url, token) as registry,
        ):
            yield registry

    def test_records_say_where_they_are_served(self, registry: RemoteRegistry) -> None:
        from tests.registry.real import make_program

        record = registry.create("churn", *make_program(0))
        assert record.url == f"{registry.location}/v1/deployments/churn@1"
        assert registry.get("churn").url == record.url
