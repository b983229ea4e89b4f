"""`sklearn.decomposition`: sparse codes by a dictionary of atoms."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import ops
from sclbl.strippers.base import method
from sclbl.strippers.columns import Table
from sclbl.strippers.sklearn.decomposition_iterative import (
    refuse_not_finite,
    require_float64,
)
from sclbl.strippers.sklearn.estimator import Estimator, transformed


class SparseCoding(Estimator):
    """`_BaseSparseCoding`."""

    dtype, makes_dense = "float", True

    def check(self, model: Any) -> None:
        algorithm, name = model.transform_algorithm, type(model).__name__
        if algorithm in ("lars", "lasso_lars"):
            raise UnsupportedModelError(
                f'{name}(transform_algorithm="{algorithm}") follows a path of least angles, which '
                'has no stripper; set transform_algorithm="lasso_cd", which has the optimum of '
                '"lasso_lars", or "omp" or "threshold"'
            )
        if algorithm == "omp":
            # Beyond the rank nothing is left but rounding, and the source goes on to choose.
            rank, count = int(np.linalg.matrix_rank(_dictionary(model))), _atoms_of(model)
            if count > rank:
                raise UnsupportedModelError(
                    f"{name} chooses {count} atoms of a dictionary of rank {rank}, and the last of "
                    f"them by rounding alone; set transform_n_nonzero_coefs to {rank} or fewer"
                )
        if model.positive_code and algorithm == "omp":
            raise UnsupportedModelError(
                f'{name}(transform_algorithm="omp") takes no positive_code, and scikit-learn '
                "refuses it; set positive_code=False"
            )

    @method
    def transform(self, model: Any, x: Any) -> Any:
        dictionary = _dictionary(model)
        if model.transform_algorithm == "threshold":
            code = _threshold(model, x @ dictionary.T)
        else:
            require_float64(model, x, dictionary.dtype)
            code = _iterated(model, x, dictionary)
        if not model.split_sign:
            return code
        return ops.concat([np.maximum(code, 0), -np.minimum(code, 0)]).astype(np.float64)

    @method(backwards=True)
    def inverse_transform(self, model: Any, x: Table) -> Any:
        atoms = len(_dictionary(model))
        code = transformed(model, x, 2 * atoms if model.split_sign else atoms)
        if model.split_sign:
            code = code[:, :atoms] - code[:, atoms:]
        return code @ _dictionary(model)


def _dictionary(model: Any) -> np.ndarray:
    held = model.dictionary if hasattr(model, "dictionary") else model.components_
    return np.asarray(held)


def _penalty(model: Any) -> Any:
    given = model.transform_alpha
    if given is None:
        given = getattr(model, "alpha", None)
    return 1.0 if given is None else given


def _atoms_of(model: Any) -> int:
    count, dictionary = model.transform_n_nonzero_coefs, _dictionary(model)
    if count is None:
        count = min(max(dictionary.shape[1] / 10, 1), len(dictionary))
    return int(count)


def _threshold(model: Any, products: Any) -> Any:
    code = np.sign(products) * np.maximum(np.abs(products) - _penalty(model), 0)
    return np.maximum(code, 0) if model.positive_code else code


def _iterated(model: Any, x: Any, dictionary: np.ndarray) -> Any:
    build, products, gram = x.builder, x @ dictionary.T, dictionary @ dictionary.T
    if model.transform_algorithm == "omp":
        none = np.empty(0)
        return build.node(
            "sclbl.MatchingPursuit", [products], gram=gram, most=_atoms_of(model), settings=none
        )
    # As `Lasso` scales the penalty, and its path back again.
    columns = dictionary.shape[1]
    alpha = float(_penalty(model)) / columns * 1.0 * columns
    code = build.node(
        "sclbl.LassoCode",
        [products, ops.sum_in_order(x * x, keepdims=True)],
        gram=gram,
        most=model.transform_max_iter,
        positive=int(model.positive_code),
        settings=np.array([alpha, 1e-8]),
    )
    return refuse_not_finite(code)
