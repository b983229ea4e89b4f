"""Folders of uploads: gone with their server, or when the next one begins."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from sclbl.server.folders import PREFIX, Folders

KILLED = """
import os, signal
from sclbl.server.folders import Folders
print(Folders().make(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_folders_that_a_killed_server_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    alive = Folders()
    kept = alive.make()
    done = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, text=True)
    left = Path(done.stdout.strip())
    assert left.is_dir()
    assert kept.is_dir()
    (tmp_path / f"{PREFIX}other").mkdir()  # without a lock: of whom is not known
    new = Folders()
    made = new.make()
    assert not left.parent.exists()
    assert made.is_dir()
    assert kept.is_dir()
    new.close()
    alive.close()
    assert [p.name for p in tmp_path.iterdir()] == [f"{PREFIX}other"]
