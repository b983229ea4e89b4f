"""What the commands share: which registry they act on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sclbl.errors import RequestError

if TYPE_CHECKING:
    from sclbl.registry.base import Registry


@dataclass(frozen=True, slots=True)
class Options:
    """What stands before the command.

    Parameters
    ----------
    registry : str or None
        A directory or a URL; None is the current one.
    """

    registry: str | None

    def connect(self) -> Registry:
        """Return the registry to act on."""
        from sclbl.registry import connect

        if self.registry == "":
            raise RequestError("--registry is empty; give a directory or a URL, or leave it out")
        return connect(self.registry)
