"""docs/abi.md for inputs beside the table and for results that are ragged or several."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from sclbl.program import Program
from sclbl.rows import Blocks, RaggedRows
from tests.runtime import every_input
from tests.runtime.every_input import index, rows
from tests.runtime.host import Answer, Host, request_of, results_of

VALUES: Answer = {"level": 0.75, "single": 2.5, "count": -(2**60) - 1, "flag": False}


@pytest.fixture(scope="module")
def program() -> Program:
    return every_input.program()


@pytest.fixture
def host(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    host = Host()
    path = program.save(tmp_path_factory.mktemp("program") / "every.wasm")
    assert "trap" not in host.ask("load", name="every", path=str(path))
    yield host
    host.close()


def here(program: Program, method: str, blocks: Any) -> list[Any]:
    return results_of(program.module.general(method, blocks))


def test_every_kind_is_the_same_bytes_as_in_wasmtime(host: Host, program: Program) -> None:
    for count in (1, 7, 256, 257, 1_500):
        for values in ({}, VALUES):
            blocks = rows(count, seed=count, **values)
            request = request_of(blocks, program.signature)
            for method in program.methods:
                answer = host.ask("run", name="every", method=method, **request)
                assert answer["code"] == 0, (method, answer)
                assert answer["out"] == here(program, method, blocks), (method, count)


def test_results_are_those_of_their_rows(host: Host, program: Program) -> None:
    """Beside what plain Python makes of the same rows."""
    blocks = rows(600, seed=3, **VALUES)
    request = request_of(blocks, program.signature)
    given = dict(zip((i.name for i in every_input.INPUTS), blocks.beside, strict=True))

    def run(method: str) -> Any:
        return host.ask("run", name="every", method=method, **request)["out"]

    tensors = run("tensors")
    doubles = np.frombuffer(base64.b64decode(tensors[0])).reshape(600, 2)
    np.testing.assert_array_equal(doubles, given["doubles"] * VALUES["level"])
    for k, name in enumerate(("floats", "integers", "truths"), start=1):
        assert base64.b64decode(tensors[k]) == given[name].tobytes()
    for found, (name, wide) in zip(run("narrow"), every_input.NARROW.items(), strict=True):
        assert base64.b64decode(found) == given[f"of_{name}"].astype(wide).tobytes(), name
    for found, (name, value) in zip(run("values"), VALUES.items(), strict=True):
        wanted = np.full(600, value, dtype=given[name].dtype)
        assert base64.b64decode(found) == wanted.tobytes()
    for found, kind in zip(run("lists"), ("doubles", "floats", "integers", "truths"), strict=True):
        own = given[f"list_{kind}"]
        assert base64.b64decode(found["offsets"]) == own.offsets.astype(np.uint32).tobytes()
        assert base64.b64decode(found["values"]) == own.values.tobytes()
    dense, sums, floats, _ = run("sparse_rows")
    own, wanted = given["sparse"], np.zeros((600, every_input.COLUMNS))
    np.add.at(wanted, (np.repeat(np.arange(600), np.diff(own.offsets)), own.keys), own.values)
    np.testing.assert_array_equal(np.frombuffer(base64.b64decode(dense)), wanted.ravel())
    again = np.zeros_like(wanted)
    parts = {k: np.frombuffer(base64.b64decode(sums[k]), t) for k, t in
             (("offsets", np.uint32), ("keys", np.int32), ("values", np.float64))}  # fmt: skip
    again[np.repeat(np.arange(600), np.diff(parts["offsets"])), parts["keys"]] = parts["values"]
    np.testing.assert_array_equal(again, wanted)
    ones = base64.b64decode(floats["values"])
    assert ones == np.ones(int(given["sparse_floats"].offsets[-1]), np.float32).tobytes()


def test_defaults(host: Host, program: Program) -> None:
    request = request_of(rows(3), program.signature)
    found = host.ask("run", name="every", method="values", **request)["out"]
    for part, given in zip(found, program.signature.parameters, strict=True):
        wanted = np.full(3, given.default, dtype=given.dtype)
        assert base64.b64decode(part) == wanted.tobytes()


@pytest.mark.parametrize(("count", "items"), [(0, 0), (1, 0), (300, 0)])
def test_no_rows_and_no_items(count: int, items: int, host: Host, program: Program) -> None:
    blocks = rows(count, items=items)
    request = request_of(blocks, program.signature)
    for method in program.methods:
        answer = host.ask("run", name="every", method=method, **request)
        assert answer["code"] == 0
        assert answer["out"] == here(program, method, blocks)


def test_rows_that_begin_behind_others(host: Host, program: Program) -> None:
    """offsets[0] need not be 0."""
    blocks = rows(600, seed=8)
    whole = request_of(blocks, program.signature)
    beside = tuple(
        given if given is None else given.part(300, 600) if isinstance(given, RaggedRows)
        else given[300:] for given in blocks.beside
    )  # fmt: skip
    assert blocks.numeric is not None
    text = tuple(column.part(300, 600) for column in blocks.text)
    last = Blocks(300, blocks.numeric[300:], text, beside)
    request = request_of(last, program.signature)
    for k, given in enumerate(beside, start=1):
        if isinstance(given, RaggedRows):
            request["inputs"][k] = whole["inputs"][k]
            request["inputs"][k]["offsets"] = whole["inputs"][k]["offsets"][300:]
            assert request["inputs"][k]["offsets"][0] > 0
    for method in program.methods:
        answer = host.ask("run", name="every", method=method, **request)
        assert answer["code"] == 0
        assert answer["out"] == here(program, method, last)


def test_memory_that_grows_during_a_call(host: Host, program: Program) -> None:
    blocks = rows(700, seed=5, items=120)
    request = request_of(blocks, program.signature)
    for method in ("named", "sparse_rows", "lists"):
        expected = here(program, method, blocks)
        answer = host.ask("run", name="every", method=method, scrawl=500_000, **request)
        assert answer["out"] == expected
        assert method != "named" or answer["grown"] > 0
        # What the host wrote over the last call's ragged results is no matter to the next one.
        assert host.ask("run", name="every", method=method, **request)["out"] == expected


def at(name: str, part: str, word: int = 0) -> str:
    return f"in{index(name)}.{part} + {4 * word}"


def record(name: str, word: int) -> str:
    return f"inputs + {16 * index(name) + 4 * word}"


FAR = 2**32 - 1
#: Methods, changes of memory before the call, and the row that the error names; None: any.
WRONG: list[tuple[str, list[list[Any]], int | None]] = [
    *[
        (method, [[record(name, word), value]], None)
        for method, name, words in (
            ("sparse_rows", "sparse", (0, 1, 2)),
            ("sparse_rows", "sparse_floats", (0, 1, 2)),
            ("lists", "list_truths", (0, 2)),
            ("named", "words", (0, 1)),
            ("named", "features", (0, 1, 2)),
        )
        for word in words
        for value in (16, "end", "end - 16", "last", "last + 16", FAR, 2**31)
    ],
    *[(m, [[record(n, w), 0]], None) for m, n, w in (
        ("sparse_rows", "sparse", 0), ("sparse_rows", "sparse", 1), ("lists", "list_doubles", 0),
        ("lists", "list_doubles", 2), ("named", "words", 0), ("named", "words", 1),
        ("named", "words", 3), ("named", "features", 1),
    )],
    ("named", [[record("words", 3), "last"]], None),
    ("named", [[record("features", 3), FAR]], None),
    ("sparse_rows", [[at("sparse", "offsets", 300), FAR]], 300),
    ("sparse_rows", [[at("sparse", "offsets", 300), 0]], 299),
    ("sparse_rows", [[at("sparse", "offsets", 0), 2**31]], 0),
    ("sparse_rows", [[at("sparse", "offsets", 400), 2**30]], None),
    ("sparse_rows", [[at("sparse", "keys", 0), every_input.COLUMNS]], None),
    ("sparse_rows", [[at("sparse_integers", "keys", 500), FAR]], None),
    ("products", [[at("sparse", "keys", 500), 2**31]], None),
    ("lists", [[at("list_integers", "offsets", 17), FAR]], 17),
    ("named", [[at("words", "offsets", 399), 0]], 398),
    ("named", [[at("words", "keys", 40), 0]], None),
    ("named", [[at("words", "keys", 40), FAR]], None),
    ("named", [[at("features", "keys", 9), 2**31]], None),
    ("named", [[at("features", "keys", 3), FAR - 4]], None),
    *[("tensors", [[record(name, 0), v]], -1) for name in ("doubles", "floats", "truths", "of_int8")
      for v in (0, 16, 1024, "end - 8", "last + 8", FAR)],
    *[("values", [[record(name, 0), v]], -1) for name in every_input.DEFAULTS
      for v in (1, 16, "end", "last + 16", FAR, 2**31)],
    *[(method, [[f"outputs + {4 * k}", v]], -1) for method, k in
      (("tensors", 0), ("tensors", 4), ("lists", 2), ("near", 1), ("sparse_rows", 0))
      for v in (0, 16, 1024, "last + 16", "end - 8", FAR)],
]  # fmt: skip


def test_wrong_arguments(host: Host, program: Program) -> None:
    """A code and never a trap; then the instance gives what it gave before."""
    blocks = rows(400, seed=11)
    request = request_of(blocks, program.signature)
    expected = {m: here(program, m, blocks) for m in program.methods}
    for method, poke, row in WRONG:
        answer = host.ask("call", name="every", method=method, poke=poke, **request)
        assert answer.get("code") == 4, (method, poke, answer)
        code, where, column = answer["error"]
        assert (code, column) == (4, -1), (method, poke)
        assert row is None or where == row, (method, poke, where)
        again = host.ask("run", name="every", method=method, **request)
        assert again["out"] == expected[method], (method, poke)


@pytest.mark.parametrize("method", ["tensors", "values", "lists", "near", "table_alone"])
@pytest.mark.parametrize(
    "raw",
    [
        [-1, "inputs", "outputs"],
        [-(2**31), "inputs", "outputs"],
        [2**31 - 1, "inputs", "outputs"],
        ["rows", 0, "outputs"],
        ["rows", 16, "outputs"],
        ["rows", "last", "outputs"],
        ["rows", "end", "outputs"],
        ["rows", -16, "outputs"],
        ["rows", "inputs", 0],
        ["rows", "inputs", 1024],
        ["rows", "inputs", "last + 16"],
        ["rows", "inputs", "end - 4"],
        ["rows", "inputs", -4],
    ],
)
def test_wrong_lists(method: str, raw: list[Any], host: Host, program: Program) -> None:
    blocks = rows(30, seed=2)
    request = request_of(blocks, program.signature)
    answer = host.ask("call", name="every", method=method, raw=raw, **request)
    assert answer["code"] == 4
    again = host.ask("run", name="every", method=method, **request)
    assert again["out"] == here(program, method, blocks)


def test_results_over_what_is_read(host: Host, program: Program) -> None:
    """Results are then of no use, but the call ends with a code, and the instance goes on."""
    blocks = rows(300, seed=12)
    request = request_of(blocks, program.signature)
    expected = {m: here(program, m, blocks) for m in program.methods}
    places = ["inputs", "outputs", "in0.numbers", "in0.texts"]
    for name in ("sparse", "sparse_floats", "words", "features", "list_doubles"):
        parts = ("offsets", "values") if name == "list_doubles" else ("offsets", "keys", "values")
        places += [at(name, part) for part in parts if (name, part) != ("words", "values")]
    places = [place for place in places if place != at("sparse_floats", "values")]
    for method in program.methods:
        outputs = program.signature.results(method)
        for k in range(len(outputs)):
            for place in places:
                for shift in ("", " + 4", " - 8"):
                    poke = [[f"outputs + {4 * k}", place + shift]]
                    answer = host.ask("call", name="every", method=method, poke=poke, **request)
                    assert answer.get("code") in (0, 4, 5), (method, poke, answer)
        again = host.ask("run", name="every", method=method, **request)
        assert again["out"] == expected[method], method


def test_a_result_over_the_offsets_of_another(host: Host, program: Program) -> None:
    """What is written there says that items lie far beyond memory."""
    blocks = rows(8, seed=16)
    far = np.array([0x40000000F0000000, 0x40000000F0000010], dtype=np.uint64).view(np.float64)
    offsets = np.array([0, *[2] * 8])
    beside = list(blocks.beside)
    beside[index("sparse") - 1] = RaggedRows(offsets, np.array([0, 4], dtype=np.int32), far)
    request = request_of(Blocks(8, blocks.numeric, blocks.text, tuple(beside)), program.signature)
    poke = [["outputs", at("sparse_floats", "offsets")]]
    answer = host.ask("call", name="every", method="sparse_rows", poke=poke, **request)
    assert answer.get("code") == 0, answer


def test_rows_where_memory_grows(host: Host, program: Program) -> None:
    """Records that point behind what alloc gave, where the program keeps its own ragged rows."""
    blocks = rows(300, seed=13)
    request = request_of(blocks, program.signature)
    for method in ("named", "sparse_rows", "lists"):
        expected = here(program, method, blocks)
        # So that there is memory behind.
        assert host.ask("run", name="every", method=method, **request)["out"] == expected
        for name in ("sparse", "sparse_floats", "sparse_integers", "words", "features"):
            for word in range(4):
                for distance in (16, 20, 12 + 256, 4_096, 20_000):
                    poke = [[record(name, word), f"last + {distance}"]]
                    answer = host.ask("call", name="every", method=method, poke=poke, **request)
                    assert answer.get("code") in (0, 4), (method, poke, answer)
        again = host.ask("run", name="every", method=method, **request)
        assert again["out"] == expected


def test_refusals_of_sparse_rows_name_row_and_column(host: Host, program: Program) -> None:
    for value, code in ((np.nan, 1), (np.inf, 2)):
        blocks = rows(400, seed=14)
        own: Any = blocks.beside[index("sparse") - 1]
        item = int(own.offsets[333]) - 1
        row = int(np.searchsorted(own.offsets, item, side="right")) - 1
        own.values[item] = value
        request = request_of(blocks, program.signature)
        answer = host.ask("run", name="every", method="products", **request)
        assert answer["error"] == [code, row, int(own.keys[item])]


def test_a_list_of_texts_has_no_values(host: Host, program: Program) -> None:
    """Whatever word 2 of its record says."""
    blocks = rows(300, seed=15)
    request = request_of(blocks, program.signature)
    wanted = host.ask("call", name="every", method="named", **request)
    assert wanted["code"] == 0
    for value in (16, "last", FAR):
        poke = [[record("words", 2), value]]
        answer = host.ask("call", name="every", method="named", poke=poke, **request)
        assert "trap" not in answer, answer
