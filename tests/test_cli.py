"""The command line, mostly in this process; the server's commands against a real server."""

from __future__ import annotations

import json
import os
import pickle
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import sclbl
from sclbl.cli import batch, main
from sclbl.registry.local import LocalRegistry
from tests.server.conftest import Case, cases, start, stop

__all__ = ["cases"]  # a fixture of the server's tests


@dataclass
class Done:
    code: int
    out: str
    err: str


Cli = Callable[..., Done]


@pytest.fixture
def folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working directory, which holds sclbl's home."""
    monkeypatch.chdir(home.parent)
    return home.parent


@pytest.fixture
def cli(folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    def run(*arguments: Any) -> Done:
        import warnings

        monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
        try:
            main([str(a) for a in arguments])
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        found = capfd.readouterr()
        return Done(code, found.out, found.err)

    return run


@pytest.fixture
def stocked(folder: Path, cases: dict[str, Case]) -> dict[str, Case]:
    """The home's registry with one version of each case."""
    with LocalRegistry(folder / "home") as registry:
        for name, case in cases.items():
            registry.create(name, case.wasm, case.spec)
    return cases


def test_version_and_help(cli: Cli) -> None:
    assert cli("version").out.strip() == sclbl.__version__
    assert cli("--version").out.strip() == sclbl.__version__
    shown = cli("--help").out
    verbs = "list show upload edit delete promote rollback history download run serve login logout"
    for verb in verbs.split():
        assert f"  {verb} " in shown
        assert cli(verb, "-h").code == 0
    assert cli().code == 2


def test_usage_errors_are_2(cli: Cli) -> None:
    for arguments in (["bogus"], ["show"], ["run", "x"], ["serve", "--port", "-1"], ["list", "-x"]):
        done = cli(*arguments)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith("Usage: sclbl")


def test_errors_are_one_line_and_1(
    cli: Cli, stocked: dict[str, Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "isatty", lambda handle: False)
    for arguments, message in (
        (["show", "nobody"], "error: there is no deployment 'nobody'; there are: linear, mixed"),
        (["show", "Bad"], "error: 'Bad' is not a ref"),
        (["promote", "mixed@2", "production"], "error: mixed has no version 2"),
        (["rollback", "mixed", "production"], "error: mixed has no alias 'production'"),
        (["delete", "nobody"], "error: there is no deployment 'nobody'"),
        (["delete", "mixed@production"], "error: 'mixed@production' ends in an alias"),
        (["edit", "mixed"], "error: nothing to edit; give --docs, --tag, --metric, --remove-tag"),
        (["edit", "mixed", "--metric", "a=b"], "error: the metric a='b' is not a number"),
        (["edit", "mixed@7", "--docs", "x"], "error: mixed has no version 7"),
        (["--registry", "http://127.0.0.1:1", "list"], "error: no answer from http://127.0.0.1:1"),
        (["--registry", "http://127.0.0.1:1", "serve"], "error: http://127.0.0.1:1 is a server"),
        (["--registry", "", "list"], "error: --registry is empty; give a directory or a URL"),
        (["--registry", "", "run", "mixed", "x.csv"], "error: --registry is empty"),
        (["show", "mixed@productoin"], "error: mixed has no alias 'productoin'; its aliases: none"),
        (["download", "mixed", "-o", "no/m.wasm"], "error: no is no directory, so m.wasm cannot"),
        (["login", "localhost:8000"], "error: 'localhost:8000' is not a server's URL"),
        (["login", "http://127.0.0.1:1"], "error: nobody can be asked for the token, because"),
        (["upload", "missing.onnx"], "error: missing.onnx: No such file"),
    ):
        done = cli(*arguments)
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith(message)
        assert done.err.count("\n") == 1


def test_list_and_show(cli: Cli, stocked: dict[str, Case]) -> None:
    listed = cli("list").out.splitlines()
    assert [line.split()[0] for line in listed[1:]] == [
        "linear@1", "mixed@1", "numbers@1", "scaler@1",
    ]  # fmt: skip
    records = json.loads(cli("list", "--json").out)
    assert [record["ref"] for record in records] == [line.split()[0] for line in listed[1:]]
    assert json.loads(cli("list", "mixed", "--json").out) == [records[1]]
    assert json.loads(cli("show", "mixed", "--json").out) == records[1]
    shown = cli("show", "mixed@1").out
    for text in ("mixed@1", "sklearn.pipeline.Pipeline", "predict_proba", records[1]["sha256"]):
        assert text in shown


def test_an_empty_registry(cli: Cli, folder: Path) -> None:
    done = cli("list")
    assert (done.code, done.out) == (0, "")
    assert done.err == f"no deployments in {folder / 'home'}\n"
    assert json.loads(cli("list", "--json").out) == []


def test_aliases(cli: Cli, stocked: dict[str, Case], folder: Path) -> None:
    with LocalRegistry(folder / "home") as registry:
        registry.create("mixed", stocked["mixed"].wasm, stocked["mixed"].spec)
    assert cli("promote", "mixed@1", "production").out == "mixed@production is mixed@1\n"
    assert cli("promote", "mixed@2", "production").out == "mixed@production is mixed@2\n"
    assert cli("rollback", "mixed", "production").out == "mixed@production is mixed@1\n"
    lines = cli("history", "mixed", "production").out.splitlines()
    assert [line.split()[-2:] for line in lines] == [
        ["promote", "mixed@1"], ["promote", "mixed@2"], ["rollback", "mixed@1"],
    ]  # fmt: skip
    events = json.loads(cli("history", "mixed", "production", "--json").out)
    assert [event["version"] for event in events] == [1, 2, 1]
    refused = cli("delete", "mixed@1", "--yes").err
    assert "error: mixed@1 is what production names" in refused
    assert "did you mean 'production'?" in cli("show", "mixed@producton").err
    # A terminal is told commands, not calls in Python.
    assert "`sclbl promote mixed@VERSION production` or `sclbl rollback mixed" in refused
    assert "sclbl.promote" not in refused
    assert cli("delete", "mixed@2", "--yes").out == "deleted mixed@2\n"
    assert "mixed@2 was deleted" in cli("show", "mixed@2").err


def test_upload_and_download(cli: Cli, folder: Path, cases: dict[str, Case]) -> None:
    case = cases["numbers"]
    (folder / "My Model.wasm").write_bytes(case.wasm)
    (folder / "spec.onnx").write_bytes(case.spec)
    done = cli("upload", "My Model.wasm", "spec.onnx", "--alias", "beta")
    assert (done.out, done.err) == ("my-model@1\n", "")
    details = ["--tag", "team=crm", "--tag", "url=a=b", "--metric", "auc=0.75", "--docs", "who"]
    assert cli("upload", "spec.onnx", "--name", "my-model", *details).out == "my-model@2\n"
    record = json.loads(cli("show", "my-model", "--json").out)
    assert record["tags"] == {"team": "crm", "url": "a=b"}
    assert (record["metrics"], record["docs"]) == ({"auc": 0.75}, "who")
    assert cli("download", "my-model@1").out == "my-model-1.wasm\n"
    assert (folder / "my-model-1.wasm").read_bytes() == case.wasm
    assert cli("download", "my-model@1", "--spec", "-o", "out.onnx").out == "out.onnx\n"
    assert (folder / "out.onnx").read_bytes() == case.spec
    (folder / "out.onnx").write_bytes(b"mine")
    done = cli("download", "my-model@1", "-o", "out.onnx")
    assert (done.code, done.out) == (1, "")
    assert (
        done.err == "error: out.onnx exists; add --force to replace it, or --output another file\n"
    )
    assert (folder / "out.onnx").read_bytes() == b"mine"
    assert cli("download", "my-model@1", "-o", "out.onnx", "--force").code == 0
    assert (folder / "out.onnx").read_bytes() == case.wasm
    assert "is a directory" in cli("download", "my-model@1", "-o", ".").err
    program = sclbl.load(folder / "my-model-1.wasm")
    assert program.predict(case.x).tolist() == case.model.predict(case.x).tolist()


@pytest.mark.filterwarnings("default")
def test_upload_warns_of_other_columns(cli: Cli, folder: Path, cases: dict[str, Case]) -> None:
    for name in ("numbers", "linear", "mixed"):
        (folder / f"{name}.onnx").write_bytes(cases[name].spec)
        (folder / f"{name}.wasm").write_bytes(cases[name].wasm)
    assert cli("upload", "numbers.onnx", "--name", "m").err == ""
    assert cli("upload", "linear.onnx", "--name", "m").err == ""
    done = cli("upload", "mixed.onnx", "--name", "m")
    assert (done.code, done.out) == (0, "m@3\n")
    said = "takes other columns than {}: {} in place of {}; who calls m must send these\n"
    by = ("named columns", "columns by position")
    assert done.err == "warning: m@3 " + said.format("m@2", *by)
    done = cli("upload", "linear.wasm", "linear.onnx", "--name", "m")
    assert done.err == "warning: m@4 " + said.format("m@3", *by[::-1])


def test_uploads_that_are_refused(cli: Cli, folder: Path, cases: dict[str, Case]) -> None:
    (folder / "a.wasm").write_bytes(cases["numbers"].wasm)
    (folder / "b.onnx").write_bytes(cases["linear"].spec)
    (folder / "cut.wasm").write_bytes(cases["numbers"].wasm[:-5])
    (folder / "noise.onnx").write_bytes(b"noise")
    for name in ("m.pkl", "m.joblib", "renamed.onnx"):
        (folder / name).write_bytes(pickle.dumps(cases["linear"].model))
    for arguments, message in (
        (["m.pkl"], "error: m.pkl is a pickle, and pickles are never loaded, because"),
        (["m.joblib"], "error: m.joblib is a pickle"),
        (["renamed.onnx"], "error: renamed.onnx is a pickle"),
        (["a.wasm"], "error: give an .onnx spec, or a .wasm program and the .onnx spec"),
        (["b.onnx", "b.onnx"], "error: give an .onnx spec, or a .wasm program and"),
        (["a.wasm", "b.onnx"], "error: the program says it was compiled from"),
        (["cut.wasm", "b.onnx"], "error: this program is truncated"),
        (["noise.onnx"], "error: "),
        (["b.onnx", "--tag", "x"], "error: 'x' is not KEY=VALUE, for example team=crm"),
        (["b.onnx", "--metric", "x=y"], "error: the metric x='y' is not a number"),
        (["b.onnx", "--metric", "x=nan"], "error: metric 'x' is nan; metrics must be finite"),
        (["b.onnx", "--name", "A"], "error: the deployment name 'A' is not well formed"),
    ):
        done = cli("upload", *arguments)
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith(message)
        assert done.err.count("\n") == 1
    assert cli("list").out == ""


def test_delete_asks_or_refuses(
    cli: Cli, stocked: dict[str, Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    import typer

    with_versions = "mixed with its 1 version and all aliases"
    monkeypatch.setattr(os, "isatty", lambda handle: False)
    done = cli("delete", "mixed")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"error: nobody can be asked whether to delete {with_versions}")
    assert "--yes" in done.err
    assert cli("show", "mixed").code == 0
    monkeypatch.setattr(os, "isatty", lambda handle: True)
    asked: list[str] = []

    def answer(question: str, abort: bool) -> None:
        asked.append(question)
        if len(asked) == 1:
            raise typer.Abort

    monkeypatch.setattr(typer, "confirm", answer)
    assert cli("delete", "mixed").code == 1
    assert cli("show", "mixed").code == 0
    assert cli("delete", "mixed").out == "deleted mixed\n"
    assert asked == [f"delete {with_versions}?"] * 2
    assert cli("show", "mixed").code == 1


def test_edit(cli: Cli, stocked: dict[str, Case]) -> None:
    set_both = ["--tag", "team=crm", "--tag", "url=a=b", "--metric", "auc=0.5"]
    assert cli("edit", "mixed", "--docs", "who leaves", *set_both).out == "edited mixed@1\n"
    again = ["--remove-tag", "url", "--remove-metric", "auc", "--metric", "n=2"]
    assert cli("edit", "mixed@1", *again).code == 0
    record = json.loads(cli("show", "mixed", "--json").out)
    assert (record["docs"], record["tags"]) == ("who leaves", {"team": "crm"})
    assert record["metrics"] == {"n": 2.0}
    assert cli("edit", "mixed", "--docs", "").code == 0
    assert json.loads(cli("show", "mixed", "--json").out)["docs"] == ""


def test_an_empty_registry_advises_commands(cli: Cli, folder: Path) -> None:
    said = cli("show", "churn").err
    assert "the registry is empty; `sclbl upload FILE.onnx --name churn`" in said
    (folder / "home" / "credentials.json").write_text("{}")
    said = cli("list").err
    assert "run `sclbl logout`, then `sclbl login URL` again" in said
    assert said.count("\n") == 1


# ------------------------------------------------------------------------ run


def frame(case: Case, rows: int) -> pd.DataFrame:
    return pd.concat([case.x] * (rows // len(case.x) + 1), ignore_index=True)[:rows]


WRITE: dict[str, Callable[[pd.DataFrame, Path], Any]] = {
    "csv": lambda x, path: x.to_csv(path, index=False),
    "json": lambda x, path: x.to_json(path, orient="records"),
    "ndjson": lambda x, path: x.to_json(path, orient="records", lines=True),
    "parquet": lambda x, path: x.to_parquet(path),
}
READ: dict[str, Callable[[Path], pd.DataFrame]] = {
    "csv": pd.read_csv,
    "json": pd.read_json,
    "ndjson": lambda path: pd.read_json(path, lines=True),
    "parquet": pd.read_parquet,
}


@pytest.mark.parametrize("given", WRITE)
@pytest.mark.parametrize("wanted", READ)
def test_run_from_every_format_to_every_format(
    cli: Cli, stocked: dict[str, Case], folder: Path, given: str, wanted: str
) -> None:
    case = stocked["mixed"]
    rows = frame(case, 300).assign(unused="x")
    WRITE[given](rows, folder / f"rows.{given}")
    arguments = ["run", "mixed@1", f"rows.{given}", "-o", f"out.{wanted}"]
    done = cli(*arguments, "--method", "predict_proba")
    assert done.code == 0, done.err
    assert "300 rows → " in done.out + done.err
    found = READ[wanted](folder / f"out.{wanted}")
    assert list(found.columns) == ["predict_proba_left", "predict_proba_stayed"]
    assert np.abs(found.to_numpy() - case.model.predict_proba(rows)).max() <= 1e-14
    assert not [p for p in folder.iterdir() if p.name.startswith(".")]
    assert stat.S_IMODE((folder / f"out.{wanted}").stat().st_mode) == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_run_streams_in_chunks(
    cli: Cli, stocked: dict[str, Case], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sclbl.cli.batch.CHUNK_ROWS", 64)
    monkeypatch.setattr("sclbl.tabular.read_csv.__kwdefaults__", {"rows": 64})
    monkeypatch.setattr("sclbl.tabular.read_ndjson.__kwdefaults__", {"rows": 64})
    case = stocked["mixed"]
    rows = frame(case, 130)
    bad = rows.copy()
    bad.loc[100, "plan"] = "silver"
    for kind, write in WRITE.items():
        write(rows, folder / f"rows.{kind}")
        done = cli("run", "mixed", f"rows.{kind}", "--to", "csv")
        assert done.out.splitlines() == ["predict", *case.model.predict(rows)]
        write(bad, folder / f"bad.{kind}")
        done = cli("run", "mixed", f"bad.{kind}", "-o", "out.csv")
        assert done.code == 1
        # Counted from the first row of the file, not of the chunk.
        assert "row 100" in done.err
        assert "plan" in done.err
        assert not (folder / "out.csv").exists()
    assert not [p for p in folder.iterdir() if p.name.startswith(".")]


def test_run_a_file_of_a_program(cli: Cli, folder: Path, cases: dict[str, Case]) -> None:
    case = cases["scaler"]
    (folder / "p.wasm").write_bytes(case.wasm)
    pd.DataFrame(case.x).to_csv("rows.csv", index=False)
    done = cli("run", "./p.wasm", "rows.csv", "-o", "out.csv")
    assert done.code == 0, done.err
    lines = (folder / "out.csv").read_text().splitlines()
    found = [[float(field) for field in line.split(",")] for line in lines[1:]]
    assert np.array_equal(found, case.model.transform(case.x))


def test_run_every_form_of_json(cli: Cli, stocked: dict[str, Case], folder: Path) -> None:
    row = {"age": 41, "plan": "gold"}
    expected = stocked["mixed"].model.predict(pd.DataFrame([row])).tolist()
    for text in (
        json.dumps(row),
        json.dumps([row]),
        json.dumps({"rows": [row]}),
        '\ufeff[[41, "gold"]]',
    ):
        (folder / "rows.json").write_text(text, encoding="utf-8")
        done = cli("run", "mixed", "rows.json")
        assert (json.loads(done.out), done.code) == (expected, 0)
    (folder / "rows.json").write_text("[]")
    assert cli("run", "mixed", "rows.json").out == "[]\n"
    for text, message in (
        ("{", "error: rows.json is not JSON"),
        ('{"row": [1]}', "error: rows.json is an object without"),
        ('{"age": 41}', "error: the rows lack 'plan'"),
    ):
        (folder / "rows.json").write_text(text)
        done = cli("run", "mixed", "rows.json")
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith(message)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "rows.tsv",
            "rows.tsv: files of tabs are not read here; convert it, for example with pandas",
        ),
        ("rows.xlsx", 'rows.xlsx: spreadsheets are not read here; save the sheet as "CSV UTF-8'),
        ("rows.feather", "rows.feather: Arrow files are not read here"),
        ("rows.csv.gz", "rows.csv.gz: compressed files are not read here; decompress it first"),
        (
            "rows.dat",
            "rows.dat does not say what it holds; give --from csv, json, ndjson or parquet",
        ),
    ],
)
def test_run_says_what_to_do_with_other_files(
    cli: Cli, stocked: dict[str, Case], folder: Path, name: str, said: str
) -> None:
    (folder / name).write_text("age\tplan\n41\tgold\n")
    done = cli("run", "mixed", name)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"error: {said}")


def test_run_from_stdin(stocked: dict[str, Case], folder: Path) -> None:
    case = stocked["numbers"]
    text = "\n".join(json.dumps(row) for row in case.x[:3].tolist())
    command = [sys.executable, "-m", "sclbl.cli", "run", "numbers", "-", "--from", "ndjson"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    assert [json.loads(line) for line in done.stdout.splitlines()] == case.model.predict(
        case.x[:3]
    ).tolist()
    assert done.stderr == ""


def test_a_long_text_of_parquet_is_there_once(
    cli: Cli, stocked: dict[str, Case], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some bytes stand for gigabytes: thousands of rows with one text of megabytes."""
    monkeypatch.setattr(batch, "MOST_TEXT", 4_000_000)
    texts = pa.array(["gold", "q" * 1_000_000])
    numbers = pa.array([0, 1, *(0,) * 9], pa.int32())
    table = pa.table(
        {"age": np.arange(11.0), "plan": pa.DictionaryArray.from_arrays(numbers, texts)}
    )
    pq.write_table(table, folder / "long.parquet", store_schema=False)
    signature = sclbl.load(stocked["mixed"].wasm).signature
    chunks = list(batch.READERS["parquet"](folder / "long.parquet", signature))
    assert [count for _, count, _ in chunks] == [4, 4, 3]
    assert all(rows.nbytes < 1_100_000 for rows, _, _ in chunks)
    read = pa.concat_tables([rows for rows, _, _ in chunks]).to_pylist()
    assert read == table.to_pylist()


def test_a_file_that_memory_does_not_hold(
    cli: Cli, stocked: dict[str, Case], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pq.write_table(pa.table({"age": [1.0], "plan": ["gold"]}), folder / "rows.parquet")

    def no_memory(*_: Any) -> int:
        raise pa.ArrowMemoryError("malloc of size 9000000064 failed")

    monkeypatch.setattr(batch, "_rows_at_once", no_memory)
    done = cli("run", "mixed", "rows.parquet")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: rows.parquet holds more than memory does (malloc of size")


def test_run_refusals(cli: Cli, stocked: dict[str, Case], folder: Path) -> None:
    (folder / "rows.csv").write_text("age,plan\n1,gold\n")
    (folder / "rows.parquet").write_bytes(b"PAR1 not really")
    (folder / "rows.xlsx").write_bytes(b"")
    (folder / "latin.csv").write_bytes(b"age,plan\n1,\xff\n")
    for arguments, message in (
        (["mixed", "missing.csv"], "error: missing.csv: No such file or directory"),
        (
            ["mixed", "rows.xlsx"],
            "error: rows.xlsx: spreadsheets are not read here; save the sheet",
        ),
        (["mixed", "rows.csv", "--from", "xml"], "error: --from 'xml' is not one of csv, json"),
        (["mixed", "rows.csv", "--to", "parquet"], "error: parquet cannot be written to stdout"),
        (["mixed", "rows.csv", "--method", "fly"], "error: mixed has no method 'fly'; it offers"),
        (["linear", "rows.csv"], "error: the CSV header has 2 columns and the model takes 4"),
        (["mixed", "latin.csv"], "error: latin.csv is not UTF-8"),
        (["mixed", "rows.parquet"], "error: rows.parquet is not a Parquet file"),
        (["missing.wasm", "rows.csv"], "error: the program 'missing.wasm' cannot be read"),
    ):
        done = cli("run", *arguments)
        assert (done.code, done.out) == (1, ""), arguments
        assert done.err.startswith(message)
        assert done.err.count("\n") == 1


# --------------------------------------------------------------------- server


def test_login_acts_on_a_server(
    folder: Path, cases: dict[str, Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "served").mkdir()
    served = start(folder / "served")

    def run(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "sclbl.cli", *arguments]
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        assert served.token not in done.stdout + done.stderr
        return done

    try:
        wrong = run("login", served.url, "--token-stdin", given="sclbl_wrong\n")
        assert wrong.returncode == 1
        assert wrong.stderr.startswith("error: the token is wrong; log in with the token that")
        assert not (folder / "home" / "credentials.json").exists()
        done = run("login", served.url, "--token-stdin", given=f"{served.token}\n")
        assert (done.returncode, done.stdout) == (0, f"logged in to {served.url}\n")
        (folder / "spec.onnx").write_bytes(cases["linear"].spec)
        assert run("upload", "spec.onnx", "--name", "far").stdout == "far@1\n"
        (record,) = json.loads(run("list", "--json").stdout)
        assert record["url"] == f"{served.url}/v1/deployments/far@1"
        pd.DataFrame(cases["linear"].x[:2]).to_csv("rows.csv", index=False)
        found = [float(v) for v in run("run", "far", "rows.csv").stdout.splitlines()[1:]]
        expected = cases["linear"].model.predict(cases["linear"].x[:2])
        assert np.allclose(found, expected, rtol=1e-12, atol=0)
        assert run("edit", "far", "--docs", "of old").stdout == "edited far@1\n"
        assert json.loads(run("show", "far", "--json").stdout)["docs"] == "of old"
        # What the server advises is spelled for the one who reads it.
        assert "; `sclbl promote far beta` gives" in run("show", "far@beta").stderr
        with pytest.raises(sclbl.errors.NotFoundError, match=r"sclbl\.promote\('far', 'beta'\)"):
            sclbl.get("far@beta", registry=served.url)
        assert "add --yes" in run("delete", "far").stderr
        assert run("delete", "far", "--yes").stdout == "deleted far\n"
        assert run("logout").stdout == "logged out\n"
        assert run("list").stderr == f"no deployments in {folder / 'home'}\n"
        monkeypatch.setenv("SCLBL_TOKEN", served.token)
        assert run("login", served.url).returncode == 0
        assert stat.S_IMODE((folder / "home" / "credentials.json").stat().st_mode) == 0o600
    finally:
        stop(served)


def test_a_port_that_is_taken(cli: Cli, folder: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = cli("serve", "--port", port)
    assert done.code == 1
    assert done.err.startswith(f"error: cannot serve on 127.0.0.1:{port}: Address already in use")
    assert "token" not in done.out  # none is made for a server that does not start
