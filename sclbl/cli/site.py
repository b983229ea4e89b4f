"""``sclbl site``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from sclbl.cli.output import say
from sclbl.cli.state import Options
from sclbl.errors import RequestError


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(site)


def site(
    context: typer.Context,
    ref: Annotated[str, typer.Argument(help="churn, churn@3 or churn@production")],
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="The folder; with --single-file also the name of an .html file."
        ),
    ],
    single_file: bool = typer.Option(
        False, "--single-file", help="Write one HTML file, which opens from a disk."
    ),
    widget: str | None = typer.Option(
        None, metavar="form|canvas|image|text", help="What the page has to try the model with."
    ),
    options: str | None = typer.Option(
        None, metavar="JSON", help="What the widget is told, as a JSON object."
    ),
) -> None:
    """Write the page of a version with its program: a folder that any static host serves."""
    from sclbl.deployment import Deployment

    state: Options = context.obj
    registry = state.connect()
    deployment = Deployment(registry.get(ref), registry)
    written = deployment.site(
        folder, widget=widget, options=_object(options), single_file=single_file
    )
    say(str(written))


def _object(text: str | None) -> dict[str, object] | None:
    if text is None:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"--options is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise RequestError('--options is no JSON object, such as {"top": 3}')
    return found
