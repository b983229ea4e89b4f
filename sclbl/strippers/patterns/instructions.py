"""A parsed pattern as instructions of threads that run side by side, the preferred ones first.

What threads cannot follow, or what Python decides by how it backtracks, is refused by its name.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from typing import Any

from sclbl.errors import UnsupportedModelError
from sclbl.strippers.patterns.characters import CharacterSet, opcodes, parser

#: Most instructions of a pattern: counted repeats are written out.
MOST_INSTRUCTIONS = 4000

#: What an instruction is: go on with a character of a set, try one way and then another, go
#: elsewhere, note where a group begins (1) or ends (2), require a place, and the end.
TAKE, SPLIT, JUMP, SAVE, AT, MATCH = range(6)

#: What is looked at about a place: bits of what stands before it and behind it.
WORD, ASCII_WORD, NEWLINE, EDGE = 1, 2, 4, 8

_CHARACTERS = frozenset(("LITERAL", "NOT_LITERAL", "ANY", "IN"))
_REFUSED = {
    "ASSERT": "looks ahead or behind: (?=...), (?<=...)",
    "ASSERT_NOT": "looks ahead or behind: (?!...), (?<!...)",
    "GROUPREF": "refers back to a group: \\1, (?P=name)",
    "GROUPREF_EXISTS": "asks whether a group matched: (?(1)...)",
    "ATOMIC_GROUP": "has an atomic group: (?>...)",
    "POSSESSIVE_REPEAT": "has a possessive repeat: *+, ++, ?+",
}


@dataclass
class Instructions:
    """A pattern as instructions.

    Attributes
    ----------
    code : list of tuple
        Each begins with its kind; those of characters with the number of a set.
    sets : list of CharacterSet
        The sets of characters.
    places : dict
        By kind of place, the bits that decide it.
    group : bool
        Whether a match is what its one group holds.
    """

    pattern: str
    code: list[tuple[Any, ...]] = field(default_factory=list)
    sets: list[CharacterSet] = field(default_factory=list)
    group: bool = False
    looks_at: int = 0
    _known: dict[tuple[str, int], int] = field(default_factory=dict)

    def add(self, *instruction: Any) -> int:
        """Add an instruction and return where it stands."""
        if len(self.code) >= MOST_INSTRUCTIONS:
            raise self.refusal("is too long, its repeats written out")
        self.code.append(instruction)
        return len(self.code) - 1

    def refusal(self, why: str) -> UnsupportedModelError:
        """Return the error for what cannot be written."""
        return UnsupportedModelError(
            f"the token_pattern {self.pattern!r} {why}, which a program cannot follow exactly; "
            "write it without that, and fit the model again"
        )

    def write(self, nodes: Any, flags: int) -> None:
        """Add what a sequence of nodes means."""
        for op, argument in nodes:
            name = str(op)
            if name in _REFUSED:
                raise self.refusal(_REFUSED[name])
            if name in _CHARACTERS:
                self.add(TAKE, self.set_of((op, argument), flags))
            elif name == "AT":
                self.place(str(argument), flags)
            elif name == "SUBPATTERN":
                group, more, less, inner = argument
                if group is not None:
                    self.add(SAVE, 1)
                self.write(inner, _combined(flags, more, less))
                if group is not None:
                    self.add(SAVE, 2)
            elif name == "BRANCH":
                self.branch(argument[1], flags)
            elif name in ("MAX_REPEAT", "MIN_REPEAT"):
                least, most, inner = argument
                self.repeat(least, most, inner, flags, greedy=name == "MAX_REPEAT")
            else:
                raise self.refusal(f"holds {name}")

    def set_of(self, node: Any, flags: int) -> int:
        """Return the number of a set of characters."""
        key = (repr(node), flags)
        if key not in self._known:
            self._known[key] = len(self.sets)
            self.sets.append(CharacterSet(node, flags))
        return self._known[key]

    def branch(self, ways: Any, flags: int) -> None:
        """Try ways one after the other."""
        ends = []
        for way in ways[:-1]:
            split = self.add(SPLIT, 0, 0)
            self.write(way, flags)
            ends.append(self.add(JUMP, 0))
            self.code[split] = (SPLIT, split + 1, len(self.code))
        self.write(ways[-1], flags)
        for end in ends:
            self.code[end] = (JUMP, len(self.code))

    def repeat(self, least: Any, most: Any, inner: Any, flags: int, greedy: bool) -> None:
        """Write the times that must be, then those that may be."""
        if inner.getwidth()[0] == 0 and most > 1:
            raise self.refusal("repeats what may be empty")
        for _ in range(int(least)):
            self.write(inner, flags)

        def split(at: int, to: int) -> None:
            self.code[at] = (SPLIT, at + 1, to) if greedy else (SPLIT, to, at + 1)

        if most is opcodes.MAXREPEAT:
            again = self.add(SPLIT, 0, 0)
            self.write(inner, flags)
            self.add(JUMP, again)
            split(again, len(self.code))
            return
        starts = []
        for _ in range(int(most) - int(least)):
            starts.append(self.add(SPLIT, 0, 0))
            self.write(inner, flags)
        for start in starts:
            split(start, len(self.code))

    def place(self, name: str, flags: int) -> None:
        """Require a place between characters."""
        if name in ("AT_BOUNDARY", "AT_NON_BOUNDARY"):
            bit = ASCII_WORD if flags & re.ASCII else WORD
            self.looks_at |= bit | (EDGE if name == "AT_NON_BOUNDARY" else 0)
            self.add(AT, name, bit)
        elif name == "AT_BEGINNING" and flags & re.MULTILINE:
            self.looks_at |= NEWLINE | EDGE
            self.add(AT, "AT_BEGINNING_LINE", 0)
        elif name in ("AT_BEGINNING", "AT_BEGINNING_STRING"):
            self.looks_at |= EDGE
            self.add(AT, "AT_BEGINNING_STRING", 0)
        elif name == "AT_END_STRING":
            self.looks_at |= EDGE
            self.add(AT, name, 0)
        elif name == "AT_END" and flags & re.MULTILINE:
            self.looks_at |= NEWLINE | EDGE
            self.add(AT, "AT_END_LINE", 0)
        else:
            raise self.refusal("has $, which also stands before a last newline (use \\Z)")


def _combined(flags: int, more: int, less: int) -> int:
    """Return flags inside ``(?ai-s:...)``: of what a word is, there is one notion at a time."""
    if more & parser.TYPE_FLAGS:
        flags &= ~parser.TYPE_FLAGS
    return (flags | more) & ~less


def is_at(name: str, bit: int, before: int, behind: int) -> bool:
    """Return whether a place is where the bits before it and behind it are these."""
    if name == "AT_BOUNDARY":
        return bool((before ^ behind) & bit)
    if name == "AT_NON_BOUNDARY":
        if before & EDGE and behind & EDGE and sys.version_info < (3, 14):
            return False  # so Python has it in an empty text
        return not (before ^ behind) & bit
    if name == "AT_BEGINNING_STRING":
        return bool(before & EDGE)
    if name == "AT_BEGINNING_LINE":
        return bool(before & (EDGE | NEWLINE))
    if name == "AT_END_STRING":
        return bool(behind & EDGE)
    return bool(behind & (EDGE | NEWLINE))


def read_pattern(pattern: str) -> Instructions:
    """Return a pattern as instructions.

    Raises
    ------
    UnsupportedModelError
        Where it holds what cannot be followed exactly.
    """
    parsed = parser.parse(pattern, 0)
    found = Instructions(pattern)
    groups = parsed.state.groups - 1
    if groups > 1:
        raise found.refusal("has more than one group")
    if parsed.state.flags & re.LOCALE:
        raise found.refusal("depends on the locale")
    found.group = groups == 1
    found.write(parsed, parsed.state.flags)
    found.add(MATCH)
    return found
