"""Run a stripped scikit-learn model with the reference interpreter, beside the model itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sclbl.reference import evaluate
from sclbl.signature import Column, Signature
from sclbl.strippers import dispatch
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.graph import Builder

_KINDS = {"f8": "float64", "f4": "float32", "i8": "integer", "b1": "boolean"}
DTYPES = ("float64", "float32", "integer", "frame", "mixed frame", "boolean frame")


def signature_of(X: Any) -> Signature:
    if isinstance(X, pd.DataFrame):
        columns = tuple(Column(str(n), _KINDS[t.str[1:]]) for n, t in X.dtypes.items())
        return Signature(columns, "table")
    return Signature((Column(None, _KINDS[X.dtype.str[1:]]),) * X.shape[1], "array")


def as_kind(X: np.ndarray, kind: str) -> Any:
    """Return X with other element types: values become whole numbers or truths where they must."""
    if kind in ("float64", "float32"):
        return X.astype(kind)
    if kind == "integer":
        return np.rint(3 * X).astype(np.int64)
    frame = pd.DataFrame(X, columns=[f"column {i}" for i in range(X.shape[1])])
    if kind == "mixed frame":
        frame["column 0"] = np.rint(3 * X[:, 0]).astype(np.int64)
        frame["column 1"] = X[:, 1] > 0
        frame["column 2"] = X[:, 2].astype(np.float32)
    if kind == "boolean frame":
        frame = frame.astype(np.float32)
        frame["column 1"] = X[:, 1] > 0
    return frame


def block(X: Any) -> np.ndarray:
    """Return the numeric block that a program is given."""
    return np.asarray(X, dtype=signature_of(X).numeric_dtype)


def wires(model: Any, example: Any, also: tuple[str, ...] = ()) -> tuple[Builder, dict[str, Wire]]:
    build = Builder(signature_of(example))
    methods = frozenset((*dispatch.methods(model), *also))
    results = dispatch.apply(model, build.table(), build, methods)
    assert set(results) == methods
    return build, {m: r.matrix() if isinstance(r, Table) else r for m, r in results.items()}


def run(
    model: Any, example: Any, X: Any = None, also: tuple[str, ...] = ()
) -> dict[str, np.ndarray]:
    """Return what each method of the stripped model results in, labels in place of numbers."""
    build, made = wires(model, example, also)
    outputs = evaluate(build.finish(made), block(example if X is None else X), None)
    for method, wire in made.items():
        if wire.labels is not None:
            outputs[method] = np.array(
                [[wire.labels[j][c] for j, c in enumerate(row)] for row in outputs[method]],
                dtype=np.asarray(model.classes_).dtype,
            )
    return outputs


def check(model: Any, X: Any, *, rtol: float = 1e-12, also: tuple[str, ...] = ()) -> None:
    """Compare every method on X: type and shape, labels alike, numbers to `rtol`."""
    outputs = run(model, X, also=also)
    assert outputs
    for method, ours in outputs.items():
        # The source takes log(0) and overflows aloud; the numbers must be the same.
        with np.errstate(all="ignore"):
            theirs = np.asarray(getattr(model, method)(X))
        if theirs.ndim == 1:
            theirs = theirs[:, None]
        assert ours.shape == theirs.shape, method
        assert ours.dtype == theirs.dtype, method
        if theirs.dtype.kind != "f":
            np.testing.assert_array_equal(ours, theirs, err_msg=method)
            continue
        limit, floor = (rtol, 0.0) if theirs.dtype == np.float64 else (1e-5, 1e-6)
        if method == "predict_proba":
            floor = max(floor, 1e-14)
        np.testing.assert_allclose(ours, theirs, rtol=limit, atol=floor, err_msg=method)
