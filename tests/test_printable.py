"""What others wrote never steers a terminal."""

from __future__ import annotations

import json

import pytest

from sclbl.cli import _fail
from sclbl.cli.state import print_json
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
