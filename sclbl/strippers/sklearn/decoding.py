"""Which category each number stands for: what scikit-learn's encoders give back.

The results of a call have one dtype whatever its rows hold, so numbers among which some rows have
None are refused, and so are texts and numbers side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.missing import kind_of
from sclbl.strippers import ops
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.conversions import held_as
from sclbl.strippers.sklearn.categories import text_keys
from sclbl.strippers.sklearn.estimator import transformed
from sclbl.strippers.sklearn.neighbors import take_rows


def hot_categories(model: Any, x: Table | Wire) -> Wire:
    """Write `OneHotEncoder.inverse_transform`: the category of each column's largest number."""
    given: Any = transformed(model, x, int(np.sum(model._n_features_outs)))
    every = [model._compute_transformed_categories(i, False) for i in range(len(model.categories_))]
    codes, values, first = [], [], 0
    for i, known in enumerate(every):
        kept = model._remove_dropped_categories(known, i)
        found = kept.tolist()
        values.append(found)
        if not found:
            found.append(_dropped(model, i))
            codes.append(np.argmax(given[:, :1], axis=1)[:, None])  # zeros
            continue
        part = given[:, first : first + len(found)]
        first += len(found)
        # What a sparse matrix stores it adds one by one.
        total = ops.sum_in_order(part) if given.sparse else np.sum(part, axis=1)
        chosen, none = np.argmax(part, axis=1)[:, None], (total == 0)[:, None]
        instead = _of_zeros(model, i, known)
        found += instead
        codes.append(np.where(none, np.int64(len(kept) if instead else -1), chosen))
    return _decoded(model, codes, values, np.result_type(*every))


def _dropped(model: Any, column: int) -> Any:
    return model.categories_[column].tolist()[model._drop_idx_after_grouping[column]]


def _of_zeros(model: Any, column: int, known: np.ndarray) -> list[Any]:
    """Return what a column's zeros stand for; nothing where they are refused."""
    drops = model._drop_idx_after_grouping
    dropped = drops is not None and drops[column] is not None
    infrequent = model._infrequent_indices if model._infrequent_enabled else None
    some = infrequent is not None and infrequent[column] is not None
    if model.handle_unknown == "ignore" or (model.handle_unknown != "error" and not some):
        return [_dropped(model, column) if dropped else None]
    if dropped:
        return [known.tolist()[drops[column]]]
    # To the source the one category is then a row of its own, and of several it refuses the rows.
    return known.tolist() if drops is not None and len(known) == 1 else []


def ordinal_categories(model: Any, x: Table | Wire) -> Wire:
    """Write `OrdinalEncoder.inverse_transform`: the category at each number, its fraction cut."""
    width = len(model.categories_)
    given: Any = transformed(model, x, width, ensure_all_finite="allow-nan")
    grouped = getattr(model, "_infrequent_indices", None)
    of_unknown = model.handle_unknown == "use_encoded_value"
    codes, values = [], []
    for i, categories in enumerate(model.categories_):
        label, known = given[:, [i]], categories
        if i in model._missing_indices:
            found = _is(label, model.encoded_missing_value)
            label = np.where(found, model._missing_indices[i], label)
        infrequent = None if grouped is None else grouped[i]
        if infrequent is not None:
            known = np.delete(categories, infrequent)
        count = len(known)
        whole: Any = label.astype(np.float64)
        whole = np.where(whole < 0, np.ceil(whole), np.floor(whole))
        whole = np.where(whole < 0, whole + count, whole)
        code: Any = np.where((whole >= 0) & (whole < count), whole, -1.0)
        found = known.tolist()
        if of_unknown:
            code = np.where(_is(label, model.unknown_value), float(len(found)), code)
            found.append(None)
        if infrequent is not None:
            code = np.where(label == count, float(len(found)), code)
            found.append("infrequent_sklearn")
        codes.append(np.floor(code).astype(np.int64))
        values.append(found)
    dtype = np.result_type(*model.categories_)
    objects = of_unknown or (grouped is not None and any(v is not None for v in grouped))
    return _decoded(model, codes, values, np.dtype(object) if objects else dtype)


def _is(label: Any, value: Any) -> Any:
    """Write `sklearn.utils._mask._get_mask`."""
    return np.isnan(label) if kind_of(value) == "nan" else label == value


def _decoded(
    model: Any, codes: Sequence[Wire], values: Sequence[list[Any]], dtype: np.dtype[Any]
) -> Wire:
    """Return values by their numbers, by column; a negative number is refused."""
    build = codes[0].builder
    known = build.refuse_unknown(build.concat(codes))
    every = [v for column in values for v in column]
    name = f"{type(model).__name__}.inverse_transform"
    if dtype.kind in "fiub":
        if any(v is None for v in every):
            raise UnsupportedModelError(
                f"{name} puts None among the numbers of calls in which a row has no category, and "
                f'of others returns {dtype}; fit it with handle_unknown="error", or on text'
            )
        tables = [np.array(column, dtype=np.float64)[:, None] for column in values]
        if any([*map(float, c)] != [*map(_exactly, c)] for c in values if dtype.kind in "iu"):
            raise UnsupportedModelError(
                f"{name} gives back integers beyond 2**53, which a program does not hold"
            )
        parts = [take_rows(known[:, [i]], table) for i, table in enumerate(tables)]
        return held_as(build.cast(build.concat(parts), _stored(dtype)), dtype)
    if not all(isinstance(v, str) or kind_of(v) for v in every):
        raise UnsupportedModelError(
            f"{name} gives back objects that are not all text, and a program gives numbers or "
            "text; encode text and numbers in separate steps, and numbers without grouping them "
            'and with handle_unknown="error"'
        )
    if all(isinstance(v, str) for v in every):
        return build.labels(known, [np.array(column, dtype=dtype) for column in values])
    if dtype.kind == "U":
        raise UnsupportedModelError(
            f"{name} puts None among the texts of calls in which a row has no category, and makes "
            'them another dtype then; fit it with handle_unknown="error", or on objects'
        )
    return build.concat([_texts(known[:, [i]], column) for i, column in enumerate(values)])


def _stored(dtype: np.dtype[Any]) -> Any:
    return "float32" if dtype == np.float32 else "float64"


def _exactly(value: Any) -> float:
    return float(value) if abs(value) <= 2**53 else np.nan


def _texts(code: Wire, values: list[Any]) -> Wire:
    """Return texts, or missing ones, by their number."""
    build = code.builder
    texts = [np.full((1, 1), t, dtype=object) for t in text_keys(np.array(values, object), "")]
    made = build.node(
        "Where", [build.binary("Equal", code, 0), *map(build.constant, texts[:1] * 2)]
    )
    for number, text in enumerate(texts[1:], 1):
        made = build.where(build.binary("Equal", code, number), text, made)
    return made
