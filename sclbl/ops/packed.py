"""Tables in as few bits as their entries need, as ``kernels/packed.h`` reads them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sclbl.ops.record import Array, Emitter

#: Most bits of an entry: with the place inside its first byte it lies in four bytes.
MOST_BITS = 25
CODE_POINTS = 0x110000


def bits_of(most: int) -> int:
    """Return how many bits hold numbers up to `most`."""
    return max(int(most).bit_length(), 1)


def pack(values: Array, bits: int) -> Array:
    """Return numbers in so many bits each, the lowest first, with room to read four bytes at the
    last one."""
    one_by_one = np.asarray(values, dtype=np.uint32)[:, None] >> np.arange(bits, dtype=np.uint32)
    packed = np.packbits((one_by_one & 1).astype(np.uint8), bitorder="little")
    return np.concatenate([packed, np.zeros(4, dtype=np.uint8)])


@dataclass(frozen=True, slots=True)
class TwoLevel:
    """Small numbers for all code points: an index of blocks, of which equal ones are stored once.

    Parameters
    ----------
    index, blocks : uint8
        Packed.
    index_bits, bits, shift : int
        Bits of an entry of each, and of a place in a block.
    top, rest : int
        From which code point on each has the number `rest`.
    """

    index: Array
    blocks: Array
    index_bits: int
    bits: int
    shift: int
    top: int
    rest: int

    def arguments(self, e: Emitter) -> tuple[str, ...]:
        """Return the table as arguments of a kernel."""
        numbers = (self.index_bits, self.bits, self.shift, self.top, self.rest)
        places = (e.weight(self.index, 1), e.weight(self.blocks, 1))
        return (*places, *(f"i32 {n}" for n in numbers))


def two_level(values: Array) -> TwoLevel:
    """Return the smallest table of numbers ``[CODE_POINTS]``, each below 65536."""
    return _smallest(values.astype(np.uint16).tobytes())


@lru_cache(maxsize=8)
def _smallest(numbers: bytes) -> TwoLevel:
    """Return the smallest table; that of the same letters is wanted for one model after another."""
    values = np.frombuffer(numbers, dtype=np.uint16)
    rest = int(values[-1])
    (other,) = np.nonzero(values != rest)
    top = int(other[-1]) + 1 if len(other) else 0
    bits = bits_of(int(values.max()))
    found: TwoLevel | None = None
    for shift in range(5, 9):
        size = 1 << shift
        raw = values[: (-(-top // size) or 1) * size].tobytes()
        kinds: dict[bytes, int] = {}
        step = 2 * size
        index = [
            kinds.setdefault(raw[at : at + step], len(kinds)) for at in range(0, len(raw), step)
        ]
        index_bits = bits_of(len(kinds) - 1)
        bits_in_all = len(index) * index_bits + len(kinds) * size * bits
        if found is None or bits_in_all < 8 * (len(found.index) + len(found.blocks)):
            blocks = np.frombuffer(b"".join(kinds), dtype=np.uint16)
            packed = pack(np.array(index), index_bits), pack(blocks, bits)
            found = TwoLevel(*packed, index_bits, bits, shift, top, rest)
    assert found is not None
    return found


def of_runs(starts: Array, kinds: Array) -> Array:
    """Return the number of each code point, ``[CODE_POINTS]``, of runs that begin at `starts`."""
    return np.repeat(kinds, np.diff([*starts.tolist(), CODE_POINTS]))
