"""Commands that change a registry, and download.

upload, edit, promote, rollback, delete, download.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sclbl.cli.output import confirm, say
from sclbl.cli.state import Options
from sclbl.errors import RequestError, SpecError, UnsupportedModelError
from sclbl.plain_file import open_file, read_file
from sclbl.whole_file import whole_file

if TYPE_CHECKING:
    from sclbl.registry.base import Registry

#: How files of pickled models are called; and how they begin, whatever they are called.
PICKLES = frozenset((".pkl", ".pickle", ".joblib", ".dill", ".cloudpickle", ".sav", ".p"))


def add(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (upload, edit, promote, rollback, delete, download):
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
    from sclbl.registry import columns
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
        "metrics": _numbers(metric),
    }
    if program is None:
        made = api.upload(
            onnx_format.read(read_file(spec)), None, name=called, **about, registry=registry
        )
        say(made.ref)
        return
    # The bytes as they are: what was compiled elsewhere keeps its SHA-256.
    wasm, onnx = read_file(program), read_file(spec)
    fidelity.verify_program(wasm, onnx)
    before = columns.newest(registry, called)
    record = registry.create(called, wasm, onnx, **about, request_id=uuid.uuid4().hex)
    columns.warn_of_others(before, record)
    say(record.ref)


def _refuse_pickle(path: Path) -> None:
    start = b""
    if path.suffix.lower() not in PICKLES:
        with open_file(path) as file:
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


def _numbers(texts: list[str] | None) -> dict[str, float]:
    return {key: _number(key, value) for key, value in _pairs(texts).items()}


def _number(key: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise RequestError(f"the metric {key}={text!r} is not a number") from None


def edit(
    context: typer.Context,
    ref: str = typer.Argument(help="The version, for example churn@3."),
    docs: str | None = typer.Option(None, help="The new text; '' for none."),
    tag: Annotated[list[str] | None, typer.Option(metavar="KEY=TEXT", help="A tag to set.")] = None,
    metric: Annotated[
        list[str] | None, typer.Option(metavar="KEY=NUMBER", help="A number to set.")
    ] = None,
    remove_tag: Annotated[
        list[str] | None, typer.Option("--remove-tag", metavar="KEY", help="A tag to remove.")
    ] = None,
    remove_metric: Annotated[
        list[str] | None, typer.Option("--remove-metric", metavar="KEY", help="A number to remove.")
    ] = None,
) -> None:
    """Change the docs, tags or metrics of a version; the program stays as it is."""
    options: Options = context.obj
    tags: dict[str, str | None] = dict.fromkeys(remove_tag or ())
    metrics: dict[str, float | None] = dict.fromkeys(remove_metric or ())
    tags |= _pairs(tag)
    metrics |= _numbers(metric)
    if docs is None and not tags and not metrics:
        raise RequestError(
            "nothing to edit; give --docs, --tag, --metric, --remove-tag or --remove-metric"
        )
    record = options.connect().edit(ref, docs=docs, tags=tags or None, metrics=metrics or None)
    say(f"edited {record.ref}")


def promote(
    context: typer.Context,
    ref: str = typer.Argument(help="The version, for example churn@3."),
    alias: str = typer.Argument(help="The alias, for example production."),
) -> None:
    """Make an alias name a version."""
    options: Options = context.obj
    record = options.connect().promote(ref, alias)
    say(f"{record.name}@{alias} is {record.ref}")


def rollback(
    context: typer.Context,
    name: str = typer.Argument(help="The deployment."),
    alias: str = typer.Argument(help="The alias."),
) -> None:
    """Make an alias name the version that it named before."""
    options: Options = context.obj
    record = options.connect().rollback(name, alias)
    say(f"{record.name}@{alias} is {record.ref}")


def delete(
    context: typer.Context,
    ref: str = typer.Argument(help="A version (churn@3), or a whole deployment (churn)."),
    yes: bool = typer.Option(False, "--yes", "-y", help="Do not ask."),
) -> None:
    """Delete a version, or a deployment with all its versions and aliases."""
    options: Options = context.obj
    registry = options.connect()
    if not yes:
        # Looked up before anyone is asked, so that a wrong name is not confirmed.
        what = _what_goes(registry, ref)
        if not os.isatty(0):
            raise RequestError(
                f"nobody can be asked whether to delete {what}, because the input is no terminal; "
                "add --yes to delete without being asked"
            )
        confirm(f"delete {what}?")
    registry.delete(ref)
    say(f"deleted {ref}")


def _what_goes(registry: Registry, ref: str) -> str:
    from sclbl.registry.refs import parse_deletable

    if parse_deletable(ref).version is not None:
        return registry.get(ref).ref
    count = len(registry.versions(ref))
    return f"{ref} with its {count} version{'s' if count > 1 else ''} and all aliases"


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
    force: bool = typer.Option(False, "--force", "-f", help="Replace a file that exists."),
) -> None:
    """Write the program of a version, or its spec, to a file."""
    options: Options = context.obj
    registry = options.connect()
    record = registry.get(ref)
    suffix = "onnx" if spec else "wasm"
    path = output or Path(f"{record.name}-{record.version}.{suffix}")
    if path.is_dir():
        raise RequestError(f"{path} is a directory; give the name of a file, --output FILE")
    if path.exists() and not force:
        raise RequestError(f"{path} exists; add --force to replace it, or --output another file")
    content = registry.spec(record) if spec else registry.program(record)
    with output_file(path) as part:
        part.write_bytes(content)
    say(str(path))


@contextmanager
def output_file(path: Path) -> Iterator[Path]:
    """Give a path to write to, which becomes `path` only when all went well."""
    if not path.parent.is_dir():
        raise RequestError(f"{path.parent} is no directory, so {path.name} cannot be written there")
    with whole_file(path) as part:
        yield part
