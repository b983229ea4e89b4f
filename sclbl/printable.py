"""Text of others (names, docs, messages of files and servers) as a terminal may show it."""

from __future__ import annotations

import re

# Control characters but tab and newline (C0, DEL, C1), and what reorders or breaks lines unseen:
# bidirectional embeddings, overrides, isolates and marks, line and paragraph separators.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


#: Characters of a message beyond which its middle is left out, and what stays of its end.
MOST, END = 4000, 1000


def cut(message: str) -> str:
    """Return a message without its middle where it is too long to be read: names of columns may
    have a million characters, and what to do stands at its end."""
    if len(message) <= MOST:
        return message
    left = len(message) - MOST
    return f"{message[: MOST - END]} [{left:,} characters left out] {message[-END:]}"


def printable(text: str) -> str:
    """Return text with what a terminal would obey written as an escape: ``\\u001b`` for ESC.

    The escapes are JSON's, so that JSON stays what it was.
    """
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
