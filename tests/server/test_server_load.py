"""Predictions that take long, bodies and answers that are large, and the others meanwhile."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

from sclbl.errors import BusyError, DeadlineError, LimitError, SclblError
from sclbl.program import Program
from sclbl.registry.local import LocalRegistry
from sclbl.rows import Encoder, OneNull
from sclbl.runtime import Module
from sclbl.runtime.engine import allowance, check_time, within
from sclbl.runtime.parallel import most_threads
from sclbl.server import large
from sclbl.server.budget import Budget
from sclbl.server.limits import Settings
from sclbl.server.payload import READERS
from sclbl.server.programs import Costs
from sclbl.settings import use_threads
from sclbl.signature import Column, Output, Signature
from tests.runtime.foreign import module
from tests.server.conftest import Case, error
from tests.server.threads import serving

#: Works for every row but one, for which it never ends.
LOOP = """
  (if (f64.eq (f64.load (i32.load (local.get $inputs))) (f64.const 42)) (then {body}))
  (f64.store (i32.load (local.get $outputs)) (f64.load (i32.load (local.get $inputs))))
  (i32.const 0)
"""
ENDLESS = "(loop $l (br $l))"
#: The same in few instructions that each do much.
FILLING = "(loop $l (memory.fill (i32.const 65536) (i32.const 1) (i32.const 26000000)) (br $l))"


@pytest.fixture
def registry(tmp_path: Path, cases: dict[str, Case]) -> Iterator[LocalRegistry]:
    with LocalRegistry(tmp_path) as registry:
        for name in ("numbers", "scaler", "linear", "mixed"):
            registry.create(name, cases[name].wasm, cases[name].spec)
        yield registry


def post(url: str, name: str, body: Any, kind: str = "application/json", **more: str) -> Any:
    data = body if isinstance(body, (bytes, str)) else json.dumps(body)
    path = f"{url}/v1/deployments/{name}/predict"
    head = {"Content-Type": kind, **more}
    return requests.post(path, data=data, headers=head, timeout=120)


STOPPED = (
    "the program ran longer than its time limit and was stopped; "
    "give it fewer rows a call, or a higher limit"
)


@pytest.mark.parametrize("body", [ENDLESS, FILLING])
def test_a_program_that_never_ends_stops_no_one(
    registry: LocalRegistry, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    hostile = module(LOOP.format(body=body))
    sha256 = registry.get("linear").sha256
    stored = registry.program

    def program(source: Any) -> bytes:
        return hostile if source.sha256 == sha256 else stored(source)

    monkeypatch.setattr(registry, "program", program)
    with serving(registry, Settings(predict_seconds=3.0)) as (url, _):
        # Known to be short by now, so these are answered on the event loop.
        for number in range(20):
            assert post(url, "linear", [[number, 0]]).json()["results"] == [number]
        found: list[Any] = []
        looping = threading.Thread(target=lambda: found.append(post(url, "linear", [[42, 0]])))
        looping.start()
        time.sleep(0.2)
        for _ in range(3):
            assert requests.get(f"{url}/healthz", timeout=30).status_code == 200
            assert post(url, "numbers", [[0.0] * 4]).status_code == 200
            assert post(url, "linear", [[1, 0]]).json()["results"] == [1]
        assert not found  # all that was answered while it ran
        looping.join()
        assert error(found[0]) == (413, "deadline", STOPPED)
        assert post(url, "linear", [[7, 0]]).json()["results"] == [7]


def test_the_time_of_a_thread_bounds_all_calls_together() -> None:
    program = Program(module(LOOP.format(body=ENDLESS)))
    with pytest.raises(DeadlineError, match="ran longer than its time limit"), within(0.2):
        program.predict(np.full((1, 2), 42.0))
    # Each call is short; together they are not.
    with pytest.raises(DeadlineError), within(0.1):
        list(map(program.predict, itertools.repeat(np.ones((1, 2)), 10_000_000)))
    assert allowance.until is None
    np.testing.assert_array_equal(program.predict(np.ones((3, 2)))[:1], [1.0])
    with within(60), pytest.raises(DeadlineError), within(-1):
        check_time()


def test_costs_are_known_by_size() -> None:
    costs = Costs()
    assert costs.expected(1) == float("inf")
    costs.add(1, 0.001)
    assert costs.expected(1) == 0.001
    assert costs.expected(8) == pytest.approx(0.008)
    costs.add(8, 0.002)
    assert costs.expected(15) == pytest.approx(0.002)
    assert costs.expected(16) == pytest.approx(0.004)
    costs.too_slow(1)
    assert costs.expected(1) > 1
    for _ in range(100):
        costs.add(1, 0.001)
    assert costs.expected(1) == pytest.approx(0.001, rel=0.01)


# -------------------------------------------------------------------- answers


def test_large_answers_are_those_of_the_model(
    registry: LocalRegistry, cases: dict[str, Case]
) -> None:
    rows = np.random.default_rng(3).normal(size=(30_001, 4))
    expected = cases["scaler"].model.transform(rows)
    with serving(registry) as (url, _):
        for body in ({"rows": rows.tolist()}, rows.tolist()):
            found = post(url, "scaler", body)
            assert int(found.headers["content-length"]) == len(found.content)
            np.testing.assert_array_equal(found.json()["results"], expected)
        lines = post(url, "scaler", rows.tolist(), Accept="application/x-ndjson").text
        np.testing.assert_array_equal([json.loads(x) for x in lines.splitlines()], expected)
        csv = "a,b,c,d\n" + "".join(f"{','.join(map(repr, r))}\n" for r in rows.tolist())
        found = post(url, "scaler", csv, "text/csv").json()["results"]
        np.testing.assert_array_equal(found, expected)


def test_answers_are_bounded(registry: LocalRegistry) -> None:
    settings = Settings(answer_values=400, answer_bytes=100_000)
    with serving(registry, settings) as (url, _):
        assert post(url, "scaler", [[0.1] * 4] * 100).status_code == 200
        message = (
            "the answer for 101 rows has 404 values; this server gives at most 400 in one answer, "
            "so send fewer rows"
        )
        assert error(post(url, "scaler", [[0.1] * 4] * 101)) == (413, "limit", message)
    settings = Settings(answer_bytes=1000)
    with serving(registry, settings) as (url, _):
        for _ in range(2):
            answer = error(post(url, "numbers", [[0.1] * 4] * 10_000))
            assert answer[:2] == (413, "limit")
            assert answer[2].startswith("the answer has more than 1,000 bytes")


def test_labels_take_the_room_of_the_longest(
    registry: LocalRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few bytes a row on the way may be 4 KB a row as an array of its type."""
    output = Output("label", "<U1024", 1, 1, labels=(("no", "yes"),))
    columns = (Column(None, "float64"),) * 2
    wide = module(signature=Signature(columns, "array", {"predict": output}))
    monkeypatch.setattr(registry, "program", lambda source: wide)
    with serving(registry, Settings(answer_bytes=1_000_000)) as (url, _):
        for rows, status in ((20, 200), (976, 200), (977, 413), (5000, 413)):
            answer = post(url, "linear", [[0.0, 1.0]] * rows)
            assert answer.status_code == status
            if status == 413:
                assert error(answer)[2].startswith("the answer has more than 1,000,000 bytes")
            else:
                assert answer.json()["results"] == ["no"] * rows


# --------------------------------------------------------------- large bodies


def spaced(value: Any, chance: np.random.Generator) -> str:
    return json.dumps(
        value,
        separators=((",", ":"), (", ", ": "), (" ,\n", " : "))[chance.integers(3)],
        ensure_ascii=bool(chance.integers(2)),
    )


def test_slices_read_what_one_piece_reads(
    cases: dict[str, Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of any form, with text that looks like the space between rows."""
    monkeypatch.setattr(large, "SLICE_BYTES", 150)
    monkeypatch.setattr(large, "BREATH", 0)
    chance = np.random.default_rng(5)
    nasty = ["},{", '"}, {"', "]", "[", "\\", '\\"},{', "é},{", "a:b", ",", "gold", '"], ["']
    signature = Program(cases["mixed"].wasm).signature
    encoder = Encoder(signature)
    for _ in range(300):
        rows: list[Any] = []
        for _ in range(chance.integers(1, 30)):
            plan = "".join(chance.choice(nasty, size=chance.integers(0, 6)))
            row: Any = {"age": int(chance.integers(90)), "plan": plan}
            rows.append(list(row.values()) if chance.integers(2) else row)
        value: Any = {"rows": rows} if chance.integers(2) else rows
        body = spaced(value, chance).encode()
        found = large.read(body, "application/json", encoder, 1000)
        assert found.rows == READERS["application/json"](body, signature, 1000) == rows


def test_slices_of_numbers_are_a_block(
    cases: dict[str, Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large, "SLICE_BYTES", 200)
    signature = Program(cases["numbers"].wasm).signature
    rows = np.random.default_rng(1).normal(size=(500, 4))
    body = json.dumps({"rows": rows.tolist()}).encode()
    found = large.read(body, "application/json", Encoder(signature), 1000)
    assert isinstance(found, np.ndarray)
    np.testing.assert_array_equal(found, rows)
    # One row that is not plain numbers, in the last slice, leaves all as they were.
    mixed = [*rows.tolist(), ["1", 2, 3, 4]]
    body = json.dumps(mixed).encode()
    found = large.read(body, "application/json", Encoder(signature), 1000)
    assert found == OneNull(mixed)


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ('[[1,2,3,4],{"a":1,"a":2},[1,2,3,4]]', 422, "an object has the key 'a' twice"),
        ("[[1,2,3,4],[1,2,3,4],[1,2,3,4]]]", 400, "the body is not JSON"),
        ("[[1,2,3,4],[1,2,3,4],[1,2,3,4", 400, "the body is not JSON"),
        ("[[1,2,3,4],[1,2,3,4] [1,2,3,4]]", 400, "the body is not JSON"),
        ('{"rows":[[1,2,3,4],[1,2,3,4]],"x":[1]}', 400, "the body has 'x' beside"),
        ('{"row":[[1,2,3,4],[1,2,3,4],[1,2,3,4]]}', 400, 'the body is an object without "rows"'),
        ("[[1,2,3,4],[1,2,3,4],[1,2,3,4]" + ",[1,2,3,4]" * 20 + "]", 413, "at most 10 rows"),
        ("[[1,2,3,4]," + " " * 90, 400, "the body is not JSON"),
        ("[" + "1," * 30_000 + "1]", 413, "a row of the body holds more than 20,000 values"),
        ("[{" + '"a":1,' * 30_000 + '"b":1}]', 413, "a row of the body holds more than"),
        ('[["' + "," * 1_000_000 + '",1,2,3]]', 413, "a row of the body holds more than"),
    ],
)
def test_large_bodies_that_are_wrong(
    cases: dict[str, Case],
    monkeypatch: pytest.MonkeyPatch,
    body: str,
    status: int,
    message: str,
) -> None:
    from sclbl.server.problems import status_of

    monkeypatch.setattr(large, "SLICE_BYTES", 16)
    signature = Program(cases["numbers"].wasm).signature
    with pytest.raises(SclblError, match=message) as raised:
        large.read(body.encode(), "application/json", Encoder(signature), 10)
    assert status_of(raised.value) == status


@pytest.mark.parametrize("kind", ["text/csv", "application/x-ndjson"])
def test_lines_of_too_many_values(cases: dict[str, Case], kind: str) -> None:
    signature = Program(cases["numbers"].wasm).signature
    for body, message in (
        (b"1," * 100_000, "a row of the body holds more than 20,000 values"),
        (b"\n" * 100_000, "a request may hold at most 10 rows"),
    ):
        with pytest.raises(LimitError, match=message):
            large.read(body, kind, Encoder(signature), 10)


# --------------------------------------------------------------------- budget


def run(test: Callable[[], Any]) -> None:
    asyncio.run(test())


def test_the_budget_counts_what_is_large() -> None:
    async def test() -> None:
        budget = Budget(1_000_000)
        holds = [budget.hold() for _ in range(10)]
        for hold in holds:
            hold.take(64 * 1024)
        assert budget.used == 0
        holds[0].take(900_000)
        assert budget.used == 900_000
        with pytest.raises(BusyError, match="as many bytes of requests and answers under way"):
            holds[1].take(200_000)
        assert budget.used == 900_000
        holds[0].free()
        holds[1].take(200_000)
        assert budget.used == 200_000
        holds[1].free()
        holds[1].free()
        assert budget.used == 0

    run(test)


def test_a_slow_client_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sclbl.server.budget.SLOW_SECONDS", 0.1)

    async def test() -> None:
        budget = Budget(1_000_000)
        said: list[str] = []

        async def slow() -> None:
            hold = budget.hold()
            hold.take(900_000)
            hold.begin()
            try:
                with hold.waiting():
                    await asyncio.sleep(60)
            except BusyError as error:
                said.append(str(error))

        task = asyncio.create_task(slow())
        await asyncio.sleep(0.3)
        newcomer = budget.hold()
        newcomer.take(900_000)
        await task
        assert len(said) == 1
        # One that waits for its own turn, not for its client, is not to blame.
        with pytest.raises(BusyError):
            budget.hold().take(900_000)
        newcomer.free()
        assert budget.used == 0

    run(test)


def test_a_full_budget_is_said_and_ends(registry: LocalRegistry) -> None:
    settings = Settings(flight_bytes=300_000)
    with serving(registry, settings) as (url, _):
        for _ in range(3):
            rows = json.dumps([[0.5, 1.0, 2.0, 3.0]] * 40_000)
            answer = post(url, "numbers", rows)
            assert error(answer)[:2] == (503, "busy")
            assert answer.headers["retry-after"] == "1"
            assert (
                post(url, "numbers", rows[:200_000].rpartition(", [")[0] + "]").status_code == 200
            )


# -------------------------------------------------------------------- threads


def test_a_prediction_stays_in_its_thread(
    registry: LocalRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others wait for the processors as well, whichever way the prediction takes."""
    allowed: list[int] = []
    call = Module.call

    def told(module: Module, *arguments: Any) -> Any:
        allowed.append(most_threads())
        return call(module, *arguments)

    monkeypatch.setattr(Module, "call", told)
    use_threads(4)
    try:
        rows = [{"age": 40 + i % 9, "plan": "gold"} for i in range(3_000)]
        with serving(registry) as (url, _):
            for count in (1, 2, 3_000, 1, 1):
                answer = post(url, "mixed", {"rows": rows[:count]})
                assert len(answer.json()["results"]) == count
    finally:
        use_threads(None)
    assert len(allowed) >= 5
    assert set(allowed) == {1}
