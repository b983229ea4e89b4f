"""HTTP to one server: requests, errors, and which of them are sent again."""

from __future__ import annotations

import ipaddress
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests
import urllib3

from sclbl.errors import (
    AuthenticationError,
    InputError,
    RequestError,
    SclblError,
    ServerUnreachableError,
    by_code,
)
from sclbl.registry import replies
from sclbl.settings import check_token, check_url
from sclbl.verbs import Message

CONNECT_SECONDS = 5.0
READ_SECONDS = 60.0
#: Waits before the second, third and fourth try; each varies by half, so that clients spread out.
WAITS = (0.2, 0.6, 1.8)
MAX_WAIT = 10.0
BUSY = frozenset((502, 503, 504))
#: Characters of a server's message that are passed on.
MAX_MESSAGE = 20_000


class _Error(msgspec.Struct):
    """What an answer says went wrong."""

    code: str
    message: str
    shell: str | None = None
    row: int | None = None
    column: str | None = None
    input: str | None = None


class _Refusal(msgspec.Struct):
    error: _Error


@dataclass(frozen=True)
class Answer:
    """What a server answered.

    Parameters
    ----------
    url : str
        The URL that was asked.
    status : int
        The HTTP status.
    content : bytes
        The body.
    repeated : bool
        Whether an earlier try may have reached the server too.
    location : str or None
        Where a redirection points to.
    """

    url: str
    status: int
    content: bytes
    repeated: bool
    location: str | None = None

    def error(self) -> SclblError | None:
        """Return the error that the server answered with, as the class it had there."""
        if 200 <= self.status < 300:
            return None
        if 300 <= self.status < 400:
            there = _host(self.location)
            return RequestError(
                f"{self.url} redirects to {there!r}, and redirections are not followed, so that "
                "the token stays with the server it is for; log in with the URL of that server"
            )
        try:
            said = msgspec.json.decode(self.content, type=_Refusal).error
            text = said.message[:MAX_MESSAGE]
            cls, message = by_code(said.code), Message(text, (said.shell or text)[:MAX_MESSAGE])
            if issubclass(cls, InputError):
                return cls(message, row=said.row, column=said.column, input=said.input)
            return cls(message)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            if self.status == 401:
                return AuthenticationError(f"{self.url} asks for other credentials (status 401)")
            return RequestError(
                f"{self.url} answered with status {self.status} and no error of sclbl's; "
                "check that this is the URL of an sclbl server"
            )


class Transport:
    """Sends requests to one server, with its token, timeouts and repetition."""

    def __init__(self, url: str, token: str | None, *, allow_http: bool) -> None:
        self.url = check_url(url)
        if token is not None:
            token = check_token(token)
            _refuse_plain(self.url, allow_http)
        self._bearer = _Bearer(token)
        self._session: requests.Session | None = None

    def __repr__(self) -> str:
        return f"<Transport {self.url}>"

    def send(self, method: str, path: str, **request: Any) -> Answer:
        """Send a request and return its answer; takes what `exchange` takes.

        Raises
        ------
        SclblError
            What the server refused it with.
        ServerUnreachableError
            There was no answer.
        """
        answer = self.exchange(method, path, **request)
        error = answer.error()
        if error is not None:
            raise error
        return answer

    def exchange(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        files: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = READ_SECONDS,
        limit: int = replies.JSON_BYTES,
        repeatable: bool = True,
    ) -> Answer:
        """Send a request and return its answer, whatever it is.

        Parameters
        ----------
        method, path : str
            What is asked.
        json, files, headers : optional
            The body and headers.
        timeout : float
            Seconds until the answer begins, and between two parts of it. All of it may take as
            long, and a second more for each `replies.PACE` bytes.
        limit : int
            Bytes that the answer may have.
        repeatable : bool
            Whether the request may arrive twice. One that may not is tried again only where it
            cannot have arrived.

        Raises
        ------
        ServerUnreachableError
            There was no answer, or only ones that the server is busy.
        RequestError
            The answer is too large, or compressed.
        """
        url = self.url + path
        request = {"json": json, "files": files, "headers": headers}
        reached = False
        for wait in (*WAITS, None):
            pause = wait
            within = replies.Allowance(limit, timeout)
            try:
                answer, asked = self._once(method, url, within, reached, request)
                if answer.status not in BUSY or not repeatable or wait is None:
                    return answer
                failure: Exception = requests.ConnectionError(f"status {answer.status}")
                reached = True
                pause = max(wait, asked)
            except requests.ConnectTimeout as error:
                failure = error
            except _BROKEN as error:
                failure = error
                # What passes a limit once does so again.
                if within.broken is not None:
                    reached, failure = True, requests.ConnectionError(within.broken)
                    break
                # A server that just answered may be starting again; one that never did is down.
                if not reached and _refused(error):
                    break
                if not _never_arrived(error):
                    reached = True
                    if not repeatable or isinstance(error, _HOPELESS):
                        break
            if pause is None:
                break
            time.sleep(min(pause, MAX_WAIT) * random.uniform(0.75, 1.25))  # spreads clients out
        raise self._unreachable(failure, reached and not repeatable) from None

    def _once(
        self,
        method: str,
        url: str,
        within: replies.Allowance,
        repeated: bool,
        request: Mapping[str, Any],
    ) -> tuple[Answer, float]:
        """Send a request once; return its answer, and how long to wait before the next."""
        before = replies.allowance.set(within)
        try:
            with self._open().request(
                method,
                url,
                timeout=(CONNECT_SECONDS, within.seconds),
                allow_redirects=False,
                stream=True,
                **request,
            ) as response:
                content = replies.body(url, response, within.limit)
                location = response.headers.get("location")
                answer = Answer(url, response.status_code, content, repeated, location)
                return answer, _retry_after(response)
        finally:
            replies.allowance.reset(before)

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _open(self) -> requests.Session:
        if self._session is None:
            session = replies.HttpSession()
            session.headers["Accept-Encoding"] = "identity"
            # Set even without a token: else a .netrc entry would go out as credentials.
            session.auth = self._bearer
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            adapter = replies.Adapter(pool_maxsize=32, max_retries=0)
            session.mount("http://", adapter)
            session.mount("https://", adapter)
            self._session = session
        return self._session

    def _unreachable(self, failure: Exception, unsure: bool) -> ServerUnreachableError:
        text = (
            f"no answer from {self.url} ({_reason(failure)}); check the URL, that `sclbl serve` "
            "runs there, and that no firewall or proxy is in between"
        )
        if unsure:
            text += "; the request may have been carried out, so look before repeating it"
        return ServerUnreachableError(text)


#: What no answer, or half of one, is. What is read from a connection raises urllib3's own errors.
_BROKEN = (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError)
_HOPELESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.SSLError,
    requests.exceptions.ProxyError,
)


class _Bearer(requests.auth.AuthBase):
    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def __repr__(self) -> str:
        return "<a token>" if self._token else "<no token>"


def _refuse_plain(url: str, allow_http: bool) -> None:
    parts = urlsplit(url)
    if parts.scheme == "https" or allow_http or _is_this_machine(parts.hostname or ""):
        return
    raise AuthenticationError(
        f"the token would travel to {url} unencrypted, where others can read it; use https://, "
        "or set SCLBL_ALLOW_HTTP=1 where the network is trusted"
    )


def _is_this_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host(location: str | None) -> str | None:
    """Return the host that a redirection points to, else all of it that is worth showing."""
    short = None if location is None else location[:200]
    try:
        return urlsplit(short or "").netloc or short
    except ValueError:
        return short


def _retry_after(response: requests.Response) -> float:
    text = response.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else 0.0


def _never_arrived(error: Exception) -> bool:
    """Return whether the server cannot have seen the request: no connection was made."""
    cause = error.args[0] if error.args else None
    return type(getattr(cause, "reason", None)).__name__ in (
        "NewConnectionError",
        "NameResolutionError",
        "ConnectTimeoutError",
    )


def _refused(error: Exception) -> bool:
    """Return whether nothing listens there, which waiting for seconds does not change."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ConnectionRefusedError):
            return True
        # urllib3 keeps the error of the connection as the reason of its own.
        cause = getattr(cause, "reason", None) or _first(cause.args) or cause.__cause__
    return False


def _first(args: tuple[object, ...]) -> BaseException | None:
    return args[0] if args and isinstance(args[0], BaseException) else None


def _reason(failure: Exception) -> str:
    """Return why there was no answer, in a few words and without headers or objects."""
    cause = failure.args[0] if failure.args else failure
    reason = getattr(cause, "reason", None) or cause
    text = str(reason).rpartition(": ")[2] or type(failure).__name__
    return f"{type(failure).__name__}: {text[:200]}"
