"""Commands that look: list, show, history, version."""

from __future__ import annotations

import json

import typer

from sclbl.cli import output
from sclbl.cli.state import Options

JSON = typer.Option(False, "--json", help="Print JSON for machines.")


def add(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("list")(list_deployments)
    app.command()(show)
    app.command()(history)
    app.command()(version)


def list_deployments(
    context: typer.Context,
    name: str | None = typer.Argument(None, help="Only this deployment, with all its versions."),
    as_json: bool = JSON,
) -> None:
    """List deployments, or the versions of one."""
    options: Options = context.obj
    registry = options.connect()
    records = registry.deployments() if name is None else registry.versions(name)
    if as_json:
        output.print_json([record.to_json() for record in records])
        return
    if not records:
        output.note(f"no deployments in {registry.location}")
        return
    rows = [
        (
            record.ref,
            ", ".join(record.aliases),
            record.model.rpartition(".")[2],
            ", ".join(record.methods),
            f"{record.size:,}",
            f"{record.created_at:%Y-%m-%d %H:%M}",
        )
        for record in records
    ]
    titles = ("REF", "ALIASES", "MODEL", "METHODS", "BYTES", "CREATED")
    output.table(rows, titles, right=("BYTES",))


def show(
    context: typer.Context,
    ref: str = typer.Argument(help="churn, churn@3 or churn@production"),
    as_json: bool = JSON,
) -> None:
    """Show one version: what it takes and returns, where it came from, how it was verified."""
    from sclbl.deployment import Deployment
    from sclbl.registry.base import CHECKED, STATED
    from sclbl.view import describe_inputs

    options: Options = context.obj
    registry = options.connect()
    record = registry.get(ref)
    if as_json:
        output.print_json(record.to_json())
        return
    deployment = Deployment(record, registry)
    report, checked = deployment.report, deployment.checked
    libraries = record.manifest.get("source", {}).get("libraries", {})
    rows = {
        "ref": record.ref,
        "aliases": ", ".join(record.aliases) or "none",
        "model": record.model,
        "libraries": ", ".join(f"{name} {number}" for name, number in libraries.items()),
        "inputs": describe_inputs(deployment.signature),
        "methods": ", ".join(record.methods),
        "size": f"{record.size:,} bytes",
        "sha256": record.sha256,
        "spec": record.spec_sha256,
        "example": "" if record.example is None else json.dumps(record.example, ensure_ascii=False),
        "created": f"{record.created_at:%Y-%m-%d %H:%M:%S} UTC",
        "url": record.url or "",
        "docs": record.docs,
        "tags": ", ".join(f"{key}={value}" for key, value in record.tags.items()),
        "metrics": ", ".join(f"{key}={value:.6g}" for key, value in record.metrics.items()),
        "fidelity": "none" if report is None else f"{STATED}\n{report}",
        "checked": "" if checked is None else f"{CHECKED}\n{checked}",
    }
    output.table((key, value) for key, value in rows.items() if value)


def history(
    context: typer.Context,
    name: str = typer.Argument(help="The deployment."),
    alias: str = typer.Argument(help="The alias."),
    as_json: bool = JSON,
) -> None:
    """Show what an alias has named, oldest first."""
    options: Options = context.obj
    events = options.connect().history(name, alias)
    if as_json:
        output.print_json([event.to_json() for event in events])
        return
    for event in events:
        version = "nothing" if event.version is None else f"{name}@{event.version}"
        output.say(f"{event.at:%Y-%m-%d %H:%M:%S} UTC  {event.action:<8}  {version}")


def version() -> None:
    """Print the version of sclbl."""
    import sclbl

    output.say(sclbl.__version__)
