"""Read the Universal Binary JSON that XGBoost saves models in.

Numeric arrays come back as NumPy arrays without passing through Python numbers, so a model of
millions of nodes is read in a moment. Format: https://ubjson.org, as XGBoost writes it: lengths of
any integer type, arrays with a count, typed or not.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from sclbl.errors import SpecError

_NUMBERS = {
    b"i": ">i1",
    b"U": ">u1",
    b"I": ">i2",
    b"l": ">i4",
    b"L": ">i8",
    b"d": ">f4",
    b"D": ">f8",
}
_CLOSED = ord("}")
_CONSTANTS = {b"T": True, b"F": False, b"Z": None}


def loads(data: bytes | bytearray) -> Any:
    """Return the value that `data` holds.

    Parameters
    ----------
    data : bytes
        One value.

    Returns
    -------
    object
        dict, list, str, bool, int, float, None; numeric arrays as ndarray in native byte order.

    Raises
    ------
    SpecError
        Where the bytes end early or hold an unknown marker.
    """
    reader = _Reader(memoryview(data))
    try:
        return reader.value(reader.marker())
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise SpecError(f"the model's UBJSON is damaged at byte {reader.at}: {error}") from error


class _Reader:
    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.at = 0

    def marker(self) -> bytes:
        return self.take(1)

    def take(self, size: int) -> bytes:
        if size < 0 or self.at + size > len(self.data):
            raise IndexError(f"{size} more bytes expected")
        self.at += size
        return bytes(self.data[self.at - size : self.at])

    def value(self, marker: bytes) -> Any:
        if marker in _CONSTANTS:
            return _CONSTANTS[marker]
        if marker in _NUMBERS:
            return self.number(marker)
        if marker == b"S":
            return self.text()
        if marker == b"{":
            return self.object()
        if marker == b"[":
            return self.array()
        raise SpecError(f"the model's UBJSON has an unknown marker {marker!r} at byte {self.at}")

    def number(self, marker: bytes) -> int | float:
        dtype = np.dtype(_NUMBERS[marker])
        number: int | float = np.frombuffer(self.take(dtype.itemsize), dtype=dtype)[0].item()
        return number

    def length(self) -> int:
        marker = self.marker()
        if marker not in _NUMBERS or marker in (b"d", b"D"):
            raise SpecError(f"the model's UBJSON has no length at byte {self.at}")
        return int(self.number(marker))

    def text(self) -> str:
        return self.take(self.length()).decode()

    def object(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self.data[self.at] != _CLOSED:
            key = self.text()
            if key in found:
                raise SpecError(f"the model's UBJSON has {key!r} twice, at byte {self.at}")
            found[key] = self.value(self.marker())
        self.at += 1
        return found

    def array(self) -> Any:
        following = self.marker()
        if following == b"$":
            dtype = np.dtype(_NUMBERS[self.marker()])
            if self.marker() != b"#":
                raise SpecError(f"the model's UBJSON has no count at byte {self.at}")
            raw = self.take(self.length() * dtype.itemsize)
            return np.frombuffer(raw, dtype=dtype).astype(dtype.newbyteorder("="))
        if following == b"#":
            return [self.value(self.marker()) for _ in range(self.length())]
        items = []
        while following != b"]":
            items.append(self.value(following))
            following = self.marker()
        return items
