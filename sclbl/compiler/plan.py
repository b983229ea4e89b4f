"""Share memory between buffers that are not alive at the same time.

Nodes run in order. A buffer is alive from the node that writes it to the last one that reads it,
both included, so a node never writes over what it reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

ALIGNMENT = 16
#: Orders beyond the first are tried for as many buffers at most: each takes time that grows with
#: the square of their number.
MOST_TRIED = 500


@dataclass(frozen=True, slots=True)
class Step:
    """What a node writes and reads, by name; names that no size is given for are not planned."""

    writes: Sequence[str]
    reads: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Lifetime:
    """A buffer, its bytes, and the first and last step that it is alive at."""

    name: str
    size: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Where buffers begin in the arena, its bytes, and the most bytes that are alive at once."""

    offsets: Mapping[str, int]
    size: int
    alive: int


def lifetimes(
    steps: Sequence[Step],
    sizes: Mapping[str, int],
    aliases: Mapping[str, str] | None = None,
    kept: Iterable[str] = (),
) -> list[Lifetime]:
    """Return when each buffer is alive.

    Parameters
    ----------
    steps : sequence of Step
        The nodes, in the order in which they run. Where only some of them run, as for one of
        several methods, what is alive then is alive here too.
    sizes : mapping of str to int
        Bytes of each buffer.
    aliases : mapping of str to str, optional
        Other names of a buffer, or of another alias: reading one reads the buffer.
    kept : iterable of str
        Names that are read after the last step.

    Returns
    -------
    list of Lifetime
        In the order in which they are written.
    """
    aliases = aliases or {}

    def buffer(name: str) -> str:
        while name in aliases:
            name = aliases[name]
        return name

    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for index, step in enumerate(steps):
        for name in map(buffer, (*step.writes, *step.reads)):
            if name in sizes:
                first.setdefault(name, index)
                last[name] = index
    for name in map(buffer, kept):
        if name in first:
            last[name] = len(steps)
    return [Lifetime(name, sizes[name], at, last[name]) for name, at in first.items()]


def plan(buffers: Sequence[Lifetime], alignment: int = ALIGNMENT) -> Plan:
    """Place buffers in one arena, so that no two that are alive at the same time overlap.

    The largest is placed first, each into the smallest gap that it fits into between those that are
    alive with it. Where that wastes memory, other orders are tried. The same buffers give the same
    plan.

    Parameters
    ----------
    buffers : sequence of Lifetime
        What to place; names differ.
    alignment : int
        Every offset is a multiple of it.
    """
    sizes = np.array([-(-b.size // alignment) * alignment for b in buffers], dtype=np.int64)
    first = np.array([b.first for b in buffers], dtype=np.int64)
    last = np.array([b.last for b in buffers], dtype=np.int64)
    alive = _most_alive(sizes, first, last)
    best = np.zeros(0, dtype=np.int64)
    size = -1
    keys: list[Callable[[int], tuple[int, ...]]] = [
        lambda k: (-sizes[k], first[k], k),
        lambda k: (-sizes[k] * (last[k] - first[k] + 1), k),
        lambda k: (first[k] - last[k], -sizes[k], k),
        lambda k: (first[k], -sizes[k], k),
    ]
    for key in keys:
        order = sorted(range(len(buffers)), key=key)
        offsets = _place(order, sizes, first, last)
        end = int((offsets + sizes).max(initial=0))
        if size < 0 or end < size:
            best, size = offsets, end
        if size == alive or len(buffers) > MOST_TRIED:
            break
    places = {b.name: int(at) for b, at in zip(buffers, best, strict=True)}
    return Plan(places, size, alive)


def _place(
    order: Sequence[int], sizes: np.ndarray, first: np.ndarray, last: np.ndarray
) -> np.ndarray:
    """Return offsets, placing one buffer after the other where it fits best."""
    offsets = np.zeros(len(sizes), dtype=np.int64)
    placed = np.zeros(len(sizes), dtype=bool)
    for k in order:
        beside = np.flatnonzero(placed & (first <= last[k]) & (last >= first[k]))
        starts = offsets[beside]
        by_start = np.argsort(starts, kind="stable")
        starts = starts[by_start]
        ends = np.maximum.accumulate(starts + sizes[beside][by_start])
        # Gaps before each of them; after all of them there is room for anything.
        before = np.concatenate([[0], ends])
        gaps = starts - before[:-1]
        fitting = np.flatnonzero(gaps >= sizes[k])
        at = fitting[np.argmin(gaps[fitting])] if len(fitting) and sizes[k] else len(starts)
        offsets[k] = before[at] if sizes[k] else 0
        placed[k] = sizes[k] > 0
    return offsets


def _most_alive(sizes: np.ndarray, first: np.ndarray, last: np.ndarray) -> int:
    """Return the most bytes that are alive at one step."""
    change = np.zeros(int(last.max(initial=-1)) + 2, dtype=np.int64)
    np.add.at(change, first, sizes)
    np.subtract.at(change, last + 1, sizes)
    return int(np.cumsum(change).max(initial=0))
