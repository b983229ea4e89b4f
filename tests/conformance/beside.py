"""A model beside what its spec defines: for models and rows that a subject has no place for."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from sclbl.spec import Spec
from sclbl.strippers import dispatch, strip
from tests.conformance.bars import described, flat
from tests.conformance.definition import defined
from tests.conformance.subject import asked

run = defined


def check(
    model: Any,
    example: Any,
    rows: Any = None,
    *,
    rtol: float = 0.0,
    atol: float = 0.0,
    also: Sequence[str] = (),
) -> Spec:
    """Strip a model and compare every method on rows: type, shape and each value.

    Parameters
    ----------
    model : object
        A fitted model.
    example : rows
        What it is stripped with.
    rows : rows, optional
        What is compared; the example by default.
    rtol, atol : float
        How far numbers may be apart; by default they are the same bits. Where the source computes
        in float32, 1e-5 and 1e-6 at least.
    also : sequence of str
        Methods beside those that are written by default.
    """
    methods = [*dispatch.methods(model), *also]
    spec = strip(model, example, methods=methods)
    rows = example if rows is None else rows
    ours = defined(spec, rows)
    assert list(ours) == methods
    for method in methods:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            # Encoders tell of unknown categories, imputers of columns they skip.
            warnings.simplefilter("ignore")
            expected = dense(asked(model, method, rows))
        found = ours[method]
        numbers = spec.signature.outputs[method].storage in ("float32", "float64")
        if numbers and isinstance(expected, np.ndarray) and expected.dtype.kind == "O":
            # Numbers that are objects to the model.
            found, expected = found.astype(np.float64), expected.astype(np.float64)
        same(method, found, expected, rtol, atol)
    return spec


def dense(returned: Any) -> Any:
    """Return what a model returned as an array or a list of them."""
    if isinstance(returned, list):
        return [np.asarray(part) for part in returned]
    return np.asarray(returned.toarray() if hasattr(returned, "toarray") else returned)


def same(method: str, ours: Any, theirs: Any, rtol: float = 0.0, atol: float = 0.0) -> None:
    """Compare what a method returned with what the model's own returned."""
    assert described(ours) == described(theirs), method
    a, b = flat(ours), flat(theirs)
    if b.dtype == object:
        assert [*map(repr, a.ravel())] == [*map(repr, b.ravel())], method
    elif b.dtype.kind != "f":
        np.testing.assert_array_equal(a, b, err_msg=method)
    elif rtol or atol:
        if b.dtype == np.float32:
            rtol, atol = max(rtol, 1e-5), max(atol, 1e-6)
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol, err_msg=method)
    else:
        same_bits(a, b)


def same_bits(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Check that two arrays are the same bit for bit; NaN equals NaN."""
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    missing = np.isnan(theirs)
    np.testing.assert_array_equal(np.isnan(ours), missing)
    bits = np.dtype(f"i{ours.dtype.itemsize}")
    a, b = (np.ascontiguousarray(x).view(bits)[~missing] for x in (ours, theirs))
    if not np.array_equal(a, b):
        np.testing.assert_array_equal(ours, theirs)
        raise AssertionError("zeros have other signs")
