"""The bearer token: made once, shown once, kept as a hash."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from pathlib import Path

from sclbl.errors import AuthenticationError, CorruptedError
from sclbl.whole_file import whole_file

log = logging.getLogger("sclbl.server")

PREFIX = "sclbl_"


def _digest(token: str) -> str:
    # The token is 256 random bits, so a plain hash cannot be searched; no salt, no stretching.
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def fingerprint(digest: str) -> str:
    """Return what a log calls a token: enough to tell tokens apart, nothing to find one by."""
    return digest[:8]


class Guard:
    """Checks bearer tokens against a stored hash.

    Parameters
    ----------
    digest : str
        SHA-256 (hex) of the token.
    private : bool
        Whether reads need the token too.
    path : Path, optional
        The file that `digest` was read from; `renew` reads it again.
    """

    def __init__(self, digest: str, *, private: bool = False, path: Path | None = None) -> None:
        self._digest = digest
        self._path = path
        self._seen = _mark(path)
        self.private = private

    @property
    def fingerprint(self) -> str:
        """What a log calls the right token."""
        return fingerprint(self._digest)

    def check(self, authorization: str | None, *, write: bool) -> None:
        """Let a request pass, or raise.

        A wrong token is refused even where none is needed, so that a client learns of it.

        Parameters
        ----------
        authorization : str or None
            The request's Authorization header.
        write : bool
            Whether the request changes the registry.

        Raises
        ------
        AuthenticationError
            The token is missing or wrong.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() == "bearer":
            digest = _digest(token.strip())
            # Without a hash no token is right.
            if self._digest and hmac.compare_digest(digest, self._digest):
                return
            raise AuthenticationError(
                "the token is wrong; log in with the token that the server printed when it first "
                "started, or make a new one with `sclbl serve --new-token`",
                fingerprint=fingerprint(digest),
            )
        if write or self.private:
            raise AuthenticationError(
                "this needs a token and none was sent; log in with `sclbl login URL`, or send the "
                "header `Authorization: Bearer TOKEN`"
            )

    def renew(self) -> None:
        """Read the file again where it is another one than before.

        Where it is gone or damaged, no token is right any longer.
        """
        if self._path is None or (mark := _mark(self._path)) == self._seen:
            return
        try:
            digest = stored_digest(self._path) or ""
        except CorruptedError as error:
            log.error("%s", error)
            digest = ""
        if digest != self._digest:
            log.warning(
                "the token changed: %s is right from now on",
                f"the one with the fingerprint {fingerprint(digest)}" if digest else "none",
            )
        self._digest, self._seen = digest, mark

    def __repr__(self) -> str:
        return f"<Guard private={self.private}>"


def _mark(path: Path | None) -> tuple[int, int, int] | None:
    """Return what is another after each change of a file; None where there is none."""
    try:
        found = None if path is None else path.stat()
    except OSError:
        return None
    return None if found is None else (found.st_mtime_ns, found.st_ino, found.st_size)


def new_token(path: Path) -> str:
    """Make a token, store its hash in `path` (mode 0600) and return the token.

    A token made before is valid no longer.
    """
    token = PREFIX + secrets.token_urlsafe(32)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with whole_file(path, private=True, sync=True) as part:
        part.write_text(_digest(token) + "\n", encoding="ascii")
    return token


def stored_digest(path: Path) -> str | None:
    """Return the stored hash; None where no token was made yet.

    Raises
    ------
    CorruptedError
        The file holds something else.
    """
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return None
    if len(text) != 64 or set(text) - set("0123456789abcdef"):
        raise CorruptedError(
            f"{path} does not hold the hash of a token; "
            "make a new token with `sclbl serve --new-token`"
        )
    return text
