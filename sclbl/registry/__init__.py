"""Where deployments live: one interface, a local and a remote registry behind it."""

from __future__ import annotations

import os
import threading

from sclbl import settings
from sclbl.errors import RegistryError
from sclbl.registry.base import AliasEvent, Record, Registry

__all__ = ["AliasEvent", "Record", "Registry", "connect"]

_open: dict[settings.Login | str, Registry] = {}
_lock = threading.Lock()


def connect(where: Registry | str | os.PathLike[str] | None = None) -> Registry:
    """Return a registry, opened once in this process.

    Parameters
    ----------
    where : Registry, path, URL or None
        None is the server of ``SCLBL_URL`` or of the stored login, else the local registry of
        this user.

    Raises
    ------
    RegistryError
        It cannot be opened, or `where` is none of these.
    """
    if isinstance(where, Registry):
        return where
    if where is None:
        login = settings.current_login()
        return _local(settings.home()) if login is None else _remote(login)
    if isinstance(where, str) and "://" in where:
        return _remote(settings.login_for(where))
    if isinstance(where, (str, os.PathLike)) and os.fspath(where):
        return _local(where)
    raise RegistryError(
        f"registry must be a Registry, a directory or a URL, not {where!r}; "
        "leave it out for the current one"
    )


def _local(path: str | os.PathLike[str]) -> Registry:
    from sclbl.registry.local import LocalRegistry

    key = os.path.abspath(os.path.expanduser(os.fsdecode(path)))
    with _lock:
        if key in _open and not os.path.isdir(key):
            _open.pop(key).close()  # removed behind our back
        if key not in _open:
            _open[key] = LocalRegistry(key)
        return _open[key]


def _remote(login: settings.Login) -> Registry:
    from sclbl.registry.remote import RemoteRegistry

    with _lock:
        if login not in _open:
            _open[login] = RemoteRegistry(login.url, login.token)
        return _open[login]
