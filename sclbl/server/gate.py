"""Who may do what: the one place that is asked before a request is answered, by whichever way.

The short cut for predictions asks `admits` and `admits_token`, everything else asks `check_host`
and `check`. A rule that is added here holds on both ways.
"""

from __future__ import annotations

from collections.abc import Sequence

from sclbl.errors import AuthenticationError, HostError, RequestError
from sclbl.server.auth import Guard
from sclbl.server.limits import Settings


class Gate:
    """Lets requests pass or refuses them.

    Parameters
    ----------
    guard : Guard
        Checks tokens.
    settings : Settings
        The hosts that requests may be for.
    """

    def __init__(self, guard: Guard, settings: Settings) -> None:
        self._guard = guard
        self._hosts = frozenset(host.lower() for host in settings.hosts)

    def check_host(self, host: str | None) -> None:
        """Let a request for a host pass; raise `HostError` where it is for another server."""
        if self._hosts and _bare(host or "") not in self._hosts:
            raise HostError(
                f"this server does not answer for the host {(host or '')[:80]!r}; it answers for "
                f"{', '.join(sorted(self._hosts))} (`sclbl serve --allow-host NAME` adds one)"
            )

    def check(
        self, authorizations: Sequence[str], *, write: bool, cookie: str | None = None
    ) -> None:
        """Let a request with these Authorization headers pass, or raise.

        The token in a cookie, which browsers send by themselves, lets its holder read where reads
        need one. It never lets anyone change anything.

        Raises
        ------
        RequestError
            There is more than one.
        AuthenticationError
            The token is missing or wrong.
        """
        if len(authorizations) > 1:
            raise RequestError("the request has more than one header authorization; send one")
        given = authorizations[0] if authorizations else None
        if given is None and cookie is not None and self._guard.private and not write:
            given = f"Bearer {cookie}"
        self._guard.check(given, write=write)

    def admits(self, host: str | None, authorizations: Sequence[str]) -> bool:
        """Return whether a prediction for a host, with these headers, may take the short cut."""
        return len(authorizations) <= 1 and (not self._hosts or _bare(host or "") in self._hosts)

    def admits_token(self, authorization: str | None) -> bool:
        """Return whether a prediction with this header may be answered now."""
        if authorization is None and not self._guard.private:
            return True
        try:
            self._guard.check(authorization, write=False)
        except AuthenticationError:
            return False
        return True


def _bare(host: str) -> str:
    """Return a Host header without its port, as names compare."""
    name, colon, port = host.strip().lower().rpartition(":")
    if colon and port.isdigit():
        host = name
    return host.strip().lower().rstrip(".")
