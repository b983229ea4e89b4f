"""What letters become: lower case and without accents, as this Python's Unicode has it.

``str.lower`` looks at one character at a time but for the capital sigma, whose small form depends
on the letters around it. Accents go by decomposition (NFKD), whose order among marks does not count
once the marks are gone, so it looks at one character at a time too.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np

from sclbl.strippers.patterns.characters import CODE_POINTS, every_character

SIGMA = "\N{GREEK CAPITAL LETTER SIGMA}"
FINAL_SIGMA = "\N{GREEK SMALL LETTER FINAL SIGMA}"
_SYLLABLES = range(0xAC00, 0xAC00 + 11172)
_BLOCK = 1 << 12
#: Where there are letters with case, marks and tags; no test finds any elsewhere.
_PLANES = (*range(0x20000), *range(0xE0000, 0xE1000))
Accents = Literal["", "ascii", "unicode"]


@dataclass(frozen=True, slots=True)
class Letters:
    """What becomes of characters.

    Parameters
    ----------
    points : int64
        Those that become something else, in order.
    texts : object
        What they become.
    starts, kinds : int64
        Runs of code points and their classes, for the capital sigma: 1 is passed over, 2 is a
        letter that has case.
    """

    points: np.ndarray
    texts: np.ndarray
    starts: np.ndarray
    kinds: np.ndarray

    def attributes(self, lower: bool, accents: Accents) -> dict[str, Any]:
        """Return the attributes of ``sclbl.FoldText``."""
        return {
            "points": self.points,
            "texts": self.texts,
            "sigma": int(lower),
            "starts": self.starts,
            "kinds": self.kinds,
            "drop": int(accents == "ascii"),
            "hangul": int(accents == "unicode"),
        }


def without_accents(text: str) -> str:
    """Return the decomposed text without combining marks."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(c for c in parts if not unicodedata.combining(c))


def ascii_alone(text: str) -> str:
    """Return what of the decomposed text is ASCII."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")


_STRIP: dict[Accents, Callable[[str], str]] = {
    "": str, "ascii": ascii_alone, "unicode": without_accents
}  # fmt: skip


@cache
def letters(lower: bool, accents: Accents) -> Letters:
    """Return what becomes of characters, in lower case or not, without accents or not."""
    strip = _STRIP[accents]
    found: dict[int, str] = {}
    for point in _changing(lower, accents != ""):
        if point in _SYLLABLES:
            continue  # apart by arithmetic, or dropped
        character = chr(point)
        made = strip(character.lower() if lower else character)
        if made != (character if accents != "ascii" or point < 128 else ""):
            found[point] = made
    texts = np.empty(len(found), dtype=object)
    texts[:] = list(found.values())
    points = np.array(list(found), dtype=np.int64)
    if lower:
        # Its small forms are characters that go the same way.
        texts, points = texts[points != ord(SIGMA)], points[points != ord(SIGMA)]
    starts, kinds = _around_sigma() if lower else (np.zeros(1, np.int64), np.zeros(1, np.int64))
    return Letters(points, texts, starts, kinds)


def _changing(lower: bool, decomposed: bool) -> list[int]:
    """Return the characters that change, some others perhaps among them."""
    found: set[int] = set()
    text = every_character()
    for first in range(0, CODE_POINTS, _BLOCK):
        block = text[first : first + _BLOCK]
        if lower and block.lower() != block:
            found.update(first + i for i, c in enumerate(block) if c.lower() != c)
        if decomposed and (unicodedata.normalize("NFKD", block) != block or _has_marks(block)):
            found.update(
                first + i
                for i, c in enumerate(block)
                if unicodedata.decomposition(c) or unicodedata.combining(c)
            )
    return sorted(found)


def _has_marks(block: str) -> bool:
    return any(map(unicodedata.combining, block))


@cache
def _around_sigma() -> tuple[np.ndarray, np.ndarray]:
    """Return runs of characters and what they are to a sigma near them, as `str.lower` shows it.

    A sigma at the end of a word becomes another letter: behind a letter that has case, with what is
    passed over between them.
    """
    points = np.array(_PLANES, dtype="<u4")
    # "İ" becomes two characters, which would move all others.
    points[0x130] = ord("I")
    blanks, sigmas = np.full_like(points, ord(" ")), np.full_like(points, ord(SIGMA))
    behind = _finals(np.stack([points, sigmas, blanks], axis=1))
    behind_a = _finals(np.stack([np.full_like(points, ord("A")), points, sigmas, blanks], axis=1))
    every = np.zeros(CODE_POINTS, dtype=np.int64)
    every[list(_PLANES)] = np.where(behind, 2, np.where(behind_a, 1, 0))
    starts = np.flatnonzero(np.diff(every, prepend=-1))
    return starts.astype(np.int64), every[starts]


def _finals(rows: np.ndarray) -> np.ndarray:
    """Return in which rows the sigma before the last character is final, in lower case."""
    text = rows.tobytes().decode("utf-32-le", "surrogatepass").lower()
    made = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    return np.asarray(made.reshape(rows.shape)[:, -2] == ord(FINAL_SIGMA))
