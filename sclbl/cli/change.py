"""Commands that change a registry, and download: upload, promote, rollback, delete, download."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from sclbl.cli.state import Options
from sclbl.errors import RequestError, SpecError, UnsupportedModelError

#: How files of pickled models are called; and how they begin, whatever they are called.
PICKLES = frozenset((".pkl", ".pickle", ".joblib", ".dill", ".cloudpickle", ".sav", ".p"))


def add(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (upload, promote, rollback, delete, download):
        app.command()(command)


def upload(
    context: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="An .onnx spec, or a .wasm program and the .onnx spec of it.",
        ),
    ],
    name: str | None = typer.Option(None, help="The deployment; by default the file's name."),
    alias: str | None = typer.Option(None, help="Promote the new version to this alias."),
    docs: str | None = typer.Option(None, help="Text to keep with the version."),
    tag: Annotated[
        list[str] | None, typer.Option(metavar="KEY=TEXT", help="A tag to keep with it.")
    ] = None,
    metric: Annotated[
        list[str] | None, typer.Option(metavar="KEY=NUMBER", help="A number to keep with it.")
    ] = None,
) -> None:
    """Verify a program and record it as the next version of a deployment.

    An .onnx spec is compiled first. To upload a fitted model use sclbl.upload in Python.
    """
    from sclbl import api, fidelity, onnx_format
    from sclbl.registry.refs import suggest_name

    options: Options = context.obj
    for path in files:
        _refuse_pickle(path)
    by_kind = {path.suffix.lower(): path for path in files}
    program, spec = by_kind.get(".wasm"), by_kind.get(".onnx")
    if spec is None or len(files) > 2 or (len(files) == 2 and program is None):
        raise SpecError(
            "give an .onnx spec, or a .wasm program and the .onnx spec that it was compiled "
            f"from; got {', '.join(str(path) for path in files)}"
        )
    registry = options.connect()
    called = name or suggest_name((program or spec).stem)
    about: dict[str, Any] = {
        "alias": alias,
        "docs": docs,
        "tags": _pairs(tag),
        "metrics": {key: _number(key, value) for key, value in _pairs(metric).items()},
    }
    if program is None:
        made = api.upload(
            onnx_format.read(spec.read_bytes()), None, name=called, **about, registry=registry
        )
        typer.echo(made.ref)
        return
    # The bytes as they are: what was compiled elsewhere keeps its SHA-256.
    wasm, onnx = program.read_bytes(), spec.read_bytes()
    fidelity.verify_program(wasm, onnx)
    record = registry.create(called, wasm, onnx, **about, request_id=uuid.uuid4().hex)
    typer.echo(record.ref)


def _refuse_pickle(path: Path) -> None:
    start = b""
    if path.suffix.lower() not in PICKLES:
        with path.open("rb") as file:
            start = file.read(2)
    # Protocol 2 and above begin with PROTO and their number.
    if path.suffix.lower() in PICKLES or (start[:1] == b"\x80" and start[1:] in b"\2\3\4\5"):
        raise UnsupportedModelError(
            f"{path} is a pickle, and pickles are never loaded, because loading one can run any "
            "code; load it where you trust it and call sclbl.upload(model, X[:5], name=...)"
        )


def _pairs(texts: list[str] | None) -> dict[str, str]:
    pairs = {}
    for text in texts or ():
        key, equals, value = text.partition("=")
        if not equals:
            raise RequestError(f"{text!r} is not KEY=VALUE, for example team=crm")
        pairs[key] = value
    return pairs


def _number(key: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise RequestError(f"the metric {key}={text!r} is not a number") from None


def promote(
    context: typer.Context,
    ref: str = typer.Argument(help="The version, for example churn@3."),
    alias: str = typer.Argument(help="The alias, for example production."),
) -> None:
    """Make an alias name a version."""
    options: Options = context.obj
    record = options.connect().promote(ref, alias)
    typer.echo(f"{record.name}@{alias} is {record.ref}")


def rollback(
    context: typer.Context,
    name: str = typer.Argument(help="The deployment."),
    alias: str = typer.Argument(help="The alias."),
) -> None:
    """Make an alias name the version that it named before."""
    options: Options = context.obj
    record = options.connect().rollback(name, alias)
    typer.echo(f"{record.name}@{alias} is {record.ref}")


def delete(
    context: typer.Context,
    ref: str = typer.Argument(help="A version (churn@3), or a whole deployment (churn)."),
    yes: bool = typer.Option(False, "--yes", "-y", help="Do not ask."),
) -> None:
    """Delete a version, or a deployment with all its versions and aliases."""
    options: Options = context.obj
    if not yes and os.isatty(0):
        what = ref if "@" in ref else f"{ref} with all its versions and aliases"
        typer.confirm(f"delete {what}?", abort=True)
    options.connect().delete(ref)
    typer.echo(f"deleted {ref}")


def download(
    context: typer.Context,
    ref: str = typer.Argument(help="churn, churn@3 or churn@production"),
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="The file; by default NAME-VERSION.wasm (or .onnx) here."
        ),
    ] = None,
    spec: bool = typer.Option(False, "--spec", help="The ONNX spec in place of the program."),
) -> None:
    """Write the program of a version, or its spec, to a file."""
    options: Options = context.obj
    registry = options.connect()
    record = registry.get(ref)
    content = registry.spec(record) if spec else registry.program(record)
    suffix = "onnx" if spec else "wasm"
    path = output or Path(f"{record.name}-{record.version}.{suffix}")
    with whole_file(path) as partial:
        Path(partial).write_bytes(content)
    typer.echo(str(path))


@contextmanager
def whole_file(path: Path) -> Iterator[str]:
    """Give a path to write to, which becomes `path` only when all went well."""
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        yield partial
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(partial, 0o666 & ~mask)
        os.replace(partial, path)
    except BaseException:
        os.unlink(partial)
        raise
