"""A program's DataFrames beside those that the model gives where `set_output` asks for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.errors import InputError
from sclbl.fidelity.compare import Tolerance, compare, flatten
from sclbl.frame import Library
from sclbl.missing import is_missing
from sclbl.program import Program
from sclbl.report import MethodReport
from sclbl.result_frames import other_index
from sclbl.signature import Output
from sclbl.strippers import dispatch, example
from sclbl.strippers.frames import Asked

#: Rows of which DataFrames are compared: they have the numbers of the arrays, compared before.
MOST = 16


def libraries(rows: Any, output: Output) -> tuple[Library, ...]:
    """Return the libraries whose DataFrames of a result are compared.

    pandas is there wherever models give its DataFrames. polars is asked for rows of its own, so
    that the report of a model does not depend on what else is installed.
    """
    offered = () if output.frame is None else output.frame.libraries
    is_polars = type(rows).__module__.partition(".")[0] == "polars"
    return tuple(name for name in offered if name == "pandas" or is_polars)


def difference(
    model: Any, program: Program, method: str, library: Library, rows: Any, rule: Tolerance
) -> str:
    """Return how a program's DataFrame differs from the model's, in words; empty where it does not.

    Names, dtypes, index and what is missing are compared between the two; each one's numbers are
    compared with those of its own array, because these two were compared before.

    Parameters
    ----------
    model : object
        The fitted object.
    program : Program
        What was made of it.
    method : str
        One that offers DataFrames.
    library : {"pandas", "polars"}
        Whose.
    rows : DataFrame or array
        What both take; `MOST` of them are asked about.
    rule : Tolerance
        What the numbers must keep to.
    """
    rows = other_index(rows[:MOST])
    try:
        theirs = Asked(model, dispatch.find(model), library).transform(rows)
    except InputError as error:
        return f"the model gives no such DataFrame: {error.__cause__ or error}"
    ours = program.run(method, rows, output=library)
    if list(ours.columns) != list(theirs.columns):
        return f"its columns are {_listed(ours.columns)}, and the model's {_listed(theirs.columns)}"
    found, wanted = ([str(d) for d in frame.dtypes] for frame in (ours, theirs))
    if found != wanted:
        at = next(i for i, (a, b) in enumerate(zip(found, wanted, strict=True)) if a != b)
        return f"its column {ours.columns[at]!r} is {found[at]}, and the model's {wanted[at]}"
    if library == "pandas" and not ours.index.equals(theirs.index):
        return "its index is another than the model's"
    output = program.signature.outputs[method]
    arrays = (
        program.run(method, rows),
        example.call_itself(model, dispatch.find(model), method, rows),
    )
    ours_plain, theirs_plain = map(flatten, arrays)
    for position, name in enumerate(theirs.columns):
        a, b = (_column(frame, position, output) for frame in (ours, theirs))
        lost, gone = _missing(a), _missing(b)
        if (lost != gone).any():
            return _told(name, int(np.argmax(lost != gone)), a, b)
        own = replace(rule, typical=rule.typical[position : position + 1])
        sides = ((a, ours_plain, replace(own, tolerance=0.0)), (b, theirs_plain, own))
        for cells, plain, to_keep in sides:
            in_array = _cells(plain[:, position].tolist(), output)
            report = MethodReport(method, 0, to_keep.tolerance)
            _, worst = compare(report, output, in_array, cells, to_keep)
            if worst is not None and worst.excess > 1:
                return _told(name, worst.row, a, b)
    return ""


def _told(name: str, row: int, ours: np.ndarray, theirs: np.ndarray) -> str:
    a, b = (repr(cells[row, 0]) for cells in (ours.astype(object), theirs.astype(object)))
    return f"row {row}, column {name!r} is {a}, and the model's {b}"


def _missing(cells: np.ndarray) -> np.ndarray:
    return np.array([is_missing(v) for v in cells[:, 0].tolist()], dtype=bool)


def _column(frame: Any, position: int, output: Output) -> np.ndarray:
    """Return a column ``[rows, 1]``: numbers, or objects in which what is missing is None."""
    series = frame.iloc[:, position] if hasattr(frame, "iloc") else frame.to_series(position)
    return _cells(series.to_list(), output)


def _cells(values: list[Any], output: Output) -> np.ndarray:
    cells = [None if is_missing(v) else v for v in values]
    if output.storage == "text":
        return np.array([*cells, None], dtype=object)[:-1, None]
    numbers = [np.nan if v is None else v for v in cells]
    return np.array(numbers, dtype=np.float64 if np.nan in numbers else None)[:, None]


def _listed(names: Any) -> str:
    shown = [repr(n) for n in names][:8]
    return ", ".join(shown) + (", …" if len(names) > 8 else "")
