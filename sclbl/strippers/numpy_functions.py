"""NumPy's functions on wires: what each of them adds to the graph.

Which type a function computes in is asked of NumPy (`sclbl.strippers.promotion`). Integers and
booleans travel as float64; what wraps around is computed in the integer type itself
(`sclbl.strippers.conversions`).
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn, cast

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.ops import BY_UFUNC, find
from sclbl.strippers import numpy_composed, promotion
from sclbl.strippers.conversions import (
    WIDE,
    astype,
    brought,
    held_as,
    hold,
    is_integer,
    numbers_of,
    to_float,
    to_integer,
)
from sclbl.strippers.numpy_reductions import (
    argmax,
    argmin,
    extreme,
    floats,
    mean,
    reducible,
    sum_,
)
from sclbl.strippers.wire import Wire, mixes_rows

#: Element-wise functions that are operators; the language knows them by NumPy's function.
OPERATORS: dict[Any, str] = {
    **{function: op.name for function, op in BY_UFUNC.items()},
    np.equal: "Equal",
    np.fabs: "Abs",
    np.fmod: "Mod",
    np.left_shift: "Mul",
    np.reciprocal: "Reciprocal",
    np.remainder: "Mod",
    np.right_shift: "sclbl.FloorDiv",
}
#: Those of `scipy.special`, by name: importing it takes a while.
_SPECIAL = {
    "erf": "Erf", "erfc": "sclbl.Erfc", "expit": "sclbl.LibmSigmoid", "ndtr": "sclbl.NormCdf",
    "ndtri": "sclbl.NormPpf",
}  # fmt: skip
#: Those that others make up, with the same bits.
_COMPOSED: dict[np.ufunc, Callable[..., Any]] = {
    np.isfinite: lambda x: ~(np.isnan(x) | np.isinf(x)),
    np.isinf: lambda x: np.equal(np.absolute(floats(x)), np.inf),
    np.not_equal: lambda a, b: ~np.equal(a, b),
    np.positive: lambda x: x,
    np.square: lambda x: _square(x),
}
_NO_VALUE = np._NoValue  # what an option is that was left out
_SHIFTS = (np.left_shift, np.right_shift)
_PANDAS = ("pandas", "pyarrow")
_PANDAS_OPERATORS = frozenset({
    np.add, np.subtract, np.multiply, np.divide, np.floor_divide, np.remainder, np.power,
    np.bitwise_and, np.bitwise_or, np.bitwise_xor,
})  # fmt: skip
_PANDAS_COMPARISONS = frozenset({
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
})  # fmt: skip
#: pandas has results of its own for these where it divides by 0.
_BY_PANDAS = (np.floor_divide, np.remainder)
#: Of integers these are what they were.
_KEEPS_WHOLE = frozenset({"Floor", "Ceil", "Round"})
_COMPARE = frozenset({"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "IsNaN"})
_LOGIC = frozenset({"And", "Or", "Xor", "Not"})
#: What arithmetic and operations on bits are of truth values.
_OF_TRUTHS = {
    "Add": "Or", "Max": "Or", "Mul": "And", "Min": "And",
    "BitwiseAnd": "And", "BitwiseOr": "Or", "BitwiseXor": "Xor", "BitwiseNot": "Not",
}  # fmt: skip


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
    inputs = _of_pandas(function, inputs)
    if function is np.matmul:
        result = _matmul(*inputs)
    elif function in _COMPOSED:
        result = _COMPOSED[function](*inputs)
    else:
        result = _elementwise(function, inputs)
    return result if target is None else into(result, target)


def _of_pandas(function: np.ufunc, inputs: Sequence[Any]) -> Sequence[Any]:
    """Return operands as pandas hands them to NumPy, where the rows are a DataFrame.

    Arithmetic takes NumPy's scalars as Python's numbers, which adapt to the others' type, and
    comparisons take them as they are. What pandas has no operator for gets arrays, so that Python's
    numbers do not adapt.
    """
    if not any(isinstance(x, Wire) and x.builder.library in _PANDAS for x in inputs):
        return inputs
    if function in _PANDAS_COMPARISONS:
        return inputs
    if function in _PANDAS_OPERATORS:
        scalars = (np.integer, np.floating)
        return [x.item() if isinstance(x, scalars) else x for x in inputs]
    return [np.asarray(x) if type(x) in (int, float) else x for x in inputs]


def function(called: Callable[..., Any], args: Any, options: Any) -> Any:
    """Write any other function of NumPy: ``np.sum(x, axis=1)``, ``np.where(c, a, b)``."""
    written = _FUNCTIONS.get(called)
    if written is None:
        _unknown(f"np.{called.__name__}", {})
    given = {k: v for k, v in options.items() if v is not None and v is not _NO_VALUE}
    try:
        inspect.signature(written).bind(*args, **given)
    except TypeError:
        _unknown(f"np.{called.__name__}", given)
    return written(*args, **given)


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
    op, ndim = _operator(function), _axes(inputs)
    *kinds, made = promotion.loop_of(function, [numbers_of(x) for x in inputs])
    if kinds[0].kind == "b":
        op = _OF_TRUTHS.get(op, op)
    if op in _LOGIC:
        operands = [_truth(x) for x in inputs]
    elif op in _COMPARE:
        operands = _compared(op, inputs, kinds)
    elif made.kind == "f" or (_is_exact(op, kinds[0]) and not is_integer(inputs[0])):
        operands = [brought(x, made) for x in inputs]
    elif op in _KEEPS_WHOLE or (op == "Abs" and made.kind == "u"):
        return cast(Wire, inputs[0])
    else:
        return held_as(_of_integers(function, op, inputs, made), made, ndim)
    return held_as(_written(function, op, operands), made, ndim)


def _written(function: np.ufunc, op: str, operands: Sequence[Any], **attrs: Any) -> Wire:
    """Write an operator, where it takes numbers of this type."""
    first = next(x for x in operands if isinstance(x, Wire))
    if first.dtype not in find(op).takes:
        _refuse_numbers(f"np.{function.__name__}", first.numbers)
    if len(operands) == 1:
        return first.builder.unary(op, first)
    return first.builder.binary(op, *operands, **attrs)


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


def _is_exact(op: str, own: np.dtype[Any]) -> bool:
    """Return whether float64 gives what integers do: none that rows hold wraps around there."""
    if op == "Abs" and own.kind in "ub":
        return True
    # The negative and absolute value of int64 do at its end, which is beyond 2**53.
    return op in ("Sign", *_KEEPS_WHOLE) or (op in ("Abs", "Neg") and own == np.int64)


def _refuse_numbers(what: str, own: np.dtype[Any]) -> NoReturn:
    if own.kind == "f":
        _unknown(f"{what} of {own} numbers", {})
    raise UnsupportedModelError(
        f"{what} is given {own} numbers, and no operator gives what NumPy makes of them; give it "
        'float64: .astype("float64") on these columns of example_input (and of the rows that the '
        "model is asked), or before this step"
    )


def _compared(op: str, inputs: Sequence[Any], kinds: Sequence[np.dtype[Any]]) -> list[Any]:
    """Return the operands of a comparison: of integers as float64, where that holds them."""
    if op == "IsNaN" and kinds[0].kind != "f":
        return [to_float(x, np.dtype(np.float64)) for x in inputs]
    wide = any(isinstance(x, Wire) and x.dtype in WIDE for x in inputs)
    if wide and len({*kinds}) > 1:
        _refuse_numbers(f"a comparison with {kinds[1]}", kinds[0])
    return [brought(x, kind, whole=wide) for x, kind in zip(inputs, kinds, strict=True)]


def _of_integers(function: np.ufunc, op: str, inputs: Sequence[Any], made: np.dtype[Any]) -> Wire:
    """Write a function in the integer type that NumPy computes in."""
    build = next(x.builder for x in inputs if isinstance(x, Wire))
    if build.library in ("polars", "pyarrow"):
        raise UnsupportedModelError(
            f"np.{function.__name__} is given integers of {build.library}, which has rules of its "
            "own for what does not fit; convert X to an array first, or to float64"
        )
    if op == "Pow":
        return _power(inputs[0], inputs[1], made)
    if function in _SHIFTS:
        inputs = [inputs[0], _factors(function, inputs[1], made)]
    operands = [brought(x, made, whole=True) for x in inputs]
    if op == "Neg" and made.kind == "u":
        op, operands = "Sub", [np.zeros(1, made), *operands]
    if function in _BY_PANDAS and build.library in _PANDAS and not _divides(operands[1]):
        raise UnsupportedModelError(
            f"np.{function.__name__} of a DataFrame's columns gives infinities where it divides by "
            "0, and programs divide by numbers that are not 0 only; convert X to an array first"
        )
    if op == "Mod":
        return _written(function, op, operands, fmod=int(function is np.fmod))
    return _written(function, op, operands)


def _divides(x: Any) -> bool:
    return not isinstance(x, Wire) and bool((x != 0).all())


def _power(base: Any, exponent: Any, made: np.dtype[Any]) -> Wire:
    """Write a power of integers; NumPy raises an error for a negative exponent."""
    if isinstance(exponent, Wire) or (np.asarray(exponent) < 0).any():
        raise UnsupportedModelError(
            "a power of integers whose exponents are computed, or negative, cannot be compiled: "
            "NumPy refuses some of them; convert to float64 first"
        )
    # What wraps around in the wider type does so in the narrower one.
    wide = made if made == np.int32 else np.dtype(np.int64)
    x = to_integer(brought(base, made, whole=True), wide)
    exponents = np.ravel(np.asarray(exponent, dtype=made)).astype(wide)
    return to_integer(x.builder.binary("Pow", x, exponents), made)


def _factors(function: np.ufunc, by: Any, made: np.dtype[Any]) -> np.ndarray:
    """Return what to multiply with, or to divide by, so that integers are shifted."""
    if isinstance(by, Wire):
        _refuse_numbers(f"np.{function.__name__} by computed numbers", made)
    places = np.ravel(np.asarray(by, dtype=made))
    most = made.itemsize * 8 - (made.kind == "i")
    if function is np.right_shift and ((places < 0) | (places >= most)).any():
        _refuse_numbers(f"np.right_shift by {places.tolist()}", made)
    factors: np.ndarray = np.left_shift(np.ones(1, made), places)
    return factors


def _square(x: Wire) -> Any:
    return np.multiply(y := x if x.numbers.kind != "b" else x.astype(np.int8), y)


def _truth(x: Any) -> Any:
    if np.dtype(numbers_of(x)).kind != "b":
        raise UnsupportedModelError("&, | and ~ are written for truth values only; compare first")
    truth = np.dtype(np.bool_)
    if not isinstance(x, Wire):
        return brought(x, truth)
    if x.held is not None:
        hold(x)
    return astype(replace(x, held=None), truth)


def into(result: Wire, target: Wire) -> Wire:
    """Return what ``x op= y`` leaves: the result in x's own type and shape."""
    if not isinstance(target, Wire) or (result.ndim, result.width) != (target.ndim, target.width):
        raise UnsupportedModelError("a result is written into an array of another shape")
    if not np.can_cast(result.numbers, target.numbers, "same_kind"):
        raise UnsupportedModelError(
            f"{result.numbers} numbers are written into an array of {target.numbers}"
        )
    return astype(result, target.numbers)


def _matmul(x: Any, weights: Any) -> Wire:
    if not isinstance(x, Wire) or isinstance(weights, Wire):
        mixes_rows("a product whose second matrix is computed")
    matrix = np.asarray(weights)
    if x.ndim != 2 or matrix.ndim not in (1, 2):
        mixes_rows("a product along the rows")
    *_, made = promotion.loop_of(np.matmul, [x.numbers, matrix.dtype])
    columns = matrix.reshape(len(matrix), -1)
    if x.ragged:
        if made.kind != "f" or made == np.float16:
            _refuse_numbers("np.matmul", made)
        if x.numbers.kind in "iu":
            x = x.builder.node("sclbl.CastItems", [x], to=made.name)
        weights = x.builder.constant(columns, made.name)
        product: Wire = x.builder.node("sclbl.SparseDot", [x, weights])
        return replace(product, ndim=matrix.ndim)
    if made.kind == "b":
        _refuse_numbers("np.matmul", made)
    if made.kind in "iu":
        return held_as(_whole_product(x, columns, made), made, matrix.ndim)
    # float16 is added up in float32.
    added = np.dtype(np.float32) if made == np.float16 else made
    product = x.builder.matmul(to_float(x, added), columns)
    return to_float(replace(product, ndim=matrix.ndim), made)


def _whole_product(x: Wire, columns: np.ndarray, made: np.dtype[Any]) -> Wire:
    """Multiply integers by a matrix: what wraps around in int64 does so in a narrower type."""
    build, wide = x.builder, np.dtype(np.int64)
    y = to_integer(to_integer(x, made), wide)
    factors = columns.astype(made).astype(wide)
    sums = [build.reduce("ReduceSum", build.mul(y, column)) for column in factors.T]
    return to_integer(build.concat(sums), made)


def _where(condition: Any, a: Any, b: Any) -> Wire:
    if not isinstance(condition, Wire):
        _unknown("np.where of a condition that is not computed from X", {})
    build, ndim = condition.builder, _axes([condition, a, b])
    dtype = promotion.result_type([numbers_of(a), numbers_of(b)])
    if not isinstance(a, Wire) and not isinstance(b, Wire):
        # One branch must be a wire: a row of one value for all rows.
        a = build.add(build.mul(build.cast(condition, "float64"), 0.0), np.asarray(a, np.float64))
        a = replace(a, ndim=ndim)
    whole = dtype.kind in "iu" and (is_integer(a) or is_integer(b))
    left, right = (brought(x, dtype, whole=whole) for x in (a, b))
    return held_as(build.where(_truth(condition), left, right), dtype, ndim)


def _clip(
    a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, *, min: Any = None,
    max: Any = None,
) -> Any:  # fmt: skip
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    if (low is None and high is None) or out is not None:
        _unknown("np.clip without bounds" if out is None else "np.clip with out", {})
    made = a if low is None else np.maximum(a, low)
    return made if high is None else np.minimum(made, high)


def _concatenate(wires: Sequence[Any], axis: Any = 0) -> Wire:
    if axis not in (1, -1) or any(getattr(w, "ndim", 0) != 2 for w in wires):
        mixes_rows(f"joining arrays along axis {axis}")
    if not all(isinstance(w, Wire) for w in wires):
        mixes_rows("joining x with an array that has rows of its own")
    dtype = promotion.result_type([w.numbers for w in wires])
    whole = dtype.kind in "iu" and any(map(is_integer, wires))
    joined = wires[0].builder.concat([brought(w, dtype, whole=whole) for w in wires])
    return held_as(joined, dtype, 2)


def _column_stack(wires: Sequence[Any]) -> Wire:
    columns = [w[:, None] if isinstance(w, Wire) and w.ndim == 1 else w for w in wires]
    return _concatenate(columns, axis=1)


def _stack(wires: Sequence[Any], axis: Any = 0) -> Wire:
    if axis not in (1, -1) or any(getattr(w, "ndim", 0) != 1 for w in wires):
        mixes_rows(f"stacking arrays along axis {axis}")
    return _column_stack(wires)


def _full_like(x: Wire, value: Any, dtype: Any = None) -> Any:
    """Return a number for each cell, whatever the row holds."""
    numbers, made = reducible(x), np.dtype(dtype or x.numbers)
    number = np.asarray(value).astype(made).item()
    if float(number) != number:
        _refuse_numbers(f"np.full_like with {number}", made)
    zero = x.builder.mul(x.builder.cast(x.builder.binary("Equal", numbers, 0.0), "float64"), 0.0)
    full = replace(x.builder.add(zero, float(number)), ndim=x.ndim)
    return held_as(full, made) if made.kind in "iub" else to_float(full, made)


def _take(x: Any, indices: Any, axis: Any = None) -> Wire:
    if not isinstance(x, Wire) or axis not in (1, -1):
        mixes_rows("np.take of other columns than those of x")
    return x[:, np.asarray(indices)]


_REDUCTIONS: dict[np.ufunc, Callable[..., Any]] = {
    np.add: sum_,
    np.maximum: extreme("ReduceMax"),
    np.minimum: extreme("ReduceMin"),
}
_FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    **numpy_composed.FUNCTIONS,
    np.amax: _REDUCTIONS[np.maximum],
    np.amin: _REDUCTIONS[np.minimum],
    np.argmax: argmax,
    np.argmin: argmin,
    np.clip: _clip,
    np.column_stack: _column_stack,
    np.concatenate: _concatenate,
    np.dot: _matmul,
    np.empty_like: lambda x, dtype=None: _full_like(x, 0.0, dtype),
    np.full_like: _full_like,
    np.hstack: lambda wires: _concatenate(wires, axis=1),
    np.max: _REDUCTIONS[np.maximum],
    np.mean: mean,
    np.min: _REDUCTIONS[np.minimum],
    np.ones_like: lambda x, dtype=None: _full_like(x, 1.0, dtype),
    np.stack: _stack,
    np.sum: sum_,
    np.take: _take,
    np.where: _where,
    np.zeros_like: lambda x, dtype=None: _full_like(x, 0.0, dtype),
}
