"""What a program gives, as the model gives it: its dtype, labels and shape."""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import Any

import numpy as np

from sclbl.errors import LimitError, ProgramError
from sclbl.rows import RaggedRows
from sclbl.signature import Output


def label_array(labels: tuple[Any, ...], dtype: str) -> np.ndarray:
    """Return the labels of one column of a result."""
    return np.array(labels, dtype=object if dtype == "object" else np.dtype(dtype))


def no_label() -> ProgramError:
    """Return the error for a class number without a label."""
    return ProgramError(
        "the program gave a class number that has no label; the file was altered, "
        "so fetch or compile it again"
    )


def choose(labels: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return the labels of class numbers (int32)."""
    try:
        # Read without a sign, what is negative has no label either.
        return labels.take(numbers.view(np.uint32))
    except IndexError:
        raise no_label() from None


#: Bytes of the dense form of a sparse result that nobody asked for by name.
MOST_DENSE_BYTES = 64 * 1024 * 1024


def typed(output: Output, found: RaggedRows) -> np.ndarray:
    """Return the values of ragged rows in the type in which the model returns them."""
    if not isinstance(found.values, np.ndarray):
        raise ProgramError("the program gave ragged rows without values; fetch or compile it again")
    cast = found.values.astype(output.dtype, copy=False)
    if (
        cast is not found.values
        and cast.dtype.kind in "iu"
        and not np.array_equal(cast, found.values)
    ):
        raise ProgramError(
            f"the program gave ragged rows with a number that {output.dtype} does not hold, though "
            "it promises that type; the file was altered, so fetch or compile it again"
        )
    return cast


def finish_any(output: Output, found: np.ndarray | RaggedRows, wanted: str | None = None) -> Any:
    """Return results, ragged ones included, as the model returns them.

    Parameters
    ----------
    wanted : {"dense", "sparse"}, optional
        How rows of pairs come back: an array, or what the model gives of `scipy.sparse`; dense by
        default.

    Raises
    ------
    LimitError
        Where the dense form of a sparse result that was not asked for by name exceeds 64 MB.
    """
    if isinstance(found, np.ndarray):
        return finish(output, found)
    values = typed(output, found)
    rows = len(found)
    if output.ragged == "list":
        parts = np.empty(rows, dtype=object)
        for i, (start, end) in enumerate(pairwise(found.offsets.tolist())):
            parts[i] = values[start:end]
        return parts
    shape = (rows, output.width)
    if wanted == "sparse":
        from scipy.sparse import csr_matrix

        pairs = (values, found.keys, found.offsets.astype(np.int32))
        return as_given(output, csr_matrix(pairs, shape=shape))
    if wanted is None and rows > most_dense_rows(output):
        raise too_large(output, rows)
    dense = np.zeros(shape, dtype=values.dtype)
    lengths: Any = np.diff(found.offsets.astype(np.int64))
    keys: Any = found.keys
    np.add.at(dense, (np.repeat(np.arange(rows), lengths), keys), values)
    return dense


def as_given(output: Output, matrix: Any) -> Any:
    """Return a matrix as the class of `scipy.sparse` that the model's own result is of.

    Raises
    ------
    LimitError
        Where that is one of diagonals, which are whole, and they exceed 64 MB.
    """
    from scipy import sparse

    if (output.matrix or "").startswith("dia_"):
        coordinates = matrix.tocoo()
        size = np.unique(coordinates.col - coordinates.row).size * output.width
        if size * matrix.dtype.itemsize > MOST_DENSE_BYTES:
            raise LimitError(
                f"the result is a matrix of diagonals, which take {size * matrix.dtype.itemsize:,} "
                f"bytes; at most {MOST_DENSE_BYTES:,} are made: give fewer rows at a time"
            )
    return getattr(sparse, output.matrix or "csr_matrix")(matrix)


def most_dense_rows(output: Output) -> int:
    """Return of how many rows a dense result is made that nobody asked for by name."""
    if output.ragged != "sparse" and output.matrix is None:
        return sys.maxsize
    return MOST_DENSE_BYTES // (output.width * np.dtype(output.dtype).itemsize)


def too_large(output: Output, rows: int) -> LimitError:
    """Return the error for a sparse result of which nobody asked for the dense form by name."""
    size = rows * output.width * np.dtype(output.dtype).itemsize
    return LimitError(
        f"the result is sparse; its dense form of {rows:,} rows and {output.width:,} columns "
        f"takes {size:,} bytes: ask for output='sparse', or for output='dense' all the same"
    )


def finish(output: Output, found: np.ndarray) -> Any:
    """Return results as the model returns them."""
    if output.storage == "label" and output.labels is not None:
        columns = [
            choose(label_array(labels, output.dtype), found[:, j])
            for j, labels in enumerate(output.labels)
        ]
        return columns[0] if output.ndim == 1 else np.stack(columns, axis=1)
    if output.storage != "text" and np.dtype(output.dtype) != found.dtype:
        with np.errstate(invalid="ignore"):
            cast = found.astype(output.dtype)
        # A transformer whose results have its rows' dtype gave integers, or booleans, for the
        # example; where these rows hold fractions or missing values it gives floats, and so does
        # the program.
        if cast.dtype.kind not in "iub" or np.array_equal(cast, found):
            found = cast
    if output.splits is not None:
        edges = np.cumsum(output.splits)[:-1]
        return [np.ascontiguousarray(part) for part in np.split(found, edges, axis=1)]
    if output.shape is not None:
        return found.reshape(output.shape if output.is_whole else (len(found), *output.shape))
    return found[:, 0] if output.ndim == 1 else found
