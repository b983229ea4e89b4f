"""What a transformer gives where `set_output` asks for DataFrames."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.errors import InputError
from sclbl.frame import LIBRARIES, Categories, Frame, Library
from sclbl.result_frames import holds, in_frame, index_of, other_index
from sclbl.rows.source import library_of
from sclbl.signature import Output
from sclbl.strippers import example
from sclbl.strippers.base import Stripper
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.example import Result

#: Rows of an example that are asked about.
MOST = 64
#: What pandas has for the types of polars, beside those that both call alike.
_OF_POLARS = {"Boolean": "bool", "String": "str"}


def is_set(model: Any) -> str:
    """Return the library whose DataFrames a model gives by itself; empty for none."""
    if not hasattr(model, "__sklearn_tags__"):
        return ""
    import sklearn

    if getattr(model, "steps", None):  # of which the last one says what comes out
        return is_set(model.steps[-1][1])
    if hasattr(model, "best_estimator_"):
        return is_set(model.best_estimator_)
    own = getattr(model, "_sklearn_output_config", {}).get("transform")
    made = own or sklearn.get_config()["transform_output"]
    return "" if made == "default" else str(made)


def kept(result: Wire | Table) -> tuple[int, ...]:
    """Return the columns that leave a model as they came with the rows."""
    if not isinstance(result, Table):
        return ()
    return tuple(i for i, cell in enumerate(result.cells) if cell.shown is not None)


def said(model: Any, output: Output) -> list[str]:
    """Return what the owner of a model that gives DataFrames by itself should know."""
    library = is_set(model)
    if not library:
        return []
    there = output.frame is not None and library in output.frame.libraries
    asked = f'transform(rows, output="{library}")' if there else ""
    return [
        f"the model is set to give DataFrames of {library} (set_output); the program gives arrays"
        + (f", and DataFrames where it is asked for them: {asked}" if asked else "")
    ]


class Asked:
    """A copy of a model of which `set_output` asks for DataFrames of one library.

    Raises
    ------
    InputError
        Where the model gives none.
    """

    def __init__(self, model: Any, stripper: Stripper, library: Library) -> None:
        self.library = library
        self.stripper = stripper
        if not hasattr(model, "set_output"):
            raise InputError(f"{type(model).__name__} has no set_output")
        # A copy: the original, and each step that it holds, stays set as it is.
        self.model = copy.deepcopy(model)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.model.set_output(transform=library)

    def transform(self, rows: Any) -> Any:
        """Return the DataFrame of some rows."""
        found = example.call_itself(self.model, self.stripper, "transform", rows)
        if library_of(type(found)) != self.library:
            raise InputError(f"{type(self.model).__name__} gives no DataFrame of {self.library}")
        return found


def offered(
    model: Any,
    stripper: Stripper,
    rows: Any,
    result: Result,
    output: Output,
    kept: Sequence[int],
    *,
    several: bool,
) -> Output:
    """Return what `transform` gives, with how it stands in DataFrames where the model gives them.

    Those are offered which hold the numbers of the array, so that one program gives both.

    Parameters
    ----------
    model, stripper
        Whose result it is.
    rows : DataFrame or ndarray
        The example as the model takes it.
    result : Result
        What the model gave for it.
    output : Output
        What that is.
    kept : sequence of int
        Columns that leave the model as they came.
    several : bool
        Whether a step of the model takes float32 of another: scikit-learn computes in float64
        there, where DataFrames of polars pass between them.
    """
    if output.matrix is not None or result.is_list or output.labels is not None:
        return output
    library = library_of(type(rows))
    # Of an array a model makes all columns itself. A selector makes none of those of pandas, and
    # what computes with columns of polars, a function, leaves their nulls in them.
    own = tuple(kept) if library in LIBRARIES else ()
    every = hasattr(model, "get_support") and library == "pandas"
    every = every or (library == result.library == "polars" and not is_set(model))
    if every:
        own = tuple(range(output.width))

    def asked(library: Library) -> Frame | None:
        return _asked(model, stripper, library, rows, result, output, own)

    if library == "polars":
        frame, other = asked("polars"), asked("pandas")
        if frame is None:
            frame = other
        elif other is not None and (other.dtypes, other.names) == (frame.dtypes, frame.names):
            frame = replace(frame, libraries=LIBRARIES)
    else:
        frame = asked("pandas")
        # What gives back a DataFrame by itself, a function, gives no other one.
        free = not several and (not result.library or is_set(model))
        if frame is not None and free and _is_for_polars(frame, output):
            frame = replace(frame, libraries=LIBRARIES)
    return replace(output, frame=frame)


def _asked(
    model: Any,
    stripper: Stripper,
    library: Library,
    rows: Any,
    result: Result,
    output: Output,
    kept: tuple[int, ...],
) -> Frame | None:
    """Return how the model's result stands in a library's DataFrames; None where it gives none, or
    others than are made here of its array."""
    rows, array = other_index(rows[:MOST]), result.arrays[0][:MOST]
    index = index_of(rows)
    try:
        theirs = Asked(model, stripper, library).transform(rows)
    except Exception:  # in whatever way a model says that it gives no such DataFrames
        return None
    if not hasattr(theirs, "columns"):  # a function that returns one column
        return None
    names = tuple(theirs.columns)
    dtypes = tuple(map(_of_pandas if library == "pandas" else _of_polars, theirs.dtypes))
    named = all(isinstance(name, str) for name in names) and len(names) == output.width
    if not named or not all(holds(library, dtype) for dtype in dtypes):
        return None
    if library == "polars" and output.storage != "text" and "object" in dtypes:
        return None  # text that the program has no numbers for
    if len(set(dtypes)) == 1 and isinstance(dtypes[0], str):
        dtypes = dtypes[:1]
    indexed = index is None or library != "pandas" or theirs.index.equals(index)
    frame = Frame(dtypes, (library,), None if names == output.names else names, kept, indexed)
    ours = in_frame(replace(output, frame=frame), library, array, index)
    return frame if _are_equal(library, ours, theirs, output) else None


def _of_pandas(dtype: Any) -> str | Categories:
    categories = getattr(dtype, "categories", None)
    if categories is None or not hasattr(dtype, "ordered"):
        return str(dtype)
    return Categories(tuple(categories.tolist()), str(categories.dtype), bool(dtype.ordered))


def _of_polars(dtype: Any) -> str:
    """Return what pandas calls a type of polars; an unknown name for what it has no such type."""
    name = str(dtype)
    return _OF_POLARS.get(name, name.lower())


def _is_for_polars(frame: Frame, output: Output) -> bool:
    """Return whether a DataFrame of pandas has its like in polars, which has a name but once."""
    names = frame.names or output.names or ()
    alike = all(holds("polars", d) for d in frame.dtypes)
    # Of objects that are numbers it finds a type in the rows of each call.
    numbers = output.storage != "text" and "object" in frame.dtypes
    return alike and not numbers and len(set(names)) == len(names)


def _are_equal(library: Library, ours: Any, theirs: Any, output: Output) -> bool:
    """Return whether two DataFrames are equal in every name, dtype and index, and in their values:
    where numbers lie otherwise in memory, sums of products have other last digits."""
    rough = 1e-4 if output.dtype in ("float32", "float16") else 1e-9
    if library == "polars":
        pairs = zip(ours.get_columns(), theirs.get_columns(), strict=True)
        return bool(ours.schema == theirs.schema) and all(_are_alike(a, b, rough) for a, b in pairs)
    from pandas.testing import assert_frame_equal

    numbers = ours.select_dtypes("number").to_numpy(dtype=np.float64, na_value=np.nan)
    size = float(np.max(np.abs(numbers), initial=0.0, where=np.isfinite(numbers)))
    try:
        assert_frame_equal(ours, theirs, check_exact=False, rtol=rough, atol=rough * size)
    except AssertionError:
        return False
    return True


def _are_alike(ours: Any, theirs: Any, rough: float) -> bool:
    """Return whether two columns of polars are equal, their floats about so."""
    if not ours.dtype.is_float():
        return bool(ours.equals(theirs))
    a, b = ours.to_numpy(), theirs.to_numpy()
    with np.errstate(invalid="ignore"):
        near = np.isclose(a, b, rtol=rough, atol=rough * np.nanmax(np.abs(b), initial=0.0))
    same = near | (np.isnan(a) & np.isnan(b))
    return bool(same.all() and ours.is_null().equals(theirs.is_null()))
