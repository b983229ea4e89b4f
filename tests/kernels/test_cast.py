"""Conversions between number types: float16 over all its bits, every pair of types at its ends."""

from __future__ import annotations

import numpy as np
import pytest

from sclbl.compiler.emit import SUFFIX
from sclbl.ops import OPS
from sclbl.ops.record import BOOL, EVERY, INTEGERS, NUMBERS
from tests.kernels.calling import Kernel

EVERY_HALF = np.arange(2**16, dtype=np.uint16)
PAIRS = [
    (a, b)
    for a in sorted(EVERY)
    for b in sorted(EVERY | BOOL)
    if a != b and not {a, b} <= NUMBERS | BOOL
]


def kernel(source: str, to: str) -> str:
    return f"cast_{SUFFIX[source]}_{'bool' if to == 'bool' else SUFFIX[to]}"


def converted(x: np.ndarray, to: str) -> np.ndarray:
    """Return what the kernel of a conversion gives."""
    out = np.zeros(len(x), dtype=to)
    found, _ = Kernel(kernel(x.dtype.name, to), out, x, len(x))()
    return found


def same_bits(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Compare bits; any NaN is as good as another."""
    nan = np.isnan(theirs) if theirs.dtype.kind == "f" else np.zeros(len(theirs), dtype=bool)
    assert ours.dtype == theirs.dtype
    bits = f"u{ours.dtype.itemsize}"
    np.testing.assert_array_equal(ours.view(bits)[~nan], theirs.view(bits)[~nan])
    assert np.isnan(ours[nan]).all()


@pytest.mark.parametrize("to", ["float32", "float64"])
def test_every_float16_widens_to_itself(to: str) -> None:
    x = EVERY_HALF.view(np.float16)
    same_bits(converted(x, to), x.astype(to))


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("wide", ["float32", "float64"])
def test_what_is_rounded_to_float16_is_the_nearest_and_of_two_the_even_one(wide: str) -> None:
    halves = EVERY_HALF.view(np.float16).astype(wide)
    finite = np.sort(halves[np.isfinite(halves)])
    # Halfway between neighbours, and where infinity begins; then one step to either side.
    ties = np.append((finite[1:] + finite[:-1]) / 2, [65520.0, -65520.0]).astype(wide)
    around = [np.nextafter(ties, np.dtype(wide).type(side)) for side in (-np.inf, np.inf)]
    tiny = np.array([np.finfo(wide).smallest_subnormal, np.finfo(wide).tiny, 1e30], dtype=wide)
    x = np.concatenate([halves, ties, *around, tiny, -tiny])
    same_bits(converted(x, "float16"), x.astype(np.float16))


def values(dtype: str) -> np.ndarray:
    """Return numbers of a type: its ends, those of the others, fractions, and many between."""
    rng = np.random.default_rng(7)
    ends = [int(f(np.iinfo(t))) for t in INTEGERS for f in (lambda i: i.min, lambda i: i.max)]
    beside = [e + d for e in ends for d in (-1, 0, 1)]
    if dtype in INTEGERS:
        limits = np.iinfo(dtype)
        fitting = [v for v in beside if limits.min <= v <= limits.max]
        some = rng.integers(limits.min, limits.max, size=500, dtype=dtype, endpoint=True)
        return np.concatenate([np.array(fitting, dtype=dtype), some])
    odd = [0.0, -0.0, 0.5, -0.5, 1.5, -1.5, 254.99, -128.99, 1e-30, np.nan, np.inf, -np.inf]
    with np.errstate(over="ignore"):
        x = np.array([*map(float, beside), *odd, *rng.normal(size=500) * 300]).astype(dtype)
    return np.concatenate([x, np.nextafter(x, x.dtype.type(0))])


@pytest.mark.parametrize(("source", "to"), PAIRS)
@pytest.mark.filterwarnings("ignore:overflow")
def test_every_pair(source: str, to: str) -> None:
    x = values(source)
    ours = converted(x, to)
    defined = OPS["Cast"].define({"to": to}, x)
    assert isinstance(defined, np.ndarray)
    same_bits(ours, defined)
    held = np.ones(len(x), dtype=bool)
    if x.dtype.kind == "f" and to in INTEGERS:
        whole = np.trunc(x.astype(np.float64))
        held = (whole >= float(np.iinfo(to).min)) & (whole < float(np.iinfo(to).max) + 1)
    same_bits(ours[held], x[held].astype(to))


@pytest.mark.parametrize("to", sorted(INTEGERS))
def test_a_float_beyond_integers_is_their_end(to: str) -> None:
    found = converted(np.array([np.inf, -np.inf, np.nan, 1e30, -1e30]).astype(np.float32), to)
    limits = np.iinfo(to)
    assert found.tolist() == [limits.max, limits.min, 0, limits.max, limits.min]
