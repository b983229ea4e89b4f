"""``sclbl compile``: a program, or a command of it, as a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sclbl.cli.output import say
from sclbl.cli.state import Options
from sclbl.cli.versions import output_file
from sclbl.errors import RequestError, SpecError

if TYPE_CHECKING:
    from sclbl.program import Program


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="compile")(compile_file)


def compile_file(
    context: typer.Context,
    model: str = typer.Argument(
        help="An .onnx file; with --wasi also churn, churn@3 or churn@production."
    ),
    wasi: bool = typer.Option(
        False, "--wasi", help="A command for WASI in place of the program: rows in, results out."
    ),
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="The file; by default NAME.wasm, or NAME-command.wasm, here."
        ),
    ] = None,
    force: bool = typer.Option(False, "--force", "-f", help="Replace a file that exists."),
) -> None:
    """Compile and verify an .onnx file, or make a command of a version; nothing is recorded.

    To compile a fitted model use sclbl.compile in Python.
    """
    from sclbl import api

    stem = Path(model).stem if _is_file(model) else model.replace("@", "-")
    path = output or Path(f"{stem}-command.wasm" if wasi else f"{stem}.wasm")
    if path.is_dir():
        raise RequestError(f"{path} is a directory; give the name of a file, --output FILE")
    if path.exists() and not force:
        raise RequestError(f"{path} exists; add --force to replace it, or --output another file")
    program = _program(context.obj, model, wasi)
    content = api.command(program) if wasi else program.wasm
    with output_file(path) as part:
        part.write_bytes(content)
    say(f"{path}, {len(content):,} bytes")


def _is_file(model: str) -> bool:
    return Path(model).suffix.lower() in (".onnx", ".wasm") or Path(model).exists()


def _program(options: Options, model: str, wasi: bool) -> Program:
    from sclbl import api

    if Path(model).suffix.lower() == ".wasm":
        raise SpecError(
            f"{model} is a program without its spec, of which a command is compiled; give the "
            ".onnx spec of it (`sclbl download REF --spec`), or a ref"
        )
    if _is_file(model):
        return api.compile(Path(model))
    if not wasi:
        raise RequestError(f"{model} is compiled already; `sclbl download {model}` writes it")
    return api.load(model, registry=None if options.registry is None else options.connect())
