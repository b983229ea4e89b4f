"""``sclbl serve``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from sclbl.cli import output
from sclbl.cli.state import Options
from sclbl.errors import RegistryError


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(serve)


def serve(
    context: typer.Context,
    host: str = typer.Option("127.0.0.1", help="Address to listen on."),
    port: int = typer.Option(8000, min=0, max=65535, help="Port; 0 takes a free one."),
    private: bool = typer.Option(False, help="Ask for the token on reads and predictions too."),
    new_token: bool = typer.Option(
        False, "--new-token", help="Make a new token; the one before is valid no longer."
    ),
    cors: Annotated[
        list[str] | None,
        typer.Option(metavar="ORIGIN", help="An origin that browsers may call from; '*' for all."),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST",
            help="A host that requests may be for, as a proxy in front sends it; '*' for all. On "
            "an address of this machine alone, requests for other hosts are refused.",
        ),
    ] = None,
    max_predict_mb: int = typer.Option(64, min=1, help="Largest body of a prediction, in MiB."),
    max_upload_mb: int = typer.Option(512, min=1, help="Largest upload, in MiB."),
    max_rows: int = typer.Option(1_000_000, min=1, help="Most rows of one prediction."),
    predict_seconds: float = typer.Option(10.0, min=0.1, help="How long a prediction may take."),
    access_log: bool = typer.Option(False, "--access-log", help="Log every request."),
) -> None:
    """Serve the local registry over HTTP.

    The first start prints a token, which guards every change; only its hash is kept.
    """
    from sclbl import settings
    from sclbl.registry.local import LocalRegistry
    from sclbl.server import process
    from sclbl.server.limits import MEBIBYTE, Settings

    options: Options = context.obj
    if options.registry is not None and "://" in options.registry:
        raise RegistryError(
            f"{options.registry} is a server itself; serve a directory, or leave --registry out"
        )
    home = Path(options.registry).expanduser() if options.registry else settings.home()
    registry = LocalRegistry(home)
    bound = process.listen(host, port)
    guard, token = process.open_guard(home, private=private, renew=new_token)
    limits = Settings(
        private=private,
        cors=tuple(cors or ()),
        hosts=process.hosts_for(bound, tuple(allow_host or ())),
        predict_bytes=max_predict_mb * MEBIBYTE,
        upload_bytes=max_upload_mb * MEBIBYTE,
        rows=max_rows,
        predict_seconds=predict_seconds,
    )

    server = process.server(registry, guard, limits, access_log=access_log)
    if token is not None:
        output.say(f"token (shown this once; it guards every change): {token}")
    output.say(f"serving {registry.location} on {process.address(bound)}")
    if not _is_local(host):
        output.note(
            "others can reach this address and the token travels unencrypted: put a proxy with "
            "TLS in front"
        )
    sys.stdout.flush()
    server.run(sockets=[bound])


def _is_local(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")
