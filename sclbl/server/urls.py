"""URLs of predictions, remembered with the ref and method in them."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote

_MOST = 4096
_LONGEST = 1024
_PREFIX = b"/v1/deployments/"
_SUFFIX = b"/predict"


def parse_url(url: bytes) -> tuple[str, str | None] | None:
    """Return the ref and the method of a prediction's URL; None where it is anything else."""
    path, _, query = url.partition(b"?")
    if not (path.startswith(_PREFIX) and path.endswith(_SUFFIX)):
        return None
    try:
        ref = unquote(path[len(_PREFIX) : -len(_SUFFIX)].decode("ascii"))
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, strict_parsing=bool(query))
    except (UnicodeDecodeError, ValueError):
        return None
    if not ref or "/" in ref or len(pairs) > 1 or any(key != "method" for key, _ in pairs):
        return None
    return ref, pairs[0][1] if pairs else None


def remember_url(known: dict[bytes, tuple[str, str | None]], url: bytes) -> None:
    """Let later requests to this URL take the short cut, if it is one of a prediction."""
    if url not in known and len(url) <= _LONGEST and (parsed := parse_url(url)) is not None:
        if len(known) >= _MOST:
            known.clear()
        known[url] = parsed
