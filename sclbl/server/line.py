"""The wire of one connection: closing so that the last answer is read, and readers who do not read.

A connection that is closed while the client still sends is reset by the kernel, and the client
loses the answer that it had not read. So the sending half is closed first, and what still comes
is thrown away for a moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import Any

#: How long, and how many bytes, a closed connection goes on taking in what its client still sends.
LINGER_SECONDS = 5.0
LINGER_BYTES = 64 * 1024 * 1024
#: Bytes a second that a client has to read at least, after a grace of `Settings.write_seconds`.
READ_RATE = 64 * 1024


class Line:
    """A transport that closes gently; what it does not define is the transport's own.

    Parameters
    ----------
    transport : asyncio.Transport
        The socket.
    loop : asyncio.AbstractEventLoop
        The loop that it belongs to.
    seconds : float
        How long the client may leave an answer unread.
    """

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, seconds: float
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._seconds = seconds
        self._closing = False
        self._timer: asyncio.TimerHandle | None = None
        self._discarded = 0
        #: Whether the client has sent its request to the end.
        self.request_ended = True
        self._gone = False
        self.write = transport.write
        self.is_reading = transport.is_reading
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading
        self.get_extra_info = transport.get_extra_info

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Return whether the connection is closed or about to be."""
        return self._closing or self._transport.is_closing()

    def is_gone(self) -> bool:
        """Return whether nothing can be sent any more."""
        return self._gone or self._transport.is_closing()

    def close(self) -> None:
        """Send what is to be sent, and end the connection."""
        if self._closing:
            return
        self._closing = True
        if self._transport.is_closing():
            return
        unsent = self._transport.get_write_buffer_size()
        if self.request_ended:
            self._transport.close()
            if unsent:
                self._abort_in(self._seconds + unsent / READ_RATE)
            return
        if self._transport.can_write_eof():
            self._transport.write_eof()
        if not self._transport.is_reading():
            self._transport.resume_reading()
        self._abort_in(LINGER_SECONDS + (self._seconds + unsent / READ_RATE if unsent else 0))

    def discard(self, size: int) -> bool:
        """Take note of bytes that came; return whether they are to be thrown away."""
        if not self._closing:
            return False
        self._discarded += size
        if self._discarded > LINGER_BYTES:
            self.abort()
        return True

    def watch_writing(self) -> None:
        """Give the client some time to read what waits for it; then give the client up."""
        unsent = self._transport.get_write_buffer_size()
        self._abort_in(self._seconds + unsent / READ_RATE)

    def stop_watching(self) -> None:
        """The client has read."""
        if self._timer is not None and not self._closing:
            self._timer.cancel()
            self._timer = None

    def gone(self) -> None:
        """The connection has ended."""
        self._gone = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _abort_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self.abort)

    def abort(self) -> None:
        """End the connection at once, and what the kernel still holds for it."""
        held = self._transport.get_extra_info("socket")
        if held is not None:
            with contextlib.suppress(OSError):
                held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()
