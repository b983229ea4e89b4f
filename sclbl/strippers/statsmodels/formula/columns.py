"""Columns of a design matrix while it is made: pieces of wires, multiplied and put side by side."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from sclbl.strippers import ops
from sclbl.strippers.columns import Table
from sclbl.strippers.wire import Wire


@dataclass(frozen=True, slots=True)
class Block:
    """Some columns of a wire."""

    wire: Wire
    places: tuple[int, ...]

    @classmethod
    def of(cls, wire: Wire) -> Block:
        """Return all columns of a wire."""
        two = replace(wire, ndim=2)
        return cls(two, tuple(range(two.width)))

    @property
    def width(self) -> int:
        return len(self.places)

    def select(self, places: Sequence[int]) -> Block:
        """Return some of these columns."""
        return Block(self.wire, tuple(self.places[i] for i in places))

    def columns(self) -> Wire:
        """Return them as a wire of their own, in the type that the source holds them in."""
        return self.wire[:, list(self.places)]


@dataclass(frozen=True, slots=True)
class Constant:
    """A column of the same number in every row."""

    number: float


@dataclass(frozen=True, slots=True)
class Design:
    """The columns of a design matrix, in order."""

    table: Table
    parts: tuple[Block | Constant, ...]

    @property
    def width(self) -> int:
        return sum(p.width if isinstance(p, Block) else 1 for p in self.parts)

    @property
    def is_constant(self) -> bool:
        """Whether every row of it is the same."""
        return not any(isinstance(p, Block) and p.width for p in self.parts)

    def matrix(self) -> Wire:
        """Return all columns: float64 ``[rows, terms]``."""
        numbers = [
            Block.of(ops.constant_column(self.table, p.number)) if isinstance(p, Constant) else p
            for p in self.parts
        ]
        return side_by_side(numbers)

    def product(self, weights: np.ndarray) -> Wire:
        """Return ``matrix @ weights``, float64 ``[rows, outcomes]``, constants added last."""
        own: list[int] = []
        blocks: list[Block] = []
        added = np.zeros(weights.shape[1])
        place = 0
        for part in self.parts:
            if isinstance(part, Constant):
                added = added + part.number * weights[place]
                place += 1
            else:
                blocks.append(part)
                own += range(place, place + part.width)
                place += part.width
        linear: Any = side_by_side(blocks) @ weights[own]
        constant = any(isinstance(p, Constant) for p in self.parts)
        return cast(Wire, linear + added if constant else linear)


def side_by_side(blocks: Iterable[Block]) -> Wire:
    """Return blocks as one wire of float64; columns of one wire that follow are taken at once."""
    joined: list[Block] = []
    for block in blocks:
        if not block.width:
            continue
        if joined and joined[-1].wire.name == block.wire.name:
            joined[-1] = Block(block.wire, joined[-1].places + block.places)
        else:
            joined.append(block)
    return ops.concat([b.columns().astype(np.float64) for b in joined])


def product(blocks: Sequence[Block]) -> Block:
    """Multiply blocks from left to right: each column with each, those of the first one fastest."""
    if len(blocks) == 1:
        return blocks[0]
    counts = [range(b.width) for b in reversed(blocks)]
    places = [place[::-1] for place in itertools.product(*counts)]
    made: Any = None
    for i, block in enumerate(blocks):
        # A single column meets several as it is.
        one = block if block.width == 1 else block.select([place[i] for place in places])
        made = one.columns() if made is None else made * one.columns()
    return Block.of(made)


def checked(numeric: Mapping[Any, Wire]) -> dict[Any, Block]:
    """Return the numbers of all factors, refused where they are NaN or infinite."""
    if not numeric:
        return {}
    blocks = {factor: Block.of(wire) for factor, wire in numeric.items()}
    whole = ops.refuse(side_by_side(blocks.values()), nan=True)
    found, place = {}, 0
    for factor, block in blocks.items():
        found[factor] = Block(whole, tuple(range(place, place + block.width)))
        place += block.width
    return found
