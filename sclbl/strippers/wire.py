"""A wire: a tensor of the graph that the source's own formulas can be written with.

A wire stands for the array that the source computes with, rows in front: ``x[:, i]``,
``np.sum(x, axis=1)`` and ``x @ w`` mean what they mean there. NumPy's operators and functions on it
add nodes to the graph (`sclbl.strippers.numpy_functions`). The number of rows is not known, so
whatever mixes rows is an error that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.signature import DType, Label, Ragged

if TYPE_CHECKING:
    from sclbl.strippers.graph import Builder

#: The form of a sparse matrix: stored row by row, or column by column.
Sparse = Literal["csr", "csc"]


class Rows:
    """The length of the first axis, which is another one in every call."""

    @property  # type: ignore[misc]  # what isinstance is told
    def __class__(self) -> type:
        return int

    def __index__(self, *_: Any) -> NoReturn:
        mixes_rows("the number of rows")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __index__
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __index__
    __divmod__ = __rdivmod__ = __pow__ = __rpow__ = __neg__ = __pos__ = __abs__ = __index__
    __lt__ = __gt__ = __le__ = __ge__ = __bool__ = __int__ = __float__ = __index__
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __lshift__ = __rlshift__ = (
        __index__
    )
    __rlshift__ = __rshift__ = __rrshift__ = __invert__ = __round__ = __index__
    __str__ = __repr__ = __format__ = __index__

    def __eq__(self, other: object) -> bool:
        return True if isinstance(other, Rows) else mixes_rows("the number of rows")

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        mixes_rows("the number of rows")


def mixes_rows(what: str) -> NoReturn:
    """Raise the error for whatever touches the first axis."""
    raise UnsupportedModelError(
        f"{what} depends on the other rows of a call, and a program computes each row alone; "
        "work along axis 1"
    )


@dataclass(frozen=True, slots=True, eq=False)
class Wire(np.lib.mixins.NDArrayOperatorsMixin):
    """A tensor of the graph: ``[rows, width]`` of `dtype`.

    ``origins`` holds, for each of its columns, the input column it came from (-1: none).
    ``held`` is the dtype in which the source holds these numbers, where it is not `dtype` itself:
    integers and booleans travel as float64. ``ndim`` is the number of axes that they have there: 1
    after ``x[:, i]`` or ``np.sum(x, axis=1)``, and for the columns of a table that are taken one by
    one. ``sparse`` is the form of the sparse matrix that holds them there, if one does. ``ragged``
    says how rows of different lengths hold their items.
    """

    name: str
    dtype: DType
    width: int
    origins: tuple[int, ...]
    labels: tuple[tuple[Label, ...], ...] | None = None
    splits: tuple[int, ...] | None = None
    builder: Builder = field(default=None, repr=False)  # type: ignore[assignment]  # set by Builder
    held: np.dtype[Any] | None = None
    ndim: int = 2
    sparse: Sparse | None = None
    ragged: Ragged | None = None

    __hash__ = object.__hash__

    @property
    def numbers(self) -> np.dtype[Any]:
        """The NumPy dtype that the source computes with."""
        return self.held or np.dtype(object if self.dtype in ("text", "label") else self.dtype)

    @property
    def shape(self) -> tuple[Any, ...]:
        return (Rows(), self.width)[: self.ndim]

    # --------------------------------------------------- NumPy's protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        return self.builder.numpy.ufunc(ufunc, method, inputs, options)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Any, options: Any
    ) -> Any:
        return self.builder.numpy.function(function, args, options)

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise UnsupportedModelError(
            "a computed value was asked for as an array of numbers, which are known only when the "
            "program runs; use NumPy's own functions and operators on it"
        )

    def __bool__(self) -> NoReturn:
        mixes_rows("a decision by the values of X (if, and, or, while)")

    def __len__(self) -> NoReturn:
        mixes_rows("the number of rows")

    def __iter__(self) -> NoReturn:
        mixes_rows("a loop over the rows")

    def __pow__(self, exponent: Any) -> Any:
        """As arrays do: Python's 2, 0.5, 1 and -1 have functions of their own."""
        if type(exponent) in (int, float) and self.numbers.kind == "f":
            own: dict[float, Any] = {
                2: np.square, 0.5: np.sqrt, 1: np.positive, -1: np.reciprocal
            }  # fmt: skip
            if exponent in own:
                return own[exponent](self)
        if type(exponent) is int and exponent == 2:
            return np.square(self)
        if type(exponent) is float and exponent == 0.5 and self.numbers.kind in "iu":
            # Of integers a power, of floats in their place a root: the same but for -inf.
            return np.sqrt(self.astype(np.float64))
        return np.power(self, exponent)

    # --------------------------------------------------------------- parts

    def __getitem__(self, key: Any) -> Wire:
        parts = list(key) if isinstance(key, tuple) else [key]
        if parts and parts[0] is Ellipsis:
            parts = [slice(None)] * (self.ndim - len(parts) + 1) + parts[1:]
        if not parts or not (isinstance(parts[0], slice) and parts[0] == slice(None)):
            mixes_rows("a choice of rows, x[...] of the first axis,")
        rest = parts[1:]
        if len(rest) == 1 and rest[0] is None and self.ndim == 1:
            return replace(self, ndim=2)
        if len(rest) > self.ndim - 1:
            raise IndexError(f"{self.ndim} axes are too few for an index of {len(parts)}")
        if not rest:
            return self
        one = isinstance(rest[0], (int, np.integer))
        places = np.atleast_1d(np.arange(self.width)[rest[0]])
        chosen = self.builder.columns(self, places.tolist())
        return replace(chosen, held=self.held, ndim=1 if one else 2, sparse=self.sparse)

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise UnsupportedModelError(
            "a part of an array is written to, which a program cannot follow; use np.where, "
            "np.clip or np.column_stack to make a new one"
        )

    def astype(self, dtype: Any, **_: Any) -> Wire:
        """Convert as NumPy does."""
        found: Wire = self.builder.numpy.astype(self, np.dtype(dtype))
        return found

    def reshape(self, *shape: Any) -> Wire:
        """Make one column of one axis, or one axis of one column."""
        wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], Sequence) else shape
        if self.width == 1 and tuple(wanted) in ((-1,), (-1, 1)):
            return replace(self, ndim=len(wanted))
        mixes_rows(f"reshape{tuple(wanted)}")

    def ravel(self) -> Wire:
        return self.reshape(-1)

    def copy(self) -> Wire:
        return self

    def __ipow__(self, exponent: Any) -> Any:
        return self.builder.numpy.into(self**exponent, self)

    def sum(self, axis: int | None = None, **options: Any) -> Any:
        return np.sum(self, axis=axis, **options)

    def mean(self, axis: int | None = None, **options: Any) -> Any:
        return np.mean(self, axis=axis, **options)

    def max(self, axis: int | None = None, **options: Any) -> Any:
        return np.max(self, axis=axis, **options)

    def min(self, axis: int | None = None, **options: Any) -> Any:
        return np.min(self, axis=axis, **options)

    def argmax(self, axis: int | None = None, **options: Any) -> Any:
        return np.argmax(self, axis=axis, **options)

    def argmin(self, axis: int | None = None, **options: Any) -> Any:
        return np.argmin(self, axis=axis, **options)

    def clip(self, min: Any = None, max: Any = None) -> Any:
        return np.clip(self, min, max)

    def dot(self, other: Any) -> Any:
        return self @ other
