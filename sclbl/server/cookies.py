"""The token in a cookie, for the pages of a private server.

Scripts cannot read the cookie and other sites cannot send it. A request that brings it must come
from a page of this server, which browsers say themselves: another port of this machine is the same
site, and its pages could otherwise ask in the name of whoever looks at them.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from sclbl.errors import AuthenticationError

#: The forms of a token that a cookie holds as it is.
_TOKEN = re.compile(r"[A-Za-z0-9_.~+/=-]{1,200}")


def _name(request: Request) -> str:
    """Return the cookie's name: browsers share cookies between the ports of a host."""
    _, colon, port = request.headers.get("host", "").rpartition(":")
    return f"sclbl-{port}" if colon and port.isdigit() else "sclbl"


def token_of(request: Request) -> str | None:
    """Return the token in a request's cookie; None where there is none.

    Raises
    ------
    AuthenticationError
        There is one, and the request comes from a page of somebody else.
    """
    token = request.cookies.get(_name(request))
    if token is not None:
        refuse_foreign(request)
    return token


def refuse_foreign(request: Request) -> None:
    """Raise `AuthenticationError` where a request comes from a page of another origin."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    reads = request.method in ("GET", "HEAD")
    if site is not None:
        # A link on another site leads here too; it is followed, by a person, without the cookie.
        own = site == "same-origin" or (site == "none" and reads)
        own = own or (reads and request.headers.get("sec-fetch-mode") == "navigate")
    elif origin is not None:
        own = urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()
    else:
        own = reads
    if not own:
        raise AuthenticationError(
            "the request comes from a page of another origin, where the cookie of this server "
            "counts for nothing; send the header `Authorization: Bearer TOKEN`"
        )


def keep(request: Request, response: Response, token: str) -> None:
    """Let the browser keep a token that was found right."""
    if not _TOKEN.fullmatch(token):
        raise AuthenticationError("the token has characters that a cookie cannot hold")
    response.set_cookie(
        _name(request),
        token,
        path="/",
        httponly=True,
        samesite="strict",
        secure=_is_secure(request),
    )


def forget(request: Request, response: Response) -> None:
    """Let the browser forget its token."""
    response.delete_cookie(
        _name(request), path="/", httponly=True, samesite="strict", secure=_is_secure(request)
    )


def _is_secure(request: Request) -> bool:
    """Return whether the browser speaks TLS, to this server or to a proxy in front of it."""
    origin = request.headers.get("origin", "")
    return request.url.scheme == "https" or origin.lower().startswith("https://")
