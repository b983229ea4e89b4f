"""Run a server: one process, uvicorn with httptools and, where there is one, uvloop."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import uvicorn

from sclbl.errors import RegistryError
from sclbl.registry.store import Store
from sclbl.server import auth
from sclbl.server.app import create_app
from sclbl.server.protocol import protocol_for
from sclbl.server.settings import Settings

TOKEN_FILE = "server-token.sha256"
#: How long requests may go on after a stop was asked for.
STOP_SECONDS = 20
KEEP_ALIVE_SECONDS = 75
#: Connections at once; more are answered 503.
CONNECTIONS = 2000
#: All logs go to stderr.
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {
        name: {"handlers": ["stderr"], "level": "INFO", "propagate": False}
        for name in ("uvicorn", "sclbl.server")
    },
}


def open_guard(
    home: Path, *, private: bool = False, renew: bool = False
) -> tuple[auth.Guard, str | None]:
    """Return the guard of the token kept in `home`, and the token itself if it was just made.

    Parameters
    ----------
    home : Path
        Directory of the file with the token's hash.
    private : bool
        Whether reads need the token too.
    renew : bool
        Make a new token although there is one.
    """
    path = home / TOKEN_FILE
    token = None
    digest = None if renew else auth.stored_digest(path)
    if digest is None:
        token = auth.new_token(path)
        digest = auth.stored_digest(path)
    return auth.Guard(digest or "", private=private), token


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 takes a free one.

    Raises
    ------
    RegistryError
        The address cannot be used.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        bound = socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise RegistryError(
            f"cannot serve on {host}:{port}: {why}; give another --host or --port"
        ) from None
    bound.setblocking(False)
    return bound


def address(bound: socket.socket) -> str:
    """Return the URL of a listening socket."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def server(
    registry: Store,
    guard: auth.Guard,
    settings: Settings | None = None,
    *,
    access_log: bool = False,
) -> uvicorn.Server:
    """Return a server that is ready to run.

    Parameters
    ----------
    registry : Store
        What is served.
    guard : Guard
        Checks tokens.
    settings : Settings, optional
        Limits and policies.
    access_log : bool
        Log each request: method, path and status, never a header. Costs speed.
    """
    app = create_app(registry, guard, settings)
    config = uvicorn.Config(
        app,
        http=protocol_for(app.state.context, short_cut=not access_log),
        loop="auto",
        ws="none",
        lifespan="on",
        log_config=LOGGING,
        log_level="info" if access_log else "warning",
        access_log=access_log,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    return uvicorn.Server(config)
