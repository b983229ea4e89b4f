"""What the tests keep of the compiler's work is asked for by all that makes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sclbl.compiler import llvm
from tests import kept


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The code that LLVM was asked for, where nothing is kept yet."""
    asked: list[str] = []

    def build(code: str, *given: object, **named: object) -> bytes:
        asked.append(code)
        return f"{len(asked)}".encode()

    monkeypatch.setattr(kept, "folder", tmp_path)
    monkeypatch.setattr(kept, "real_build", build)
    return asked


def test_the_same_code_is_made_once(asked: list[str]) -> None:
    assert kept.build("a", {"x", "y"}, ["f"], shared=frozenset({"p", "q"})) == b"1"
    assert kept.build("a", {"y", "x"}, ["f"], shared=frozenset({"q", "p"})) == b"1"
    assert asked == ["a"]


def test_other_code_is_made(asked: list[str]) -> None:
    kept.build("a", {"x"}, ["f"], shared=frozenset())
    for code, stems, exports, shared in (
        ("b", {"x"}, ["f"], frozenset[str]()),
        ("a", {"y"}, ["f"], frozenset[str]()),
        ("a", {"x"}, ["g"], frozenset[str]()),
        ("a", {"x"}, ["f"], frozenset({"p"})),
    ):
        kept.build(code, stems, exports, shared=shared)
    assert asked == ["a", "b", "a", "a", "a"]


def test_nothing_is_kept_without_a_folder(
    asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "folder", None)
    assert kept.build("a") + kept.build("a") == b"12"


def test_another_compiler_has_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "folder", None)
    monkeypatch.setattr(llvm, "build", llvm.build)  # put back at the end
    for k in range(kept.COMPILERS + 2):
        monkeypatch.setattr(kept, "_compiler", lambda k=k: bytes([k]) * 32)
        kept.keep_in(tmp_path, clean=True)
    found = sorted(path.name for path in tmp_path.iterdir())
    assert len(found) == kept.COMPILERS
    assert found[-1] == bytes([kept.COMPILERS + 1]).hex() * 8


@pytest.mark.usefixtures("afresh")
def test_afresh_is_without_what_is_kept() -> None:
    assert llvm.build is kept.real_build
