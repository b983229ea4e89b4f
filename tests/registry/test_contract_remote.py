"""The remote registry keeps the contract: a real server, a real client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sclbl.registry.local import LocalRegistry
from sclbl.registry.remote import RemoteRegistry
from tests.registry.contract import RegistryContract
from tests.server.threads import serving


class TestRemoteRegistry(RegistryContract):
    @pytest.fixture
    def registry(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RemoteRegistry]:
        # The contract's programs are manifests without code; verification has tests of its own.
        monkeypatch.setattr("sclbl.server.upload.verify", lambda found: None)
        with (
            LocalRegistry(tmp_path / "registry") as local,
            serving(local) as (url, token),
            RemoteRegistry(url, token) as registry,
        ):
            yield registry

    def test_records_say_where_they_are_served(self, registry: RemoteRegistry) -> None:
        from tests.registry.programs import make_program

        record = registry.create("churn", *make_program(0))
        assert record.url == f"{registry.location}/v1/deployments/churn@1"
        assert registry.get("churn").url == record.url
