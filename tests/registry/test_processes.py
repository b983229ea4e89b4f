"""Several processes at once, and processes that are killed."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sclbl.registry.local import LocalRegistry
from sclbl.registry.metadata import About
from tests.registry.programs import make_program

ROOT = Path(__file__).parents[2]


def start(path: Path, name: str, first: int, count: int, alias: str) -> subprocess.Popen[str]:
    module = ["-m", "tests.registry.writer"]
    given = [str(path), name, str(first), str(count), alias]
    return subprocess.Popen(
        [sys.executable, *module, *given], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def await_versions(process: subprocess.Popen[str], count: int) -> list[tuple[int, str]]:
    """Return the next versions that a running writer sees confirmed."""
    assert process.stdout is not None
    lines = [process.stdout.readline().split() for _ in range(count)]
    return [(int(version), sha256) for version, sha256 in lines]


def finish(process: subprocess.Popen[str]) -> list[tuple[int, str]]:
    """Return the versions that a writer saw confirmed; a torn last line was not."""
    assert process.stdout is not None
    with process.stdout:
        out = process.stdout.read()
    process.wait(timeout=120)
    lines = [line.split() for line in out.split("\n")[:-1] if line != "ready"]
    return [(int(version), sha256) for version, sha256 in lines]


def check_whole(path: Path, confirmed: dict[int, str]) -> int:
    """Check that all that was confirmed is there, and that all that is there is whole."""
    with LocalRegistry(path) as registry:
        records = registry.versions("churn") if confirmed or registry.deployments() else []
        found = {record.version: record.sha256 for record in records}
        assert confirmed.items() <= found.items()
        assert sorted(found) == list(range(1, len(found) + 1))
        for record in records[-40:]:
            registry.program(record)  # raises where the bytes are missing or not whole
            registry.spec(record)
        if records:
            named = [event.version for event in registry.history("churn", "production")]
            assert named == sorted(found)
            assert registry.get("churn@production") == records[-1]
        return len(found)


def test_processes_open_and_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "registry"
    writers = [start(path, "churn", 100 * i, 15, "production") for i in range(4)]
    confirmed = [version for writer in writers for version in finish(writer)]
    assert [writer.returncode for writer in writers] == [0] * 4
    assert sorted(version for version, _ in confirmed) == list(range(1, 61))
    assert check_whole(path, dict(confirmed)) == 60


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 here")
@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=pytest.mark.exhaustive)])
def test_killed_writers_lose_nothing(tmp_path: Path, kills: int) -> None:
    path = tmp_path / "registry"
    chance = random.Random(20)
    confirmed: dict[int, str] = {}
    recorded = 0
    # Two writers at a time, so that a kill also falls into another's wait for the lock.
    for round_ in range(kills // 2):
        writers = [
            start(path, "churn", 100_000 * round_ + 50_000 * i, 40_000, "production")
            for i in range(2)
        ]
        if round_ % 5:  # every fifth round, the kill may fall into the opening
            for writer in writers:
                assert writer.stdout is not None
                assert writer.stdout.readline() == "ready\n"
            # However slow the machine is, some are confirmed before the kill.
            confirmed.update(await_versions(writers[0], chance.randint(2, 5)))
        for writer in writers:
            time.sleep(chance.uniform(0, 0.06))
            writer.send_signal(signal.SIGKILL)
        for writer in writers:
            confirmed.update(finish(writer))
            assert writer.returncode == -signal.SIGKILL
        recorded = check_whole(path, confirmed)
    assert len(confirmed) > kills
    assert recorded - len(confirmed) <= kills  # at most the one that each was about to confirm
    with LocalRegistry(path) as registry:
        assert registry.record(About("churn"), *make_program(), None).version == recorded + 1
