"""`sklearn.pipeline`: steps one after another, and side by side.

What passes from step to step is a `Table`: columns with names and kinds, text among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sclbl.errors import UnsupportedModelError
from sclbl.signature import Input
from sclbl.strippers import dispatch
from sclbl.strippers.base import Declared, Stripper, method
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.graph import Builder
from sclbl.strippers.sklearn.sparse_stack import stack_items, weighted_items
from sclbl.strippers.sklearn.stack import is_dropped, is_passed, stack, weighted

_BACK = "inverse_transform"


class Pipeline(Stripper):
    """The methods of the last step, after the steps before it."""

    tells_missing = takes_sparse = keeps_frames = True

    def offers(self, model: Any) -> Mapping[str, Declared]:
        last = model.steps[-1][1]
        found = {"transform": Declared(False, True, "transform", {})}
        if not is_passed(last):
            # A Pipeline hands on fewer methods than an estimator may have (not `apply`, for one).
            found = {m: d for m, d in dispatch.offers(last).items() if hasattr(model, m)}
            found.pop(_BACK, None)
        # Backwards goes through all steps, from the last one on.
        steps = [step for _, step in model.steps if not is_passed(step)]
        if hasattr(model, _BACK) and all(_BACK in dispatch.offers(step) for step in steps):
            found[_BACK] = Declared(True, True, _BACK, {}, backwards=True)
        return found

    @staticmethod
    def _first(model: Any) -> Any:
        """Return the first step that the rows reach as they were given."""
        return next((step for _, step in model.steps if not is_passed(step)), None)

    def names(self, model: Any) -> tuple[str, ...] | None:
        first = self._first(model)
        return None if first is None else dispatch.fitted_names(first)

    def beside(self, model: Any) -> Input | None:
        first = self._first(model)
        return None if first is None else dispatch.find(first).beside(first)

    def as_taken(self, model: Any, rows: Any) -> Any:
        first = self._first(model)
        return rows if first is None else dispatch.find(first).as_taken(first, rows)

    def columns(self, model: Any) -> tuple[str, ...] | None:
        first = self._first(model)
        used = None if first is None else dispatch.used_by_name(first)
        return None if used is None else tuple(used)

    def strip(
        self, model: Any, x: Any, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Any]:
        if _BACK in methods:
            for name, step in reversed(model.steps):
                if not is_passed(step):
                    x = dispatch.apply(step, _columns(x), build, methods, name)[_BACK]
            return {_BACK: x}
        for name, step in model.steps[:-1]:
            if not is_passed(step):
                x = dispatch.transform(step, x, build, name)
        name, last = model.steps[-1]
        if is_passed(last):
            return {"transform": x}
        return dispatch.hand_on(last, x, build, methods, name)


def _columns(x: Any) -> Any:
    """Return what a step gives back as the columns that the step before it takes.

    Raises
    ------
    UnsupportedModelError
        Where they are text.
    """
    if isinstance(x, Table) or x.ragged:
        return x
    if x.dtype in ("label", "text"):
        raise UnsupportedModelError(
            "Pipeline.inverse_transform hands text to the step before an encoder, and programs "
            "write the inverse of numbers there; leave that step out"
        )
    return dispatch.as_table(x)


class FeatureUnion(Stripper):
    """Each transformer on all columns, side by side."""

    tells_missing = True
    fitted_by_parts = True

    def names(self, model: Any) -> tuple[str, ...] | None:
        """Return the names that the first transformer with any was fitted on."""
        steps = (s for _, s in model.transformer_list if not is_passed(s) and not is_dropped(s))
        return next((names for s in steps if (names := dispatch.fitted_names(s))), None)

    def as_taken(self, model: Any, rows: Any) -> Any:
        """Return rows as the first transformer takes them."""
        steps = (s for _, s in model.transformer_list if not is_passed(s) and not is_dropped(s))
        first = next(steps, None)
        return rows if first is None else dispatch.find(first).as_taken(first, rows)

    @method
    def transform(self, model: Any, x: Table) -> Table | Wire:
        weights, build = model.transformer_weights or {}, x.builder
        made: list[Table | Wire] = []
        for name, step in model.transformer_list:
            if not is_dropped(step):
                part: Table | Wire = x
                if not is_passed(step):
                    part = dispatch.transform(step, x, build, name)
                weight = weights.get(name)
                if isinstance(part, Wire):
                    made.append(weighted_items(part, weight))
                else:
                    made.append(weighted(part, weight, name))
        if any(isinstance(part, Wire) for part in made):
            return stack_items(made, sparse=True)
        parts = [part for part in made if isinstance(part, Table)]
        sparse = any(part.sparse for part in parts)
        return replace(stack(model, parts, build), sparse="csr" if sparse else None)


CLASSES = {"FeatureUnion": FeatureUnion(), "Pipeline": Pipeline()}
