"""Run a server: one process, uvicorn with httptools and, where there is one, uvloop."""

from __future__ import annotations

import ipaddress
import logging
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvicorn

from sclbl.errors import RegistryError
from sclbl.registry.store import Store
from sclbl.server import auth
from sclbl.server.app import create_app
from sclbl.server.limits import Settings
from sclbl.server.protocol import protocol_for

log = logging.getLogger("sclbl.server")

TOKEN_FILE = "server-token.sha256"
#: How long requests may go on after a stop was asked for.
STOP_SECONDS = 20
KEEP_ALIVE_SECONDS = 75
#: Open files that are not connections: the registry's, uploads on their way, programs.
RESERVE = 256
#: How long a thread may keep the interpreter when another wants it.
SWITCH_SECONDS = 0.0005
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
    return auth.Guard(digest or "", private=private, path=path), token


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


def hosts_for(bound: socket.socket, allowed: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the hosts that requests to a listening socket may be for; none where all are right.

    What only this machine reaches is asked for by names of this machine. A web page whose name
    comes to point here has another name in its requests.

    Parameters
    ----------
    bound : socket.socket
        A listening socket.
    allowed : sequence of str
        More hosts, as a proxy in front may send them; ``"*"`` stands for all.
    """
    if "*" in allowed:
        return ()
    host = bound.getsockname()[0]
    own: tuple[str, ...] = ()
    if ipaddress.ip_address(host.partition("%")[0]).is_loopback:
        own = ("localhost", "127.0.0.1", "[::1]", f"[{host}]" if ":" in host else host)
    return tuple(dict.fromkeys((*own, *allowed)))


def connections_allowed(wanted: int) -> int:
    """Return how many connections the limit of open files leaves room for, after raising it."""
    if sys.platform == "win32":
        return wanted
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    need = wanted + RESERVE
    if soft != resource.RLIM_INFINITY and soft < need:
        more = need if hard == resource.RLIM_INFINITY else min(need, hard)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (more, hard))
            soft = more
        except (ValueError, OSError):
            log.info("the limit of %d open files stays as it is", soft)
    if soft == resource.RLIM_INFINITY:
        return wanted
    # Where there are few files, connections and the rest share them.
    return max(8, min(wanted, soft - min(RESERVE, soft // 2)))


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
    # Threads that decode and encode hold the interpreter's lock in turns: short ones, because the
    # event loop needs it again after each call of a program.
    sys.setswitchinterval(SWITCH_SECONDS)
    settings = settings or Settings()
    app = create_app(registry, guard, settings)
    most = connections_allowed(settings.connections)
    config = uvicorn.Config(
        app,
        http=protocol_for(app.state.context, short_cut=not access_log, connections=most),
        loop="auto",
        ws="none",
        lifespan="on",
        log_config=LOGGING,
        log_level="info" if access_log else "warning",
        access_log=access_log,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    return uvicorn.Server(config)
