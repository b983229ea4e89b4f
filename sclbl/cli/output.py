"""The one way to the terminal: every line, table and question of the commands.

Names, docs and messages come from files and servers, and a terminal obeys control characters in
them, so all text passes `printable` here. Results of `run` are data and have writers of their own.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from sclbl.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def say(text: str) -> None:
    """Print a line on stdout."""
    print(printable(text))


def note(text: str) -> None:
    """Print a line on stderr."""
    print(printable(text), file=sys.stderr)


def print_json(data: Any) -> None:
    """Print data for machines."""
    say(json.dumps(data, indent=2, ensure_ascii=False))


def confirm(question: str) -> None:
    """Ask, and end the command where the answer is no."""
    import typer

    typer.confirm(printable(question), abort=True)


def ask_secret(what: str) -> str:
    """Ask for a text that is not shown."""
    import typer

    return str(typer.prompt(printable(what), hide_input=True, err=True))


def table(
    rows: Iterable[Sequence[str]], titles: Sequence[str] | None = None, right: Sequence[str] = ()
) -> None:
    """Print cells in columns, the last or the widest of them folded; without markup.

    Parameters
    ----------
    rows : iterable of sequence of str
        The cells.
    titles : sequence of str, optional
        The columns' titles.
    right : sequence of str
        Titles of columns that are aligned on the right.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, show_header=titles is not None)
    for title in titles or ():
        shown.add_column(title, overflow="fold", justify="right" if title in right else "left")
    for row in rows:
        shown.add_row(*(Text(printable(cell), overflow="fold") for cell in row))
    # Not cut off where nobody watches.
    Console(width=None if sys.stdout.isatty() else 240, highlight=False).print(shown)


@contextmanager
def progress(source: Path | None) -> Iterator[Callable[[int], None]]:
    """Show how much of a file is read, on stderr, where somebody watches."""
    if source is None or not sys.stderr.isatty():
        yield lambda position: None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(40), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        name = escape(printable(source.name))
        task = bar.add_task(name, total=source.stat().st_size or None)
        yield lambda position: bar.update(task, completed=position)


def data_bytes() -> IO[bytes] | TerminalBytes:
    """Return where results go as UTF-8: as they are, but to a terminal as it may show them."""
    return TerminalBytes(sys.stdout.buffer) if sys.stdout.isatty() else sys.stdout.buffer


class TerminalBytes:
    """Writes UTF-8 as a terminal may show it; what is written holds whole characters."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, text: bytes) -> int:
        """Write text."""
        return self._file.write(printable(text.decode()).encode())

    def flush(self) -> None:
        """Write out what is held back."""
        self._file.flush()
