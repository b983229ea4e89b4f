"""Files are there whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from sclbl.whole_file import SUFFIX, whole_file


def test_a_file_appears_when_all_went_well(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with whole_file(path) as part:
        part.write_bytes(b"new")
        assert path.read_bytes() == b"old"
        assert part.name.endswith(SUFFIX)
    assert path.read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


@pytest.mark.parametrize("error", [OSError(28, "no space"), KeyboardInterrupt()])
def test_what_fails_leaves_the_old_file(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def fail() -> None:
        with whole_file(path, sync=True) as part:
            part.write_bytes(b"half")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


@pytest.mark.parametrize(("private", "mask", "mode"), [(True, 0, 0o600), (False, 0o027, 0o640)])
def test_who_may_read(tmp_path: Path, private: bool, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        with whole_file(tmp_path / "a", private=private) as part:
            # Before there is anything to read.
            assert stat.S_IMODE(part.stat().st_mode) == mode
            part.write_text("x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode


def test_long_names(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 250)
    with whole_file(path) as part:
        part.write_text("x")
    assert path.read_text() == "x"
