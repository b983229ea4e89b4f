"""Pooling, against a window cut out of each picture, and against the reference of ONNX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from tests.kernels.calling import Kernel

DTYPES = {"f32": np.float32, "f64": np.float64}
Reduce = Callable[[np.ndarray], float]


@dataclass(frozen=True)
class Case:
    """The shapes of one pooling; `more` rows and columns of results are there by ceil_mode."""

    size: tuple[int, int]
    window: tuple[int, int] = (2, 2)
    strides: tuple[int, int] = (2, 2)
    dilations: tuple[int, int] = (1, 1)
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    more: int = 0

    @property
    def out(self) -> tuple[int, int]:
        found = []
        for axis in (0, 1):
            padded = self.size[axis] + self.pads[axis] + self.pads[axis + 2]
            reach = (self.window[axis] - 1) * self.dilations[axis]
            found.append((padded - reach - 1) // self.strides[axis] + 1 + self.more)
        return found[0], found[1]

    def windows(self, axis: int, place: int) -> np.ndarray:
        """Return the rows (or columns) that a window at a place of the result meets."""
        first = place * self.strides[axis] - self.pads[axis]
        return first + np.arange(self.window[axis]) * self.dilations[axis]


CASES = {
    "halves": Case((8, 8)),
    "halves of an odd picture": Case((9, 11)),
    "halves of wide rows": Case((4, 38)),
    "every place": Case((7, 13), (3, 3), (1, 1), pads=(1, 1, 1, 1)),
    "resnet's": Case((15, 15), (3, 3), (2, 2), pads=(1, 1, 1, 1)),
    "strides of three": Case((11, 14), (3, 2), (3, 3)),
    "dilated": Case((12, 13), (2, 3), (1, 2), dilations=(3, 2), pads=(1, 2, 1, 2)),
    "uneven": Case((6, 9), (3, 4), (1, 2), pads=(0, 3, 2, 1)),
    "ceil_mode": Case((7, 7), (2, 2), (2, 2), more=1),
    "one value": Case((1, 1), (1, 1), (1, 1)),
}


def pictures(case: Case, dtype: type) -> np.ndarray:
    return np.random.default_rng(5).normal(size=(3, *case.size)).astype(dtype)


def pooled(case: Case, x: np.ndarray, reduce: Reduce, fill: float | None = None) -> np.ndarray:
    """Reduce what each window meets; `fill` stands where padding is, if that counts."""
    out = np.empty((len(x), *case.out))
    limits = [case.size[a] + case.pads[a + 2] for a in (0, 1)]
    for place in np.ndindex(*out.shape):
        rows, columns = (case.windows(axis, place[axis + 1]) for axis in (0, 1))
        cells = []
        for r in rows:
            for c in columns:
                if 0 <= r < case.size[0] and 0 <= c < case.size[1]:
                    cells.append(x[place[0], r, c])
                elif fill is not None and r < limits[0] and c < limits[1]:
                    cells.append(fill)
        out[place] = reduce(np.array(cells, dtype=np.float64))
    return out


def run(case: Case, name: str, x: np.ndarray, *more: int) -> np.ndarray:
    out = np.full((len(x), *case.out), 7, dtype=x.dtype)
    sizes = (len(x), *case.size, *case.window, *case.strides, *case.dilations, *case.pads[:2])
    kernel = Kernel(f"pool_{name}_f{8 * x.itemsize}", out, x, *sizes, *case.out, *more)
    return kernel()[0]


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize("name", CASES)
def test_maximum(name: str, kind: str) -> None:
    case = CASES[name]
    x = pictures(case, DTYPES[kind])
    np.testing.assert_array_equal(run(case, "max", x), pooled(case, x, np.max))


@pytest.mark.parametrize("kind", DTYPES)
def test_maximum_of_what_is_not_a_number(kind: str) -> None:
    for case in (CASES["every place"], CASES["halves of wide rows"]):
        x = pictures(case, DTYPES[kind])
        x[:, 1:3, 2:25:3] = np.nan
        x[0, 0, :3] = [np.inf, -np.inf, -np.inf]
        np.testing.assert_array_equal(run(case, "max", x), pooled(case, x, np.max))


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("name", CASES)
def test_average(name: str, padding: int, kind: str) -> None:
    case = CASES[name]
    x = pictures(case, DTYPES[kind])
    got = run(case, "average", x, *case.pads[2:], padding)
    want = pooled(case, x, np.mean, 0.0 if padding else None)
    np.testing.assert_allclose(got, want, rtol=0, atol=16 * np.finfo(x.dtype).eps)


@pytest.mark.parametrize("name", [n for n in CASES if n not in ("ceil_mode", "one value")])
@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
def test_the_reference_of_onnx(op: str, name: str) -> None:
    case = CASES[name]
    attributes = {
        "kernel_shape": case.window,
        "strides": case.strides,
        "dilations": case.dilations,
        "pads": case.pads,
    }
    if op == "AveragePool":
        attributes["count_include_pad"] = 1
    node = helper.make_node(op, ["x"], ["y"], **attributes)
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in ("x", "y"))
    graph = helper.make_graph([node], "g", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)])
    pictures_ = pictures(case, np.float32)
    (want,) = ReferenceEvaluator(model).run(None, {"x": pictures_[:, None]})
    more = () if op == "MaxPool" else (*case.pads[2:], 1)
    got = run(case, "max" if op == "MaxPool" else "average", pictures_, *more)
    np.testing.assert_allclose(got, np.asarray(want)[:, 0], rtol=0, atol=2e-6)


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize("n", [1, 3, 4, 49, 64])
def test_whole_planes(n: int, kind: str) -> None:
    x = np.random.default_rng(6).normal(size=(5, n)).astype(DTYPES[kind])
    x[1, 0] = np.nan
    out = np.zeros(5, dtype=x.dtype)
    (greatest, _) = Kernel(f"pool_global_max_{kind}", out, x, 5, n)()
    np.testing.assert_array_equal(greatest, x.max(axis=1))
    (mean, _) = Kernel(f"pool_global_average_{kind}", out, x, 5, n)()
    want = x.astype(np.float64).mean(axis=1)
    np.testing.assert_allclose(mean, want.astype(x.dtype), rtol=0, atol=np.finfo(x.dtype).eps)
