"""Strip a whole model and run its graph with the reference interpreter, beside the model itself."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from sclbl.reference import evaluate
from sclbl.rows import encode
from sclbl.spec import MISSING_TEXT, Spec
from sclbl.strippers import strip


def run(spec: Spec, rows: Any) -> dict[str, np.ndarray]:
    """Return what each method of a spec results in: labels as labels, missing text as None."""
    blocks = encode(rows, spec.signature)
    text = None
    if blocks.text:
        text = np.array([c.tolist() for c in blocks.text], dtype=object).T
    results = evaluate(spec.graph, blocks.numeric, text)
    for method, output in spec.signature.outputs.items():
        result = results[method]
        if output.storage == "text":
            result = np.where(result == MISSING_TEXT, None, result)
        if output.labels is not None:
            result = np.stack(
                [np.array(names)[c] for names, c in zip(output.labels, result.T, strict=True)], 1
            )
        result = result.astype(output.dtype)
        results[method] = result[:, 0] if output.ndim == 1 else result
    return results


def theirs(model: Any, method: str, rows: Any) -> np.ndarray:
    """Return what the model itself returns, dense, missing text as None."""
    with warnings.catch_warnings():
        # Encoders tell of unknown categories, imputers of columns they skip.
        warnings.simplefilter("ignore", UserWarning)
        result = getattr(model, method)(rows)
    if hasattr(result, "toarray"):
        result = result.toarray()
    result = np.asarray(result)
    if result.dtype == object:
        missing = np.array([[v is None or v != v for v in row] for row in result], dtype=bool)
        text = np.array([[isinstance(v, str) for v in row] for row in result], dtype=bool)
        if text.any():
            result = np.where(missing, None, result)
    return result


def check(
    model: Any, example: Any, rows: Any = None, *, rtol: float = 0.0, atol: float = 0.0
) -> Spec:
    """Strip with an example and compare every method on rows: shape, dtype and each value."""
    spec = strip(model, example)
    rows = example if rows is None else rows
    for method, ours in run(spec, rows).items():
        expected = theirs(model, method, rows)
        assert ours.shape == expected.shape, method
        if expected.dtype.kind in "fiub" or spec.signature.outputs[method].storage == "float64":
            if expected.dtype == object:
                expected, ours = expected.astype(np.float64), ours.astype(np.float64)
            else:
                assert ours.dtype == expected.dtype, method
            np.testing.assert_allclose(ours, expected, rtol=rtol, atol=atol, err_msg=method)
        else:
            np.testing.assert_array_equal(ours, expected, err_msg=method)
    return spec
