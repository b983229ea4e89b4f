"""Pipeline, ColumnTransformer, FeatureUnion and FunctionTransformer: models made of models.

What passes from step to step is a `Table`: columns with names and kinds, text among them. Where
scikit-learn stacks arrays side by side, all numbers take one dtype, which decides whether a later
step computes in float32; `_stack` keeps that rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.spec import Kind
from sclbl.strippers import dispatch
from sclbl.strippers.build import Builder
from sclbl.strippers.columns import Cell, Table, Wire


def _is_passed(step: Any) -> bool:
    return step is None or (isinstance(step, str) and step == "passthrough")


def _is_dropped(step: Any) -> bool:
    return isinstance(step, str) and step == "drop"


class PipelineStripper:
    """``sklearn.pipeline.Pipeline``: the methods of its last step, after the steps before it."""

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

    def columns(self, model: Any) -> tuple[str, ...] | None:
        """Return the columns that the first step looks up by name."""
        first = next((step for _, step in model.steps if not _is_passed(step)), None)
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
        return dispatch.apply(last, x, build, methods)


class ColumnTransformerStripper:
    """``sklearn.compose.ColumnTransformer``: each transformer on its columns, side by side."""

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
            parts.append(_weighted(part, weights.get(name), build, f"{name!r}"))
        return {"transform": _stack(model, parts, build)}


def _columns(model: Any, x: Table, places: Sequence[int]) -> Table:
    """Select columns as ColumnTransformer does: by name where both sides have names."""
    fitted = getattr(model, "feature_names_in_", None)
    if fitted is None or any(n is None for n in x.names):
        return x.select(places)
    position = {name: i for i, name in enumerate(x.names)}
    return x.select([position[str(fitted[place])] for place in places])


class FeatureUnionStripper:
    """``sklearn.pipeline.FeatureUnion``: each transformer on all columns, side by side."""

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
        return {"transform": _stack(model, parts, build)}


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
    for cell in _array_kinds(part.cells):
        single = cell.kind == "float32" and not isinstance(weight, np.float64)
        wire = build.columns(cell.wire, [cell.index])
        wire = build.mul(build.cast(wire, "float32" if single else "float64"), float(weight))
        whole = isinstance(weight, (int, np.integer)) and cell.kind in ("integer", "boolean")
        kind: Kind = "integer" if whole else "float32" if single else "float64"
        cells.append(Cell(wire, 0, cell.name, kind))
    return Table(build, tuple(cells))


def _stack(model: Any, parts: Iterable[Table], build: Builder) -> Table:
    """Put tables side by side, with the kinds that scikit-learn's result has.

    DataFrames keep a dtype a column; arrays take one dtype, as ``numpy.hstack`` finds it.
    """
    parts = list(parts)
    if _makes_frames(model):
        return Table(build, tuple(c for part in parts for c in part.cells))
    return Table(build, _array_kinds([c for part in parts for c in _array_kinds(part.cells)], True))


def _makes_frames(model: Any) -> bool:
    """Return whether `set_output` makes a model result in DataFrames."""
    import sklearn

    own = getattr(model, "_sklearn_output_config", {}).get("transform")
    return bool((own or sklearn.get_config()["transform_output"]) != "default")


def _array_kinds(cells: Sequence[Cell], arrays: bool = False) -> tuple[Cell, ...]:
    """Return cells with the one kind of numbers that an array of them has.

    Parameters
    ----------
    cells : sequence of Cell
        Numbers, and text where the array is one of objects.
    arrays : bool, optional
        Whether arrays are stacked, where booleans take the others' dtype. Inside one array,
        booleans beside numbers come from a DataFrame and make an array of objects.
    """
    kinds = {c.kind for c in cells}
    numbers = kinds - {"boolean"} if arrays and len(kinds) > 1 else kinds
    kind: Kind = "float64"
    if len(numbers) == 1 and "text" not in kinds:
        kind = next(iter(numbers))
    return tuple(c if c.kind in ("text", kind) else replace(c, kind=kind) for c in cells)


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
            x = build.wire_table(build.refuse(x.matrix(model=model), nan=True))
        operator = None if model.func is None else self._operator(model)
        if operator is None:
            return {"transform": x}
        if any(cell.kind in ("text", "boolean") for cell in x.cells):
            raise UnsupportedModelError(
                f"FunctionTransformer(func=np.{model.func.__name__}) is given text or booleans; "
                "select columns of numbers for it with a ColumnTransformer"
            )
        if len({cell.kind for cell in x.cells}) == 1:
            return {"transform": build.wire_table(build.unary(operator, x.matrix()))}
        wires = [build.unary(operator, x.column(i)) for i in range(x.width)]
        return {
            "transform": Table(build, tuple(c for w in wires for c in build.wire_table(w).cells))
        }


PIPELINE = PipelineStripper()
COLUMN_TRANSFORMER = ColumnTransformerStripper()
FEATURE_UNION = FeatureUnionStripper()
FUNCTION_TRANSFORMER = FunctionStripper()
