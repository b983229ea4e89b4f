"""`sklearn.compose`: each transformer on its columns, side by side; transformed targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import dispatch, promotion
from sclbl.strippers.base import Stripper, method
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.sklearn.inside import Inside, answer
from sclbl.strippers.sklearn.sparse_stack import stack_items, weighted_items
from sclbl.strippers.sklearn.stack import is_dropped, is_passed, makes_frames, stack, weighted


class ColumnTransformer(Stripper):
    """``sklearn.compose.ColumnTransformer``."""

    tells_missing = True

    def columns(self, model: Any) -> tuple[str, ...] | None:
        """Return the columns that are not dropped, where it was fitted on names."""
        names = getattr(model, "feature_names_in_", None)
        if names is None:
            return None
        places = model._transformer_to_input_indices
        kept = [name for name, step, _ in model.transformers_ if not is_dropped(step)]
        return tuple(str(names[place]) for name in kept for place in places[name])

    @method
    def transform(self, model: Any, x: Table) -> Table | Wire:
        weights, build = model.transformer_weights or {}, x.builder
        parts: list[Table | Wire] = []
        for name, step, _ in model.transformers_:
            # Names, masks, slices and callables were resolved to positions when it was fitted.
            places = list(model._transformer_to_input_indices[name])
            if is_dropped(step) or not places:
                continue
            part: Table | Wire = _columns(model, x, places)
            if not is_passed(step):
                part = dispatch.transform(step, part, build, name)
            if isinstance(part, Wire):
                parts.append(weighted_items(part, weights.get(name)))
                continue
            if not makes_frames(model, "pandas"):
                part = _without_na(part)
            parts.append(weighted(part, weights.get(name), name))
        if any(isinstance(part, Wire) for part in parts):
            return stack_items(parts, sparse=model.sparse_output_)
        tables = (part for part in parts if isinstance(part, Table))
        table = stack(model, tables, build)
        return replace(table, sparse="csr" if model.sparse_output_ else None)


def _columns(model: Any, x: Table, places: Sequence[int]) -> Table:
    """Select columns as ColumnTransformer does: by name where both sides have names."""
    fitted = getattr(model, "feature_names_in_", None)
    if fitted is None or any(n is None for n in x.names):
        return x.select(places)
    position = {name: i for i, name in enumerate(x.names)}
    return x.select([position[str(fitted[place])] for place in places])


def _without_na(part: Table) -> Table:
    """Refuse pandas.NA in the columns whose dtype knows it: ColumnTransformer makes arrays."""
    build, cells = part.builder, list(part.cells)
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


class TransformedTargetRegressor(Inside):
    """What the regressor inside predicts, transformed back."""

    @method
    def predict(self, model: Any, x: Any) -> Any:
        made: Any = answer(model.regressor_, x, "predict", "regressor_")
        targets = dispatch.as_table(made if made.ndim == 2 else made[:, None])
        back = _transformed_back(model.transformer_, targets)
        return back.ravel() if model._training_dim == 1 and back.width == 1 else back


def _transformed_back(transformer: Any, targets: Table) -> Wire:
    if "inverse_transform" not in dispatch.offers(transformer):
        raise UnsupportedModelError(
            f"TransformedTargetRegressor(transformer={type(transformer).__name__}) has no "
            "inverse that programs can write; give it func and inverse_func, made of NumPy's "
            "functions"
        )
    return answer(transformer, targets, "inverse_transform", "transformer_")


CLASSES: dict[str, Stripper] = {
    "ColumnTransformer": ColumnTransformer(),
    "TransformedTargetRegressor": TransformedTargetRegressor("regressor_"),
}
