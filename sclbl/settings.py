"""Where things are kept, which registry the verbs act on, and how many threads a prediction takes.

``SCLBL_HOME`` replaces the user's data directory. ``SCLBL_URL`` and ``SCLBL_TOKEN`` name a server
and go before a stored login. ``SCLBL_THREADS`` bounds the threads.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from sclbl import verbs
from sclbl.errors import LimitError, RegistryError
from sclbl.whole_file import whole_file

CREDENTIALS = "credentials.json"
#: More threads than any machine has processors are a mistake.
MOST_THREADS = 1024

_threads: int | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """A server, and the token to show it. The token is never printed."""

    url: str
    token: str | None = field(default=None, repr=False)


def home() -> Path:
    """Return the directory of everything that sclbl keeps for this user.

    Raises
    ------
    RegistryError
        Nothing says where that is: no ``SCLBL_HOME``, and a user without a home, as in some
        containers and jobs.
    """
    given = os.environ.get("SCLBL_HOME")
    try:
        if given:
            return Path(given).expanduser().absolute()
        import platformdirs

        path = Path(platformdirs.user_data_dir("sclbl", appauthor=False))
    except RuntimeError:
        path = Path("~")
    if not path.is_absolute():
        raise RegistryError(
            f"this user has no home directory ({given or path}); set SCLBL_HOME to a directory "
            "that you can write to"
        )
    return path


def check_url(url: object) -> str:
    """Return a server's URL without a slash at its end.

    Raises
    ------
    RegistryError
        It is not an http or https URL, or it carries a user, password, query or fragment.
    """
    if not isinstance(url, str):
        raise RegistryError(f"a server's URL must be text, not {type(url).__name__}")
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        # Neither the URL nor the parser's words are repeated: a secret may be in them.
        raise RegistryError(
            "the server's URL cannot be read: its host or port is malformed; "
            "it must look like 'http://localhost:8000'"
        ) from None
    if parts.username is not None or parts.password is not None:
        # The URL is not repeated, because it holds a secret.
        raise RegistryError(
            "the server's URL carries a user or password; "
            "give the bare URL and pass the token apart from it"
        )
    if parts.scheme not in ("http", "https") or not host:
        raise RegistryError(
            f"{url[:200]!r} is not a server's URL; it must start with http:// or https://, "
            "for example 'http://localhost:8000'"
        )
    if parts.query or parts.fragment:
        raise RegistryError(
            "the server's URL carries a query or fragment; give the bare URL "
            "and pass the token apart from it"
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def check_token(token: object) -> str:
    """Return a token; raise `RegistryError`, without the token, where none can look like that."""
    if not isinstance(token, str):
        raise RegistryError(f"a token must be text, not {type(token).__name__}")
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise RegistryError(
            "the token is empty or holds blanks or characters that no token has; "
            "copy the one that the server printed when it first started"
        )
    return token


def current_login() -> Login | None:
    """Return the server that the verbs act on; None stands for the local registry."""
    url = os.environ.get("SCLBL_URL")
    return stored_login() if not url else login_for(url)


def login_for(url: str) -> Login:
    """Return a server with the token known for it, if there is one.

    The token is ``SCLBL_TOKEN`` where ``SCLBL_URL`` is this server, else the stored one where the
    stored login is for this server: a token is never shown to another server.
    """
    checked = check_url(url)
    token = os.environ.get("SCLBL_TOKEN")
    named = os.environ.get("SCLBL_URL")
    if token and named and check_url(named) == checked:
        return Login(checked, check_token(token))
    stored = stored_login()
    return stored if stored is not None and stored.url == checked else Login(checked)


def stored_login() -> Login | None:
    """Return the login that `store_login` kept, if any.

    Raises
    ------
    RegistryError
        The file is damaged or cannot be read.
    """
    path = home() / CREDENTIALS
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Login(check_url(data["url"]), check_token(data["token"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RegistryError) as error:
        # The file's content stays out of the message.
        raise RegistryError(
            verbs.say(
                f"the stored login {path} cannot be read ({type(error).__name__}); run ",
                verbs.logout(),
                ", then ",
                verbs.login(),
                " again",
            )
        ) from None


def store_login(login: Login) -> Path:
    """Keep a login in a file that only its owner can read, and return where."""
    folder = home()
    path = folder / CREDENTIALS
    text = json.dumps({"url": login.url, "token": login.token})
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with whole_file(path, private=True) as part:
            part.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RegistryError(
            f"the login could not be stored in {path}: {error.strerror or error}; "
            "set SCLBL_HOME to a directory that you can write to"
        ) from None
    return path


def forget_login() -> bool:
    """Remove the stored login; return whether there was one."""
    try:
        (home() / CREDENTIALS).unlink()
    except FileNotFoundError:
        return False
    return True


def use_threads(count: int | None) -> None:
    """Set how many threads the predictions of this process use at most, all calls together.

    Parameters
    ----------
    count : int or None
        1 keeps each call in the thread that makes it. None goes back to ``SCLBL_THREADS``, else to
        the number of processors that this process may run on.

    Raises
    ------
    LimitError
        It is no such number.
    """
    global _threads
    if count is not None and (type(count) is not int or not 0 < count <= MOST_THREADS):
        raise LimitError(
            f"{count!r:.40} is no number of threads; give a whole number from 1 to {MOST_THREADS}, "
            "or None for all processors"
        )
    _threads = count


def threads() -> int:
    """Return how many threads the predictions of this process use at most.

    Raises
    ------
    LimitError
        ``SCLBL_THREADS`` is no number of threads.
    """
    if _threads is not None:
        return _threads
    given = os.environ.get("SCLBL_THREADS")
    if given is None:
        return _processors()
    # int() reads more than digits, and would take minutes for a million of them.
    if not (given.isascii() and given.isdigit() and len(given) < 9) or not (
        0 < int(given) <= MOST_THREADS
    ):
        raise LimitError(
            f"SCLBL_THREADS is {given[:40]!r}, which is no number of threads from 1 to "
            f"{MOST_THREADS}; correct it, or remove it from the environment"
        )
    return int(given)


def _processors() -> int:
    """Return how many processors this process may run on, where the system tells."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed is not None else os.cpu_count() or 1
