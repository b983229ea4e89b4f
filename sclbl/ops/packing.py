"""Lay out what convolutions and products of matrices read: packed filters, and scratch memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Bytes of a padded copy: with a row of results it should stay in the second-level cache.
BAND_BYTES = 128 * 1024
#: Filters that are computed together.
FILTERS = 4


@dataclass(frozen=True, slots=True)
class Window:
    """How a window moves along one axis: its size, step, dilation, and zeros before the input."""

    size: int
    stride: int = 1
    dilation: int = 1
    before: int = 0

    @property
    def reach(self) -> int:
        """Return the distance from the window's first value to its last."""
        return (self.size - 1) * self.dilation


def pack_filters(weights: np.ndarray, groups: int) -> np.ndarray:
    """Return filters in the order in which ``conv_2d`` reads them.

    Parameters
    ----------
    weights : array of shape (filters, channels / groups, kh, kw)
        As ONNX's Conv takes them.
    groups : int
        Groups of channels that do not meet.

    Returns
    -------
    array of one axis
        For each group its filters in fours, four values side by side, then those that are left.
    """
    of_group = weights.shape[0] // groups
    fours = of_group - of_group % FILTERS
    parts = []
    for group in weights.reshape(groups, of_group, -1):
        quads = group[:fours].reshape(fours // FILTERS, FILTERS, group.shape[1])
        parts += [quads.transpose(0, 2, 1).ravel(), group[fours:].ravel()]
    return np.concatenate(parts)


def band(
    channels: int, rows: Window, columns: Window, out: tuple[int, int], itemsize: int
) -> tuple[int, int]:
    """Return how many output rows share a padded copy, and the bytes of ``conv_2d``'s scratch.

    Parameters
    ----------
    channels : int
        Input channels of one group.
    rows, columns : Window
        The window.
    out : (int, int)
        Rows and columns of the result.
    itemsize : int
        Bytes of a value.
    """
    height, width = out
    lanes = 16 // itemsize
    phases = min(columns.stride, columns.reach + 1)
    pitch = width + columns.reach // columns.stride + (lanes if width < lanes else 0)
    line = channels * phases * pitch * itemsize
    fit = (BAND_BYTES // line - rows.reach - 1) // rows.stride + 1
    most = max(1, min(height, fit))
    copied = (most - 1) * rows.stride + rows.reach + 1
    offsets = channels * rows.size * columns.size * 4
    return most, -(-offsets // itemsize) * itemsize + copied * line


def product_scratch(k: int, itemsize: int) -> int:
    """Return the bytes of scratch of a product of matrices over `k` values."""
    return -(-4 * k // itemsize) * itemsize + 4 * (k + 1) * itemsize
