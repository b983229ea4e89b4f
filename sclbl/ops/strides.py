"""Strided copies and stacks of matrices in as few axes as they have."""

from __future__ import annotations

from collections.abc import Sequence

from sclbl.errors import SpecError

#: Axes that the kernel takes.
AXES = 8
#: Axes of matrices that ``matmul_batch`` takes.
STACKS = 3


def dense(shape: Sequence[int]) -> list[int]:
    """Return how far apart elements lie on each axis of a tensor in C order."""
    distances = [1] * len(shape)
    for axis in range(len(shape) - 1, 0, -1):
        distances[axis - 1] = distances[axis] * shape[axis]
    return distances


def axes(shape: Sequence[int], distances: Sequence[int]) -> list[int]:
    """Return lengths and distances as ``transpose`` takes them, outermost first.

    Axes of length 1 go, and two axes of which the outer one continues the inner one become one.

    Parameters
    ----------
    shape : sequence of int
        The result's.
    distances : sequence of int
        For each of its axes, how far apart elements lie in the source: 0 repeats one, a negative
        distance runs backwards.

    Returns
    -------
    list of int
        `AXES` pairs of length and distance.

    Raises
    ------
    SpecError
        Where more axes are left than the kernel takes.
    """
    found: list[tuple[int, int]] = []
    for length, distance in zip(shape, distances, strict=True):
        if length == 1:
            continue
        if found and found[-1][1] == length * distance:
            found[-1] = (found[-1][0] * length, distance)
        else:
            found.append((length, distance))
    if len(found) > AXES:
        raise SpecError(
            f"a copy between tensors moves {len(found)} axes apart; sclbl takes {AXES}: "
            "merge axes that stay side by side with Reshape"
        )
    found = [(1, 0)] * (AXES - len(found)) + found
    return [number for pair in found for number in pair]


def permuted(shape: Sequence[int], order: Sequence[int]) -> list[int]:
    """Return `axes` of a transpose: `order` names, for each axis of the result, the source's."""
    distances = dense(shape)
    return axes([shape[axis] for axis in order], [distances[axis] for axis in order])


def expanded(shape: Sequence[int], to: Sequence[int]) -> list[int]:
    """Return `axes` of an expansion: axes of length 1, and those in front, are repeated."""
    source = [1] * (len(to) - len(shape)) + list(shape)
    distances = dense(source)
    repeated = [
        0 if was == 1 else distance for was, distance in zip(source, distances, strict=True)
    ]
    return axes(to, repeated)


def sliced(shape: Sequence[int], slices: Sequence[slice]) -> tuple[int, list[int]]:
    """Return where a slice begins in the source, and its `axes`."""
    ranges = [range(length)[each] for length, each in zip(shape, slices, strict=True)]
    distances = dense(shape)
    first = sum(r.start * d for r, d in zip(ranges, distances, strict=True) if len(r))
    steps = [r.step * d for r, d in zip(ranges, distances, strict=True)]
    return first, axes([len(r) for r in ranges], steps)


def product_axes(left: Sequence[int], right: Sequence[int]) -> list[int]:
    """Return the axes in front of two stacks of matrices, as ``matmul_batch`` takes them.

    Parameters
    ----------
    left, right : sequence of int
        Shapes of the operands; the last two axes are the matrices'.

    Returns
    -------
    list of int
        `STACKS` times the length of an axis of the result, and how far apart the matrices of each
        operand lie on it.

    Raises
    ------
    SpecError
        Where the shapes do not go together, or more axes are left than the kernel takes.
    """
    rank = max(len(left), len(right))
    sides = []
    for shape in (left, right):
        full = [1] * (rank - len(shape)) + list(shape)
        sides.append(list(zip(full, dense(full), strict=True))[:-2])
    found: list[tuple[int, int, int]] = []
    for (n, a), (other, b) in zip(*sides, strict=True):
        if n != other and 1 not in (n, other):
            raise SpecError(f"MatMul of tensors {list(left)} and {list(right)} a row: correct them")
        length = other if n == 1 else n
        if length == 1:
            continue
        axis = (length, 0 if n == 1 else a, 0 if other == 1 else b)
        if found and found[-1][1:] == (length * axis[1], length * axis[2]):
            axis = (found.pop()[0] * length, *axis[1:])
        found.append(axis)
    if len(found) > STACKS:
        raise SpecError(
            f"MatMul repeats matrices along axes apart: tensors {list(left)} and {list(right)} a "
            f"row need {len(found)} axes, sclbl takes {STACKS}: use Expand before it"
        )
    found = [(1, 0, 0)] * (STACKS - len(found)) + found
    return [number for axis in found for number in axis]
