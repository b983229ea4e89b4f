"""What runtimes that know nothing of sclbl make of the ONNX file of a spec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx.reference import ReferenceEvaluator
from onnxruntime.capi.onnxruntime_pybind11_state import NotImplemented

from sclbl.missing import kind_of, of_text, value_of
from sclbl.onnx_format import write
from sclbl.ops import OPS
from sclbl.rows import encode
from sclbl.spec import MISSING_TEXTS, Spec
from tests.conformance.bars import flat
from tests.conformance.definition import texts_of

#: How far numbers may be apart, relative to their size or the usual one of their column, by the
#: smallest type that they are computed in. Runtimes add up in orders of their own, and some
#: functions in float64, such as Tanh, are good to eight digits in ONNX Runtime.
FAR = {"float16": 1e-2, "float32": 1e-4, "float64": 1e-6}
#: The same of the error function, which ONNX Runtime has in float32 and the reference rounds to it.
FAR_ERF = 1e-3
#: Probabilities are apart as their sums are, of which they may be the smallest part.
LEAST = 1e-12


@dataclass(frozen=True)
class Opinion:
    """What a runtime makes of rows, by method, and how far it may be from the model."""

    results: Mapping[str, np.ndarray]
    far: float

    def agree(self, method: str, wanted: Any) -> None:
        """Check a method's results against the model's own; lists are one array here."""
        theirs = flat(wanted)
        ours = self.results[method].reshape(theirs.shape)
        if ours.dtype.kind in "OU" and theirs.dtype.kind in "OU":
            texts = [value_of(kind) if (kind := of_text(v)) else v for v in ours.ravel().tolist()]
            assert [*map(str, texts)] == [*map(str, theirs.ravel())], method
            return
        if ours.dtype.kind in "OU":
            ours = np.char.equal(ours.astype(str), str(True))
        a, b = ours.astype(np.float64), theirs.astype(np.float64)
        if method == "predict_log_proba":
            a, b = np.exp(a), np.exp(b)
        with np.errstate(all="ignore"):
            usual = np.nan_to_num(np.nanmedian(np.abs(b), axis=0), nan=1.0)
            near = np.abs(a - b) <= self.far * np.fmax(np.abs(b), usual) + LEAST
        assert (near | (a == b) | (np.isnan(a) & np.isnan(b))).all(), method


def is_standard(spec: Spec) -> bool:
    """Return whether each operator of a spec is a standard one or has a body of such."""
    ops = {node.op for node in spec.graph.nodes}
    return all(OPS[op].body is not None for op in ops if op.startswith("sclbl."))


def elsewhere(spec: Spec, rows: Any) -> Opinion:
    """Return what ONNX Runtime computes of the file that a spec is written as."""
    data = write(spec)
    model = onnx.load_from_string(data)
    blocks = encode(rows, spec.signature, empty=True)
    given = {"numeric": blocks.numeric, "text": _marked(texts_of(blocks))}
    feed = {i.name: given[i.name] for i in model.graph.input}
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    try:
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        results = session.run(None, feed)
    except NotImplemented:
        # It has some functions, such as Erf and Atan, for float32 alone.
        results = ReferenceEvaluator(model).run(None, feed)
    types = {v.dtype for v in spec.graph.values.values()}
    far = next(f for name, f in FAR.items() if name in types or name == "float64")
    if any(n.op_type == "Erf" for part in (model.graph, *model.functions) for n in part.node):
        far = max(far, FAR_ERF)
    names = (o.name for o in model.graph.output)
    return Opinion(dict(zip(names, results, strict=True)), far)


def _marked(texts: np.ndarray | None) -> np.ndarray | None:
    """Return texts as files have them: missing ones are marked by a text."""
    if texts is None:
        return None
    cells = [MISSING_TEXTS[kind] if (kind := kind_of(v)) else v for v in texts.ravel().tolist()]
    return np.array(cells, dtype=object).reshape(texts.shape)
