"""`sklearn.kernel_approximation`: columns whose products approximate a kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.errors import OutOfRangeError, UnsupportedModelError
from sclbl.strippers import ops
from sclbl.strippers.base import method
from sclbl.strippers.columns import Wire
from sclbl.strippers.sklearn.estimator import Estimator
from sclbl.strippers.sklearn.kernels import pairwise

_PARAMETERS = ("gamma", "coef0", "degree")


class Nystroem(Estimator):
    """A kernel's values at some training rows, normalised."""

    @method
    def transform(self, model: Any, x: Wire) -> Any:
        given = {k: getattr(model, k) for k in _PARAMETERS if getattr(model, k) is not None}
        params = {**(model.kernel_params or {}), **given}
        kernels = pairwise(model, x, model.components_, model.kernel, **params)
        if kernels.numbers.kind != "f":
            kernels = kernels.astype(np.float64)
        return kernels @ np.asarray(model.normalization_).T


class RBFSampler(Estimator):
    takes_sparse = True

    @method
    def transform(self, model: Any, x: Wire) -> Any:
        projection = x @ model.random_weights_
        projection += model.random_offset_
        made = np.cos(projection)
        made *= (2.0 / model.n_components) ** 0.5
        return made


class SkewedChi2Sampler(Estimator):
    dtype = "float"

    @method
    def transform(self, model: Any, x: Any) -> Any:
        number = x.numbers.type
        x = ops.refuse_outside(x, low=np.nextafter(number(-model.skewedness), number(np.inf)))
        x += model.skewedness
        projection = np.log(x) @ model.random_weights_
        projection += model.random_offset_
        made = np.cos(projection)
        made *= np.sqrt(2.0) / np.sqrt(model.n_components)
        return made


class AdditiveChi2Sampler(Estimator):
    """Waves of the logarithm; zeros stay zeros."""

    def check(self, model: Any) -> None:
        if model.sample_interval is None and model.sample_steps not in _INTERVALS:
            raise UnsupportedModelError(
                f"AdditiveChi2Sampler(sample_steps={model.sample_steps}) refuses all rows without "
                "sample_interval; give it one"
            )

    @method
    def transform(self, model: Any, x: Any) -> Any:
        x = ops.refuse_outside(x, low=0)
        if x.numbers.kind != "f":
            raise UnsupportedModelError(
                "AdditiveChi2Sampler cuts its results for integers to whole numbers; give it floats"
            )
        step = model.sample_interval
        step = _INTERVALS[model.sample_steps] if step is None else step
        some = x != 0.0
        known = np.where(some, x, 1.0)
        logarithms, doubled = step * np.log(known), 2 * known * step
        parts: list[Any] = [np.where(some, np.sqrt(known * step), 0.0)]
        for j in range(1, model.sample_steps):
            factor = np.sqrt(doubled / np.cosh(np.pi * j * step))
            parts.append(np.where(some, factor * np.cos(j * logarithms), 0.0))
            parts.append(np.where(some, factor * np.sin(j * logarithms), 0.0))
        return ops.concat([part.astype(x.numbers) for part in parts])


class PolynomialCountSketch(Estimator):
    """A product of sketches' Fourier transforms, transformed back.

    A sketch and its transform are one product with a matrix that is worked out here, once. Rows so
    large that the product may overflow are refused; the source makes infinities and NaN of them.
    """

    refuses_more = (OutOfRangeError,)

    @method
    def transform(self, model: Any, x: Any) -> Any:
        if x.sparse:
            raise UnsupportedModelError(
                "PolynomialCountSketch of sparse rows has zeros that are what rounding leaves of "
                "large numbers, which verification measures of dense rows alone; give it "
                "example_input.toarray()"
            )
        bound = _largest(model, x.width)
        x = ops.refuse_outside(x.astype(np.float64), -bound, bound)
        real: Any = None
        imaginary: Any = None
        for places, signs in zip(model.indexHash_, model.bitHash_, strict=True):
            waves = np.fft.rfft(np.eye(model.n_components))[places] * signs[:, None]
            constant = waves[x.width :].sum(axis=0) * np.sqrt(model.coef0)
            waves = waves[: x.width] * np.sqrt(model.gamma)
            a, b = x @ waves.real + constant.real, x @ waves.imag + constant.imag
            if real is None:
                real, imaginary = a, b
            else:
                real, imaginary = real * a - imaginary * b, real * b + imaginary * a
        unit = np.eye(real.width)
        back = [np.fft.irfft(w, model.n_components) for w in (unit, 1j * unit)]
        return ops.concat([real, imaginary]) @ np.concatenate(back)


def _largest(model: Any, columns: int) -> float:
    """Return up to where no product of the sketches overflows."""
    product = np.finfo(np.float64).max / 16 / model.n_components
    one = (product ** (1 / model.degree) / 4 - np.sqrt(model.coef0)) / columns
    return float(one / max(np.sqrt(model.gamma), 1.0))


_INTERVALS = {1: 0.8, 2: 0.5, 3: 0.4}
CLASSES = {
    "AdditiveChi2Sampler": AdditiveChi2Sampler(),
    "Nystroem": Nystroem(),
    "PolynomialCountSketch": PolynomialCountSketch(),
    "RBFSampler": RBFSampler(),
    "SkewedChi2Sampler": SkewedChi2Sampler(),
}
