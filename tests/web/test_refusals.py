"""What programs refuse, what JavaScript has that Python has not, and files that are no programs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import RadiusNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, PowerTransformer

import sclbl
from sclbl import manifest
from sclbl.errors import InputError
from sclbl.program import Program
from sclbl.rows import OneNull
from sclbl.wasm import sections
from sclbl.web import bundle
from tests.web import engines
from tests.web.engines import Job

LOADER = Path(sclbl.__file__).parent / "web" / "loader"
NODE = str(Path(sys.executable).with_name("node"))
FRAME = pd.DataFrame(
    {
        "age": [1.0, 2.0, 3.0, 5.0],
        "whole": [1, 2, 3, 4],
        "city": pd.Series(["a", "b", "it's", "a"], dtype=object),
    }
)
GOOD = {"age": 1.5, "whole": 2, "city": "a"}


def _logarithm(x: Any) -> Any:
    with np.errstate(all="ignore"):
        return np.log(x)


def programs() -> Iterator[tuple[Program, str, list[Any]]]:
    """Yield programs, a method, and rows of which each alone is refused after many good ones."""
    encode = make_column_transformer(
        (OneHotEncoder(), ["city", "whole"]), (PowerTransformer("box-cox"), ["age"])
    )
    yield (
        sclbl.compile(make_pipeline(encode, LinearRegression()).fit(FRAME, [1, 2, 3, 4.5]), FRAME),
        "predict",
        [
            GOOD | {"city": "zz"}, GOOD | {"city": "é" * 70}, GOOD | {"city": None},
            GOOD | {"whole": 9}, GOOD | {"whole": -7.5}, GOOD | {"whole": 1e300},
            GOOD | {"age": -1}, GOOD | {"age": 0}, GOOD | {"city": ""}, GOOD | {"whole": None},
        ],
    )  # fmt: skip
    x = FRAME[["age", "whole"]].to_numpy()
    steps = make_pipeline(FunctionTransformer(_logarithm), LinearRegression())
    rows = [[0, 1], [-1, 1], [1, -2], [None, 1], [1, None]]
    yield sclbl.compile(steps.fit(x, x[:, 0]), x), "predict", rows
    model = RadiusNeighborsRegressor(2.0).fit(x, x[:, 0])
    yield sclbl.compile(model, x), "predict", [[900, 1], [None, 2]]
    text = make_column_transformer((SimpleImputer(strategy="most_frequent"), ["city"]))
    found = sclbl.compile(text.fit(FRAME), FRAME)
    yield found, "transform", [GOOD | {"city": None}, [1, 2, None]]


@pytest.fixture(scope="module")
def loader(tmp_path_factory: Any) -> Path:
    """Return the loader as it is shipped."""
    path = tmp_path_factory.mktemp("loader") / "sclbl.mjs"
    path.write_bytes(bundle.loader())
    return Path(path)


def test_programs_refuse_in_the_same_words(loader: Path, tmp_path: Path) -> None:
    jobs, expected = [], []
    for program, method, bad in programs():
        good = [GOOD if isinstance(bad[0], dict) else [1.0, 2.0]]
        for row in bad:
            far = good * 5000 if row is bad[0] else good * 100
            for rows in ([row], [*good * 9, row], [*far, row, row]):
                if isinstance(row, list) != isinstance(rows[0], list):
                    continue
                try:
                    program.run(method, OneNull(rows))
                except InputError as error:
                    expected.append(error)
                    jobs.append(Job(method, method, program, rows, {}, None))
    assert len(jobs) > 40
    path = tmp_path / "jobs.json"
    path.write_text(json.dumps([job.to_json() for job in jobs]))
    for answers in (engines.in_node(loader, path), engines.in_deno(loader, path)):
        for found, error in zip(answers, expected, strict=True):
            message = found.pop("message")
            assert message.partition("; ")[0] == str(error).partition("; ")[0]
            said = {"code": error.code, "row": error.row, "column": error.column, "input": None}
            assert found == said, message


SCRIPT_OF_BATCHES = """
const { load } = await import(process.argv[1]);
const { readFileSync } = await import("node:fs");
const path = process.argv[2];
const found = [];
for (const workers of [0, 2]) {
  for (const before of [false, true]) {
    for (const count of [2, 100, 40_000]) {
      const model = await load(readFileSync(path), { workers });
      const good = { a: 1, b: 1 };
      if (before) await model.transform([good, good]);
      for (const [first, last] of JSON.parse(process.argv[3])) {
        const rows = [first, ...Array(count - 2).fill(good), last];
        const error = await model.transform(rows).catch((error) => error);
        found.push([count, error.code, error.row, error.message.split("; ")[0]]);
      }
      model.close();
    }
  }
}
console.log(JSON.stringify(found));
"""


def test_of_several_faults_the_one_that_python_says(loader: Path, tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [2, 3]}, dtype="float16")
    program = sclbl.compile(FunctionTransformer().fit(frame), frame)
    path = program.save(tmp_path / "halves.wasm")
    ends = [({"a": 1e9, "b": 1}, {"a": "x", "b": 1}), ({"a": "x", "b": 1}, {"a": 1})]
    done = subprocess.run(
        [
            *(NODE, "--input-type=module", "-e", SCRIPT_OF_BATCHES),
            *(str(loader), str(path), json.dumps(ends)),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found = json.loads(done.stdout)
    assert len(found) == 24
    for number, (count, *said) in enumerate(found):
        first, last = ends[number % 2]
        with pytest.raises(InputError) as refused:
            program.transform([first, *[{"a": 1, "b": 1}] * (count - 2), last])
        error = refused.value
        assert said == [error.code, error.row, str(error).partition("; ")[0]]


def cell(what: str, column: str = "age", dtype: str = "float64") -> tuple[Any, ...]:
    """Return the refusal of a cell of the first row."""
    return "dtype", 0, column, f"row 0, column {column!r} holds {what}, which is no {dtype}"


def lacks(row: int, column: str) -> tuple[Any, ...]:
    """Return the refusal of a row that lacks a column."""
    return "columns", row, column, f"row {row} lacks {column!r}"


def unreadable(name: str) -> tuple[Any, ...]:
    """Return the refusal of rows that throw."""
    return "input", None, None, f"the rows cannot be read: reading them raised {name}"


def no_rows(what: str) -> tuple[Any, ...]:
    """Return the refusal of what is no rows."""
    return "shape", None, None, f"{what} is not rows"


ROW = '{age: 1, city: "x"}'
#: Rows in JavaScript for the columns `age` (a number) and `city` (a text), and their refusal.
VALUES = {
    '[{age: undefined, city: "x"}]': ("columns", None, "age", "the rows lack 'age'"),
    f'[{ROW}, {{age: undefined, city: "x"}}]': lacks(1, "age"),
    '[[1, "x"], [, "x"]]': lacks(1, "age"),
    '[[1, "x"], [1, undefined]]': lacks(1, "city"),
    f"[{ROW}, , {ROW}]": ("shape", 1, None, "row 1 is one value and row 0 is a dict"),
    '[{age: Symbol("a"), city: "x"}]': cell("a Symbol"),
    '[{age: () => 1, city: "x"}]': cell("a Function"),
    "[{age: 1, city: new Map()}]": cell("a Map", "city", "text"),
    '[{age: new Date(), city: "x"}]': cell("a datetime"),
    '[{age: Object.create(null), city: "x"}]': cell("a dict"),
    '[{age: new Number(1), city: "x"}]': cell("a Number"),
    '[{age: 1, city: new String("x")}]': cell("a String", "city", "text"),
    'new Map([["age", [1]]])': no_rows("a Map"),
    "new Set([1])": no_rows("a Set"),
    "() => 1": no_rows("a Function"),
    'Symbol("x")': no_rows("a Symbol"),
    "undefined": no_rows("a Undefined"),
    "new ArrayBuffer(8)": no_rows("a ArrayBuffer"),
    "new DataView(new ArrayBuffer(8))": no_rows("a DataView"),
    f"Object.create({ROW})": ("shape", None, None, "there are no rows to predict (0 rows)"),
    f'[{ROW}, Object.create({{age: "1", city: "x"}})]': lacks(1, "age"),
    '[{get age() { throw new TypeError("no"); }, city: "x"}]': unreadable("TypeError"),
    '[new Proxy({}, {ownKeys() { throw new RangeError("no"); }})]': unreadable("RangeError"),
    f'[{ROW}, {{get age() {{ throw null; }}, city: "x"}}]': unreadable("undefined"),
}
#: Rows that are read, and what of them.
READ = {
    "new (class { age = 1; city = 'x'; get more() { throw 1; } })()": [1],
    "[Object.assign(Object.create(null), {age: 2, city: 'x'})]": [2],
    "[{age: true, city: 'x'}, {age: 3n, city: 'x'}, {age: null, city: null}]": [1, 3, None],
    'JSON.parse(\'[{"age": 4, "city": "x", "__proto__": 1}]\')': [4],
    "Object.freeze([Object.freeze({age: -0, city: 'x'})])": [-0.0],
}
SCRIPT = """
const { open } = await import(process.argv[1]);
const { readSignature } = await import(process.argv[2]);
const [given, codes] = JSON.parse(process.argv[3]);
const signature = readSignature({ signature: given });
const found = codes.map((code) => {
  try {
    const batch = open(signature, "predict", new Function(`return ${code}`)());
    return [...batch.encode(0, batch.rows).numeric].map((v) => (v === v ? v : null));
  } catch ({ code, row, column, message, stack }) {
    return code ? { code, row, column, message } : stack;
  }
});
console.log(JSON.stringify(found));
"""


def read_in_node(signature: Any, codes: list[str]) -> list[Any]:
    """Return what the loader makes of rows that are written in JavaScript."""
    paths = [str(LOADER / "open.js"), str(LOADER / "signature.js")]
    given = json.dumps([signature, codes])
    done = subprocess.run(
        [NODE, "--input-type=module", "-e", SCRIPT, *paths, given],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_what_python_has_not() -> None:
    outputs = {"predict": {"storage": "float64", "dtype": "float64", "width": 1, "ndim": 1}}
    columns = [["age", "float64"], ["city", "text"]]
    signature = {"layout": "table", "columns": columns, "outputs": outputs}
    answers = read_in_node(signature, [*VALUES, *READ])
    for (code, expected), found in zip(VALUES.items(), answers, strict=False):
        assert isinstance(found, dict), (code, found)
        assert found.pop("message").partition("; ")[0] == expected[3], code
        assert tuple(found.values()) == expected[:3], code
    for (code, numbers), found in zip(READ.items(), answers[len(VALUES) :], strict=True):
        assert found == numbers, code


def test_columns_may_have_the_names_of_what_every_object_has() -> None:
    outputs = {"predict": {"storage": "float64", "dtype": "float64", "width": 1, "ndim": 1}}
    names = ["__proto__", "toString", "constructor", "valueOf"]
    columns = [[name, "float64"] for name in names]
    row = "JSON.parse('" + json.dumps(dict.fromkeys(names, 1)) + "')"
    signature = {"layout": "table", "columns": columns, "outputs": outputs}
    whole, lost = read_in_node(signature, [f"[{row}]", f"[{row}, {{}}]"])
    assert whole == [1, 1, 1, 1]
    assert (lost["code"], lost["row"], lost["column"]) == ("columns", 1, "__proto__")


def altered() -> Iterator[tuple[str, bytes]]:
    """Yield files that are no programs of sclbl, or not whole ones."""
    x = np.arange(8.0).reshape(4, 2)
    wasm = sclbl.compile(LinearRegression().fit(x, x[:, 0]), x).wasm
    held = manifest.read(wasm)
    code = manifest.code(wasm)
    yield "empty", b""
    yield "text", b"hello, world"
    for size in (8, 40, len(wasm) // 2, len(wasm) - 1):
        yield f"the first {size} bytes", wasm[:size]
    yield "no manifest", code
    section = wasm[len(code) :]
    yield "another weight", code[:-1] + bytes([code[-1] ^ 1]) + section
    *_, (_, last, _, _) = sections(code)
    yield "no weights", code[:last] + section
    yield "two manifests", wasm + section
    yield "numbers of another type", manifest.attach(wasm, {**held, "numeric_dtype": "float32"})
    yield "another ABI", manifest.attach(wasm, {**held, "abi": 3})
    yield "no JSON", code + b"\0\x0a\x05sclbl{...}"
    yield "null", code + b"\0\x0a\x05sclblnull"
    signature = held["signature"]
    for name, wrong in {
        "no signature": None,
        "a list": [],
        "no columns": {**signature, "columns": None},
        "too many columns": {**signature, "columns": {"count": 10**12, "kind": "float64"}},
        "a column of fractions": {**signature, "columns": {"count": 1.5, "kind": "float64"}},
        "an unknown kind": {**signature, "columns": [["a", "float64", "complex128"]]},
        "no outputs": {**signature, "outputs": None},
        "an endless output": {
            **signature,
            "outputs": {"predict": {**signature["outputs"]["predict"], "width": 10**15}},
        },
        "labels that are not there": {
            **signature,
            "outputs": {"predict": {**signature["outputs"]["predict"], "storage": "label"}},
        },
        "a method that is not there": {
            **signature,
            "outputs": {"transform": signature["outputs"]["predict"]},
        },
        "a method that is none": {
            **signature,
            "outputs": {"memory": signature["outputs"]["predict"]},
        },
        "an endless shape": {
            **signature,
            "inputs": [{"name": "x", "kind": "tensor", "dtype": "float64", "shape": [10**6] * 30}],
        },
    }.items():
        yield name, manifest.attach(wasm, {**held, "signature": wrong})
    # The smallest module with an import: memory m.m.
    imports = b"\0asm\x01\0\0\0" + b"\x02\x08\x01\x01m\x01m\x02\0\x01"
    yield "imports", manifest.attach(imports, held)


SCRIPT_OF_FILES = """
const { load } = await import(process.argv[1]);
const { readFileSync } = await import("node:fs");
const found = [];
for (const file of JSON.parse(process.argv[2])) {
  try {
    await load(readFileSync(file), { where: "local" });
    found.push("taken");
  } catch (error) {
    found.push(error.name === "SclblError" ? [error.code, error.message] : String(error.stack));
  }
}
console.log(JSON.stringify(found));
"""


def test_files_that_are_no_programs(loader: Path, tmp_path: Path) -> None:
    names, files = [], []
    for number, (name, content) in enumerate(altered()):
        path = tmp_path / f"{number}.wasm"
        path.write_bytes(content)
        names.append(name)
        files.append(str(path))
    done = subprocess.run(
        [NODE, "--input-type=module", "-e", SCRIPT_OF_FILES, str(loader), json.dumps(files)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    for name, found in zip(names, json.loads(done.stdout), strict=True):
        assert isinstance(found, list), (name, found)
        assert found[0] == "invalid_program", (name, found)
        assert "; " in found[1], (name, found)
