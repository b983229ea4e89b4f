"""Commands about a server's token: login, logout."""

from __future__ import annotations

import os
import sys

import typer

from sclbl.cli import output
from sclbl.errors import RegistryError


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
    from sclbl import api, settings

    settings.check_url(url)  # before a token is asked for
    if token_stdin:
        token = sys.stdin.readline().strip()
        if not token:
            raise RegistryError("stdin holds no token; the server printed it when it first started")
    else:
        token = os.environ.get("SCLBL_TOKEN") or _asked()
    api.login(url, token)
    output.say(f"logged in to {url}")


def _asked() -> str:
    if not os.isatty(0):
        raise RegistryError(
            "nobody can be asked for the token, because the input is no terminal; set SCLBL_TOKEN, "
            "or give it on stdin with --token-stdin"
        )
    return output.ask_secret("token")


def logout() -> None:
    """Forget the stored login; the commands act on the local registry again."""
    from sclbl import api

    api.logout()
    output.say("logged out")
