"""The command line: the public verbs, for a terminal and for scripts."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from typing import Any

import typer

from sclbl.cli import output
from sclbl.cli.state import Options
from sclbl.errors import SclblError

app = typer.Typer(
    name="sclbl",
    help="Deploy fitted estimators as small, verified WebAssembly programs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

#: Each adds its commands to the application; in the order in which help lists them.
_COMMANDS = ("queries", "versions", "compile", "run", "site", "serve", "login")


def _version(wanted: bool) -> None:
    if wanted:
        import sclbl

        output.say(sclbl.__version__)
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    registry: str | None = typer.Option(
        None,
        "--registry",
        metavar="PATH|URL",
        help="Act on this registry: a directory or a server. By default the server that you "
        "logged in to, else the local registry.",
    ),
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    """Deploy fitted estimators as small, verified WebAssembly programs."""
    context.obj = Options(registry)


for _name in _COMMANDS:
    import_module(f"sclbl.cli.{_name}").add(app)


def _show_warning(message: Warning | str, *args: Any, **kwargs: Any) -> None:
    output.note(f"warning: {message}")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; every error of sclbl's is one line and exit code 1."""
    warnings.showwarning = _show_warning
    try:
        app(arguments, prog_name="sclbl")
    except SclblError as error:
        _fail(error.shell)
    except BrokenPipeError:
        # Whoever read the output has had enough; there is nobody left to tell.
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        _fail(f"{error.filename or 'the file system'}: {error.strerror or error}")
    except KeyboardInterrupt:
        sys.exit(130)


def _fail(message: str) -> None:
    output.note(f"error: {' '.join(message.split())}")
    sys.exit(1)
