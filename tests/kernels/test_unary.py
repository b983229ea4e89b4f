"""The element-wise kernels, as WebAssembly, against mpmath, NumPy and the C library's expf."""

from __future__ import annotations

import ctypes
import ctypes.util
import math
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest
import wasmtime
from scipy import special

from sclbl.kernels import build
from sclbl.ops import OPS
from sclbl.ops.record import FLOATS, Op, kernel_name

KERNELS = Path(__file__).parents[2] / "sclbl" / "kernels"
#: Functions of floats, by their kernels' names.
FUNCTIONS = {
    kernel_name(op.name): op
    for op in OPS.values()
    if op.form == "element-wise" and op.takes >= FLOATS and op.name != "IsNaN"
}
NAMES = tuple(sorted(FUNCTIONS))
INF, NAN, TINY = math.inf, math.nan, 5e-324
CASES = [(n, t) for n in NAMES for t in ("f64", "f32")]


# The scalar functions are also used by kernels of other files; the power is one of them.
SOURCE = """
#include "unary.c"
void pow_f64(double* out, const double* x, const double* y, int n) {
    for (int i = 0; i < n; ++i) out[i] = sclbl_pow(x[i], y[i]);
}
"""


class Kernels:
    """The kernels compiled to one module, called on arrays."""

    def __init__(self, folder: Path) -> None:
        wasm = folder / "unary.wasm"
        exports = [f"-Wl,--export=unary_{n}_{t}" for n, t in CASES]
        source = folder / "kernels.c"
        source.write_text(SOURCE)
        command = (
            "-m ziglang cc -target wasm32-freestanding "
            "-mcpu=generic+simd128+bulk_memory+sign_ext+nontrapping_fptoint -O2 "
            "-fno-sanitize=all -ffp-contract=off -g0 -fno-builtin -nostdlib -Wl,--no-entry "
            "-Wl,--export=pow_f64 -Wl,--export-memory -Wl,--initial-memory=8388608 "
            "-Wl,--export=__heap_base"
        )
        subprocess.run(
            [
                sys.executable,
                *command.split(),
                *exports,
                *build.mathematics(),
                f"-I{KERNELS}",
                str(source),
                "-o",
                str(wasm),
            ],
            check=True,
        )
        engine = wasmtime.Engine()
        self.module = wasmtime.Module.from_file(engine, str(wasm))
        self.store = wasmtime.Store(engine)
        self.exports = wasmtime.Instance(self.store, self.module, []).exports(self.store)
        self.base = (self.exports["__heap_base"].value(self.store) + 15) & ~15

    def __call__(self, name: str, x: np.ndarray) -> np.ndarray:
        kind = "f64" if x.dtype == np.float64 else "f32"
        memory = self.exports["memory"]
        memory.write(self.store, x.tobytes(), self.base)
        # In place: out may alias x.
        self.exports[f"unary_{name}_{kind}"](self.store, self.base, self.base, len(x))
        raw = memory.read(self.store, self.base, self.base + x.nbytes)
        return np.frombuffer(bytes(raw), dtype=x.dtype)

    def power(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        memory = self.exports["memory"]
        second, out = self.base + x.nbytes, self.base + 2 * x.nbytes
        memory.write(self.store, x.tobytes(), self.base)
        memory.write(self.store, y.tobytes(), second)
        self.exports["pow_f64"](self.store, out, self.base, second, len(x))
        return np.frombuffer(bytes(memory.read(self.store, out, out + x.nbytes)))


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Kernels:
    return Kernels(tmp_path_factory.mktemp("kernels"))


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal bit for bit, where every NaN is one NaN."""
    word = {8: np.uint64, 4: np.uint32}[a.dtype.itemsize]
    nan = np.isnan(a) & np.isnan(b)
    return bool(((a.view(word) == b.view(word)) | nan).all())


def uniform(*ranges: tuple[float, float], count: int = 600) -> np.ndarray:
    rng = np.random.default_rng(7)
    return np.concatenate([rng.uniform(a, b, count) for a, b in ranges])


def spread(low: float, high: float, count: int = 600) -> np.ndarray:
    """Numbers of both signs, evenly spread over exponents of two."""
    rng = np.random.default_rng(8)
    return np.exp2(rng.uniform(low, high, count)) * rng.choice([-1.0, 1.0], count)


def quantile(p: mp.mpf) -> mp.mpf:
    """Refine SciPy's quantile by Newton steps on the exact distribution function."""
    z = mp.mpf(float(special.ndtri(float(p))))
    for _ in range(4):
        density = mp.exp(-z * z / 2) / mp.sqrt(2 * mp.pi)
        z -= (mp.erfc(-z / mp.sqrt(2)) / 2 - p) / density
    return z


# Exact function, arguments, largest error in ULP (of normal results).
EXACT: dict[str, tuple[Callable[[mp.mpf], mp.mpf], np.ndarray, float]] = {
    "exp": (mp.exp, np.r_[uniform((-708, 709.7), (-1, 1), (-0.35, 0.35)), spread(-60, 3)], 0.52),
    "log": (
        mp.log,
        np.r_[uniform((0.5, 2), (0.9, 1.1), (1.38, 1.45)), abs(spread(-1074, 1023))],
        0.62,
    ),
    "log1p": (mp.log1p, np.r_[uniform((-1, 1), (-0.32, 0.45)), abs(spread(-80, 900))], 0.75),
    "expm1": (mp.expm1, np.r_[uniform((-40, 709), (-1, 1), (30, 50)), spread(-80, 1)], 0.75),
    "tanh": (mp.tanh, np.r_[uniform((-1, 1), (-22, 22)), spread(-80, 1)], 2.0),
    "sigmoid": (
        lambda v: 1 / (1 + mp.exp(-v)),
        np.r_[uniform((-40, 40), (-700, 0)), spread(-60, 3)],
        2.2,
    ),
    "atan": (mp.atan, np.r_[uniform((-3, 3), (-0.5, 0.5)), spread(-80, 200)], 1.5),
    "erf": (mp.erf, np.r_[uniform((-0.6, 0.6), (0, 6)), spread(-80, 2)], 2.5),
    "erfc": (mp.erfc, np.r_[uniform((-6, 6), (0, 1), (0, 26.5)), spread(-60, 2)], 4.0),
    "norm_cdf": (
        lambda v: mp.erfc(-v / mp.sqrt(2)) / 2,
        np.r_[uniform((-37.5, 8), (-1, 1)), spread(-60, 2)],
        4.0,
    ),
    "norm_ppf": (
        quantile,
        np.r_[
            uniform((0.01, 0.99), (0.499, 0.501), count=150),
            abs(spread(-1020, -2, 200)),
            1 - abs(spread(-40, -2, 100)),
        ],
        6.0,
    ),
}


#: What the headers promise: "name: at most N ULP" of mpmath's function of that name, or
#: "name(x) = formula: at most N ULP" of a formula in mpmath's functions.
PROMISED = {
    name: (formula or f"{name}(x)", float(bound))
    for header in sorted(KERNELS.glob("scalar_*.h"))
    for name, formula, bound in re.findall(
        r"\b(\w+)(?:\(x\) = (.+))?: at most ([\d.]+) ULP", header.read_text()
    )
}
#: Those whose arguments and bar are not chosen above.
DISCOVERED = tuple(n for n in NAMES if n in PROMISED and n not in EXACT)


def angles() -> list[float]:
    """Return doubles next to multiples of pi/2, which lose most of their digits there."""
    rng = np.random.default_rng(9)
    with mp.workprec(1200):
        times = [int(mp.mpf(2) ** power) for power in rng.uniform(0, 1020, 200).tolist()]
        near = [float(k * mp.pi / 2) for k in (*range(1, 9), *times)]
    # The nearest of all (J.-M. Muller et al., Handbook of Floating-Point Arithmetic), and twice it.
    nearest = 6381956970095103 * 2.0**797
    return [*near, nearest, 2 * nearest]


def everywhere() -> np.ndarray:
    """Return arguments of all magnitudes, and more near 1 and multiples of pi/2."""
    ones = np.r_[1 - abs(spread(-53, -1, 300)), 1 + abs(spread(-52, 1, 300)), angles()]
    plain = uniform((-1, 1), (-3, 3), (-40, 40), (-750, 750))
    return np.r_[plain, spread(-30, 30), spread(-1074, 1023), ones, -ones]


def _exact(formula: str) -> Callable[[mp.mpf], mp.mpf]:
    code = compile(formula, "<header>", "eval")
    return lambda v: eval(code, vars(mp) | {"x": v})


for _name in DISCOVERED:
    EXACT[_name] = (_exact(PROMISED[_name][0]), everywhere(), PROMISED[_name][1])


def test_every_function_has_a_bound() -> None:
    """Functions that are not correctly rounded say in their header how far off they may be."""
    inexact = {name for name, op in FUNCTIONS.items() if not op.exact}
    assert inexact <= set(EXACT) | {"libm_exp", "libm_sigmoid"}


@pytest.mark.parametrize("name", EXACT)
def test_error_in_ulp(kernels: Kernels, name: str) -> None:
    exact, x, bar = EXACT[name]
    worst = (0.0, 0.0)
    with mp.workprec(160):
        for xi, yi in zip(x.tolist(), kernels(name, x).tolist(), strict=True):
            true = exact(mp.mpf(xi))
            if isinstance(true, mp.mpc):  # outside of the function's domain
                assert math.isnan(yi)
                continue
            if abs(true) > 1.7976931348623157e308:
                continue
            if 0 < abs(true) < 2.0**-1022 and name not in DISCOVERED:
                continue
            error = float(abs(mp.mpf(yi) - true)) / math.ulp(float(true))
            worst = max(worst, (error, xi))
    assert worst[0] <= bar, f"{name}({worst[1]!r}) is {worst[0]:.3f} ULP off"


@pytest.mark.parametrize(
    ("name", "x"),
    [
        ("exp", np.linspace(-745.2, -708.4, 400)),
        ("erfc", np.linspace(26.55, 27.3, 400)),
        ("norm_cdf", np.linspace(-38.5, -37.5, 400)),
    ],
)
def test_gradual_underflow(kernels: Kernels, name: str, x: np.ndarray) -> None:
    exact = EXACT[name][0]
    with mp.workprec(160):
        for xi, yi in zip(x.tolist(), kernels(name, x).tolist(), strict=True):
            assert float(abs(mp.mpf(yi) - exact(mp.mpf(xi)))) <= max(2 * TINY, 4 * math.ulp(yi))


EDGES: dict[str, list[tuple[float, float]]] = {
    "neg": [(0.0, -0.0), (-0.0, 0.0), (INF, -INF), (NAN, NAN), (TINY, -TINY)],
    "abs": [(-0.0, 0.0), (-INF, INF), (-TINY, TINY), (NAN, NAN)],
    "sqrt": [(-0.0, -0.0), (-1.0, NAN), (INF, INF), (TINY, 2.0**-537), (NAN, NAN)],
    "floor": [(-0.0, -0.0), (-0.5, -1.0), (-TINY, -1.0), (2.0**53, 2.0**53), (-INF, -INF)],
    "sign": [(-0.0, 0.0), (0.0, 0.0), (-TINY, -1.0), (TINY, 1.0), (-INF, -1.0), (NAN, NAN)],
    "reciprocal": [(0.0, INF), (-0.0, -INF), (INF, 0.0), (-INF, -0.0), (TINY, INF), (NAN, NAN)],
    "exp": [
        (0.0, 1.0),
        (-0.0, 1.0),
        (TINY, 1.0),
        (-1e-320, 1.0),
        (709.782712893384, 1.7976931348622732e308),
        (709.7827128933841, INF),
        (1e308, INF),
        (INF, INF),
        (-745.1332191019411, TINY),
        (-745.1332191019412, 0.0),
        (-1e308, 0.0),
        (-INF, 0.0),
        (NAN, NAN),
    ],
    "log": [
        (0.0, -INF),
        (-0.0, -INF),
        (1.0, 0.0),
        (-TINY, NAN),
        (-INF, NAN),
        (INF, INF),
        (TINY, -744.4400719213812),
        (2.0**-1022, -708.3964185322641),
        (NAN, NAN),
    ],
    "log1p": [
        (0.0, 0.0),
        (-0.0, -0.0),
        (TINY, TINY),
        (-TINY, -TINY),
        (-1.0, -INF),
        (-1.0000000000000002, NAN),
        (-INF, NAN),
        (1e-300, 1e-300),
        (1.7976931348623157e308, 709.782712893384),
        (INF, INF),
        (NAN, NAN),
    ],
    "expm1": [
        (0.0, 0.0),
        (-0.0, -0.0),
        (TINY, TINY),
        (-TINY, -TINY),
        (-1e-300, -1e-300),
        (-50.0, -1.0),
        (-INF, -1.0),
        (709.7827128933841, INF),
        (INF, INF),
        (NAN, NAN),
    ],
    "tanh": [
        (0.0, 0.0),
        (-0.0, -0.0),
        (TINY, TINY),
        (-TINY, -TINY),
        (22.0, 1.0),
        (-1e308, -1.0),
        (INF, 1.0),
        (NAN, NAN),
    ],
    "sigmoid": [
        (0.0, 0.5),
        (-0.0, 0.5),
        (40.0, 1.0),
        (INF, 1.0),
        (-INF, 0.0),
        (-709.7827128933841, 0.0),
        (NAN, NAN),
    ],
    "atan": [
        (0.0, 0.0),
        (-0.0, -0.0),
        (TINY, TINY),
        (1.0, math.pi / 4),
        (INF, math.pi / 2),
        (-INF, -math.pi / 2),
        (NAN, NAN),
    ],
    "erf": [(0.0, 0.0), (-0.0, -0.0), (6.0, 1.0), (-INF, -1.0), (INF, 1.0), (NAN, NAN)],
    "erfc": [(0.0, 1.0), (-0.0, 1.0), (28.0, 0.0), (INF, 0.0), (-INF, 2.0), (NAN, NAN)],
    "norm_cdf": [(0.0, 0.5), (-0.0, 0.5), (-39.0, 0.0), (-INF, 0.0), (INF, 1.0), (NAN, NAN)],
    "norm_ppf": [
        (0.5, 0.0),
        (0.0, -INF),
        (-0.0, -INF),
        (1.0, INF),
        (-TINY, NAN),
        (1.0000000000000002, NAN),
        (INF, NAN),
        (-INF, NAN),
        (NAN, NAN),
        (TINY, -38.467405617144344),
    ],
}


EDGES |= {f"libm_{name}": EDGES[name] for name in ("exp", "sigmoid")}


def _edges(op: Op) -> list[tuple[float, float]]:
    """Return what the definition gives at the edges, where its own answer is no rounded number."""
    x = np.array([0.0, TINY, 2.0**-1022, 0.5, 1.0, 1.5, 2.0, 2.5, 2.0**52 + 1, 1.7e308, INF])
    x = np.r_[x, -x, NAN]
    with np.errstate(all="ignore"):
        y = op.define({}, x)
    plain = op.exact | (y == x) | np.isin(y, (0.0, 1.0, -1.0)) | ~np.isfinite(y)
    return list(zip(x[plain].tolist(), y[plain].tolist(), strict=True))


EDGES |= {name: _edges(op) for name, op in FUNCTIONS.items() if name not in EDGES}


@pytest.mark.parametrize("name", NAMES)
def test_edges(kernels: Kernels, name: str) -> None:
    x, expected = (np.array(v) for v in zip(*EDGES[name], strict=True))
    got = kernels(name, x)
    # The quantile of the smallest double is the one edge that is not an exact number.
    near = np.array([name == "norm_ppf" and v == TINY for v in x])
    assert same_bits(got[~near], expected[~near]), list(zip(x, got, expected, strict=True))
    np.testing.assert_allclose(got[near], expected[near], rtol=1e-15)


def test_every_operator_has_edges() -> None:
    assert set(EDGES) == set(NAMES)


@pytest.mark.parametrize(("name", "kind"), CASES)
@pytest.mark.parametrize("count", [0, 1, 2, 3, 5])
def test_odd_counts(kernels: Kernels, name: str, kind: str, count: int) -> None:
    """Rows at the end of a block, which SIMD code treats apart, get the same bits."""
    x = np.linspace(0.1, 0.9, 8).astype(np.float64 if kind == "f64" else np.float32)
    assert same_bits(kernels(name, x[:count]), kernels(name, x)[:count])


# exp and sigmoid have float's own algorithm, tested below.
@pytest.mark.parametrize("name", [n for n in NAMES if not n.endswith(("exp", "sigmoid"))])
def test_float32_is_the_double_rounded_once(kernels: Kernels, name: str) -> None:
    edges = np.array([0.0, -0.0, INF, -INF, NAN, 1e-45, -1e-45, 1e-38, 3e38, -3e38])
    x = np.r_[uniform((-2, 2), (-90, 90), (0, 1)), spread(-140, 127), edges].astype(np.float32)
    with np.errstate(over="ignore"):
        expected = kernels(name, x.astype(np.float64)).astype(np.float32)
    assert same_bits(kernels(name, x), expected)


def float_arguments() -> np.ndarray:
    rng = np.random.default_rng(9)
    bits = rng.integers(0, 2**32, 200_000, dtype=np.uint32).view(np.float32)
    limits = np.float32([88.722839, 88.72284, -103.27893, -103.9720764, -103.972084, -87.33655])
    near = [np.nextafter(limits, np.float32(d)) for d in (-200, 200)]
    plain = rng.uniform(-105, 90, 200_000).astype(np.float32)
    small = rng.normal(0, 2, 200_000).astype(np.float32)
    edges = np.float32([0, -0.0, INF, -INF, NAN, 1e-45, -1e-45])
    return np.concatenate([bits, plain, small, limits, *near, edges])


def test_float32_exp_is_the_c_library_s(kernels: Kernels) -> None:
    name = ctypes.util.find_library("m")
    assert name is not None
    expf = ctypes.CDLL(name).expf
    expf.argtypes, expf.restype = [ctypes.c_float], ctypes.c_float
    x = float_arguments()
    expected = np.array([expf(v) for v in x.tolist()], dtype=np.float32)
    assert same_bits(kernels("exp", x), expected)
    assert same_bits(kernels("libm_exp", x), expected)


def test_float32_sigmoid_is_scipy_s(kernels: Kernels) -> None:
    x = float_arguments()
    assert same_bits(kernels("sigmoid", x), special.expit(x))
    assert same_bits(kernels("libm_sigmoid", x), special.expit(x))


def test_float64_sigmoid_is_close_to_scipy_s(kernels: Kernels) -> None:
    x = np.r_[uniform((-745, 745), (-40, 40), count=100_000), spread(-60, 9)]
    got, expected = kernels("sigmoid", x), special.expit(x)
    assert np.abs(got.view(np.int64) - expected.view(np.int64)).max() <= 2


def exact_arguments() -> np.ndarray:
    limits = np.array([709.782712893384, -708.3964185322641, -745.1332191019411, 512.0, -512.0])
    near = [np.nextafter(limits, d) for d in (-2000, 2000)]
    edges = [0.0, -0.0, TINY, -TINY, 2.0**-54, -(2.0**-53), 1024.0, -1024.0, INF, -INF, NAN]
    plain = uniform((-40, 40), (-1, 1), (-512, 512), (-746, -700), (500, 710), count=20_000)
    return np.r_[plain, spread(-70, 10), limits, *near, edges]


def test_exact_exp_is_the_c_library_s(kernels: Kernels) -> None:
    """On x86-64 with FMA and on arm64, under the GNU C library: what SciPy's wheels run on."""
    x = exact_arguments()
    expected = np.array([math.exp(v) if not v > 709.782712893384 else v * INF for v in x.tolist()])
    assert same_bits(kernels("libm_exp", x), expected)


def test_exact_sigmoid_is_scipy_s(kernels: Kernels) -> None:
    x = exact_arguments()
    assert same_bits(kernels("libm_sigmoid", x), special.expit(x))


def test_power_error_in_ulp(kernels: Kernels) -> None:
    rng = np.random.default_rng(10)
    x = np.r_[uniform((0.5, 2), (0.99, 1.01)), abs(spread(-1074, 1023, 2000))]
    y = rng.uniform(-700, 700, len(x)) / np.maximum(abs(np.log(x)), 1e-3)
    y[::3] = rng.choice([-3.0, -1.0, -0.5, 0.5, 1.0, 2.0, 3.0], len(y[::3]))
    worst = (0.0, 0.0, 0.0)
    with mp.workprec(160):
        for xi, yi, got in zip(x.tolist(), y.tolist(), kernels.power(x, y).tolist(), strict=True):
            true = mp.mpf(xi) ** mp.mpf(yi)
            if true < 2.0**-1022 or true > 1.7976931348623157e308:
                assert got == float(true) or abs(mp.mpf(got) - true) <= TINY
                continue
            error = float(abs(mp.mpf(got) - true)) / math.ulp(float(true))
            worst = max(worst, (error, xi, yi))
    assert worst[0] <= 0.6, f"pow{worst[1:]} is {worst[0]:.3f} ULP off"


def test_power_edges_are_numpy_s(kernels: Kernels) -> None:
    values = np.array(
        [0.0, 1.0, 2.0, 3.0, 0.5, 1e-310, 1e308, 2.0**53, 2.0**53 + 2, TINY, 1.5, INF, NAN]
    )
    values = np.r_[values, -values]
    x, y = (v.ravel().copy() for v in np.meshgrid(values, values))
    with np.errstate(all="ignore"):
        assert same_bits(kernels.power(x, y), np.power(x, y))


def test_module_imports_nothing(kernels: Kernels) -> None:
    assert [i.name for i in kernels.module.imports] == []
