"""Pipeline, ColumnTransformer, FeatureUnion and FunctionTransformer: models made of models.

What passes from step to step is a `Table`: columns with names and kinds, text among them. Where
scikit-learn stacks arrays side by side, all numbers take one dtype, which decides whether a later
step computes in float32; `_stack` keeps that rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import dispatch, promotion
from sclbl.strippers.columns import Cell, Table, Wire
from sclbl.strippers.graph import Builder
from sclbl.strippers.sklearn_rows import validated


def _is_passed(step: Any) -> bool:
    return step is None or (isinstance(step, str) and step == "passthrough")


def _is_dropped(step: Any) -> bool:
    return isinstance(step, str) and step == "drop"


class PipelineStripper:
    """``sklearn.pipeline.Pipeline``: the methods of its last step, after the steps before it."""

    tells_missing = True

    def methods(self, model: Any) -> tuple[str, ...]:
        return self._of(model, dispatch.methods)

    def optional(self, model: Any) -> tuple[str, ...]:
        """Return what the last step offers on request."""
        return self._of(model, dispatch.optional)

    @staticmethod
    def _of(model: Any, offered: Any) -> tuple[str, ...]:
        last = model.steps[-1][1]
        if _is_passed(last):
            return ("transform",) if offered is dispatch.methods else ()
        # A Pipeline hands on fewer methods than an estimator may have (not `apply`, for one).
        return tuple(m for m in offered(last) if hasattr(model, m))

    @staticmethod
    def _first(model: Any) -> Any:
        """Return the first step that the rows reach as they were given."""
        return next((step for _, step in model.steps if not _is_passed(step)), None)

    def names(self, model: Any) -> tuple[str, ...] | None:
        """Return the names that the first step was fitted on."""
        first = self._first(model)
        return None if first is None else dispatch.fitted_names(first)

    def columns(self, model: Any) -> tuple[str, ...] | None:
        """Return the columns that the first step looks up by name."""
        first = self._first(model)
        used = None if first is None else dispatch.used_by_name(first)
        return None if used is None else tuple(used)

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire | Table]:
        for _, step in model.steps[:-1]:
            if not _is_passed(step):
                x = dispatch.transform(step, x, build)
        last = model.steps[-1][1]
        if _is_passed(last):
            return {"transform": x}
        results = dict(dispatch.apply(last, x, build, methods))
        table = results.get("transform")
        if isinstance(table, Table):  # a step of another pipeline, perhaps
            results["transform"] = replace(table, sparse=dispatch.sparse_form(last, x, table))
        return results


class ColumnTransformerStripper:
    """``sklearn.compose.ColumnTransformer``: each transformer on its columns, side by side."""

    tells_missing = True

    def methods(self, model: Any) -> tuple[str, ...]:
        return ("transform",)

    def columns(self, model: Any) -> tuple[str, ...] | None:
        """Return the columns that are not dropped, where it was fitted on names."""
        names = getattr(model, "feature_names_in_", None)
        if names is None:
            return None
        places = model._transformer_to_input_indices
        kept = [name for name, step, _ in model.transformers_ if not _is_dropped(step)]
        return tuple(str(names[place]) for name in kept for place in places[name])

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire | Table]:
        weights = model.transformer_weights or {}
        parts = []
        for name, step, _ in model.transformers_:
            # Names, masks, slices and callables were resolved to positions when it was fitted.
            places = list(model._transformer_to_input_indices[name])
            if _is_dropped(step) or not places:
                continue
            part = _columns(model, x, places)
            if not _is_passed(step):
                part = dispatch.transform(step, part, build)
            if not _makes_frames(model, "pandas"):
                part = _without_na(part, build)
            parts.append(_weighted(part, weights.get(name), build, f"{name!r}"))
        table = _stack(model, parts, build)
        return {"transform": replace(table, sparse="csr" if model.sparse_output_ else None)}


def _columns(model: Any, x: Table, places: Sequence[int]) -> Table:
    """Select columns as ColumnTransformer does: by name where both sides have names."""
    fitted = getattr(model, "feature_names_in_", None)
    if fitted is None or any(n is None for n in x.names):
        return x.select(places)
    position = {name: i for i, name in enumerate(x.names)}
    return x.select([position[str(fitted[place])] for place in places])


def _without_na(part: Table, build: Builder) -> Table:
    """Refuse pandas.NA in the columns whose dtype knows it: ColumnTransformer makes arrays."""
    cells = list(part.cells)
    by_wire: dict[str, list[int]] = {}
    for i, cell in enumerate(cells):
        if promotion.holds_na(cell.dtype):
            by_wire.setdefault(cell.wire.name, []).append(i)
    for places in by_wire.values():
        first = cells[places[0]]
        wire = build.columns(first.wire, [cells[i].index for i in places])
        if first.kind == "text":
            wire = build.refuse_missing_text(wire, ["na"])
        else:
            wire = build.refuse(wire, nan=True, inf=False)
        for index, i in enumerate(places):
            cells[i] = replace(cells[i], wire=wire, index=index)
    return replace(part, cells=tuple(cells))


class FeatureUnionStripper:
    """``sklearn.pipeline.FeatureUnion``: each transformer on all columns, side by side."""

    tells_missing = True

    def names(self, model: Any) -> tuple[str, ...] | None:
        """Return the names that the first transformer with any was fitted on."""
        for _, step in model.transformer_list:
            if not _is_passed(step) and not _is_dropped(step):
                names = dispatch.fitted_names(step)
                if names is not None:
                    return names
        return None

    def methods(self, model: Any) -> tuple[str, ...]:
        return ("transform",)

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire | Table]:
        weights = model.transformer_weights or {}
        parts = []
        for name, step in model.transformer_list:
            if not _is_dropped(step):
                part = x if _is_passed(step) else dispatch.transform(step, x, build)
                parts.append(_weighted(part, weights.get(name), build, f"{name!r}"))
        table = _stack(model, parts, build)
        sparse = any(part.sparse for part in parts)
        return {"transform": replace(table, sparse="csr" if sparse else None)}


def _weighted(part: Table, weight: Any, build: Builder, label: str) -> Table:
    """Multiply by a weight, as NumPy does: a Python number keeps float32, a NumPy one widens it."""
    if weight is None:
        return part
    if part.has_text:
        raise UnsupportedModelError(
            f"the transformer {label} has a weight and results in text, which cannot be weighted; "
            "leave the weight out"
        )
    cells = []
    for cell in _one_array(part.cells, build):
        dtype = (np.empty(0, cell.dtype) * weight).dtype
        if dtype.kind in "iu" and dtype.itemsize < 8:
            what = f"the transformer {label}, which has the weight {weight!r},"
            _refuse_narrow(what, cell.dtype, dtype)
        if dtype == np.float32:
            build.pin([cell])
        wire = build.columns(cell.wire, [cell.index])
        wire = build.cast(wire, "float32" if dtype == np.float32 else "float64")
        wire = build.mul(wire, float(weight))
        cells.append(Cell(wire, 0, cell.name, promotion.kind_of(dtype), dtype))
    return Table(build, tuple(cells), part.sparse)


def _stack(model: Any, parts: Iterable[Table], build: Builder) -> Table:
    """Put tables side by side, with the kinds that scikit-learn's result has.

    DataFrames keep a dtype a column; arrays take one dtype, as ``numpy.hstack`` finds it.
    """
    parts = list(parts)
    if _makes_frames(model):
        return Table(build, tuple(c for part in parts for c in part.cells))
    arrays = [_one_array(part.cells, build) for part in parts if part.cells]
    if not arrays:
        return Table(build, ())
    dtype = np.result_type(*(cells[0].dtype for cells in arrays))
    return Table(build, _held_in(dtype, [c for cells in arrays for c in cells], build))


def _makes_frames(model: Any, library: str | None = None) -> bool:
    """Return whether `set_output` makes a model result in DataFrames (of one library)."""
    import sklearn

    own = getattr(model, "_sklearn_output_config", {}).get("transform")
    made = own or sklearn.get_config()["transform_output"]
    return bool(made == library if library else made != "default")


def _one_array(cells: Sequence[Cell], build: Builder) -> tuple[Cell, ...]:
    """Return cells of one container with the dtype of the array that NumPy makes of it."""
    return _held_in(promotion.array_dtype(c.dtype for c in cells), cells, build)


def _held_in(dtype: np.dtype[Any], cells: Sequence[Cell], build: Builder) -> tuple[Cell, ...]:
    """Return cells as columns of an array; those that hold text stay text, among objects."""
    if dtype == np.float32:
        build.pin(cells)
    kind = promotion.kind_of(dtype)
    return tuple(replace(c, kind=c.kind if c.kind == "text" else kind, dtype=dtype) for c in cells)


#: NumPy functions whose operator gives the same number, by name.
_FUNCTIONS = {
    "absolute": "Abs",
    "exp": "Exp",
    "expm1": "sclbl.Expm1",
    "floor": "Floor",
    "log": "Log",
    "log1p": "sclbl.Log1p",
    "negative": "Neg",
    "sign": "Sign",
    "sqrt": "Sqrt",
    "tanh": "Tanh",
}


class FunctionStripper:
    """``sklearn.preprocessing.FunctionTransformer`` of no function, or of a NumPy one."""

    tells_missing = True

    def methods(self, model: Any) -> tuple[str, ...]:
        if model.func is not None and self._operator(model) is None:
            name = getattr(model.func, "__qualname__", repr(model.func))
            raise UnsupportedModelError(
                f"FunctionTransformer(func={name}) holds Python code, which cannot be compiled; "
                f"use a NumPy function ({', '.join('np.' + f for f in _FUNCTIONS)}), or write a "
                "transformer class of your own and register its stripper with "
                "sclbl.register(cls, stripper)"
            )
        return ("transform",)

    @staticmethod
    def _operator(model: Any) -> str | None:
        name = getattr(model.func, "__name__", "")
        if model.kw_args or getattr(np, name, None) is not model.func:
            return None
        return _FUNCTIONS.get(name)

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Wire | Table]:
        if model.validate:
            rows = validated(model, x, build)
            kind = promotion.kind_of(rows.dtype)
            x = build.wire_table(rows.wire, kind=kind, dtype=rows.dtype)
        operator = None if model.func is None else self._operator(model)
        if operator is None:
            return {"transform": x}
        if any(cell.kind in ("text", "boolean") for cell in x.cells):
            raise UnsupportedModelError(
                f"FunctionTransformer(func=np.{model.func.__name__}) is given text or booleans; "
                "select columns of numbers for it with a ColumnTransformer"
            )
        if promotion.is_polars(cell.dtype for cell in x.cells):
            x = Table(build, _one_array(x.cells, build))
        if len({cell.dtype for cell in x.cells}) == 1:
            return {"transform": self._mapped(model.func, operator, x, build)}
        parts = [self._mapped(model.func, operator, x.select([i]), build) for i in range(x.width)]
        return {"transform": Table(build, tuple(c for part in parts for c in part.cells))}

    @staticmethod
    def _mapped(func: np.ufunc, operator: str, x: Table, build: Builder) -> Table:
        """Apply a function to columns of one dtype."""
        cell = x.cells[0]
        own = promotion.numpy_dtype(cell.dtype)
        if own.kind == "O":  # Python's numbers
            for number in x.cells:  # and their own operators, which None has none of
                build.take(number, ("nan",))
            return build.wire_table(build.unary(operator, x.matrix("float64")), kind=cell.kind)
        dtype: np.dtype[Any] = func(np.ones(1, own)).dtype
        if own.kind in "iu" and not _is_same_in_float64(operator, own, dtype):
            _refuse_narrow(f"FunctionTransformer(func=np.{func.__name__})", own, dtype)
        single = dtype == np.float32
        if single:
            build.pin(x.cells)
        wire = build.unary(operator, x.matrix("float32" if single else "float64"))
        held: Any = dtype
        if not isinstance(cell.dtype, np.dtype):
            import pandas as pd

            held = func(pd.Series([1], dtype=cell.dtype)).dtype
        return build.wire_table(wire, kind=promotion.kind_of(dtype), dtype=held)


def _is_same_in_float64(operator: str, own: np.dtype[Any], result: np.dtype[Any]) -> bool:
    """Return whether a function of integers gives what it gives for the same numbers as floats.

    Where NumPy makes floats of them, these must be a type that programs compute in. Where it keeps
    integers, nothing may wrap around: signs and whole numbers never do; a negative or an absolute
    value does at the end of the type's range, which for int64 lies beyond what programs take.
    """
    if result.kind == "f":
        return result.itemsize >= 4
    if operator in ("Sign", "Floor"):
        return True
    if operator == "Abs" and own.kind == "u":
        return True
    return operator in ("Abs", "Neg") and own == np.int64


def _refuse_narrow(what: str, own: np.dtype[Any], result: np.dtype[Any]) -> NoReturn:
    how = "in float16" if result.kind == "f" else f"in {result}, which wraps around"
    raise UnsupportedModelError(
        f"{what} is given {own} numbers, with which NumPy computes {how}, and programs do not; "
        'give it float64: .astype("float64") on these columns of example_input (and of the rows '
        "that the model is asked), or before this step"
    )


PIPELINE = PipelineStripper()
COLUMN_TRANSFORMER = ColumnTransformerStripper()
FEATURE_UNION = FeatureUnionStripper()
FUNCTION_TRANSFORMER = FunctionStripper()
