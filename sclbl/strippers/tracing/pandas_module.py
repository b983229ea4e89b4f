"""Stand-ins of pandas' functions."""

from __future__ import annotations

from typing import Any

from sclbl.strippers.graph import Builder


def replaced(build: Builder) -> dict[int, tuple[Any, Any]]:
    return {}
