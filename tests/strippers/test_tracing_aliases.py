"""What users' code writes in place, and by which other names that is seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import FunctionTransformer

import sclbl
from sclbl.errors import UnsupportedModelError

RNG = np.random.default_rng(0)
ARRAY = RNG.normal(size=(50, 3))
ARRAY[::7, 1] = np.nan
FRAME = pd.DataFrame(ARRAY, columns=list("abc"))


def frame_by_another_name(X: Any) -> Any:
    Y = X
    Y += 1
    return X


def frame_copied(X: Any) -> Any:
    Y = X.copy()
    Z = Y
    Z *= 2
    return X + Y


def column_of_a_frame(X: Any) -> Any:
    c = X["a"]
    c += 1
    return X.assign(z=c)


def columns_set(X: Any) -> Any:
    X = X.copy()
    X["a"] += 1
    X.b -= X.c
    return X


def whole_frames(X: Any) -> Any:
    X = X.copy()
    X /= X.abs()
    X[["a", "b"]] *= 2
    return X


def columns_applied(X: Any) -> Any:
    def g(c: Any) -> Any:
        c += 1
        return c * 2

    return X.apply(g) + X


def truths(X: Any) -> Any:
    X = X.copy()
    m = X > 0
    m &= X < 1
    m |= X.isna()
    return m


def row_of_a_transposed_array(X: Any) -> Any:
    X = X.copy()
    T = X.T
    T[0] = T[0] * 2
    return X


def view_of_a_transposed_array(X: Any) -> Any:
    X = X.copy()
    T = X.T
    T[1][:] = 3.0
    return X


def astype_without_a_copy(X: Any) -> Any:
    X = X.copy()
    Y = X.astype(float, copy=False)
    Y[:, 0] = 0
    return X


def squeezed(X: Any) -> Any:
    X = X.copy()
    y = np.squeeze(X[:, 0:1])
    y[:] = 5
    return X


def ravelled_column(X: Any) -> Any:
    X = X.copy()
    y = X[:, 0].ravel()
    y[:] = 5
    return X


def expanded(X: Any) -> Any:
    X = X.copy()
    y = np.expand_dims(X[:, 0], 1)
    y[:] = 5
    return X


def contiguous(X: Any) -> Any:
    X = X.copy()
    y = np.ascontiguousarray(X)
    y[:, 0] = 5
    return X


def contiguous_column(X: Any) -> Any:
    X = X.copy()
    y = np.ascontiguousarray(X[:, 0])
    y[:] = 5
    return X


def without_nan(X: Any) -> Any:
    X = X.copy()
    np.nan_to_num(X, copy=False)
    return X


def column_without_nan(X: Any) -> Any:
    X = X.copy()
    np.nan_to_num(X[:, 1], copy=False, nan=7.0)
    return X


def reshaped(X: Any) -> Any:
    X = X.copy()
    y = X[:, 1:2].reshape(-1)
    y[:] = 1
    return X


def in_fortran_s_order(X: Any) -> Any:
    X = X.copy()
    y = np.asfortranarray(X)
    y[:, 0] = 5
    return X


def stacked(X: Any) -> Any:
    X = X.copy()
    T = np.vstack([X[:, 0], X[:, 1]])
    T[0][:] = 2
    return np.column_stack([X, T.T])


def ravelled_columns(X: Any) -> Any:
    X = X.copy()
    y = X.squeeze()
    y[:, 0] = 2
    z = X[:, 0:1].ravel()
    z[:] = 9
    return X


def added_to_a_transposed_array(X: Any) -> Any:
    X = X.copy()
    T = X.T
    T[0] += 1
    return X


def astype_that_copies(X: Any) -> Any:
    X = X.copy()
    Y = X.astype("float32", copy=False)
    Y[:, 0] = 0
    return X


def at_least(X: Any) -> Any:
    X = X.copy()
    Y = np.atleast_2d(X)
    Y[:, 0] = 0
    y = np.atleast_1d(X[:, 1])
    y[:] = 3
    return X


def array_of_columns(X: Any) -> Any:
    X = X.copy()
    c = np.array([X[:, 0], X[:, 1]])
    c[0] = 3.0
    return np.column_stack([X, c.T])


def reversed_columns(X: Any) -> Any:
    X = X.copy()
    X[:, ::-1][:, 0] = 4
    return X


OF_FRAMES = [
    frame_by_another_name,
    frame_copied,
    column_of_a_frame,
    columns_set,
    whole_frames,
    columns_applied,
    truths,
]
OF_ARRAYS = [
    row_of_a_transposed_array,
    view_of_a_transposed_array,
    astype_without_a_copy,
    astype_that_copies,
    squeezed,
    ravelled_column,
    ravelled_columns,
    expanded,
    contiguous,
    contiguous_column,
    in_fortran_s_order,
    without_nan,
    column_without_nan,
    reshaped,
    stacked,
    added_to_a_transposed_array,
    at_least,
    array_of_columns,
    reversed_columns,
]


@pytest.mark.parametrize(
    ("function", "rows"), [*((f, FRAME) for f in OF_FRAMES), *((f, ARRAY) for f in OF_ARRAYS)]
)
def test_what_is_written_in_place(function: Callable[[Any], Any], rows: Any) -> None:
    model = FunctionTransformer(function).fit(rows.copy())
    program = sclbl.compile(model, rows[:9].copy())
    found, wanted = program.transform(rows.copy()), np.asarray(model.transform(rows.copy()))
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(
    "function",
    [lambda X: (X.T * 2).T, lambda X: (X.T + X.T).T, lambda X: X if X.T == 1 else X * 2],
)
def test_transposed_arrays_are_no_lists(function: Callable[[Any], Any]) -> None:
    model = FunctionTransformer(function)
    with pytest.raises(UnsupportedModelError, match=r"arithmetic with X\.T, whose columns are"):
        sclbl.compile(model.fit(ARRAY), ARRAY)
