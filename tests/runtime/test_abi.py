"""docs/abi.md, held to by a host in JavaScript that knows nothing else, and beside wasmtime."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sclbl.compiler import compile_spec
from sclbl.errors import InputError
from sclbl.program import Program
from sclbl.rows import encode
from sclbl.strippers import strip
from tests.compiler.compiled import builder, make_spec
from tests.compiler.random_trees import ensemble
from tests.runtime.host import Answer, Host, request_of, results_of
from tests.runtime.test_program import frame

BAD_ARGUMENT = 4


def rows_of(program: Program, rows: Any) -> Answer:
    """Return rows as the host takes them."""
    return request_of(encode(rows, program.signature), program.signature)


def pipeline() -> Program:
    rows = frame(400)
    columns = ColumnTransformer(
        [
            ("scale", make_pipeline(SimpleImputer(), StandardScaler()), ["age", "visits"]),
            ("size", StandardScaler(), ["size"]),
            ("plan", OneHotEncoder(), ["plan"]),
        ]
    )
    model = make_pipeline(columns, LogisticRegression())
    model.fit(rows, np.where(rows["age"] + 9 * rows["size"] > 40, "über", "unter"))
    return Program(compile_spec(strip(model, rows[:5])))


def forest() -> Program:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(400, 6)).astype(np.float32)
    model = RandomForestClassifier(30, max_depth=8, random_state=0, n_jobs=1)
    model.fit(x, rng.integers(3, size=400))
    return Program(compile_spec(strip(model, x[:5])))


def every_storage() -> Program:
    """A result of each storage, from numbers and text."""
    build = builder(3, text=2)
    table = build.table()
    x, words = table.select([0, 1, 2]).matrix(), table.select([3, 4]).text()
    code = build.lookup(build.columns(words, [0]), ["a", "é", "日本"])
    trees = ensemble(np.random.default_rng(2), [9, 0, 20], 3, outputs=2)
    known = build.binary("Max", code, np.array([0]))
    wires = {
        "doubles": build.trees(x, trees),
        "floats": build.unary("Exp", build.cast(x, "float32")),
        "integers": build.tree_leaves(x, trees),
        "wholes": build.cast(x, "uint64"),
        "flags": build.binary("Greater", x, 0.0),
        "labels": build.labels(known, [("one", 2, True)]),
        "texts": build.where(build.binary("Equal", code, np.array([1])), "né", words),
        "checked": build.refuse_unknown(code),
        "full": build.refuse_missing_text(build.columns(words, [1])),
        "mixed": build.add(build.columns(x, [0, 1]), build.cast(code, "float64")),
        "finite": build.refuse(build.columns(x, [2, 0]), nan=True),
    }
    return Program(compile_spec(make_spec(build, wires)))


def numbers_only() -> Program:
    build = builder(2)
    x = build.table().matrix()
    wires = {"predict": build.matmul(x, np.array([[1.0], [2.0]])), "wide": build.concat([x] * 6)}
    return Program(compile_spec(make_spec(build, wires)))


PROGRAMS = {
    "pipeline": pipeline,
    "forest": forest,
    "every storage": every_storage,
    "numbers": numbers_only,
}


@pytest.fixture(scope="module")
def programs() -> dict[str, Program]:
    return {name: make() for name, make in PROGRAMS.items()}


@pytest.fixture(scope="module")
def host(programs: dict[str, Program], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    host = Host()
    folder = tmp_path_factory.mktemp("programs")
    for name, program in programs.items():
        path = program.save(folder / f"{name}.wasm")
        answer = host.ask("load", name=name, path=str(path))
        assert "trap" not in answer, answer
    yield host
    host.close()


def words(rows: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    pool = np.array([None, np.nan, pd.NA, "", "a", "é", "日本", "b" * 300], dtype=object)
    return pool[rng.integers(len(pool), size=(rows, 2))]


def some_rows(name: str, rows: int) -> Any:
    rng = np.random.default_rng(4)
    if name == "pipeline":
        given = frame(rows, seed=5)
        given.loc[rng.random(rows) < 0.2, "age"] = np.nan
        return given
    if name == "every storage":
        x = rng.normal(size=(rows, 3))
        x[rng.random(x.shape) < 0.1] = np.nan
        return [[*a, *b] for a, b in zip(x.tolist(), words(rows).tolist(), strict=True)]
    columns = 6 if name == "forest" else 2
    x = rng.normal(size=(rows, columns)) * 10.0 ** rng.integers(-5, 5, size=(rows, columns))
    return x.astype(np.float32) if name == "forest" else x


# -------------------------------------------------------------------- what it reads


@pytest.mark.parametrize("name", PROGRAMS)
def test_manifest_and_exports(
    name: str, host: Host, programs: dict[str, Program], tmp_path: Path
) -> None:
    program = programs[name]
    answer = host.ask("load", name="again", path=str(program.save(tmp_path / "again.wasm")))
    assert answer["manifest"] == program.manifest
    assert (answer["sections"], answer["imports"]) == (1, 0)
    assert answer["exports"] == {
        "memory": "Memory",
        "error": "Global",
        "alloc": 1,
        "reset": 0,
        **dict.fromkeys(program.methods, 3),
    }


# -------------------------------------------------------------------- what it gives


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_same_bytes_as_wasmtime(name: str, host: Host, programs: dict[str, Program]) -> None:
    program = programs[name]
    for count in (1, 8, 300, 1_500):
        rows = some_rows(name, count)
        request = rows_of(program, rows)
        for method in program.methods:
            answer = host.ask("run", name=name, method=method, **request)
            if answer["code"] in (1, 2, 3):
                with pytest.raises(InputError) as refused:
                    program.module.call(method, encode(rows, program.signature))
                assert answer["error"][:2] == [answer["code"], refused.value.row]
                assert str(answer["error"][2]) == refused.value.column
                continue
            here = program.module.call(method, encode(rows, program.signature))
            assert answer.get("code") == 0, answer
            assert answer["out"] == results_of((here,))


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_rows(name: str, host: Host, programs: dict[str, Program]) -> None:
    for method in programs[name].methods:
        empty = {"rows": 0, "inputs": [{"numeric": None, "text": []}]}
        assert host.ask("call", name=name, method=method, **empty)["code"] == 0


def test_refusals_name_row_and_column(host: Host, programs: dict[str, Program]) -> None:
    """docs/abi.md: codes 1 to 3; columns count in the signature's order, text after numbers."""
    program = programs["every storage"]
    good = [1.0, 2.0, 3.0, "a", "b"]
    for method, column, bad, code in (
        ("finite", 2, float("nan"), 1),
        ("finite", 0, float("inf"), 2),
        ("checked", 3, "unknown", 3),
        ("checked", 3, None, 3),
        ("checked", 3, pd.NA, 3),
        ("full", 4, None, 1),
        ("full", 4, float("nan"), 1),
        ("full", 4, pd.NA, 1),
    ):
        for row in (0, 299, 999):
            rows = [list(good) for _ in range(1000)]
            rows[row][column] = bad
            request = rows_of(program, rows)
            answer = host.ask("run", name="every storage", method=method, **request)
            assert answer == {"code": code, "error": [code, row, column]}
        # The same instance goes on.
        request = rows_of(program, [good] * 20)
        assert host.ask("run", name="every storage", method=method, **request)["code"] == 0


# ------------------------------------------------------------------- bad arguments


def table_call(args: list[Any]) -> Answer:
    """Return a call: rows, the two words of the table's record, the address of the result."""
    rows, numbers, texts, out = args
    poke = [["inputs", numbers], ["inputs + 4", texts], ["outputs", out]]
    return {"poke": poke, "raw": [rows, "inputs", "outputs"]}


@pytest.mark.parametrize(
    "args",
    [
        [-1, "in0.numbers", 0, "out0"],
        [-(2**31), "in0.numbers", 0, "out0"],
        [2**31 - 1, "in0.numbers", 0, "out0"],
        [1_000_000, "in0.numbers", 0, "out0"],
        ["rows", 0, 0, "out0"],
        ["rows", 16, 0, "out0"],
        ["rows", 1024, 0, "out0"],
        ["rows", "in0.numbers", 0, 0],
        ["rows", "in0.numbers", 0, 1024],
        ["rows", "in0.numbers", 0, "last + 16"],
        ["rows", "in0.numbers", 0, "last + 16 - 8"],
        ["rows", "last + 16 - 15", 0, "out0"],
        ["rows", "last + 16", 0, "out0"],
        ["rows", -1, 0, "out0"],
        ["rows", "in0.numbers", 0, -1],
        ["rows", -16, 0, -16],
        [2**28, "in0.numbers", 0, "out0"],
        [2**29 + 1, "in0.numbers", 0, "out0"],
        # Memory that the program has and did not give.
        ["rows", "end - 160", 0, "out0"],
        ["rows", "in0.numbers", 0, "end - 480"],
    ],
)
@pytest.mark.parametrize("method", ["predict", "wide"])
def test_bad_arguments(
    method: str, args: list[Any], host: Host, programs: dict[str, Program]
) -> None:
    request = rows_of(programs["numbers"], np.ones((10, 2)))
    answer = host.ask("call", name="numbers", method=method, **table_call(args), **request)
    assert answer == {"code": BAD_ARGUMENT, "error": [BAD_ARGUMENT, -1, -1]}
    assert host.ask("run", name="numbers", method=method, **request)["code"] == 0


def test_blocks_that_just_fit(host: Host, programs: dict[str, Program]) -> None:
    request = rows_of(programs["numbers"], np.ones((10, 2)))
    for args in (
        ["rows", "last + 16 - 160", 0, "out0"],
        ["rows", "in0.numbers", 0, "last + 16 - 80"],
        ["rows", "in0.numbers + 1", 0, "out0 + 3"],
        ["rows", "in0.numbers", -1, "out0"],
    ):
        answer = host.ask("call", name="numbers", method="predict", **table_call(args), **request)
        assert answer["code"] == 0, args


TEXT_CHANGES: list[tuple[Answer, list[int]]] = [
    ({"bytes": [["in0.kinds0 + 7", 4]]}, [4, 7, 3]),
    ({"bytes": [["in0.kinds0 + 999", 255]]}, [4, 999, 3]),
    # Words of the records: offsets, bytes and kinds of column 3, then of column 4.
    ({"poke": [["in0.texts + 0", 0]]}, [4, -1, -1]),
    ({"poke": [["in0.texts + 0", 1024]]}, [4, -1, -1]),
    ({"poke": [["in0.texts + 0", "last + 16 - 8"]]}, [4, -1, -1]),
    ({"poke": [["in0.texts + 0", 2**32 - 4]]}, [4, -1, -1]),
    ({"poke": [["in0.texts + 12", 0]]}, [4, -1, -1]),
    ({"poke": [["in0.texts + 8", 16]]}, [4, -1, -1]),
    ({"poke": [["in0.texts + 20", "last + 16 - 2"]]}, [4, -1, -1]),
    ({"poke": [["in0.texts + 4", "last + 16"]]}, [4, 0, 3]),
    ({"poke": [["in0.texts + 4", "last + 16 - 5"]]}, [4, 5, 3]),
    ({"poke": [["in0.texts + 16", 2**32 - 1]]}, [4, 0, 4]),
    ({"poke": [["in0.ends0 + 28", 2**32 - 1]]}, [4, 6, 3]),
    ({"poke": [["in0.ends0 + 28", 2]]}, [4, 6, 3]),
    ({"poke": [["in0.ends0 + 1200", 0]]}, [4, 299, 3]),
    ({"poke": [["in0.ends0 + 3996", 2**31]]}, [4, 998, 3]),
    ({"poke": [["in0.ends0 + 4000", 0]]}, [4, 999, 3]),
    (table_call(["rows", "in0.numbers", 0, "out0"]), [4, -1, -1]),
    (table_call(["rows", "in0.numbers", 64, "out0"]), [4, -1, -1]),
    (table_call(["rows", "in0.numbers", "last + 16 - 16", "out0"]), [4, -1, -1]),
    (table_call(["rows", "in0.numbers", -4, "out0"]), [4, -1, -1]),
    (table_call([-5, "in0.numbers", "in0.texts", "out0"]), [4, -1, -1]),
]


@pytest.mark.parametrize(("change", "error"), TEXT_CHANGES)
def test_bad_text(
    change: Answer, error: list[int], host: Host, programs: dict[str, Program]
) -> None:
    program = programs["every storage"]
    rows = [[1.0, 2.0, 3.0, "a", "b"]] * 1000
    if "bytes" in change:  # which column 3 has only where something is missing
        rows = [[1.0, 2.0, 3.0, None, "b"], *rows[1:]]
    request = rows_of(program, rows)
    for method in ("texts",) if "bytes" in change else ("texts", "checked"):
        if error[2] == 4 and method == "checked":
            continue
        answer = host.ask("call", name="every storage", method=method, **request, **change)
        assert answer == {"code": BAD_ARGUMENT, "error": error}
        assert host.ask("run", name="every storage", method=method, **request)["code"] == 0


def test_results_over_the_arguments(host: Host, programs: dict[str, Program]) -> None:
    """Where blocks overlap the results are the host's fault, but nothing traps."""
    program = programs["every storage"]
    # As a result this number looks like an address outside memory.
    number = np.array([0x3FFFFFF0FFFFFFF0], dtype=np.uint64).view(np.float64)[0]
    request = rows_of(program, [[number, number, 3.0, "a", "b"]] * 1000)
    for method in program.methods:
        for place in ("texts", "numbers", "texts - 4", "texts - 8", "texts - 5000", "numbers + 8"):
            change = table_call(["rows", "in0.numbers", "in0.texts", f"in0.{place}"])
            answer = host.ask("call", name="every storage", method=method, **change, **request)
            assert "trap" not in answer, (method, place, answer)
        assert host.ask("run", name="every storage", method=method, **request)["code"] in (0, 2)


def test_alloc(host: Host) -> None:
    """docs/abi.md: aligned to 16 bytes; 0 when memory is exhausted; reset gives all back."""
    sizes = [1, 0, 15, 16, 17, 100_000, 2**31 - 1, -1, 5, -(2**31), 2**30, 2**30, 2**30, 2**30, 7]
    answer = host.ask("memory", name="numbers", sizes=sizes)
    found, bytes_now = answer["found"], answer["bytes"]
    ends = []
    for size, address in zip(sizes, found, strict=True):
        assert address % 16 == 0
        size %= 2**32
        if address:
            assert not ends or address >= ends[-1]
            assert address + size <= bytes_now
            ends.append(address + size)
    by_size = dict(zip(sizes[:9], found[:9], strict=True))
    assert by_size[-1] == 0
    assert by_size[5] > 0
    assert 0 in found[10:14]
    assert found[14] > 0
    assert answer["again"] == found[0]
    again = host.ask("run", name="numbers", method="predict", rows=0, inputs=[{"numeric": None}])
    assert again["code"] == 0
