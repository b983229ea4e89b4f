"""The local registry keeps the contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sclbl.registry.local import LocalRegistry
from tests.registry.contract import RegistryContract


class TestLocalRegistry(RegistryContract):
    @pytest.fixture
    def registry(self, tmp_path: Path) -> Iterator[LocalRegistry]:
        with LocalRegistry(tmp_path / "registry") as registry:
            yield registry
