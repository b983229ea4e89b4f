"""One large call on several threads: the same answers and refusals, and no thread too many."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sclbl import settings
from sclbl.compiler import compile_spec
from sclbl.errors import DeadlineError, InputError, LimitError
from sclbl.program import Program
from sclbl.rows import Blocks, Encoder
from sclbl.runtime import Module, parallel
from sclbl.runtime.engine import allowance, within
from sclbl.runtime.instance import Instance
from sclbl.runtime.session import Session
from sclbl.strippers import strip
from tests.runtime.foreign import SIGNATURE, module

ROOT = Path(__file__).parents[2]
ROWS = 30_000


def program_of(model: Any, example: Any) -> Program:
    return Program(compile_spec(strip(model, example)))


@cache
def forest() -> tuple[Any, Program]:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(300, 5))
    labels = np.array(["a", "b", "long label"])[(x[:, 0] > 0).astype(int) + (x[:, 1] > 0)]
    model = RandomForestClassifier(12, max_depth=5, random_state=0, n_jobs=1).fit(x, labels)
    return model, program_of(model, x[:5])


def frame(rows: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.normal(40, 10, rows),
            "plan": rng.choice(["free", "paid", "日本", ""], rows),
            "size": rng.normal(size=rows),
        }
    )


@cache
def mixed() -> tuple[Any, Program]:
    rows = frame(300)
    columns = ColumnTransformer(
        [("scale", StandardScaler(), ["age", "size"]), ("plan", OneHotEncoder(), ["plan"])]
    )
    model = make_pipeline(columns, LogisticRegression())
    model.fit(rows, (rows["age"] + 9 * rows["size"] > 40) + 2 * (rows["plan"] == "paid"))
    return model, program_of(model, rows[:5])


def batch(rows: int, seed: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, 5))


@pytest.fixture(autouse=True)
def several(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Four threads, and every call of more than some rows worth them."""
    monkeypatch.setattr("sclbl.runtime.module.WORTH_THREADS", 1e-9)
    monkeypatch.setattr("sclbl.runtime.method.WORTH_THREADS", 1e-9)
    settings.use_threads(4)
    yield
    settings.use_threads(None)


def until(holds: Callable[[], bool]) -> None:
    """Return when something holds."""
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.001)


class Watch:
    """Sees every piece: the thread that it runs in, where it starts, what is done before it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.threads: set[int] = set()
        self.starts: list[int] = []
        self.limits: set[float | None] = set()
        self.done: list[int] = []
        self.at_once = self.most_at_once = 0
        self.before: Callable[[int], None] = lambda start: None
        self._lock = threading.Lock()
        rows = Session.rows

        def watched(
            session: Session, method: str, blocks: Blocks, start: int, end: int, result: Any
        ) -> None:
            with self._lock:
                self.threads.add(threading.get_ident())
                self.starts.append(start)
                self.limits.add(allowance.until)
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
            try:
                self.before(start)
                rows(session, method, blocks, start, end, result)
            finally:
                with self._lock:
                    self.at_once -= 1
                    self.done.append(start)

        monkeypatch.setattr(Session, "rows", watched)

    def wait_for(self, threads: int) -> Callable[[int], None]:
        """Return what holds every piece until so many threads have come."""
        return lambda start: until(lambda: len(self.threads) >= threads)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    return Watch(monkeypatch)


def known(program: Program) -> Program:
    """Return a program of which it is known that a row takes long."""
    program.module.pace.update(dict.fromkeys(program.methods, 1e-6))
    return program


def test_answers_are_the_same_bits_in_the_same_order(watch: Watch) -> None:
    for model, program, rows in (
        (*forest(), batch(ROWS)),
        (*forest(), np.asfortranarray(batch(ROWS))),
        (*mixed(), frame(ROWS, 3)),
    ):
        known(program)
        for method in program.methods:
            watch.threads.clear()
            watch.before = watch.wait_for(3)
            got = getattr(program, method)(rows)
            assert len(watch.threads) >= 3
            watch.before = lambda start: None
            settings.use_threads(1)
            want = getattr(program, method)(rows)
            settings.use_threads(4)
            assert got.tobytes() == want.tobytes() if got.dtype != object else (got == want).all()
            if method == "predict":
                np.testing.assert_array_equal(got, model.predict(rows))


@pytest.mark.parametrize("rows", [2, 31, 33, 500, 1024, 5000])
def test_batches_of_any_size(rows: int) -> None:
    model, program = forest()
    x = batch(rows)
    np.testing.assert_array_equal(known(program).predict_proba(x), model.predict_proba(x))


def test_what_is_short_stays_in_its_thread(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sclbl.runtime.module.WORTH_THREADS", 10.0)
    _, program = forest()
    program.predict_proba(batch(ROWS))
    assert watch.threads == {threading.get_ident()}


@pytest.mark.parametrize("seed", range(12))
def test_the_first_refused_row_is_named_as_by_one_thread(seed: int) -> None:
    """Which column of a chunk is looked at first must not depend on where a thread began."""
    _, program = mixed()
    rng = np.random.default_rng(seed)
    rows = frame(ROWS, seed)
    for column, bad in (("age", np.nan), ("size", np.inf), ("plan", "gold")):
        places = rng.integers(0, ROWS, 3) if seed % 2 else rng.integers(9_000, 9_200, 2)
        rows.loc[places, column] = bad
    found = []
    for threads in (1, 4, 2):
        settings.use_threads(threads)
        with pytest.raises(InputError) as refused:
            known(program).predict(rows)
        found.append((str(refused.value), refused.value.row, refused.value.column))
    assert found[0] == found[1] == found[2]


def test_a_refusal_is_that_of_the_chunk_of_one_thread(watch: Watch) -> None:
    """A program looks for unknown texts before missing numbers, in some rows at a time."""
    _, program = mixed()
    rows = frame(ROWS)
    known(program).predict(rows)
    assert len(watch.threads) <= 4
    telling = 0
    for start in sorted(watch.starts)[1::3]:
        wrong = rows.copy()
        wrong.loc[start - 1, "age"] = np.nan
        wrong.loc[start, "plan"] = "gold"
        found = []
        for threads in (1, 4):
            settings.use_threads(threads)
            with pytest.raises(InputError) as refused:
                known(program).predict(wrong)
            found.append(str(refused.value))
        assert found[0] == found[1]
        telling += f"row {start}," in found[0]
    assert telling > 0


@pytest.mark.parametrize("comes", ["first", "late"])
def test_the_first_of_several_refusals_counts_whenever_it_comes(watch: Watch, comes: str) -> None:
    _, program = forest()
    x = batch(ROWS)
    x[5, 2] = np.inf
    x[program.module.chunk + 9 :, 2] = np.inf

    def before(start: int) -> None:
        if start == 0:
            until(lambda: max(watch.starts) >= program.module.chunk)
            if comes == "late":
                until(lambda: max(watch.done, default=0) >= program.module.chunk)
        elif start >= program.module.chunk and comes == "first":
            until(lambda: 0 in watch.done)

    watch.before = before
    with pytest.raises(InputError, match=r"^row 5, column '2' is infinite"):
        known(program).predict(x)


def test_every_thread_keeps_the_callers_time(watch: Watch) -> None:
    endless = Module(module("(loop $again (br $again)) (i32.const 0)"), SIGNATURE)
    endless.pace["predict"] = 1.0
    rows = Encoder(SIGNATURE).encode(np.ones((5_000, 2)))
    watch.before = watch.wait_for(2)
    with within(0.3), pytest.raises(DeadlineError, match="ran longer than its time limit"):
        endless.call("predict", rows)
    assert len(watch.threads) > 1
    assert len(watch.limits) == 1
    assert None not in watch.limits
    assert allowance.until is None


def test_the_time_of_a_call_is_not_that_of_the_call_before(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, program = forest()
    rewound: set[int] = set()
    rewind = Instance.rewind

    def told(instance: Instance) -> None:
        rewound.add(threading.get_ident())
        rewind(instance)

    monkeypatch.setattr(Instance, "rewind", told)
    for limit in (None, 100.0, None):
        watch.threads.clear()
        watch.limits.clear()
        watch.before = watch.wait_for(3)
        rewound.clear()
        # Without `within`, which makes every thread look at its limit again.
        monkeypatch.setattr(allowance, "until", limit and time.monotonic() + limit)
        known(program).predict_proba(batch(ROWS))
        assert len(watch.limits) == 1
        assert watch.threads - {threading.get_ident()} <= rewound


def test_an_interrupt_ends_the_others(watch: Watch) -> None:
    _, program = forest()
    x = batch(60 * program.module.chunk)
    mine = threading.get_ident()

    def interrupt(start: int) -> None:
        until(lambda: len(watch.threads) >= 2)
        if threading.get_ident() == mine:
            raise KeyboardInterrupt
        time.sleep(0.01)

    watch.before = interrupt
    with pytest.raises(KeyboardInterrupt):
        known(program).predict_proba(x)
    assert watch.at_once == 0
    assert len(watch.starts) < 30
    watch.before = lambda start: None
    np.testing.assert_array_equal(program.predict(x[:40]), forest()[0].predict(x[:40]))


def test_calls_of_many_threads_share_the_threads(watch: Watch) -> None:
    model, program = forest()
    known(program)
    settings.use_threads(3)
    want = model.predict_proba(batch(ROWS))
    faults: list[int] = []

    def work(number: int) -> None:
        right = (np.array_equal(program.predict_proba(batch(ROWS)), want) for _ in range(4))
        faults.extend(number for fine in right if not fine)

    running = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert faults == []
    # Six that call, and those of the pool, which were there before the others came.
    assert watch.most_at_once <= 6 + 2


def test_one_thread_is_one_thread(watch: Watch) -> None:
    model, program = forest()
    want = model.predict_proba(batch(ROWS))
    settings.use_threads(1)
    np.testing.assert_array_equal(known(program).predict_proba(batch(ROWS)), want)
    settings.use_threads(4)
    with parallel.alone():
        assert parallel.most_threads() == 1
        np.testing.assert_array_equal(known(program).predict_proba(batch(ROWS)), want)
    assert parallel.most_threads() == 4
    assert watch.threads == {threading.get_ident()}


def test_where_no_other_instance_fits_the_caller_does_it_all(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, program = forest()
    program.predict(batch(3))
    tried = threading.Event()

    def none(*_: Any) -> None:
        tried.set()
        raise LimitError("no memory")

    monkeypatch.setattr("sclbl.runtime.module.Session", none)
    # The threads that there are may hold an instance of it.
    monkeypatch.setattr(parallel, "_pool", parallel._Pool())
    watch.before = lambda start: until(tried.is_set)
    got = known(program).predict_proba(batch(ROWS))
    assert watch.threads == {threading.get_ident()}
    np.testing.assert_array_equal(got, model.predict_proba(batch(ROWS)))


def test_idle_threads_end_and_give_their_instances_back(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parallel, "IDLE_SECONDS", 0.05)
    pool = parallel._Pool()
    monkeypatch.setattr(parallel, "_pool", pool)
    ended: list[int] = []
    _, program = forest()

    class Told(Session):
        def __del__(self) -> None:
            ended.append(1)

    monkeypatch.setattr("sclbl.runtime.module.Session", Told)
    program = known(Program(program.wasm))
    watch.before = watch.wait_for(3)
    program.predict_proba(batch(ROWS))
    until = time.monotonic() + 60
    while (pool._threads or len(ended) < 2) and time.monotonic() < until:
        time.sleep(0.01)
    assert pool._threads == 0
    assert len(ended) >= 2
    watch.threads.clear()
    program.predict_proba(batch(ROWS))
    assert len(watch.threads) >= 3


def test_results_of_no_rows() -> None:
    _, program = forest()
    blocks = Blocks(0, np.empty((0, 5)))
    assert program.module.call("predict_proba", blocks).shape == (0, 3)


SCRIPT = """
import atexit, os, sys, threading
import numpy as np
from sclbl.compiler import compile_spec
from sclbl.program import Program
from sclbl import settings
from sclbl.runtime import module, method
from tests.compiler.compiled import builder, make_spec

module.WORTH_THREADS = method.WORTH_THREADS = 1e-9
settings.use_threads(3)
build = builder(2)
spec = make_spec(build, {"predict": build.add(build.table().matrix(), 1.0)})
program = Program(compile_spec(spec))
rows = np.ones((400_000, 2))

def check():
    program.module.pace["predict"] = 1e-7
    assert (program.predict(rows) == 2).all()
"""
FORK = """
check()
child = os.fork()
for _ in range(3):
    check()
assert "sclbl-predict" in [thread.name for thread in threading.enumerate()]
if child:
    _, status = os.waitpid(child, 0)
    check()
    sys.exit(os.waitstatus_to_exitcode(status))
os._exit(0)
"""
EXIT = """
def last():
    check()
    print("checked")

atexit.register(last)
if sys.argv[1] == "before":
    check()
if sys.argv[1] == "daemon":
    started = threading.Event()
    def on():
        while True:
            check()
            started.set()
    threading.Thread(target=on, daemon=True).start()
    started.wait(60)
"""


def run_script(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SCRIPT + code, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_child_has_threads_of_its_own() -> None:
    done = run_script(FORK)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("when", ["before", "not before", "daemon"])
def test_calls_while_the_interpreter_ends(when: str) -> None:
    done = run_script(EXIT, when)
    assert (done.returncode, done.stdout, done.stderr) == (0, "checked\n", "")


@pytest.mark.parametrize("given", ["0", "-1", "two", "", "1.5", "٣", "9" * 50, "1025"])
def test_a_wrong_number_of_threads(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.use_threads(None)
    monkeypatch.setenv("SCLBL_THREADS", given)
    with pytest.raises(LimitError, match=r"SCLBL_THREADS is .*no number of threads from 1 to 1024"):
        settings.threads()


@pytest.mark.parametrize("given", [0, -1, True, 1.0, "2", 1025])
def test_a_wrong_setting(given: Any) -> None:
    with pytest.raises(LimitError, match="no number of threads; give a whole number from 1"):
        settings.use_threads(given)
    assert settings.threads() == 4


def test_how_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCLBL_THREADS", "7")
    assert settings.threads() == 4
    settings.use_threads(None)
    assert settings.threads() == 7
    monkeypatch.delenv("SCLBL_THREADS")
    if hasattr(os, "sched_getaffinity"):
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 5})
        assert settings.threads() == 2
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 9)
    assert settings.threads() == 9
