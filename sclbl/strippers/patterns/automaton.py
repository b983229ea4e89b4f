"""From instructions to one deterministic automaton that finds what ``pattern.findall`` finds.

A state is the list of threads, the preferred first, together with what was looked at before the
place. Which thread goes on where is known when the automaton is made; where its match began and
where its group lies is known when it runs, and moves along with it (`Automaton.moves`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from sclbl.strippers.patterns.characters import CharacterSet, Edges, classes_of, opcodes
from sclbl.strippers.patterns.instructions import (
    ASCII_WORD,
    AT,
    EDGE,
    JUMP,
    MATCH,
    NEWLINE,
    SAVE,
    SPLIT,
    TAKE,
    WORD,
    Instructions,
    is_at,
    read_pattern,
)

#: Most entries of the table of states and classes, and most threads side by side.
MOST_ENTRIES, MOST_THREADS = 32768, 64
#: A thread that begins at this place.
FRESH = -1


@dataclass(frozen=True, slots=True)
class Automaton:
    """An automaton that reads a text class by class; the class behind all others is its end.

    Parameters
    ----------
    starts, kinds : int64 ``[runs]``
        Where runs of code points begin, and the class of each run.
    begins : int64 ``[classes + 1, 2]``
        The state to begin with, by the class before the place (the last: none) and by whether a
        match that is empty there does not count.
    next, moves : int64 ``[states, classes + 1]``
        The state that follows (0: nothing more can be found), and which list of moves is made.
    lists : int64
        Where each list of moves begins in what follows; then the lists. A list is: a thread and
        what it notes, where a match is found here (else -2 and 0); how many threads go on; for
        each its number before (-1: it begins here) and what it notes. Notes are bits: 1 and 2,
        where the group begins and ends.
    group : int
        Whether a match is what its group holds.
    threads : int
        The most threads of a state.
    """

    starts: np.ndarray
    kinds: np.ndarray
    begins: np.ndarray
    next: np.ndarray
    moves: np.ndarray
    lists: np.ndarray
    group: int
    threads: int


#: The threads, whether a match was found, what stands before the place, and whether an empty match
#: does not count.
State = tuple[tuple[int, ...], bool, int, bool]
Moves = tuple[tuple[int, int], tuple[tuple[int, int], ...]]
_NOTHING = (-2, 0)
_DEAD: State = ((), True, 0, False)


@cache
def compile_pattern(pattern: str) -> Automaton:
    """Return the automaton of a pattern.

    Raises
    ------
    UnsupportedModelError
        Where the pattern holds what no automaton follows exactly, or needs too large a one.
    """
    return _Maker(read_pattern(pattern)).make()


class _Maker:
    def __init__(self, program: Instructions) -> None:
        self.program = program
        looked_at = {bit: edges for bit, edges in _looked_at().items() if program.looks_at & bit}
        sets = [s.edges for s in program.sets]
        self.starts, self.kinds, members = classes_of([*sets, *looked_at.values()])
        self.members = [inside[: len(sets)] for inside in members]
        self.bits = [
            sum(b for b, yes in zip(looked_at, inside[len(sets) :], strict=True) if yes)
            for inside in members
        ]
        self.end = len(members)
        self.edge = program.looks_at & EDGE
        self.states: dict[State, int] = {_DEAD: 0}
        self.waiting: list[State] = []
        self.lists: dict[Moves, int] = {(_NOTHING, ()): 0}
        self.threads = 1

    def make(self) -> Automaton:
        before = [*self.bits, self.edge]
        begins = [[self.number(((), False, b, first)) for first in (False, True)] for b in before]
        width = self.end + 1
        following: dict[int, list[int]] = {0: [0] * width}
        moves: dict[int, list[int]] = {0: [0] * width}
        while self.waiting:
            state = self.waiting.pop()
            steps = [self.step(state, kind) for kind in range(width)]
            number = self.states[state]
            following[number] = [s for s, _ in steps]
            moves[number] = [m for _, m in steps]
        flat: list[int] = []
        places = []
        for (found, threads), _ in sorted(self.lists.items(), key=lambda item: item[1]):
            places.append(len(self.lists) + len(flat))
            flat += [*found, len(threads), *(v for pair in threads for v in pair)]
        order = range(len(self.states))
        return Automaton(
            self.starts,
            self.kinds,
            np.array(begins, dtype=np.int64),
            np.array([following[i] for i in order], dtype=np.int64),
            np.array([moves[i] for i in order], dtype=np.int64),
            np.array([*places, *flat], dtype=np.int64),
            int(self.program.group),
            self.threads,
        )

    def number(self, state: State) -> int:
        """Return a state's number, the dead one's where nothing can follow."""
        if not state[0] and state[1]:
            return 0
        if state not in self.states:
            self.states[state] = len(self.states)
            self.waiting.append(state)
            self.threads = max(self.threads, len(state[0]))
            entries = len(self.states) * (self.end + 1)
            if entries > MOST_ENTRIES or len(state[0]) > MOST_THREADS:
                raise self.program.refusal("needs too large an automaton")
        return self.states[state]

    def step(self, state: State, kind: int) -> tuple[int, int]:
        """Return the state behind a character of a class, and the moves on the way."""
        threads, matched, before, first = state
        ends = kind == self.end
        behind = self.edge if ends else self.bits[kind]
        at = list(enumerate(threads))
        if not matched:
            at.append((FRESH, 0))
        found = _NOTHING
        ongoing: list[tuple[int, int, int]] = []
        seen: set[int] = set()
        for source, place, notes in self.reached(at, before, behind, seen):
            instruction = self.program.code[place]
            if instruction[0] == MATCH:
                if first and source == FRESH:
                    continue
                found = (source, notes)
                break  # what is preferred less does not count any more
            if not ends and self.members[kind][instruction[1]]:
                ongoing.append((place + 1, source, notes))
        matched = matched or found != _NOTHING
        following: State = (tuple(p for p, _, _ in ongoing), matched, behind, False)
        number = 0 if ends else self.number(following)
        carried = tuple((source, notes) for _, source, notes in ongoing) if number else ()
        if carried == tuple((i, 0) for i in range(len(carried))):
            carried = ()  # each stays where it is
        moves = (found, carried)
        return number, self.lists.setdefault(moves, len(self.lists))

    def reached(
        self, threads: list[tuple[int, int]], before: int, behind: int, seen: set[int]
    ) -> Iterator[tuple[int, int, int]]:
        """Yield what threads come to without a character: ends, and sets of characters."""
        for source, first in threads:
            waiting = [(first, 0)]
            while waiting:
                place, notes = waiting.pop()
                if place in seen:
                    continue
                seen.add(place)
                instruction = self.program.code[place]
                kind = instruction[0]
                if kind in (TAKE, MATCH):
                    yield source, place, notes
                elif kind == JUMP:
                    waiting.append((instruction[1], notes))
                elif kind == SPLIT:
                    waiting += [(instruction[2], notes), (instruction[1], notes)]
                elif kind == SAVE:
                    waiting.append((place + 1, notes | instruction[1]))
                elif kind == AT and is_at(instruction[1], instruction[2], before, behind):
                    waiting.append((place + 1, notes))


@cache
def _looked_at() -> dict[int, Edges]:
    """Return the characters that places look at, by bit."""
    import re

    word = (opcodes.IN, [(opcodes.CATEGORY, opcodes.CATEGORY_WORD)])
    newline = (opcodes.LITERAL, ord("\n"))
    return {
        WORD: CharacterSet(word, re.UNICODE).edges,
        ASCII_WORD: CharacterSet(word, re.ASCII).edges,
        NEWLINE: CharacterSet(newline, re.UNICODE).edges,
    }
