"""A small server of files, for pages that tests make up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sclbl.web import bundle

TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css",
    "wasm": "application/wasm",
    "json": "application/json",
}


@dataclass
class Reply:
    """What is answered to a request for a path."""

    content: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Hosted:
    """A server that runs: where, what it answers, and what it was asked."""

    port: int
    replies: dict[str, Reply | bytes | str | Callable[[Mapping[str, str]], Reply]]
    #: The method, the path and the headers (in small letters) of each request.
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it runs, in a secure context (this machine's own address)."""
        return f"http://127.0.0.1:{self.port}"

    def paths(self) -> list[str]:
        """Return the paths that were asked for."""
        return [path for _, path, _ in self.asked]


@contextmanager
def hosting(**replies: bytes | str) -> Iterator[Hosted]:
    """Serve an empty page (``/``), the loader (``/sclbl.js``), and what `replies` is given."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            headers = {name.lower(): value for name, value in self.headers.items()}
            hosted.asked.append((self.command, path, headers))
            self.rfile.read(int(headers.get("content-length", 0)))
            reply = hosted.replies.get(path, Reply(b"not here", 404))
            if callable(reply):
                reply = reply(headers)
            if not isinstance(reply, Reply):
                reply = Reply(reply.encode() if isinstance(reply, str) else reply)
            kind = TYPES.get(path.rpartition(".")[2], TYPES["html"])
            head = {"content-type": kind, "cache-control": "no-store", **reply.headers}
            self.send_response(reply.status)
            for name, value in head.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(reply.content)))
            # Who asked may be gone: a page that is closed, a request that took too long.
            with suppress(ConnectionError):
                self.end_headers()
                self.wfile.write(reply.content)

        do_POST = do_OPTIONS = do_GET

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    page = "<!doctype html><html lang=en><title>page</title>"
    hosted = Hosted(
        server.server_address[1],
        {"/": page, "/sclbl.js": bundle.loader(), "/favicon.ico": "", **replies},
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hosted
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
