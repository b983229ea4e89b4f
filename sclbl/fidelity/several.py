"""Results that are several, or whose rows differ in length, beside the model's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sclbl.fidelity.compare import Difference, Tolerance, compare, flatten, typical_size
from sclbl.report import MethodReport
from sclbl.signature import Output


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a result that can be compared number by number.

    ``rows`` says which row each line of it belongs to.
    """

    output: Output
    values: np.ndarray
    rows: np.ndarray


def parts_of(outputs: Sequence[Output], returned: Any) -> list[Part]:
    """Return what a method returned in parts: lengths of rows, columns, values."""
    results = returned if len(outputs) > 1 else (returned,)
    pairs = zip(outputs, results, strict=True)
    return [part for output, result in pairs for part in _parts(output, result)]


def _parts(output: Output, result: Any) -> list[Part]:
    if output.ragged is None:
        values = flatten(result)
        return [Part(output, values, np.arange(len(values)))]
    if output.ragged == "list":
        rows = [np.asarray(row) for row in result]
        values = np.concatenate([np.empty(0, rows[0].dtype if rows else float), *rows])
        return _items(output, np.array([len(row) for row in rows], dtype=np.int64), None, values)
    matrix = _summed(result.tocsr())
    return _items(output, np.diff(matrix.indptr), matrix.indices, matrix.data)


def _summed(matrix: Any) -> Any:
    """Return sparse rows in which a column stands once; what stands twice is a sum.

    A `DictVectorizer` gives both items where two keys of a row name one column.
    """
    at = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
    places = at * matrix.shape[1] + matrix.indices
    if len(np.unique(places)) == len(places):
        return matrix
    summed = matrix.copy()
    summed.sum_duplicates()
    return summed


def parts_of_result(output: Output, result: Any) -> list[Part]:
    """Return the parts of one result as a program or the interpreter gives it.

    `result` is an array ``[rows, width]``, or ragged rows: offsets, keys and values.
    """
    if output.ragged is None:
        return [Part(output, result, np.arange(len(result)))]
    return _items(output, np.diff(result.offsets.astype(np.int64)), result.keys, result.values)


def _items(output: Output, lengths: Any, keys: Any, values: Any) -> list[Part]:
    """Return the parts of ragged rows: how long they are, columns, values."""
    exact = Output("int64", "int64", 1, 1)
    at = np.repeat(np.arange(len(lengths)), lengths)
    found = [Part(exact, lengths.astype(np.int64)[:, None], np.arange(len(lengths)))]
    if keys is not None:
        found.append(Part(exact, keys.astype(np.int64)[:, None], at))
    return [*found, Part(Output(output.storage, output.dtype, 1, 1), values[:, None], at)]


def described(outputs: Sequence[Output], returned: Any) -> list[str]:
    """Return what each result is, in words."""
    results = returned if len(outputs) > 1 else (returned,)
    words = []
    for output, result in zip(outputs, results, strict=True):
        if output.ragged == "list":
            dtypes = sorted({str(np.asarray(row).dtype) for row in result})
            words.append(f"lists of {' and '.join(dtypes)}")
        elif output.ragged == "sparse":
            words.append(f"a sparse matrix of {result.dtype}{list(result.shape)}")
        else:
            array = np.asarray(result)
            words.append(f"{array.dtype}{list(array.shape)}")
    return words


def compare_parts(
    report: MethodReport, rule: Tolerance, ours: Sequence[Part], theirs: Sequence[Part]
) -> tuple[MethodReport, Difference | None]:
    """Compare part by part, up to the first that differs; the place found names a row."""
    rows = report.rows
    for a, b in zip(ours, theirs, strict=True):
        if a.values.shape != b.values.shape:
            # Its lengths differ, and were compared before.
            continue
        sizes = typical_size(b.values)
        own = replace(rule, typical=np.broadcast_to(sizes, (a.values.shape[1],)))
        if a.output.storage not in ("float64", "float32"):
            own = replace(own, tolerance=0.0)
        report, worst = compare(report, a.output, a.values, b.values, own)
        report = replace(report, rows=rows)
        if worst is not None and worst.excess > 1:
            return report, replace(worst, row=int(a.rows[worst.row]))
    return report, None
