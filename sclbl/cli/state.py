"""What the commands share: which registry they act on, and how they print."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sclbl.errors import RequestError
from sclbl.printable import printable

if TYPE_CHECKING:
    from rich.console import Console

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


def print_json(data: Any) -> None:
    """Print data for machines."""
    print(printable(json.dumps(data, indent=2, ensure_ascii=False)))


def console() -> Console:
    """Return where tables are printed; not cut off where nobody watches."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 240, highlight=False)
