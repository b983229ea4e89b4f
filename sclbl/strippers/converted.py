"""Classes that skl2onnx converts and no stripper knows: the operators of their ONNX files.

A class of a third party may have a converter registered with skl2onnx
(``update_registered_converter``). It is asked for float64, its file is read as any other tool's,
and verification decides whether the program predicts what the model predicts.
"""

from __future__ import annotations

import copy
import importlib
import importlib.util
import sys
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from sclbl.errors import SpecError, UnsupportedModelError
from sclbl.spec import Spec
from sclbl.strippers import ops
from sclbl.strippers.advice import BY_CLASS
from sclbl.strippers.base import Declared, Stripper
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.graph import Builder

_OUTPUT = {"predict": 0, "transform": 0, "predict_proba": 1, "decision_function": 1}


def stripper_of(cls: type) -> Stripper | None:
    """Return what writes a class for which skl2onnx has a converter; None where it has none."""
    return _CONVERTED if cls in _converters(cls) else None


def _converters(cls: type) -> Mapping[type, str]:
    """Return the classes that skl2onnx converts, as far as they matter for one."""
    module = str(cls.__module__).partition(".")[0]
    if module == "sklearn":
        # Those that are refused with advice are refused with it.
        if cls.__qualname__ in BY_CLASS or importlib.util.find_spec("skl2onnx") is None:
            return {}
    elif "skl2onnx" not in sys.modules:  # so nobody registered a converter
        return {}
    supported = importlib.import_module("skl2onnx._supported_operators")
    found: Mapping[type, str] = supported.sklearn_operator_name_map
    return found


class Converted(Stripper):
    """The methods that a converter's outputs are: predict and one more, or transform."""

    def offers(self, model: Any) -> Mapping[str, Declared]:
        names = ["transform"]
        if hasattr(model, "predict"):
            second = ("predict_proba", "decision_function")
            more = [m for m in second if hasattr(model, m)] if _has_scores(model) else []
            names = ["predict", *more[:1]]
        return {m: Declared(False, True, m, {}) for m in names if hasattr(model, m)}

    def strip(
        self, model: Any, x: Table, build: Builder, methods: frozenset[str]
    ) -> Mapping[str, Any]:
        name = type(model).__name__
        rows = _as_refused(model, x.matrix("float64", model=model), methods)
        classes = _classes(model)
        spec = _converted(model, x.width, classes is not None)
        wires = spliced(rows, spec)
        if len(wires) <= max(_OUTPUT[m] for m in methods):
            raise UnsupportedModelError(
                f"the converter of {name} in skl2onnx gives {len(wires)} outputs, and "
                f"{', '.join(sorted(methods))} are wanted; ask for predict or transform alone: "
                'methods=["predict"]'
            )
        found = {m: wires[_OUTPUT[m]] for m in methods}
        if classes is not None and "predict" in found:
            codes = found["predict"]
            if codes.dtype != "int64" or codes.width != 1:
                raise UnsupportedModelError(
                    f"the converter of {name} in skl2onnx gives labels that are not those of "
                    "classes_; register a stripper, sclbl.register(cls, stripper)"
                )
            found["predict"] = ops.labels(codes, classes)
        return found


_CONVERTED = Converted()


def _has_scores(model: Any) -> bool:
    """Return whether converters of such models have a second output."""
    return (
        _classes(model) is not None or getattr(model, "_estimator_type", "") == "outlier_detector"
    )


def _classes(model: Any) -> np.ndarray | None:
    classes = getattr(model, "classes_", None)
    return classes if isinstance(classes, np.ndarray) and classes.ndim == 1 else None


def _as_refused(model: Any, x: Wire, methods: frozenset[str]) -> Wire:
    """Refuse NaN and infinity where the model does, of which its ONNX file says nothing."""
    method = getattr(model, sorted(methods)[0])

    def refuses(value: float) -> bool:
        row = np.zeros((1, x.width))
        row[0, -1] = value
        try:
            method(row)
        except ValueError:
            return True
        return False

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        if refuses(0.0):
            return x
        return ops.refuse(x, nan=refuses(np.nan), inf=refuses(np.inf))


def _converted(model: Any, width: int, is_classifier: bool) -> Spec:
    """Return what the converter of a model writes, read as a file of another tool.

    A classifier is converted as one of the numbers of its classes.
    """
    from sclbl import onnx_format

    skl2onnx: Any = importlib.import_module("skl2onnx")
    types: Any = importlib.import_module("skl2onnx.common.data_types")
    options = None
    if is_classifier:
        model = copy.copy(model)
        model.classes_ = np.arange(len(model.classes_))
        options = {id(model): {"zipmap": False}}
    initial = [("X", types.DoubleTensorType([None, width]))]
    name = type(model).__name__
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = skl2onnx.to_onnx(model, initial_types=initial, options=options)
    except Exception as error:  # a converter is anyone's code
        raise UnsupportedModelError(
            f"no stripper knows {name}, and its converter in skl2onnx raises "
            f"{type(error).__name__} for float64 columns: {error}; mend the converter (a "
            "classifier's takes the option zipmap), or register a stripper, "
            "sclbl.register(cls, stripper)"
        ) from error
    try:
        return onnx_format.read(made.SerializeToString())
    except SpecError as error:
        raise UnsupportedModelError(
            f"no stripper knows {name}, and what its converter in skl2onnx writes cannot be "
            f"compiled ({error}); write it with other operators (docs/operators.md), or register "
            "a stripper, sclbl.register(cls, stripper)"
        ) from error


def spliced(x: Wire, spec: Spec) -> list[Wire]:
    """Write the graph of a spec that takes one table, on other columns; return its outputs.

    Raises
    ------
    UnsupportedModelError
        Where it takes something else.
    """
    graph, build = spec.graph, x.builder
    if spec.signature.one_row or len(graph.inputs) != 1 or graph.inputs[0].shape != (x.width,):
        raise UnsupportedModelError(
            "a converter of skl2onnx writes a graph that mixes rows, or takes other inputs than "
            "the columns"
        )
    known: dict[str, Wire | str] = {graph.inputs[0].name: x}
    for name, values in graph.constants.items():
        known[name] = build.constant(values, scalar=values.ndim == 0)
    for node in graph.nodes:
        made = build.nodes(
            node.op, [known[i] for i in node.inputs], len(node.outputs), **node.attrs
        )
        known.update(zip(node.outputs, made, strict=True))
    found = [known[value.name] for value in graph.outputs]
    # What has no axis beside the rows is one column.
    return [build.reshape(w, (w.width,)) for w in found if isinstance(w, Wire)]
