"""`sklearn.decomposition`: what iterates for each row, in the program as in the source."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import ops
from sclbl.strippers.base import method
from sclbl.strippers.columns import Table
from sclbl.strippers.sklearn.estimator import Estimator, transformed


class Factorisation(Estimator):
    """`_BaseNMF`: non-negative numbers whose product with the components is near to a row.

    The source stops by what all rows of a call together say; a program gives what it gives for each
    row alone, and that is what the model is asked.
    """

    dtype, makes_dense, alone = "float", True, True

    def updates(self, model: Any, x: Any, *, most: int, moves: bool, gamma: float) -> Any:
        """Write multiplicative updates."""
        own, beta = model.components_, float(model._beta_loss)
        require_float64(model, x, own.dtype)
        l1, _, l2, _ = model._compute_regularization(np.empty((1, x.width)))
        start = np.sqrt(np.mean(x, axis=1) / len(own))[:, None]
        _tell(model, x)
        return x.builder.node(
            "sclbl.MultiplicativeUpdates",
            [x, start],
            weights=own.astype(np.float64),
            most=most,
            moves=int(moves),
            settings=np.array([beta, gamma, l1, l2, model.tol], dtype=np.float64),
        )

    @method(backwards=True)
    def inverse_transform(self, model: Any, x: Table) -> Any:
        """Write the product, of whatever numbers there are: the source checks none."""
        given = transformed(model, x, len(model.components_), ensure_all_finite=False)
        return given @ model.components_


class NMF(Factorisation):
    """Coordinate descent, or multiplicative updates that look at the divergence."""

    def check(self, model: Any) -> None:
        if model.solver == "cd" and model.shuffle:
            raise UnsupportedModelError(
                f"{type(model).__name__}(shuffle=True) goes through its components in random "
                "order; set shuffle=False, which only changes where transform stops"
            )

    def rows(self, model: Any, x: Any) -> Any:
        checked = ops.refuse_outside(super().rows(model, x), low=0)
        if model._beta_loss <= 0:  # zeros are refused as well
            checked = ops.refuse_outside(checked, low=float(np.nextafter(0, 1)))
        return checked

    @method
    def transform(self, model: Any, x: Any) -> Any:
        h, beta = model.components_, model._beta_loss
        if h.dtype != x.numbers:
            raise UnsupportedModelError(
                f"{type(model).__name__} was fitted on {h.dtype} numbers and refuses others; give "
                f"it an example_input of {h.dtype}"
            )
        if model.solver != "cd":
            gamma = 1.0 / (2.0 - beta) if beta < 1 else 1.0 / (beta - 1.0) if beta > 2 else 1.0
            return self.updates(model, x, most=model.max_iter, moves=False, gamma=gamma)
        l1, _, l2, _ = model._compute_regularization(np.empty((1, x.width)))
        gram = h @ h.T
        gram.flat[:: len(h) + 1] += l2
        products = x @ h.T
        if l1 != 0:
            products -= l1
        settings = np.array([model.tol], dtype=np.float64)
        _tell(model, x)
        return x.builder.node(
            "sclbl.NonNegativeDescent",
            [products],
            gram=gram,
            most=model.max_iter,
            settings=settings,
        )


class MiniBatchNMF(Factorisation):
    """Multiplicative updates until they move little."""

    @method
    def transform(self, model: Any, x: Any) -> Any:
        most, gamma = model._transform_max_iter, float(model._gamma)
        found = self.updates(model, x, most=most, moves=True, gamma=gamma)
        # The source measures moves with a norm that refuses what is not finite.
        return refuse_not_finite(found)


class LatentDirichletAllocation(Estimator):
    """`_update_doc_distribution`, for the words that a row counts."""

    dtype, makes_dense = "float", True

    def rows(self, model: Any, x: Any) -> Any:
        checked = super().rows(model, x).astype(model.components_.dtype)
        return ops.refuse_outside(checked, low=0)

    @method
    def transform(self, model: Any, x: Any) -> Any:
        from sklearn.decomposition._online_lda_fast import _dirichlet_expectation_2d

        require_float64(model, x, model.components_.dtype)
        words = model.exp_dirichlet_component_
        start = np.exp(_dirichlet_expectation_2d(np.ones((1, len(words)))))[0, 0]
        settings = [model.doc_topic_prior_, start, model.mean_change_tol]
        shares = x.builder.node(
            "sclbl.TopicShares",
            [x],
            weights=np.ascontiguousarray(words),
            most=model.max_doc_update_iter,
            settings=np.array(settings, dtype=np.float64),
        )
        return shares / np.sum(shares, axis=1)[:, None]


def require_float64(model: Any, x: Any, fitted: np.dtype[Any]) -> None:
    """Refuse iterations in float32, where rounding decides after which one they stop."""
    if x.numbers == np.float32 or fitted == np.float32:
        raise UnsupportedModelError(
            f"{type(model).__name__}.transform iterates in float32, where rounding decides when it "
            "stops; fit it on float64 numbers, X.astype('float64'), and give such an example_input"
        )


def refuse_not_finite(found: Any) -> Any:
    """Refuse results as the source does, in whose words they are infinite or NaN."""
    known: Any = np.where(np.isnan(found), np.inf, found)
    return ops.refuse(known, nan=False)


def _tell(model: Any, x: Any) -> None:
    x.builder.warnings.append(
        f"{type(model).__name__}.transform stops by all rows of a call together: a program gives "
        "what it gives for each row alone, and of several rows at once the model's own results "
        f"differ from that by about its tolerance (tol={model.tol})"
    )
