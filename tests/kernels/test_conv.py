"""Convolution, against its definition in float64 and against the reference of ONNX."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from sclbl.ops.packing import BAND_BYTES, Window, band, pack_filters
from tests.kernels.calling import Argument, Kernel, compiled_object

DTYPES = {"f32": np.float32, "f64": np.float64}


@dataclass(frozen=True)
class Case:
    """The shapes of one convolution."""

    channels: int
    filters: int
    size: tuple[int, int]
    window: tuple[int, int] = (3, 3)
    strides: tuple[int, int] = (1, 1)
    dilations: tuple[int, int] = (1, 1)
    pads: tuple[int, int, int, int] = (1, 1, 1, 1)
    groups: int = 1
    rows: int = 1
    relu: bool = False
    small_band: bool = False

    @property
    def out(self) -> tuple[int, int]:
        found = []
        for axis in (0, 1):
            padded = self.size[axis] + self.pads[axis] + self.pads[axis + 2]
            reach = (self.window[axis] - 1) * self.dilations[axis]
            found.append((padded - reach - 1) // self.strides[axis] + 1)
        return found[0], found[1]


CASES = {
    "3x3": Case(16, 16, (32, 32)),
    "3x3 stride 2": Case(16, 32, (32, 32), strides=(2, 2)),
    "3x3 of three channels": Case(3, 16, (9, 11), relu=True),
    "filters not in fours": Case(5, 7, (12, 10)),
    "1x1": Case(8, 12, (7, 7), (1, 1), pads=(0, 0, 0, 0)),
    "1x1 stride 2": Case(8, 12, (8, 8), (1, 1), strides=(2, 2), pads=(0, 0, 0, 0)),
    "1x1 on a pixel": Case(9, 5, (1, 1), (1, 1), pads=(0, 0, 0, 0)),
    "1x1 with zeros around": Case(4, 4, (5, 5), (1, 1)),
    "no padding": Case(1, 6, (28, 28), (5, 5), pads=(0, 0, 0, 0), relu=True),
    "7x7 stride 2": Case(3, 8, (21, 17), (7, 7), strides=(2, 2), pads=(3, 3, 3, 3)),
    "stride 3 of a narrow window": Case(2, 4, (13, 13), (2, 2), strides=(3, 3), pads=(0, 0, 0, 0)),
    "dilated": Case(4, 4, (14, 15), dilations=(2, 3), pads=(2, 3, 2, 3)),
    "dilated with strides": Case(
        4, 5, (14, 15), (3, 2), strides=(2, 2), dilations=(2, 3), pads=(0, 2, 1, 0)
    ),
    "uneven": Case(4, 4, (6, 9), (2, 4), strides=(1, 2), pads=(0, 2, 1, 1)),
    "padding wider than the picture": Case(2, 4, (2, 2), (5, 5), pads=(4, 4, 4, 4)),
    "groups": Case(8, 12, (10, 10), groups=2),
    "groups of three filters": Case(4, 6, (10, 10), groups=2),
    "depthwise": Case(6, 6, (14, 14), groups=6, relu=True),
    "depthwise stride 2": Case(6, 6, (15, 15), strides=(2, 2), groups=6),
    "depthwise with a multiplier": Case(3, 12, (8, 8), groups=3),
    "narrow maps": Case(4, 8, (3, 3)),
    "one row": Case(4, 8, (1, 16), (1, 3), pads=(0, 1, 0, 1)),
    "one column": Case(4, 8, (16, 1), (3, 1), pads=(1, 0, 1, 0)),
    "several pictures": Case(3, 5, (6, 7), groups=1, rows=3, relu=True),
    "several pictures in groups": Case(4, 4, (6, 7), groups=2, rows=3),
    "bands": Case(3, 5, (11, 12), rows=2, small_band=True),
    "bands with strides": Case(4, 8, (13, 12), strides=(2, 2), groups=2, small_band=True),
    "bands of a 1x1": Case(4, 8, (5, 8), (1, 1), pads=(0, 0, 0, 0), small_band=True),
}


def prepared(
    case: Case, x: np.ndarray, w: np.ndarray, bias: np.ndarray
) -> tuple[str, list[Argument]]:
    """Return the kernel's name and arguments."""
    (oh, ow), item = case.out, x.dtype.itemsize
    rows = Window(case.window[0], case.strides[0], case.dilations[0], case.pads[0])
    columns = Window(case.window[1], case.strides[1], case.dilations[1], case.pads[1])
    most, size = band(case.channels // case.groups, rows, columns, (oh, ow), item)
    arguments: list[Argument] = [
        np.full((case.rows, case.filters, oh, ow), 7, dtype=x.dtype),
        x,
        pack_filters(w, case.groups),
        bias,
        np.zeros(-(-size // item), dtype=x.dtype),
        *(case.rows, case.channels, *case.size, case.filters, *case.window, *case.strides),
        *(*case.dilations, *case.pads[:2], oh, ow, case.groups),
        2 if case.small_band else most,
        int(case.relu),
    ]
    return f"conv_2d_f{8 * item}", arguments


def convolve(case: Case, x: np.ndarray, w: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Return what the kernel makes of arrays, the same at every call."""
    name, arguments = prepared(case, x, w, bias)
    kernel = Kernel(name, *arguments)
    first = kernel()[0]
    np.testing.assert_array_equal(kernel()[0], first)
    return first


def arrays(case: Case, dtype: type) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    shapes = (
        (case.rows, case.channels, *case.size),
        (case.filters, case.channels // case.groups, *case.window),
        (case.filters,),
    )
    x, w, bias = (rng.normal(size=shape).astype(dtype) for shape in shapes)
    return x, w, bias


def exact(case: Case, x: np.ndarray, w: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Return the reference of ONNX in float64."""
    names = ["x", "w", "bias"]
    node = helper.make_node(
        "Conv",
        names,
        ["y"],
        strides=case.strides,
        dilations=case.dilations,
        pads=case.pads,
        group=case.groups,
        kernel_shape=case.window,
    )
    inputs = [helper.make_tensor_value_info(n, TensorProto.DOUBLE, None) for n in names]
    output = helper.make_tensor_value_info("y", TensorProto.DOUBLE, None)
    model = helper.make_model(
        helper.make_graph([node], "g", inputs, [output]),
        opset_imports=[helper.make_opsetid("", 22)],
    )
    wide = {n: a.astype(np.float64) for n, a in zip(names, (x, w, bias), strict=True)}
    (y,) = ReferenceEvaluator(model).run(None, wide)
    return np.maximum(y, 0) if case.relu else np.asarray(y)


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize("name", CASES)
def test_convolution(name: str, kind: str) -> None:
    case = CASES[name]
    x, w, bias = arrays(case, DTYPES[kind])
    want = exact(case, x, w, bias)
    taps = math.prod(w.shape[1:])
    # The error of a sum in any order is below its number of terms times the sum of sizes.
    bound = exact(case, abs(x), abs(w), abs(bias)) if not case.relu else None
    scale = float(np.abs(want).max()) * 4 if bound is None else bound
    error = np.abs(convolve(case, x, w, bias) - want)
    assert (error <= (taps + 1) * np.finfo(DTYPES[kind]).eps * scale).all()


def test_what_is_not_a_number_stays() -> None:
    """Before and after the activation, and only where the window meets it."""
    case = Case(1, 5, (9, 9), relu=True)
    x, w, bias = arrays(case, np.float32)
    x[0, 0, 4, 4] = np.nan
    found = np.isnan(convolve(case, x, w, bias))
    want = np.zeros_like(found)
    want[..., 3:6, 3:6] = True
    np.testing.assert_array_equal(found, want)


def test_the_kernel_stands_once() -> None:
    """However many convolutions a program has: it is not copied to where it is called."""
    name, arguments = prepared(CASES["3x3"], *arrays(CASES["3x3"], np.float32))
    found = {s.name for s in compiled_object(name, arguments).symbols}
    assert {"conv_2d_f32", "products_four_f32"} <= found
    assert not {"conv_pad_f32", "conv_2d_f64", "products_four_f64"} & found


@pytest.mark.parametrize("channels", [1, 64, 5000])
def test_scratch_is_bounded(channels: int) -> None:
    """A band is as many rows as fit, but at least one."""
    window = Window(3, before=1)
    most, size = band(channels, window, window, (224, 224), 4)
    line = channels * 226 * 4
    assert 1 <= most <= 224
    assert size == channels * 9 * 4 + (most + 2) * line
    assert most == 1 or (most + 2) * line <= BAND_BYTES
    assert most == 224 or (most + 3) * line > BAND_BYTES
