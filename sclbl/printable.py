"""Text of others (names, docs, messages of files and servers) as a terminal may show it."""

from __future__ import annotations

import re

# Control characters but tab and newline (C0, DEL, C1), and what reorders or breaks lines unseen:
# bidirectional embeddings, overrides, isolates and marks, line and paragraph separators.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    """Return text with what a terminal would obey written as an escape: ``\\u001b`` for ESC.

    The escapes are JSON's, so that JSON stays what it was.
    """
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
