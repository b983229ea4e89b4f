"""A server in a thread of this process, where a test needs to reach into it."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sclbl.registry.store import Store
from sclbl.server import process
from sclbl.server.auth import Guard
from sclbl.server.limits import Settings

TOKEN = "sclbl_token-of-the-tests"


@contextmanager
def serving(
    registry: Store, settings: Settings | None = None, *, private: bool = False
) -> Iterator[tuple[str, str]]:
    """Serve a registry and yield the URL and the token."""
    private = private or (settings is not None and settings.private)
    guard = Guard(hashlib.sha256(TOKEN.encode()).hexdigest(), private=private)
    bound = process.listen("127.0.0.1", 0)
    server = process.server(registry, guard, settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.005)
        yield process.address(bound), TOKEN
    finally:
        server.should_exit = True
        thread.join()
