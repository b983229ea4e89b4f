"""Commands about a server's token: login, logout."""

from __future__ import annotations

import os
import sys

import typer


def add(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(login)
    app.command()(logout)


def login(
    url: str = typer.Argument(help="The server, for example https://models.example.org"),
    token_stdin: bool = typer.Option(False, "--token-stdin", help="Read the token from stdin."),
) -> None:
    """Make the commands act on a server from now on.

    The token comes from SCLBL_TOKEN, from stdin or from a prompt, never from an argument, which
    other users of this machine could see.
    """
    from sclbl import api

    if token_stdin:
        token = sys.stdin.readline().strip()
    else:
        token = os.environ.get("SCLBL_TOKEN") or typer.prompt("token", hide_input=True, err=True)
    api.login(url, token)
    typer.echo(f"logged in to {url}")


def logout() -> None:
    """Forget the stored login; the commands act on the local registry again."""
    from sclbl import api

    api.logout()
    typer.echo("logged out")
