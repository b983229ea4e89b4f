"""Read files of MNIST's format (IDX, gzip)."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np


def read(path: Path) -> np.ndarray:
    """Return the array of bytes in a file: pictures ``[count, 28, 28]`` or digits ``[count]``."""
    data = gzip.decompress(path.read_bytes())
    if data[:3] != b"\0\0\x08":
        raise ValueError(f"{path} is no IDX file of bytes; take MNIST's own files")
    axes = data[3]
    shape = np.frombuffer(data, ">i4", axes, offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * axes).reshape(shape)
