"""Sets of characters, as Python's own regular expressions decide them.

A set is asked of `re` itself, for all code points at once, so that flags, categories and the
Unicode version are those of the interpreter that the model was fitted with.
"""

from __future__ import annotations

import importlib
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

CODE_POINTS = 0x110000
#: Python's own parser and compiler of patterns, whose trees are what its matches are made of.
parser: Any = importlib.import_module("re._parser")
compiler: Any = importlib.import_module("re._compiler")
opcodes: Any = importlib.import_module("re._constants")

#: The first code points of runs that are in a set and out of it by turns, beginning outside.
Edges = tuple[int, ...]


@cache
def every_character() -> str:
    """Return all code points in order, surrogates too."""
    return np.arange(CODE_POINTS, dtype="<u4").tobytes().decode("utf-32-le", "surrogatepass")


class CharacterSet:
    """What one node of a parsed pattern matches: a single character.

    Parameters
    ----------
    node : tuple
        Of Python's parser: an opcode and its argument.
    flags : int
        Those in force where it stands.
    """

    def __init__(self, node: Any, flags: int) -> None:
        self.key = (repr(node), flags)
        self.edges = _edges(self.key[0], _Node(node), flags)


class _Node:
    """A node as an argument of a cached function, which knows it by its text."""

    def __init__(self, node: Any) -> None:
        self.node = node

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Node)

    def __hash__(self) -> int:
        return 0


@cache
def _edges(text: str, node: _Node, flags: int) -> Edges:
    """Return where runs of matching characters begin and end."""
    state = parser.State()
    state.flags = flags
    once = parser.SubPattern(state, [node.node])
    run = (opcodes.MAX_REPEAT, (1, opcodes.MAXREPEAT, once))
    pattern = compiler.compile(parser.SubPattern(state, [run]), flags)
    return tuple(e for match in pattern.finditer(every_character()) for e in match.span())


def holds(edges: Edges, point: int) -> bool:
    """Return whether a code point is in a set."""
    return bisect_right(edges, point) % 2 == 1


def classes_of(sets: Sequence[Edges]) -> tuple[np.ndarray, np.ndarray, list[tuple[bool, ...]]]:
    """Divide all code points into classes that no set divides further.

    Returns
    -------
    starts : int64 ``[runs]``
        The first code point of each run.
    kinds : int64 ``[runs]``
        The class of its code points.
    members : list of tuple
        By class, whether it is in each set.
    """
    starts = sorted({0, *(e for edges in sets for e in edges if e < CODE_POINTS)})
    known: dict[tuple[bool, ...], int] = {}
    kinds = [
        known.setdefault(tuple(holds(edges, start) for edges in sets), len(known))
        for start in starts
    ]
    kept = [i for i in range(len(kinds)) if i == 0 or kinds[i] != kinds[i - 1]]
    members = list(known)
    return (
        np.array([starts[i] for i in kept], dtype=np.int64),
        np.array([kinds[i] for i in kept], dtype=np.int64),
        members,
    )
