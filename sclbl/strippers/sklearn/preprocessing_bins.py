"""`sklearn.preprocessing`: Binarizer, KBinsDiscretizer and TargetEncoder, a value for each bin."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import dispatch, ops
from sclbl.strippers.base import method
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.sklearn import categories
from sclbl.strippers.sklearn.categories import Codes, Encoder
from sclbl.strippers.sklearn.estimator import Estimator, transformed
from sclbl.strippers.sklearn.steps import steps


class Binarizer(Estimator):
    """1 above the threshold and 0 elsewhere, in the type of X; integers are compared as floats."""

    takes_sparse = True

    def check(self, model: Any) -> None:
        float(model.threshold)

    @method
    def transform(self, model: Any, x: Any) -> Any:
        if (x.sparse or x.ragged) and model.threshold < 0:
            raise UnsupportedModelError(
                f"Binarizer(threshold={model.threshold}) refuses sparse rows; fit it on dense ones"
            )
        return replace(binarized(x, model.threshold), sparse=x.sparse)


def binarized(x: Any, threshold: float) -> Any:
    """Write `sklearn.preprocessing.binarize`."""
    if x.ragged:
        return ops.items_above(x, _in_type(threshold, x.numbers))
    floats = x if x.numbers.kind == "f" else x.astype(np.float64)
    return (floats > threshold).astype(x.numbers)


def _in_type(threshold: float, held: np.dtype[Any]) -> float:
    """Return a threshold as NumPy compares it with numbers of a type: a Python float is float32
    beside float32."""
    narrow = held == np.float32 and not isinstance(threshold, np.float64)
    return float(np.float32(threshold)) if narrow else float(threshold)


class KBinsDiscretizer(Estimator):
    """The number of each bin, or a column of 0 and 1 for it; a number on an edge is above it."""

    dtype = "float"

    @method
    def transform(self, model: Any, x: Any) -> Any:
        held = np.dtype(x.numbers if model.dtype is None else model.dtype)
        if held != x.numbers:
            x = ops.refuse(x.astype(held), nan=True)
        edges = [np.asarray(e)[1:-1] for e in model.bin_edges_]
        if model.encode == "ordinal":
            return steps(x, edges, [np.arange(len(e) + 1) for e in edges]).astype(held)
        bins = steps(x, edges, [np.arange(len(e) + 1) for e in edges])
        counts = [len(e) + 1 for e in edges]
        numbers = np.concatenate([np.arange(n) for n in counts]).astype(float)
        hot = bins[:, np.repeat(np.arange(x.width), counts)] == numbers
        return replace(hot.astype(held), sparse="csr" if model.encode == "onehot" else None)

    @method(backwards=True)
    def inverse_transform(self, model: Any, x: Any) -> Any:
        """Return the middle of each bin, in the type of x; of columns of 0 and 1 in float64."""
        middles = [(e[1:] + e[:-1]) * 0.5 for e in map(np.asarray, model.bin_edges_)]
        counts = np.array([len(m) for m in middles])
        if "onehot" in model.encode:
            given = dispatch.apply(
                model._encoder, x, x.builder, frozenset({"inverse_transform"}), "_encoder"
            )
            own, bins = np.dtype(np.float64), given["inverse_transform"]
        else:
            wire: Any = transformed(model, x, len(counts), to_float=True)
            own = wire.numbers
            # The source cuts off fractions, and counts from the last bin below 0.
            low, high = (np.asarray(v, own) for v in (-counts - 1, counts))
            wire = ops.refuse_outside(wire, np.nextafter(low, 0), np.nextafter(high, 0))
            whole = np.where(wire < 0, np.ceil(wire), np.floor(wire))
            bins = np.where(whole < 0, whole + counts, whole)
        edges = [np.arange(1, n) for n in counts.tolist()]
        return steps(bins.astype(np.float64), edges, middles).astype(own)


class TargetEncoder(Encoder):
    """A number for each category, for each class where there are more than two."""

    def check(self, model: Any) -> None:
        """Take every encoder: the result is always float64."""

    @method
    def transform(self, model: Any, x: Table) -> Wire:
        counts = [len(c) for c in model.categories_]
        codes = [Codes(np.arange(n), n) for n in counts]
        found = categories.encode(model, x, codes, refuse_unknown=False)
        means = np.ravel(model.target_mean_)
        # Of several classes those of one column follow each other; unknown is the last bin.
        source = [i for i in range(x.width) for _ in means]
        tables = [
            np.append(encoding, means[k % len(means)])
            for k, encoding in enumerate(model.encodings_)
        ]
        edges = [np.arange(1, counts[i] + 1) for i in source]
        return steps(found.astype(np.float64)[:, source], edges, tables)
