"""Stand-ins of arrays in code that users wrote: wires that may be written to, and their views.

A `Wire` never changes. Users write ``X[:, 0] = ...``, ``X[X < 0] = 0`` and ``X -= 1``, so what
they get is a name for a wire, which may come to name another one. A view has none of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NoReturn, cast

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import conversions
from sclbl.strippers.labels import plain_labels
from sclbl.strippers.sklearn.steps import steps
from sclbl.strippers.wire import Rows, Wire, mixes_rows


class Array(np.lib.mixins.NDArrayOperatorsMixin):
    """What stands for an array whose first axis are the rows."""

    __hash__ = object.__hash__
    __array_priority__ = 1000

    def __init__(self, wire: Wire, base: Array | None = None, places: Sequence[int] = ()) -> None:
        self._wire, self._base, self._places = wire, base, tuple(places)

    @property  # type: ignore[misc]  # what isinstance is told
    def __class__(self) -> type:
        return np.ndarray

    @property
    def wire(self) -> Wire:
        """The wire that is meant now."""
        if self._base is None:
            return self._wire
        chosen = _two_axes(self._base.wire)[:, list(self._places)]
        return chosen[:, 0] if self._wire.ndim == 1 else chosen

    def store(self, wire: Wire) -> None:
        """Let this name other numbers, of its own type; so do all that see the same memory."""
        made = conversions.astype(wire, self.dtype)
        if self._base is None:
            self._wire = made
            return
        base = _two_axes(self._base.wire)
        both: Any = np.column_stack([base, _two_axes(made)])
        place = {p: base.width + i for i, p in enumerate(self._places)}
        joined = both[:, [place.get(i, i) for i in range(base.width)]]
        self._base.store(joined if self._base.ndim == 2 else joined[:, 0])

    # --------------------------------------------------------------- NumPy's protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        (target,) = options.pop("out", (None,))
        if not all(isinstance(x, (Array, np.ndarray, np.generic, *_SCALARS)) for x in inputs):
            return NotImplemented  # a column of a DataFrame has rules of its own
        build = next(x.wire.builder for x in (*inputs, target) if type(x) is Array)
        made = build.numpy.ufunc(ufunc, method, [bare(x) for x in inputs], bare(options))
        if target is None:
            return named(made)
        if type(target) is not Array:
            mixes_rows("what is written into an array of fixed rows")
        target.store(build.numpy.into(made, target.wire))
        return target

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Any, options: Any
    ) -> Any:
        if options.get("out") is not None:
            raise UnsupportedModelError(
                f"np.{function.__name__} with out; assign its result, X[:] = np.{function.__name__}"
                "(...)"
            )
        return named(self.wire.builder.numpy.function(function, bare(args), bare(options)))

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        self.wire.__array__()

    def __bool__(self) -> NoReturn:
        mixes_rows("a decision by the values of X (if, and, or, while)")

    def __len__(self) -> NoReturn:
        mixes_rows("the number of rows")

    def __iter__(self) -> NoReturn:
        mixes_rows("a loop over the rows")

    def __float__(self) -> NoReturn:
        mixes_rows("one number made of all rows")

    __int__ = __index__ = __float__

    def __pow__(self, exponent: Any) -> Any:
        return named(self.wire ** bare(exponent))

    def __ipow__(self, exponent: Any) -> Any:
        self.store(self.wire.builder.numpy.into(self.wire ** bare(exponent), self.wire))
        return self

    def __getattr__(self, name: str) -> Any:
        if name[:1] != "_" and hasattr(np.ndarray, name):
            what = f"the attribute {name} of an array has no equivalent in a program"
            if not callable(getattr(np.ndarray, name)):
                raise UnsupportedModelError(what)

            def refuse(*_: Any, **__: Any) -> NoReturn:  # `hasattr` is told that it is there
                raise UnsupportedModelError(what)

            return refuse
        if name[:1] != "_" and self._wire.builder.library == "polars":
            raise UnsupportedModelError(
                f"{name} of a polars DataFrame is not followed, whose functions are written for "
                "operators alone; fit the model on a pandas DataFrame, or on an array"
            )
        raise AttributeError(f"'numpy.ndarray' object has no attribute {name!r}")

    # ------------------------------------------------------------------------- parts

    @property
    def ndim(self) -> int:
        return self._wire.ndim

    @property
    def shape(self) -> tuple[Any, ...]:
        return self._wire.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._wire.numbers

    @property
    def T(self) -> Any:
        return self if self.ndim == 1 else Columns([self[:, i] for i in range(self._wire.width)])

    def __getitem__(self, key: Any) -> Array:
        if isinstance(key, str):
            raise IndexError("an array has no columns by name; the model's rows are no DataFrame")
        wire = self.wire
        chosen = wire[key]
        parts = key if isinstance(key, tuple) else (key,)
        if not all(isinstance(p, (int, np.integer, slice)) or p in (None, ...) for p in parts):
            return Array(chosen)
        rest = [p for p in parts[1:] if p is not None]
        places = np.arange(wire.width)
        if rest and not (len(rest) == 1 and rest[0] is Ellipsis) and wire.ndim == 2:
            places = np.atleast_1d(places[rest[0]])
        root, own = (self, range(wire.width)) if self._base is None else (self._base, self._places)
        return Array(chosen, root, [own[int(p)] for p in places])

    def __setitem__(self, key: Any, value: Any) -> None:
        parts = key if isinstance(key, tuple) else (key,)
        mask = parts[0]
        if type(mask) is Array:
            target = self[:, parts[1]] if len(parts) == 2 else self
            if target.ndim == 2 and mask.ndim == 1:
                mask = mask[:, None]
            target.store(_where(mask.wire, filled(target.wire, value), target.wire))
            return
        target = self[key]
        if target._base is None:  # chosen by a list: still these columns
            places = np.atleast_1d(np.arange(self._wire.width)[parts[1]])
            root, own = (self, None) if self._base is None else (self._base, self._places)
            target = Array(target._wire, root, [own[p] if own else int(p) for p in places])
        target.store(filled(target.wire, value))

    # ----------------------------------------------------------------------- methods

    def astype(self, dtype: Any, *_: Any, copy: bool = True, **__: Any) -> Array:
        if self.dtype.kind in "iu" and np.dtype(dtype) == self.dtype:
            conversions.hold(self.wire, wide=True)  # of what is missing there is no integer
        if np.dtype(dtype) == self.dtype and not copy:
            return self
        return Array(self.wire.astype(dtype))

    def reshape(self, *shape: Any, **_: Any) -> Array:
        wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
        wide = [-1 if isinstance(n, Rows) else n for n in wanted]
        if self.ndim == 2 and len(wide) == 2 and wide in ([-1, self.shape[1]], [-1, -1]):
            return self
        changed = self.wire.reshape(tuple(wide))
        return changed_view(self, changed)

    def ravel(self, *_: Any) -> Array:
        return self.together().reshape(-1)

    def together(self) -> Array:
        """Return what lies together in memory: itself, or a copy of some columns of others."""
        whole = self._base is None or self._base._wire.width == 1
        return self if whole else self.copy()

    def squeeze(self, axis: Any = None) -> Array:
        return self.reshape(-1) if self.shape[1:] == (1,) else self

    def flatten(self, *_: Any) -> Array:
        return Array(self.ravel().wire)

    def copy(self, *_: Any) -> Array:
        return Array(self.wire)

    def view(self, *_: Any) -> Array:
        mixes_rows("a view of the memory of an array")

    def item(self, *_: Any) -> NoReturn:
        mixes_rows("one number of all rows")


def changed_view(x: Array, wire: Wire) -> Array:
    """Return what sees the memory of x in another shape."""
    if x._base is None:
        return Array(wire, x, range(wire.width))
    return Array(wire, x._base, x._places)


def _method(name: str) -> Callable[..., Any]:
    function = getattr(np, name)

    def method(self: Array, *args: Any, **options: Any) -> Any:
        return function(self, *args, **options)

    return method


for _name in (
    "all", "any", "argmax", "argmin", "clip", "cumsum", "dot", "max", "mean", "min", "prod",
    "round", "std", "sum", "take", "var",
):  # fmt: skip
    setattr(Array, _name, _method(_name))


class SparseRows:
    """What stands for a sparse matrix: only the dense array is made of it."""

    def __init__(self, wire: Wire) -> None:
        self._dense = Array(replace(wire, sparse=None))

    @property  # type: ignore[misc]  # what isinstance is told
    def __class__(self) -> type:
        from scipy.sparse import csr_matrix

        return csr_matrix  # type: ignore[no-any-return]  # a class

    @property
    def shape(self) -> tuple[Any, ...]:
        return self._dense.shape

    def toarray(self, *_: Any) -> Array:
        return self._dense

    todense = toarray


class Columns(list[Any]):
    """What stands for ``X.T`` and for ``np.array([a, b])`` of columns: the rows are behind."""

    @property
    def T(self) -> Any:
        return np.column_stack(self)

    @property
    def shape(self) -> tuple[Any, ...]:
        return (len(self), Rows())

    def __iter__(self) -> Iterator[Any]:
        return super().__iter__()

    def __setitem__(self, key: Any, value: Any) -> None:
        if not isinstance(key, (int, np.integer)):
            _refuse_transposed()
        self[int(key)][:] = value

    def _refused(self, *_: Any, **__: Any) -> NoReturn:
        _refuse_transposed()

    __add__ = __radd__ = __iadd__ = __mul__ = __rmul__ = __imul__ = _refused
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refused
    __contains__ = __delitem__ = append = extend = insert = pop = remove = _refused
    clear = sort = reverse = copy = index = count = _refused


def _refuse_transposed() -> NoReturn:
    mixes_rows("arithmetic with X.T, whose columns are the rows,")


class Known(np.ndarray):
    """An array of the model's, which may be looked up by what is computed."""

    def __getitem__(self, key: Any) -> Any:
        parts = key if isinstance(key, tuple) else (key,)
        if not any(type(p) is Array for p in parts):
            return super().__getitem__(key)
        if len(parts) > 1 or parts[0].dtype.kind not in "iu":
            mixes_rows("what is looked up by something other than a column of whole numbers")
        return looked_up(np.asarray(self), parts[0].wire)

    def take(self, indices: Any, axis: Any = None, *args: Any, **options: Any) -> Any:
        if type(indices) is not Array:
            return super().take(indices, axis, *args, **options)
        return self[indices]


def looked_up(table: np.ndarray, codes: Wire) -> Any:
    """Return the entries of a table that a column of whole numbers points to.

    A number beyond its ends is refused.
    """
    build, count = codes.builder, len(table)
    if codes.width != 1 or table.ndim not in (1, 2) or not count:
        mixes_rows(f"what {codes.width} columns of numbers look up in an array of {table.shape}")
    wide = conversions.to_integer(codes, np.dtype(np.int64))
    keys, places = [*range(count), *range(-count, 0)], [*range(count)] * 2
    found = build.refuse_unknown(build.lookup(wide, keys, values=np.array(places)))
    if table.ndim == 1 and table.dtype.kind in "iub":
        numbers = build.lookup(found, range(count), values=table.astype(np.int64))
        return Array(conversions.astype(numbers, table.dtype)[:, 0])
    if table.dtype.kind in "OUS":
        if table.ndim != 1 or len(set(plain_labels(table))) != count:
            mixes_rows("labels that are looked up in an array which has some twice")
        return Array(build.labels(found, [table])[:, 0])
    edges = np.arange(0.5, count - 1)
    columns = [table] if table.ndim == 1 else list(table.T)
    if table.dtype.kind != "f":
        raise UnsupportedModelError(f"rows of {table.dtype} are looked up; use floats")
    positions = build.cast(found, "float64")
    many: Any = np.column_stack([positions] * len(columns)) if len(columns) > 1 else positions
    made: Any = steps(many, [edges] * len(columns), columns)
    made = made.astype(table.dtype)
    return Array(made if table.ndim == 2 else made[:, 0])


def number_of(x: Wire, keys: Sequence[Any], numbers: np.ndarray) -> Wire:
    """Return the number that goes with each value of a column; NaN for what is no key."""
    one: Any = x
    if x.dtype != "text":
        one = x.astype(np.float64)
    codes = x.builder.lookup(one, keys, default=len(keys))
    entries = np.append(numbers, np.nan)
    made: Any = steps(x.builder.cast(codes, "float64"), [np.arange(0.5, len(keys))], [entries])
    return cast(Wire, made[:, 0])


def filled(target: Wire, value: Any) -> Wire:
    """Return what assigning a value to an array writes there: of its shape and its type."""
    value = bare(value)
    if isinstance(value, Wire):
        if value.ndim == 1 and target.ndim == 2:
            value = value[:, None] if target.width == 1 else mixes_rows(
                "a column assigned to several, without [:, None],"
            )  # fmt: skip
        made: Any = conversions.astype(value, target.numbers)
        if made.width == target.width:
            return cast(Wire, made if made.ndim == target.ndim else made.reshape(-1))
        return cast(Wire, made[:, [0] * target.width])
    row = np.asarray(value).astype(target.numbers)
    if row.ndim > 1 or (row.ndim and target.ndim == 1 and row.shape != (1,)):
        mixes_rows(f"an array of the shape {row.shape}, which has rows,")
    full = [_constant(target, item.item()) for item in np.broadcast_to(row, target.width)]
    made = np.column_stack(full) if len(full) > 1 else _two_axes(full[0])
    return cast(Wire, made if target.ndim == 2 else made[:, 0])


def _constant(like: Wire, number: Any) -> Any:
    return np.full_like(_two_axes(like)[:, :1], number)


def constant_columns(like: Wire, shape: Any, row: Any, dtype: Any) -> Array:
    """Return ``np.full(shape, row, dtype)`` where the rows are the first axis of the shape."""
    wanted = shape if isinstance(shape, (tuple, list)) else (shape,)
    if len(wanted) not in (1, 2) or any(isinstance(n, Rows) for n in wanted[1:]):
        mixes_rows(f"an array of the shape {tuple(wanted)}")
    width = int(wanted[1]) if len(wanted) == 2 else 1
    numbers = np.asarray(row)
    kind = np.dtype(dtype) if dtype is not None else numbers.dtype
    first = _two_axes(like)[:, :1].astype(np.float64)
    parts = [
        np.full_like(first, np.asarray(n).astype(kind).item(), dtype=kind)
        for n in np.broadcast_to(numbers, width)
    ]
    made: Any = np.column_stack(parts) if width > 1 else parts[0]
    return Array(made if len(wanted) == 2 else made[:, 0])


def _where(condition: Wire, a: Wire, b: Wire) -> Wire:
    found: Any = condition.builder.numpy.function(np.where, (condition, a, b), {})
    return cast(Wire, found)


def _two_axes(x: Wire) -> Wire:
    return x[:, None] if x.ndim == 1 else x


_SCALARS = (int, float, bool, str, list, tuple)


def bare(x: Any) -> Any:
    """Return wires in place of what stands for arrays, within lists and dicts too."""
    if type(x) is Array:
        return x.wire
    if type(x) is Known:
        return np.asarray(x)
    if type(x) in (list, tuple):
        return type(x)(bare(item) for item in x)
    if type(x) is Columns:
        return [bare(item) for item in x]
    return {k: bare(v) for k, v in x.items()} if type(x) is dict else x


def named(x: Any) -> Any:
    """Return what stands for arrays in place of wires."""
    if isinstance(x, Wire):
        return Array(x)
    return type(x)(named(item) for item in x) if type(x) in (list, tuple) else x
