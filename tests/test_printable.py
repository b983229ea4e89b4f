"""What others wrote never steers a terminal."""

from __future__ import annotations

import ast
import io
import json
import sys
from pathlib import Path

import pytest

from sclbl.cli import _fail, output
from sclbl.cli.output import print_json
from sclbl.errors import ColumnError, cut
from sclbl.printable import printable

HOSTILE = "a\x1b[31mred\x1b]0;title\x07 \x9b2J \u202egpj.exe\u2066 \x7f\r\x00 \u2028end"


def test_controls_are_written_out() -> None:
    assert printable("\x1b[2J\x9b\u202e") == "\\u001b[2J\\u009b\\u202e"
    assert printable("naïve 日本 [red] \t\n") == "naïve 日本 [red] \t\n"
    assert printable(HOSTILE).isprintable()


def test_errors(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        _fail(HOSTILE)
    shown = capsys.readouterr().err
    assert "\\u001b[31mred" in shown
    assert shown.replace("\n", "").isprintable()


def test_json_stays_json(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"docs": HOSTILE})
    text = capsys.readouterr().out
    assert json.loads(text) == {"docs": HOSTILE}
    assert text.replace("\n", "").isprintable()


def test_lines_tables_and_questions(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    output.say(HOSTILE)
    output.note(HOSTILE)
    output.table([(HOSTILE, "[bold]b[/bold] [/]")], ("A", "B"))
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    output.confirm(HOSTILE)
    found = capsys.readouterr()
    assert "[bold]b[/bold] [/]" in found.out  # no markup
    for text in (found.out, found.err):
        assert "\\u001b[31mred" in text
        assert text.replace("\n", "").isprintable()


class _Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("kind", [_Terminal, io.TextIOWrapper], ids=["terminal", "pipe"])
def test_results_are_the_data_but_on_a_terminal(
    kind: type[io.TextIOWrapper], monkeypatch: pytest.MonkeyPatch
) -> None:
    import numpy as np

    from sclbl.cli.batch import WRITERS

    column = np.array([HOSTILE.replace("\ud800", ""), "naïve"], dtype=object)
    for form in ("csv", "json", "ndjson"):
        raw = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", kind(raw, encoding="utf-8", newline=""))
        writer = WRITERS[form](None)
        writer.write(["a\x9b"], [column])
        writer.finish()
        writer.close()
        text = raw.getvalue().decode()
        if kind is _Terminal:
            assert text.replace("\n", "").isprintable()
            assert "naïve" in text
        elif form == "csv":
            assert HOSTILE in text
        if form == "json":
            assert json.loads(text) == column.tolist()
        monkeypatch.undo()


#: What prints; and who may: the way to the terminal, and programs of their own.
PRINTERS = {"echo", "secho", "confirm", "prompt"}
ALLOWED = {"cli/output.py", "kernels/build.py", "progress.py", "web/bundle.py"}


def test_nothing_else_prints() -> None:
    root = Path(output.__file__).parent.parent
    for path in root.rglob("*.py"):
        name = path.relative_to(root).as_posix()
        if name in ALLOWED:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = node.func
                if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
                    printed = called.attr in PRINTERS and called.value.id in ("typer", "click")
                else:
                    printed = isinstance(called, ast.Name) and called.id in ("print", "Console")
                assert not printed, f"{name}:{node.lineno} prints past sclbl.cli.output"
            if isinstance(node, ast.Attribute) and ast.unparse(node) in (
                "sys.stdout",
                "sys.stderr",
            ):
                assert name in STREAMS, f"{name}:{node.lineno} uses a stream of its own"


#: Who may look at the streams: whether somebody watches, closing, and the machine code of `apart`.
STREAMS = {"cli/__init__.py", "cli/run.py", "cli/serve.py", "runtime/apart.py"}


def test_long_messages_lose_their_middle() -> None:
    """A file may call a column by a million characters, which an error quotes."""
    assert cut("x" * 4000) == "x" * 4000
    error = ColumnError(f"there is no column {'n' * 1_000_000!r}; give it", column="n")
    said = str(error)
    assert len(said) < 4100
    assert said.startswith("there is no column 'nnn")
    assert said.endswith("nnn'; give it")
    assert "[996,030 characters left out]" in said
