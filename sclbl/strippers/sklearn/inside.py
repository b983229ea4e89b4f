"""Models made of models: the rows that those inside are given, and what they answer.

`validate_data` makes an array of the rows, without names, before the models inside see them; where
it is not called, they get the rows as they came.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.signature import Input
from sclbl.strippers import dispatch, ops, promotion
from sclbl.strippers.base import Declared, Stripper
from sclbl.strippers.columns import Cell, Table, Wire
from sclbl.strippers.graph import Builder
from sclbl.strippers.sklearn.estimator import require_columns, validated
from sclbl.strippers.sklearn.stack import held_in


class Inside(Stripper):
    """The methods of a model inside, on the rows as they came.

    Those that are written here are the model's own.
    """

    tells_missing = takes_sparse = keeps_frames = True

    def __init__(self, attribute: str) -> None:
        self.attribute = attribute

    def inside(self, model: Any) -> Any:
        """Return the fitted model inside."""
        return getattr(model, self.attribute)

    def offers(self, model: Any) -> Mapping[str, Declared]:
        found = dispatch.offers(self.inside(model))
        own = super().offers(model)
        return {m: own.get(m, d) for m, d in found.items() if hasattr(model, m)} | dict(own)

    def names(self, model: Any) -> tuple[str, ...] | None:
        return dispatch.fitted_names(self.inside(model))

    def beside(self, model: Any) -> Input | None:
        found = self.inside(model)
        return dispatch.find(found).beside(found)

    def as_taken(self, model: Any, rows: Any) -> Any:
        found = self.inside(model)
        return dispatch.find(found).as_taken(found, rows)

    def columns(self, model: Any) -> tuple[str, ...] | None:
        used = dispatch.used_by_name(self.inside(model))
        return None if used is None else tuple(used)

    def strip(
        self, model: Any, x: Any, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Any]:
        declared = {m: d for m, d in self.declared().items() if m in methods}
        if any(d.backwards for d in declared.values()):  # a program of one method
            return {m: getattr(self, m)(model, x) for m in declared}
        rows = self.rows(model, x)
        own = {m: getattr(self, m)(model, rows) for m in declared}
        handed = methods - set(own)
        if not handed:
            return own
        return own | dict(dispatch.hand_on(self.inside(model), rows, build, handed, self.attribute))


class InsideOfArrays(Inside):
    """The methods of a model inside, on the array that `validate_data` makes of the rows."""

    takes_sparse = False

    def names(self, model: Any) -> tuple[str, ...] | None:
        return getattr(model, "feature_names_in_", None)

    def beside(self, model: Any) -> Input | None:
        return None

    def as_taken(self, model: Any, rows: Any) -> Any:
        return rows

    def columns(self, model: Any) -> tuple[str, ...] | None:
        return None

    def rows(self, model: Any, x: Table) -> Table:
        return as_array(model, x, ensure_all_finite=False)


def as_array(
    model: Any,
    x: Table,
    *,
    dtype: Literal["numeric"] | None = "numeric",
    ensure_all_finite: bool = True,
) -> Table:
    """Return the columns of the array that ``validate_data(model, X)`` makes of the rows.

    Parameters
    ----------
    model : object
        Whose rows they are.
    x : Table
        The rows.
    dtype : {"numeric", None}
        Whether numbers are made of objects; None leaves objects, and text among them.
    ensure_all_finite : bool
        Whether NaN and infinity are refused; among objects, NaN alone.
    """
    held = None if dtype else promotion.unconverted_dtype(c.dtype for c in x.cells)
    if held is None or held.kind != "O":
        return dispatch.as_table(validated(model, x, ensure_all_finite=ensure_all_finite))
    require_columns(model, x)
    cells = tuple(_no_nan(c) for c in x.cells) if ensure_all_finite else x.cells
    cells = held_in(held, cells)
    return Table(x.builder, tuple(replace(c, name=None) for c in cells), x.sparse)


def _no_nan(cell: Cell) -> Cell:
    """Refuse what differs from itself, as `check_array` does among objects."""
    build = cell.wire.builder
    wire = build.columns(cell.wire, [cell.index])
    if cell.kind == "text":
        wire = build.refuse_missing_text(wire, ["nan", "na"])
    else:
        wire = build.refuse(wire, nan=True, inf=False)
    return replace(cell, wire=wire, index=0)


def answers(model: Any, x: Any, methods: Collection[str], name: str) -> dict[str, Wire]:
    """Return what methods of a model inside make of rows, one array each."""
    made = dispatch.apply(model, x, x.builder, frozenset(methods), name)
    return {m: w.matrix() if isinstance(w, Table) else w for m, w in made.items()}


def answer(model: Any, x: Any, method: str, name: str) -> Wire:
    """Return what one method of a model inside makes of rows."""
    return answers(model, x, [method], name)[method]


def response(model: Any, made: Wire, method: str, pos_label: Any = None) -> Wire:
    """Return what `sklearn.utils._response._get_response_values` makes of an answer.

    Of two classes that is one number a row, of which more means `pos_label` (the second class).
    """
    from sklearn.base import is_classifier

    made = numbers(made)
    if not is_classifier(model) or len(model.classes_) > 2:
        return made.ravel() if made.width == 1 else made
    first, last = model.classes_[0], model.classes_[-1]
    wanted = last if pos_label is None else pos_label
    if method in ("predict_proba", "predict_log_proba"):
        return made[:, int(np.flatnonzero(model.classes_ == wanted)[0])]
    scores = made.ravel()
    if method == "decision_function" and wanted == first:
        return -1 * scores  # type: ignore[no-any-return]  # a number times a wire
    return scores


def method_of(model: Any, methods: Any) -> str:
    """Return which of some methods scikit-learn asks a model for: the first that it has."""
    from sklearn.utils.validation import _check_response_method

    found: str = _check_response_method(model, methods).__name__
    return found


def numbers(x: Wire) -> Wire:
    """Return predictions as the numbers that they are.

    Raises
    ------
    UnsupportedModelError
        Where they are text.
    """
    if x.labels is None:
        return x
    if any(isinstance(label, str) for labels in x.labels for label in labels):
        raise UnsupportedModelError(
            f"{promotion.model_name(x.builder)} computes with what a model inside predicts, which "
            "is text; fit it on labels that are numbers"
        )
    build, codes = x.builder, x.builder.codes(x)
    parts = []
    for i, labels in enumerate(x.labels):
        found: Any = build.columns(codes, [i])
        if labels != tuple(range(len(labels))):
            found = build.lookup(found, range(len(labels)), values=np.array(labels))
        parts.append(found.astype(np.array(labels).dtype))
    return replace(ops.concat(parts), ndim=x.ndim)
