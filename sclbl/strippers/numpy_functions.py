"""NumPy's functions on wires: what each of them adds to the graph.

Which type a function computes in is asked of NumPy (`sclbl.strippers.promotion`). Integers and
booleans travel as float64; where NumPy would compute in integers, only what gives the same numbers
in float64 is written.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.ops import BY_UFUNC
from sclbl.strippers import promotion
from sclbl.strippers.wire import Wire, mixes_rows

#: Rows up to here are summed by `numpy.sum` in one go.
_BLOCK = 128

#: Element-wise functions that are operators; the language knows them by NumPy's function.
OPERATORS: dict[Any, str] = {
    **{function: op.name for function, op in BY_UFUNC.items()},
    np.bitwise_and: "And",
    np.bitwise_or: "Or",
    np.equal: "Equal",
    np.fabs: "Abs",
    np.invert: "Not",
    np.reciprocal: "Reciprocal",
}
#: Those of `scipy.special`, by name: importing it takes a while.
_SPECIAL = {
    "erf": "Erf", "erfc": "sclbl.Erfc", "expit": "sclbl.LibmSigmoid", "ndtr": "sclbl.NormCdf",
    "ndtri": "sclbl.NormPpf",
}  # fmt: skip
#: Those that others make up, with the same bits.
_COMPOSED: dict[np.ufunc, Callable[..., Any]] = {
    np.isfinite: lambda x: ~(np.isnan(x) | np.isinf(x)),
    np.isinf: lambda x: np.equal(np.absolute(x), np.inf),
    np.not_equal: lambda a, b: ~np.equal(a, b),
    np.positive: lambda x: x,
    np.square: lambda x: np.multiply(x, x),
}
#: Of integers these give in float64 what they give in integers: nothing wraps around.
_SAME_IN_FLOAT64 = frozenset({"Sign", "Floor", "Ceil", "Round"})
_COMPARE = frozenset({"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "IsNaN"})
_LOGIC = frozenset({"And", "Or", "Not"})


def ufunc(
    function: np.ufunc, method: str, inputs: Sequence[Any], options: Mapping[str, Any]
) -> Any:
    """Write a universal function: ``np.exp(x)``, ``x + 1``, ``x *= scale``, ``x @ w``."""
    options = dict(options)
    if function is not np.matmul and any(isinstance(x, Wire) and x.ragged for x in inputs):
        raise UnsupportedModelError(
            f"np.{function.__name__} of sparse rows or lists has no operator yet; give the model "
            "dense rows, for example example_input.toarray()"
        )
    target = options.pop("out", (None,))[0]
    if method == "reduce" and function in _REDUCTIONS and target is None:
        return _REDUCTIONS[function](*inputs, **options)
    if method != "__call__" or options:
        _unknown(f"np.{function.__name__}.{method}", options)
    if function is np.matmul:
        result = _matmul(*inputs)
    elif function in _COMPOSED:
        result = _COMPOSED[function](*inputs)
    else:
        result = _elementwise(function, inputs)
    return result if target is None else into(result, target)


def function(called: Callable[..., Any], args: Any, options: Any) -> Any:
    """Write any other function of NumPy: ``np.sum(x, axis=1)``, ``np.where(c, a, b)``."""
    written = _FUNCTIONS.get(called)
    if written is None:
        _unknown(f"np.{called.__name__}", {})
    return written(*args, **options)


def _unknown(name: str, options: Mapping[str, Any]) -> NoReturn:
    given = f" with {', '.join(options)}" if options else ""
    raise UnsupportedModelError(f"{name}{given} has no operator that gives the same numbers")


def _operator(function: np.ufunc) -> str:
    if function in OPERATORS:
        return OPERATORS[function]
    special = sys.modules.get("scipy.special")
    name = function.__name__
    if name not in _SPECIAL or getattr(special, name, None) is not function:
        _unknown(f"{'np.' if hasattr(np, name) else ''}{name}", {})
    return _SPECIAL[name]


def _elementwise(function: np.ufunc, inputs: Sequence[Any]) -> Wire:
    op = _operator(function)
    first = next(x for x in inputs if isinstance(x, Wire))
    build, ndim = first.builder, _axes(inputs)
    *kinds, made = promotion.loop_of(function, [numbers_of(x) for x in inputs])
    if op in _LOGIC:
        operands = [_truth(x) for x in inputs]
    else:
        if not (op in _COMPARE or _is_exact(op, kinds[0], made)):
            _refuse_integers(function, first, made)
        operands = [_brought(x, kind) for x, kind in zip(inputs, kinds, strict=True)]
        operands = _alike(operands)
    if op == "Not":
        result = build.logical_not(operands[0])
    elif op == "IsNaN":
        result = build.is_nan(operands[0])
    elif len(operands) == 1:
        result = build.unary(op, operands[0])
    else:
        result = build.binary(op, *operands)
    held = None if op in _COMPARE | _LOGIC else _kept(made, result.dtype)
    return replace(result, held=held, ndim=ndim)


def numbers_of(x: Any) -> Any:
    """Return the dtype of an operand; of Python's numbers the type, which NumPy lets adapt."""
    if isinstance(x, Wire):
        return x.numbers
    return type(x) if type(x) in (int, float) else np.asarray(x).dtype


def _kept(held: np.dtype[Any], stored: str) -> np.dtype[Any] | None:
    return None if held == np.dtype(stored) else held


def _axes(operands: Sequence[Any]) -> int:
    """Return the number of axes of a result, where the operands' shapes go together."""
    axes = {x.ndim for x in operands if isinstance(x, Wire)}
    for x in operands:
        if isinstance(x, Wire):
            continue
        shape = np.shape(x)
        if (axes == {1} and shape not in ((), (1,))) or (
            len(shape) > 1 and not (len(shape) == 2 and shape[0] == 1)
        ):
            mixes_rows(f"an operation with an array of the shape {shape}, which has rows,")
    if len(axes) > 1:
        mixes_rows("an operation of x[:, i] or a sum with all of x, whose columns meet its rows,")
    return axes.pop()


def _is_exact(op: str, own: np.dtype[Any], made: np.dtype[Any]) -> bool:
    if made.kind == "f":
        return True
    if op in _SAME_IN_FLOAT64:
        return made.kind in "iu"
    # Negative and absolute values wrap around at the end of a type's range: beyond what programs
    # take of int64.
    return (op == "Abs" and own.kind == "u") or (op in ("Abs", "Neg") and own == np.int64)


def _refuse_integers(function: np.ufunc, x: Wire, made: np.dtype[Any]) -> NoReturn:
    refuse_narrow(f"np.{function.__name__}", x.numbers, made)


def refuse_narrow(what: str, own: np.dtype[Any], made: np.dtype[Any]) -> NoReturn:
    """Refuse what NumPy computes in integers that wrap around, or in float16."""
    how = "in float16" if made.kind == "f" else f"in {made}, which wraps around"
    raise UnsupportedModelError(
        f"{what} is given {own} numbers, with which NumPy computes {how}, and programs do not; "
        'give it float64: .astype("float64") on these columns of example_input (and of the rows '
        "that the model is asked), or before this step"
    )


def _brought(x: Any, dtype: np.dtype[Any]) -> Any:
    """Return an operand in the type that NumPy computes in."""
    if not isinstance(x, Wire):
        return np.ravel(np.asarray(x, dtype=dtype))
    if dtype.kind == "f":
        return to_float(x, dtype)
    return x if x.dtype != "bool" else x.builder.cast(x, "float64")


def to_float(x: Wire, dtype: np.dtype[Any]) -> Wire:
    """Return a wire in float32 or float64.

    Raises
    ------
    UnsupportedModelError
        Where it is another float.
    """
    if dtype == np.float16 and x.numbers.kind in "iub":
        refuse_narrow(promotion.model_name(x.builder), x.numbers, dtype)
    stored = promotion.float_type(dtype, promotion.model_name(x.builder))
    if stored == "float32" and x.held is not None and x.held.kind in "iub":
        # Of other integers NumPy would make float64.
        x.builder.pin(x.builder.wire_table(x, kind=promotion.kind_of(x.numbers)).cells)
    cast = x.builder.cast(x, stored)
    return replace(cast, held=None, ndim=x.ndim)


def _alike(operands: list[Any]) -> list[Any]:
    """Bring class numbers, which are int64, beside integers that travel as float64."""
    stored = {x.dtype for x in operands if isinstance(x, Wire)}
    if stored != {"int64", "float64"}:
        return operands
    return [x.builder.cast(x, "float64") if isinstance(x, Wire) else x for x in operands]


def _truth(x: Any) -> Wire:
    if not isinstance(x, Wire) or x.numbers.kind != "b":
        raise UnsupportedModelError("&, | and ~ are written for truth values only; compare first")
    return x if x.dtype == "bool" else x.builder.logical_not(x.builder.binary("Equal", x, 0.0))


def into(result: Wire, target: Wire) -> Wire:
    """Return what ``x op= y`` leaves: the result in x's own type and shape."""
    if not isinstance(target, Wire) or (result.ndim, result.width) != (target.ndim, target.width):
        raise UnsupportedModelError("a result is written into an array of another shape")
    return astype(result, target.numbers)


def astype(x: Wire, dtype: np.dtype[Any]) -> Wire:
    """Convert a wire as ``x.astype(dtype)`` does."""
    if dtype == x.numbers:
        return x
    if dtype.kind == "f":
        return to_float(x, dtype)
    if dtype == np.int64:
        return replace(x.builder.cast(x, "int64"), ndim=x.ndim)
    raise UnsupportedModelError(f"astype({dtype}) is not written; use float64, float32 or int64")


def _matmul(x: Any, weights: Any) -> Wire:
    if not isinstance(x, Wire) or isinstance(weights, Wire):
        mixes_rows("a product whose second matrix is computed")
    matrix = np.asarray(weights)
    if x.ndim != 2 or matrix.ndim not in (1, 2):
        mixes_rows("a product along the rows")
    *_, made = promotion.loop_of(np.matmul, [x.numbers, matrix.dtype])
    if made.kind in "iub":
        _refuse_integers(np.matmul, x, made)
    if x.ragged:
        weights = x.builder.constant(matrix.reshape(len(matrix), -1), made.name)
        product = x.builder.node("sclbl.SparseDot", [x, weights])
        return replace(product, ndim=matrix.ndim)
    product = x.builder.matmul(to_float(x, made), matrix.reshape(len(matrix), -1))
    return replace(product, ndim=matrix.ndim)


# ------------------------------------------------------------ along the columns


def _reduced(x: Wire, axis: Any, keepdims: bool, write: Callable[[Wire], Wire], what: str) -> Wire:
    """Reduce along the columns, in float64 where the source holds integers or truths."""
    if x.ndim == 1 or axis not in (1, -1, (1,), (-1,)):
        mixes_rows(f"{what} along axis {axis}")
    return replace(write(_brought(x, x.numbers)), ndim=2 if keepdims else 1)


def pairwise_sum(x: Wire) -> Wire:
    """Return what `numpy.sum` makes of each contiguous row.

    From eight numbers on it keeps eight running sums and adds them in pairs; the numbers left over
    follow one by one. Beyond 128 numbers it halves the row first
    (``numpy/_core/src/umath/loops_utils.h.src``).
    """
    build = x.builder
    if x.width > _BLOCK:
        half = x.width // 2
        half -= half % 8
        return build.add(
            pairwise_sum(build.columns(x, range(half))),
            pairwise_sum(build.columns(x, range(half, x.width))),
        )
    whole = x.width - x.width % 8
    if whole == 0:
        return build.reduce("ReduceSum", x)
    sums = build.columns(x, range(8))
    for begin in range(8, whole, 8):
        sums = build.add(sums, build.columns(x, range(begin, begin + 8)))
    while sums.width > 1:
        even, odd = range(0, sums.width, 2), range(1, sums.width, 2)
        sums = build.add(build.columns(sums, even), build.columns(sums, odd))
    for rest in range(whole, x.width):
        sums = build.add(sums, build.columns(x, [rest]))
    return sums


def _sum(x: Wire, axis: Any = None, keepdims: bool = False) -> Wire:
    total = _reduced(x, axis, keepdims, pairwise_sum, "a sum")
    return replace(total, held=None if x.numbers.kind == "f" else np.dtype(np.int64))


def _mean(x: Wire, axis: Any = None, keepdims: bool = False) -> Any:
    floats = x if x.numbers.kind == "f" else astype(x, np.dtype(np.float64))
    return _sum(floats, axis, keepdims) / x.width


def _extreme(op: str) -> Callable[..., Wire]:
    def write(x: Wire, axis: Any = None, keepdims: bool = False) -> Wire:
        def reduce(y: Wire) -> Wire:
            return y.builder.reduce(op, y)

        return replace(_reduced(x, axis, keepdims, reduce, "an extreme"), held=x.held)

    return write


def _argmax(x: Wire, axis: Any = None, keepdims: bool = False) -> Wire:
    return _reduced(x, axis, keepdims, lambda y: y.builder.argmax(y), "argmax")


def _argmin(x: Wire, axis: Any = None, keepdims: bool = False) -> Wire:
    floats = x if x.numbers.kind == "f" else astype(x, np.dtype(np.float64))
    return _argmax(-floats, axis, keepdims)


def _where(condition: Wire, a: Any, b: Any) -> Wire:
    build, ndim = condition.builder, _axes([condition, a, b])
    dtype = promotion.result_type([numbers_of(a), numbers_of(b)])
    if not isinstance(a, Wire) and not isinstance(b, Wire):
        # One branch must be a wire: a row of one value for all rows.
        a = build.add(build.mul(build.cast(condition, "float64"), 0.0), np.asarray(a, np.float64))
        a = replace(a, ndim=ndim)
    left, right = (_brought(x, dtype) for x in (a, b))
    chosen = build.where(_truth(condition), left, right)
    return replace(chosen, held=_kept(dtype, chosen.dtype), ndim=ndim)


def _clip(x: Any, low: Any = None, high: Any = None) -> Any:
    if low is None and high is None:
        _unknown("np.clip without bounds", {})
    x = x if low is None else np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


def _concatenate(wires: Sequence[Any], axis: Any = 0) -> Wire:
    if axis not in (1, -1) or any(getattr(w, "ndim", 0) != 2 for w in wires):
        mixes_rows(f"joining arrays along axis {axis}")
    if not all(isinstance(w, Wire) for w in wires):
        mixes_rows("joining x with an array that has rows of its own")
    dtype = promotion.result_type([w.numbers for w in wires])
    joined: Wire = wires[0].builder.concat([_brought(w, dtype) for w in wires])
    return replace(joined, held=_kept(dtype, joined.dtype), ndim=2)


def _column_stack(wires: Sequence[Any]) -> Wire:
    columns = [w[:, None] if isinstance(w, Wire) and w.ndim == 1 else w for w in wires]
    return _concatenate(columns, axis=1)


def _stack(wires: Sequence[Any], axis: Any = 0) -> Wire:
    if axis not in (1, -1) or any(getattr(w, "ndim", 0) != 1 for w in wires):
        mixes_rows(f"stacking arrays along axis {axis}")
    return _column_stack(wires)


def _full_like(x: Wire, value: Any, dtype: Any = None) -> Any:
    """Return a number for each cell, whatever the row holds."""
    numbers = _brought(x, x.numbers)
    zero = x.builder.mul(x.builder.cast(x.builder.binary("Equal", numbers, 0.0), "float64"), 0.0)
    full = x.builder.add(zero, float(value))
    return astype(replace(full, ndim=x.ndim), np.dtype(dtype or x.numbers))


def _take(x: Any, indices: Any, axis: Any = None) -> Wire:
    if not isinstance(x, Wire) or axis not in (1, -1):
        mixes_rows("np.take of other columns than those of x")
    return x[:, np.asarray(indices)]


_REDUCTIONS: dict[np.ufunc, Callable[..., Any]] = {
    np.add: _sum,
    np.maximum: _extreme("ReduceMax"),
    np.minimum: _extreme("ReduceMin"),
}
_FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.argmax: _argmax,
    np.argmin: _argmin,
    np.clip: _clip,
    np.column_stack: _column_stack,
    np.concatenate: _concatenate,
    np.dot: _matmul,
    np.full_like: _full_like,
    np.hstack: lambda wires: _concatenate(wires, axis=1),
    np.max: _REDUCTIONS[np.maximum],
    np.mean: _mean,
    np.min: _REDUCTIONS[np.minimum],
    np.ones_like: lambda x, dtype=None: _full_like(x, 1.0, dtype),
    np.stack: _stack,
    np.sum: _sum,
    np.take: _take,
    np.where: _where,
    np.zeros_like: lambda x, dtype=None: _full_like(x, 0.0, dtype),
}
