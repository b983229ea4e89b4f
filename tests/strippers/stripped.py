"""Strip a whole model and run its graph with the reference interpreter, beside the model itself."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from sclbl.reference import evaluate
from sclbl.rows import encode
from sclbl.spec import MISSING_TEXTS, Spec
from sclbl.strippers import strip


def run(spec: Spec, rows: Any) -> dict[str, np.ndarray]:
    """Return what each method of a spec results in: labels as labels, missing text as in Python."""
    blocks = encode(rows, spec.signature)
    text = None
    if blocks.text:
        text = np.array([c.tolist() for c in blocks.text], dtype=object).T
    results = evaluate(spec.graph, blocks.numeric, text)
    for method, output in spec.signature.outputs.items():
        result = results[method]
        if output.storage == "text":
            values = {"none": None, "nan": np.nan, "na": pd.NA}
            for kind, constant in MISSING_TEXTS.items():
                result[result == constant] = values[kind]
        if output.labels is not None:
            result = np.stack(
                [np.array(names)[c] for names, c in zip(output.labels, result.T, strict=True)], 1
            )
        result = result.astype(output.dtype)
        results[method] = result[:, 0] if output.ndim == 1 else result
    return results


def theirs(model: Any, method: str, rows: Any) -> np.ndarray:
    """Return what the model itself returns, dense."""
    with warnings.catch_warnings():
        # Encoders tell of unknown categories, imputers of columns they skip.
        warnings.simplefilter("ignore", UserWarning)
        result = getattr(model, method)(rows)
    if hasattr(result, "toarray"):
        result = result.toarray()
    return np.asarray(result)


def check(
    model: Any, example: Any, rows: Any = None, *, rtol: float = 0.0, atol: float = 0.0
) -> Spec:
    """Strip with an example and compare every method on rows: shape, dtype and each value."""
    spec = strip(model, example)
    rows = example if rows is None else rows
    for method, ours in run(spec, rows).items():
        expected = theirs(model, method, rows)
        assert ours.shape == expected.shape, method
        numbers = spec.signature.outputs[method].storage in ("float32", "float64")
        if expected.dtype.kind in "fiub" or numbers:
            if expected.dtype == object:
                expected, ours = expected.astype(np.float64), ours.astype(np.float64)
            else:
                assert ours.dtype == expected.dtype, method
            np.testing.assert_allclose(ours, expected, rtol=rtol, atol=atol, err_msg=method)
        else:
            assert [*map(repr, ours.ravel())] == [*map(repr, expected.ravel())], method
    return spec
