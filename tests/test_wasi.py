"""A program as a WASI command says what ``sclbl run`` says, byte for byte."""

from __future__ import annotations

import io
import json
import random
import struct
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
import wasmtime
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer

import sclbl
from sclbl import onnx_format
from sclbl.cli import main
from sclbl.errors import InvalidProgramError, SpecError
from sclbl.program import Program
from sclbl.registry import connect
from tests.command_cases import FIELDS, VALUES, case
from tests.command_models import MODELS, gaps, table
from tests.commands import Command, difference, sclbl_run
from tests.kernels.calling import NODE

#: Bytes that a command may have beyond its program.
MOST_BYTES = 60 * 1024
QUICK = ("logistic", "array", "texts")
FORMS = ("csv", "ndjson")


@cache
def made(name: str) -> tuple[Program, Command, Any]:
    """Return a program, its command, and rows for it."""
    model, rows = MODELS[name]()
    program = sclbl.compile(model, rows[:5])
    return program, Command(sclbl.command(program)), rows


def some(names: tuple[str, ...]) -> list[Any]:
    """Return these models, and all others where tests are exhaustive."""
    marked = [pytest.param(n, marks=pytest.mark.exhaustive) for n in MODELS if n not in names]
    return [*names, *marked]


def written(rows: Any, form: str, count: int = 1000) -> bytes:
    """Return so many rows as CSV, which pandas writes, or as NDJSON."""
    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows)
    frame.columns = [str(name) for name in frame.columns]
    frame = pd.concat([frame] * (count // len(frame) + 1))[:count]
    out = io.StringIO()
    if form == "csv":
        frame.to_csv(out, index=False)
    else:
        records = [
            {k: None if v != v else v for k, v in row.items()} for row in frame.to_dict("records")
        ]
        if not isinstance(rows, pd.DataFrame):
            records = [list(row.values()) for row in records]
        out.writelines(
            json.dumps(row, ensure_ascii=bool(i % 2)) + "\n" for i, row in enumerate(records)
        )
    return out.getvalue().encode()


def same(
    name: str, form: str, rows: bytes, method: str | None = None, to: str | None = None
) -> None:
    """Hold a command to what `sclbl run` writes, or says."""
    program, command, _ = made(name)
    method = method or program.methods[0]
    arguments = ["--format", form, "--method", method, *(["--to", to] if to else [])]
    said = command.run(*arguments, rows=rows)
    assert difference(said, *sclbl_run(program, method, form, rows, to)) == ""


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", some(QUICK))
def test_the_same_bytes(name: str, form: str) -> None:
    program, _, rows = made(name)
    for method in program.methods:
        if program.signature.outputs[method].is_plain:
            expected, error = sclbl_run(program, method, form, written(rows, form))
            assert error is None
            assert expected.count(b"\n") >= 1000
            for to in FORMS:
                same(name, form, written(rows, form), method, to)


def node(tmp_path: Path, names: list[str]) -> None:
    """Run commands under Node's WASI, and compare."""
    jobs, expected = [], []
    for name in names:
        program, command, rows = made(name)
        (tmp_path / f"{name}.wasm").write_bytes(command.wasm)
        for form in FORMS:
            method = program.methods[-1]
            place = tmp_path / f"{name}.{form}"
            place.write_bytes(written(rows, form))
            jobs.append(
                {
                    "wasm": str(tmp_path / f"{name}.wasm"),
                    "args": ["--format", form, "--method", method],
                    "stdin": str(place),
                    "stdout": f"{place}.out",
                    "stderr": f"{place}.err",
                }
            )
            expected.append(sclbl_run(program, method, form, place.read_bytes())[0])
    script = Path(__file__).with_name("wasi.mjs")
    done = subprocess.run(
        [str(NODE), "--no-warnings", str(script)],
        input=json.dumps(jobs), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == [0] * len(jobs)
    for job, out in zip(jobs, expected, strict=True):
        assert Path(str(job["stdout"])).read_bytes() == out, job
        assert Path(str(job["stderr"])).read_bytes() == b""


@pytest.mark.browser
def test_the_same_bytes_under_node(tmp_path: Path) -> None:
    node(tmp_path, list(QUICK))


@pytest.mark.browser
@pytest.mark.exhaustive
def test_all_the_same_bytes_under_node(tmp_path: Path) -> None:
    node(tmp_path, list(MODELS))


def test_the_same_as_the_command_line(tmp_path: Path) -> None:
    program, command, rows = made("logistic")
    program.save(tmp_path / "p.wasm")
    for text in (written(rows, "csv"), b"age,income\n1,2\n", b"\xff\xfe"):
        done = subprocess.run(
            [sys.executable, "-m", "sclbl", "run", str(tmp_path / "p.wasm"), "-", "--from", "csv"],
            input=text, capture_output=True,
        )  # fmt: skip
        said = command.run(rows=text)
        assert (said.code, said.out) == (done.returncode, done.stdout)
        assert said.error.partition(" (")[0] in done.stderr.decode()


@pytest.mark.parametrize("name", some(QUICK))
def test_what_a_command_is(name: str) -> None:
    program, command, _ = made(name)
    imports = {(i.module, i.name) for i in command.module.imports}
    names = {"fd_read", "fd_write", "args_get", "args_sizes_get", "proc_exit"}
    assert imports == {("wasi_snapshot_preview1", n) for n in names}
    assert {e.name for e in command.module.exports} == {"memory", "_start"}
    assert len(command.wasm) - program.size <= MOST_BYTES
    assert sclbl.command(program) == command.wasm


@pytest.mark.parametrize("name", ["logistic", "integers", "single"])
def test_every_value_in_every_column(name: str) -> None:
    program = made(name)[0]
    columns = [program.signature.label_of(i) for i in range(len(program.signature.columns))]
    usual = {"city, home": '"Breda"', "member": "true"}
    for form, values in (("csv", FIELDS), ("ndjson", VALUES)):
        for column in columns:
            for value in values:
                row = [value if c == column else usual.get(c, "3") for c in columns]
                names = [json.dumps(c) for c in columns]
                text = "{" + ", ".join(f"{n}: {v}" for n, v in zip(names, row, strict=True)) + "}"
                if form == "csv":
                    text = f"{','.join(names)}\n{','.join(row)}\n"
                same(name, form, text.encode())


def hold(name: str, seeds: range) -> None:
    program = made(name)[0]
    plain = [m for m in program.methods if program.signature.outputs[m].is_plain]
    for seed in seeds:
        pick = random.Random(seed)
        form, to = pick.choice(FORMS), pick.choice([None, *FORMS])
        same(name, form, case(program.signature, form, pick), pick.choice(plain), to)


@pytest.mark.parametrize("name", ["logistic", "integers", "texts", "array"])
def test_random_rows(name: str) -> None:
    hold(name, range(120))


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", MODELS)
def test_many_random_rows(name: str) -> None:
    hold(name, range(1000, 6000))


@cache
def numbers() -> tuple[Program, Command]:
    """Return a model that gives back its one number."""
    X = np.array([[1.5], [2.5]])
    program = sclbl.compile(FunctionTransformer().fit(X), X)
    return program, Command(sclbl.command(program))


def read_and_written(texts: list[str]) -> None:
    """Hold numbers that are read to `float`, and their shortest digits to `repr` and msgspec."""
    command = numbers()[1]
    rows = ("0\n" + "\n".join(texts) + "\n").encode()
    values = [float(t) for t in texts]
    assert command.run(rows=rows).out.decode().split("\n")[1:-1] == list(map(repr, values))
    finite = [v for v in values if np.isfinite(v)]
    rows = ("0\n" + "\n".join(map(repr, finite)) + "\n").encode()
    expected = msgspec.json.Encoder().encode_lines(finite)
    assert command.run("--to", "ndjson", rows=rows).out == expected


def sweep(count: int) -> None:
    rng, pick = np.random.default_rng(7), random.Random(7)
    patterns = rng.integers(0, 2**63, count, dtype=np.uint64).view(np.float64)
    scales = rng.random(count) * 10.0 ** rng.integers(-8, 20, count)
    values = [*patterns[np.isfinite(patterns)].tolist(), *scales.tolist()]
    for k in range(-1074, 1024, max(1, 400_000 // count)):
        values += [2.0**k, np.nextafter(2.0**k, 0).item(), np.nextafter(2.0**k, 1e308).item()]
    read_and_written([repr(v) for v in values])
    # Halfway between two numbers, just above it, and cut off.
    texts = []
    for value in patterns[np.isfinite(patterns)][: min(count // 20, 5000)].tolist():
        above = struct.unpack(
            "d", struct.pack("Q", struct.unpack("Q", struct.pack("d", value))[0] + 1)
        )[0]
        if not np.isfinite(above):
            continue
        a, b = (
            n * (1 << 1200) // d for n, d in (value.as_integer_ratio(), above.as_integer_ratio())
        )
        digits = str((a + b) * 5**1201)  # their mean, with 1201 decimals
        texts += [f"{digits}e-1201", f"{digits}1e-1202", f"{digits[:30]}e{len(digits) - 1231}"]
        texts.append(f"{pick.getrandbits(pick.randrange(1, 90))}e{pick.randrange(-345, 310)}")
    texts += [
        "0" * 900 + "1." + "0" * 900 + "1e5",
        "1" + "0" * 800 + "e-800",
        "." + "0" * 400 + "1e401",
    ]
    texts += ["2.4703282292062327208e-324", "2.4703282292062328e-324", "1e-99999999999999999999"]
    read_and_written(texts)


def test_numbers() -> None:
    sweep(10_000)


@pytest.mark.exhaustive
def test_millions_of_numbers() -> None:
    sweep(1_000_000)


HEADER = b'age,income,visits,member,"city, home"\n'
HOSTILE = {
    "empty": b"",
    "a blank line": b"\n1\n",
    "only a header": HEADER,
    "a mark": b"\xef\xbb\xbf" + HEADER + b"1,2,3,true,Breda\n",
    "a mark and quotes": b'\xef\xbb\xbf"age",' + HEADER[4:] + b"1,2,3,true,Breda\n",
    "a mark in quotes": b'"\xef\xbb\xbfage",' + HEADER[4:] + b"1,2,3,true,Breda\n",
    "two marks": b"\xef\xbb\xbf\xef\xbb\xbf" + HEADER + b"1,2,3,true,Breda\n",
    "a mark later": HEADER.replace(b"income", b"\xef\xbb\xbfincome") + b"1,2,3,true,Breda\n",
    "a mark alone": b"\xef\xbb\xbf",
    "a mark and a blank line": b"\xef\xbb\xbf\n" + HEADER,
    "a header without its end": HEADER.strip(),
    "no end": HEADER + b"1,2,3,true,Breda",
    "an open quote": HEADER + b'1,2,3,true,"Breda\n',
    "a quote in a field": HEADER + b'1,2,3,true,"a"b\n',
    "nul": HEADER + b"1,2,3,true,\0\n1\0,2,3,true,\0\n",
    "another separator": HEADER.replace(b",", b";"),
    "a separator said": b"sep=,\n" + HEADER,
    "twice": b"age,age," + HEADER,
    "lacking": b"age,income\n1,2\n",
    "a spreadsheet": b"PK\x03\x04\xff\xff",
    "gzip": b"\x1f\x8b\x08\xff",
    "utf-16": "age".encode("utf-16"),
    "latin": HEADER + "1,2,3,true,Órense\n".encode("latin-1"),
    "half a letter": HEADER + b"1,2,3,true,\xc3",
    "too many fields": HEADER + b"1,2,3,true,a,b\n",
    "a row and no names": b"1.5,2e3,-.5,+7,8.\n1,2,3,4,5\n",
    "counted": b"0,1,2,3,4\n1,2,3,4,5\n",
    "two": HEADER + b"1,x,3,true,a\ny,2,3,true,a\n",
}


@pytest.mark.parametrize("rows", HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_csv(rows: bytes) -> None:
    same("logistic", "csv", rows)
    same("array", "csv", rows)


@pytest.mark.parametrize(
    "header",
    [
        "0,1",
        "1,2",
        "0,2",
        "5.1,3.5",
        "-1,.5",
        "1e3,5.",
        "+1,2",
        "nan,1",
        "inf,2",
        "a,1",
        "1 ,2",
        ",1",
    ],
)
def test_headers_that_are_rows(header: str) -> None:
    """Hold numbers in place of names, for a model by position, to `sclbl run`."""
    name = next(n for n in MODELS if not made(n)[0].signature.columns[0].name)
    width = len(made(name)[0].signature.columns)
    more = "".join(f",{k}" for k in range(2, width))
    same(name, "csv", f"{header}{more}\n{','.join('1' * width)}\n".encode())


@pytest.mark.parametrize("form", FORMS)
def test_rows_before_a_refused_one(form: str) -> None:
    good = written(made("logistic")[2], form, 40_000).splitlines(keepends=True)
    # A text of the model holds a line's end, so a line of CSV is not a row.
    wrong = b"1,2,3,true,a,b\n" if form == "csv" else b'{"age":"x"}\n'
    bad = [*good[:-9], wrong, *good[-9:]]
    expected, error = sclbl_run(made("logistic")[0], "predict", form, b"".join(bad))
    assert error is not None
    assert expected.count(b"\n") in (2 * 16384, 2 * 16384 + 1)
    same("logistic", form, b"".join(bad), "predict")
    same("logistic", form, b"".join(good), "predict_proba")


def test_long_texts() -> None:
    X = gaps(table(8), ["city, home"])
    X["city, home"] = ["x" * 300_000, "Breda", None, "y" * 2_000_000, "z", "é" * 700_000, "", "q"]
    for form in FORMS:
        same("logistic", form, written(X, form, 40))


@pytest.mark.parametrize("form", FORMS)
def test_memory_is_bounded(form: str) -> None:
    long = b"x" * 100_000_000
    rows = HEADER + b"1,2,3,true," + long if form == "csv" else b'{"age": "' + long
    said = made("logistic")[1].run("--format", form, rows=rows, memory=64 << 20)
    assert (said.code, said.out) == (1, b"")
    assert said.error == (
        "error: line 2 is not CSV: field larger than field limit (16777216) (code request)\n"
        if form == "csv"
        else "error: line 1 has more than 16,777,216 bytes (code limit)\n"
    )
    rows = HEADER + (b"1,2,3,true," + b"x" * 1_000_000 + b"\n") * 100
    said = made("logistic")[1].run(rows=rows, memory=64 << 20)
    assert (said.code, said.out) == (1, b"")
    assert said.error == "error: the program has no memory left for these rows (code limit)\n"
    command = made("words")[1]
    line = b"a good day\n" if form == "csv" else b'["a good day"]\n'
    head = b"0\n" if form == "csv" else b""
    said = command.run("--format", form, rows=head + line * 200_000, memory=16 << 20)
    assert (said.code, said.out.count(b"1\n")) == (0, 200_000)


def test_arguments() -> None:
    program, command, rows = made("logistic")
    text = written(rows, "csv", 20)
    expected = sclbl_run(program, "predict", "csv", text)[0]
    for arguments in ([], ["--from=csv"], ["--method=predict", "--to", "csv"], ["--format", "csv"]):
        assert command.run(*arguments, rows=text).out == expected
    assert "predict_proba" in command.run("--help").out.decode()
    for wrong in (["--format", "xml"], ["--method"], ["rows.csv"], ["--to", ""]):
        said = command.run(*wrong, rows=text)
        assert (said.code, said.out) == (2, b"")
        assert said.error.startswith("error: ")
    said = command.run("--method", "transform", rows=text)
    assert (said.code, said.out) == (1, b"")
    assert "has no method 'transform'; it offers predict, predict_proba" in said.error


def test_no_registry_takes_a_command(tmp_path: Path) -> None:
    program, command, _ = made("array")
    with pytest.raises(InvalidProgramError, match="this is a WASI command"):
        sclbl.load(command.wasm)
    registry = connect(tmp_path)
    assert program.spec is not None
    spec = onnx_format.write(program.spec)
    with pytest.raises(sclbl.SclblError):
        registry.create("a", command.wasm, spec)
    assert sclbl.deployments(registry=tmp_path) == []
    with pytest.raises(wasmtime.WasmtimeError):
        wasmtime.Linker(wasmtime.Engine()).instantiate(
            wasmtime.Store(wasmtime.Engine()), command.module
        )


def test_a_version_in_a_registry_is_a_command(tmp_path: Path) -> None:
    program, command, _ = made("array")
    registry = connect(tmp_path)
    assert program.spec is not None
    registry.create("a", program.wasm, onnx_format.write(program.spec))
    assert sclbl.command(sclbl.get("a", registry=tmp_path)) == command.wasm
    wrong: Any = program.wasm
    with pytest.raises(SpecError, match="a command is made of a program, and bytes is none"):
        sclbl.command(wrong)


@pytest.mark.browser
def test_a_pipe_whose_writer_is_slow(tmp_path: Path) -> None:
    program, command, rows = made("logistic")
    (tmp_path / "command.wasm").write_bytes(command.wasm)
    host = Path(__file__).parents[1] / "examples" / "hosts" / "command.mjs"
    # Its streams made ready by Node, which does not wait for them from then on.
    script = (
        f'import process from "node:process"; process.stdin; await import({json.dumps(str(host))});'
    )
    text = written(rows, "csv", 20)
    with subprocess.Popen(
        [NODE, "--no-warnings", "--input-type=module", "-e", script, "", tmp_path / "command.wasm"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        time.sleep(0.3)
        process.stdin.write(text[:100])
        process.stdin.flush()
        time.sleep(0.2)
        out, _ = process.communicate(text[100:], timeout=30)
    assert out == sclbl_run(program, "predict", "csv", text)[0]


def test_models_that_take_or_give_no_table() -> None:
    words = CountVectorizer().fit(["one two", "two three"])
    with pytest.raises(SpecError, match=r"no method of .* returns a table of results"):
        sclbl.command(sclbl.compile(words, ["one"]))
    pictures = np.random.default_rng(0).normal(size=(20, 3))
    program = sclbl.compile(LogisticRegression().fit(pictures, [0, 1] * 10), pictures)
    with pytest.raises(SpecError, match="came without its spec"):
        sclbl.command(sclbl.load(program.wasm))


def test_the_command_line_makes_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program, command, _ = made("array")
    assert program.spec is not None
    (tmp_path / "forest.onnx").write_bytes(onnx_format.write(program.spec))
    sclbl.upload(program, name="forest", registry=tmp_path / "registry")
    monkeypatch.chdir(tmp_path)

    def ask(*arguments: str) -> str:
        with pytest.raises(SystemExit) as end:
            main(["--registry", "registry", "compile", *arguments])
        return f"{end.value.code or 0} {capsys.readouterr()}"

    assert "0 " in ask("forest.onnx", "--wasi")
    made_here = (tmp_path / "forest-command.wasm").read_bytes()
    assert Command(made_here).run("--help").code == 0
    assert "same.wasm, " in ask("forest@1", "--wasi", "-o", "same.wasm")
    assert (tmp_path / "same.wasm").read_bytes() == command.wasm
    assert "exists; add --force" in ask("forest.onnx", "--wasi")
    assert "0 " in ask("forest.onnx")
    assert sclbl.load(tmp_path / "forest.wasm").methods == program.methods
    assert "without its spec" in ask("forest.wasm", "--wasi", "-o", "x.wasm")
    assert "compiled already" in ask("forest@1")
