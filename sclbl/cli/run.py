"""``sclbl run``: predict a file."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from sclbl.cli.output import note, say
from sclbl.cli.state import Options
from sclbl.errors import RequestError

FORMATS = ("csv", "json", "ndjson", "parquet")
_SUFFIXES = {
    ".csv": "csv",
    ".json": "json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_TABS = (
    "files of tabs are not read here; convert it, for example with pandas: "
    "pandas.read_csv(path, sep='\\t').to_csv(new_path, index=False)"
)
_SHEET = (
    'spreadsheets are not read here; save the sheet as "CSV UTF-8 (comma delimited)", or convert '
    "it with pandas: pandas.read_excel(path).to_csv(new_path, index=False)"
)
_ARROW = (
    "Arrow files are not read here; convert it, for example with pandas: "
    "pandas.read_feather(path).to_parquet(new_path)"
)
_PACKED = "compressed files are not read here; decompress it first, or give - and pipe it in"
#: What to do with files of other kinds.
_OTHERS = {
    **dict.fromkeys((".tsv", ".tab"), _TABS),
    **dict.fromkeys((".xlsx", ".xls", ".xlsm", ".ods"), _SHEET),
    **dict.fromkeys((".feather", ".arrow"), _ARROW),
    **dict.fromkeys((".gz", ".bz2", ".xz", ".zip", ".zst"), _PACKED),
}


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(run)


def run(
    context: typer.Context,
    ref: str = typer.Argument(help="churn, churn@3, churn@production, or the path of a .wasm"),
    file: str = typer.Argument(
        help="Rows as .csv (with a header), .json, .ndjson or .parquet; - is stdin."
    ),
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file for the results; by default stdout."),
    ] = None,
    method: str | None = typer.Option(
        None, help="A method of the program; predict by default, else transform."
    ),
    input_format: str | None = typer.Option(
        None,
        "--from",
        metavar="FORMAT",
        help="csv, json, ndjson or parquet; by default the suffix.",
    ),
    output_format: str | None = typer.Option(
        None, "--to", metavar="FORMAT", help="csv, json, ndjson or parquet; by default the suffix."
    ),
    parameter: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A value of the call; give one for each."),
    ] = None,
) -> None:
    """Predict the rows of a file, in this process."""
    from sclbl import api
    from sclbl.cli import batch
    from sclbl.methods import pick_method

    options: Options = context.obj
    source = _format(input_format, file, None, "--from")
    target = _format(output_format, str(output or "-"), source, "--to")
    if target == "parquet" and output is None:
        if output_format is not None:
            raise RequestError("parquet cannot be written to stdout; give a file with -o")
        target = "csv"
    program = api.load(ref, registry=None if options.registry is None else options.connect())
    chosen = pick_method(program.methods, ref, method)
    rows = batch.predict_file(
        program,
        chosen,
        None if file == "-" else Path(file),
        source,
        output,
        target,
        _parameters(parameter or ()),
    )
    if output is not None:
        (say if sys.stdout.isatty() else note)(f"{rows:,} rows → {output}")


def _parameters(given: Sequence[str]) -> dict[str, Any]:
    """Return the values of a call, written as in JSON."""
    found: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise RequestError(f"--parameter {text!r:.80} is not NAME=VALUE, such as radius=0.5")
        if name in found:
            raise RequestError(f"--parameter {name} is given twice; give it once")
        try:
            found[name] = json.loads(value)
        except (ValueError, RecursionError):
            found[name] = value  # no number, which the method says
        if found[name] is None:
            raise RequestError(f"--parameter {name} is null; leave it out for its default")
    return found


def _format(given: str | None, path: str, otherwise: str | None, option: str) -> str:
    if given is not None:
        if given not in FORMATS:
            raise RequestError(f"{option} {given!r} is not one of {', '.join(FORMATS)}")
        return given
    suffix = Path(path).suffix.lower()
    found = _SUFFIXES.get(suffix, otherwise)
    if suffix in _OTHERS and option == "--from":
        raise RequestError(f"{path}: {_OTHERS[suffix]}")
    if found is None:
        raise RequestError(
            f"{path} does not say what it holds; give {option} {', '.join(FORMATS[:-1])} or "
            f"{FORMATS[-1]}"
        )
    return found
