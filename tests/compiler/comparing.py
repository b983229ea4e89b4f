"""How close a program must come to the reference, for each kind of operator."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.compiler.compiled import same

#: Program's result, reference's result, and what the operator worked on (its first operand).
Compare = Callable[[np.ndarray, np.ndarray, np.ndarray], None]


def exact(got: np.ndarray, want: np.ndarray, x: np.ndarray) -> None:
    """Equal bits."""
    same(got, want)


def exact_but_zeros(got: np.ndarray, want: np.ndarray, x: np.ndarray) -> None:
    """Equal, where NumPy itself does not say which of 0.0 and -0.0 is the greater."""
    same(got, want, zeros=False)


def ulps(bound: int) -> Compare:
    """At most so many units in the last place apart; NaN and infinities where they must be."""

    def compare(got: np.ndarray, want: np.ndarray, x: np.ndarray) -> None:
        assert got.dtype == want.dtype
        finite = np.isfinite(want)
        same(np.where(finite, 0, got), np.where(finite, 0, want))
        apart = _ordered(got[finite]) - _ordered(want[finite])
        if apart.size:
            worst = int(np.abs(apart).argmax())
            assert abs(int(apart[worst])) <= bound, (
                f"{apart[worst]} ULP apart: {got[finite][worst]!r}, not {want[finite][worst]!r}"
            )

    return compare


def _ordered(x: np.ndarray) -> np.ndarray:
    """Return the position of each number among all numbers of its type; 0.0 and -0.0 are one."""
    bits = x.view(f"i{x.dtype.itemsize}").astype(np.int64)
    return np.where(bits < 0, np.iinfo(f"i{x.dtype.itemsize}").min - bits, bits)


def relative(eps: float) -> Compare:
    """At most so many machine epsilons apart, relatively, or as many smallest numbers."""

    def compare(got: np.ndarray, want: np.ndarray, x: np.ndarray) -> None:
        info = np.finfo(want.dtype)
        assert got.dtype == want.dtype
        np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
        np.testing.assert_allclose(
            got, want, rtol=eps * info.eps, atol=eps * info.smallest_subnormal
        )

    return compare


def tails(got: np.ndarray, want: np.ndarray, x: np.ndarray) -> None:
    """Relatively close, or both below the smallest normal number.

    tests/kernels measures these functions against exact values; what is off here is SciPy, whose
    tails lose digits and end at 0 before they must.
    """
    normal = np.abs(want) >= np.finfo(want.dtype).tiny
    ulps(4096)(got[normal], want[normal], x)
    relative(4)(got[~normal & ~_small(got)], want[~normal & ~_small(got)], x)


def _small(x: np.ndarray) -> np.ndarray:
    return np.abs(x) <= np.finfo(x.dtype).tiny * (1 + 1e-6)


def _within(got: np.ndarray, want: np.ndarray, bound: np.ndarray, width: int) -> None:
    """Check sums whose terms are `bound` together; rows that may overflow on the way are left."""
    info = np.finfo(want.dtype)
    assert got.dtype == want.dtype
    assert got.shape == want.shape
    finite = np.isfinite(bound)
    same(np.where(finite, 0, got), np.where(finite, 0, want), zeros=False)
    safe = finite & (bound < info.max / 2)
    off = np.abs(got[safe].astype(np.longdouble) - want[safe].astype(np.longdouble))
    limit = 2 * width * (info.eps * bound[safe] + info.smallest_subnormal)
    assert (off <= limit).all()


def _rows_without_overflow(terms: np.ndarray, info: np.finfo) -> np.ndarray:
    held = np.where(np.isfinite(terms), terms, 0).sum(axis=1)
    return held < info.max / 2


def reduced(
    term: Callable[[np.ndarray], np.ndarray],
    end: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Compare:
    """Sums of `term` over a row, in whatever order; integers exactly."""

    def compare(got: np.ndarray, want: np.ndarray, x: np.ndarray) -> None:
        if want.dtype.kind == "i":
            same(got, want)
            return
        terms = term(x.astype(np.longdouble))
        info = np.finfo(want.dtype)
        keep = _rows_without_overflow(terms, info)
        got, want, terms = got[keep], want[keep], terms[keep]
        bound = terms.sum(axis=1, keepdims=True)
        if end is None:
            _within(got, want, bound, x.shape[1])
            return
        finite = np.isfinite(bound)
        same(np.where(finite, 0, got), np.where(finite, 0, want))
        lost = end(np.array(2 * x.shape[1] * info.smallest_subnormal))
        limit = 2 * x.shape[1] * info.eps * end(bound[finite]) + lost
        assert (np.abs(got[finite] - want[finite]) <= limit).all()

    return compare


def products(got: np.ndarray, want: np.ndarray, x: np.ndarray) -> None:
    """Matrix products: within what the order of additions and a fused multiplication may change.

    The weights of the cases are of order 1, below 5.
    """
    terms = 5 * np.abs(x.astype(np.longdouble))
    keep = _rows_without_overflow(terms, np.finfo(want.dtype))
    bound = np.repeat(terms[keep].sum(axis=1, keepdims=True), want.shape[1], axis=1)
    _within(got[keep], want[keep], bound, x.shape[1])


def windows(bias: float) -> Compare:
    """Sums over a part of each row and of a bias, so that others of its results may not be finite.

    The weights of the cases are of order 1, below 5.
    """

    def compare(got: np.ndarray, want: np.ndarray, x: np.ndarray) -> None:
        assert got.dtype == want.dtype
        info = np.finfo(want.dtype)
        terms = 5 * np.abs(x.astype(np.longdouble))
        keep = _rows_without_overflow(terms, info)
        got, want, terms = got[keep], want[keep], terms[keep]
        finite = np.isfinite(want)
        same(np.where(finite, 0, got), np.where(finite, 0, want))
        bound = np.where(np.isfinite(terms), terms, 0).sum(axis=1, keepdims=True) + bias
        limit = 2 * x.shape[1] * (info.eps * bound + info.smallest_subnormal)
        ours, theirs = (np.where(finite, a, 0).astype(np.longdouble) for a in (got, want))
        assert (np.abs(ours - theirs) <= limit).all()

    return compare


def absolute(float64: float, float32: float) -> Compare:
    """At most so many machine epsilons of 1, or of the result where that is larger, apart."""

    def compare(got: np.ndarray, want: np.ndarray, x: np.ndarray) -> None:
        eps = {8: float64, 4: float32}[want.dtype.itemsize] * np.finfo(want.dtype).eps
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=eps, atol=eps)

    return compare
