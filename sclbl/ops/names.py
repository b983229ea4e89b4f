"""Texts that are looked up, in few bytes: ``kernels/names.h`` finds them.

The texts lie in order, each as what it shares with the one before and what follows, in blocks that
begin with a whole one. A table of their hashes holds, in as few bits as there are texts, which text
it is, and a few bits of the hash, so that another text is hardly ever compared.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sclbl.ops.packed import MOST_BITS, bits_of, pack
from sclbl.ops.record import Array, Emitter

#: Texts of a block, and the part of the table's places that hold one.
BLOCK, FULL = 8, 0.8
#: Most bits of a hash beside the text's number.
MARK_BITS = 5
#: Most bytes of a name that is looked up.
MOST_NAME = 1 << 16
#: Texts whose hashes are made at once, and so few that each of them is hashed by itself.
_AT_ONCE, _FEW = 1 << 16, 16


def name_arguments(e: Emitter, raw: Sequence[bytes]) -> tuple[str, ...]:
    """Add texts to a program; return the arguments by which a kernel finds their numbers."""
    order = sorted(range(len(raw)), key=raw.__getitem__)
    ordered = [raw[i] for i in order]
    data, starts = front_coded(ordered)
    slots, number_bits, mark_bits, count = hash_table(ordered)
    places: Array = np.array(order, dtype=np.int64)
    moved = bool((places != np.arange(len(order))).any())
    place_bits = bits_of(len(order)) if moved else 0
    sizes = (count, number_bits, mark_bits, place_bits)
    return (
        e.weight(slots, 1),
        e.weight(starts, 4),
        e.weight(data, 1),
        e.weight(pack(places, place_bits) if moved else np.zeros(1, np.uint8), 1),
        *(f"i32 {n}" for n in sizes),
    )


def front_coded(ordered: Sequence[bytes]) -> tuple[Array, Array]:
    """Return texts in order as bytes, and where each block of them begins."""
    data = bytearray()
    starts = []
    last = b""
    for i, text in enumerate(ordered):
        shared = 0
        if i % BLOCK == 0:
            starts.append(len(data))
        else:
            shared = _shared(last, text)
        rest = text[shared:]
        # One byte says both lengths where they are short.
        if shared < 15 and len(rest) < 16:
            data.append(shared << 4 | len(rest))
        else:
            data += b"\xf0" + _number(shared) + _number(len(rest))
        data += rest
        last = text
    return np.frombuffer(bytes(data) or b"\0", np.uint8), np.array(starts or [0], dtype=np.uint32)


def _shared(a: bytes, b: bytes) -> int:
    """Return how many bytes two texts have in common at their beginning."""
    least, most = 0, min(len(a), len(b))
    while least < most:
        middle = (least + most + 1) // 2
        if a[least:middle] == b[least:middle]:
            least = middle
        else:
            most = middle - 1
    return least


def _number(value: int) -> bytes:
    """Return a length in seven bits a byte, the lowest first."""
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    found.append(value)
    return bytes(found)


def hash_table(ordered: Sequence[bytes]) -> tuple[Array, int, int, int]:
    """Return a packed table, the bits of a number and of a mark, and its places.

    A text stands at its hash's place or behind it, before the first empty one; entry 0 is empty,
    else the number of the text plus one, its mark above that.
    """
    number_bits = bits_of(len(ordered))
    mark_bits = max(min(MARK_BITS, MOST_BITS - number_bits), 0)
    count = max(int(len(ordered) / FULL), 1)
    hashes = hashes_of(ordered)
    home = (hashes.astype(np.uint64) * np.uint64(count) >> np.uint64(32)).astype(np.int64)
    order = np.argsort(home, kind="stable")
    steps = np.arange(len(order))
    place = np.maximum.accumulate(home[order] - steps) + steps if len(order) else order
    table = np.zeros(max(int(place[-1]) + 2 if len(order) else 2, count + 1), dtype=np.uint32)
    marks = hashes[order] & np.uint32((1 << mark_bits) - 1)
    table[place] = marks << np.uint32(number_bits) | (order + 1).astype(np.uint32)
    return pack(table, number_bits + mark_bits), number_bits, mark_bits, count


def hashes_of(texts: Sequence[bytes]) -> Array:
    """Return the hash of each text, as ``name_hash`` in kernels/names.h: FNV-1a, mixed."""
    parts = [_hashes(texts[i : i + _AT_ONCE]) for i in range(0, len(texts), _AT_ONCE)]
    return np.concatenate([np.empty(0, np.uint32), *parts])


def _hashed(value: int, data: bytes) -> int:
    for byte in data:
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value


def _hashes(texts: Sequence[bytes]) -> Array:
    lengths = np.array([len(t) for t in texts])
    starts = np.cumsum(lengths) - lengths
    data = np.frombuffer(b"".join(texts), dtype=np.uint8).astype(np.uint32)
    longest_first = np.argsort(-lengths, kind="stable")
    ends = np.searchsorted(-lengths[longest_first], -np.arange(lengths.max() + 1), side="right")
    found = np.full(len(texts), 2166136261, dtype=np.uint32)
    at, value = starts[longest_first], found[longest_first]
    for k in range(int(lengths.max())):
        n = int(ends[k + 1])  # so many texts have a byte at k
        if n < _FEW:
            for i, text in enumerate(longest_first[:n].tolist()):
                value[i] = _hashed(int(value[i]), texts[text][k:])
            break
        value[:n] = (value[:n] ^ data[at[:n] + k]) * np.uint32(16777619)
    value ^= value >> np.uint32(16)
    value *= np.uint32(0x85EBCA6B)
    value ^= value >> np.uint32(13)
    value *= np.uint32(0xC2B2AE35)
    value ^= value >> np.uint32(16)
    found[longest_first] = value
    return found
