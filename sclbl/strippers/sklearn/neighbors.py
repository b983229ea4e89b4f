"""`sklearn.neighbors`: the nearest points, the points within a radius, and what is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.signature import Input
from sclbl.strippers import ops
from sclbl.strippers.base import Declared, method, once
from sclbl.strippers.columns import Wire
from sclbl.strippers.sklearn import metrics
from sclbl.strippers.sklearn.discriminant_analysis import DiscriminantScores
from sclbl.strippers.sklearn.estimator import Estimator
from sclbl.strippers.sklearn.neighbors_density import KernelDensity


class Neighbors(Estimator):
    """Models that search among the rows that they were fitted on."""

    def check(self, model: Any) -> None:
        check_search(model)
        weights = getattr(model, "weights", None)
        if callable(weights):
            raise UnsupportedModelError(
                f'{type(model).__name__} has a function for weights; use weights="uniform" or '
                '"distance"'
            )

    #: Whether neighbours are what comes out, so that verification sees which are equally near.
    gives_neighbors = False

    @once
    def nearest(self, model: Any, x: Wire) -> tuple[Wire, Wire]:
        """Return distances and numbers of as many points as the model asks for."""
        any_order = self.gives_neighbors and _by_products(model)
        return k_nearest(model, x, model.n_neighbors, any_order=any_order)


def check_search(model: Any) -> None:
    """Raise `UnsupportedModelError` for points or distances that programs do not have."""
    name, metric = type(model).__name__, model.effective_metric_
    if callable(metric) or metric in ("precomputed", "nan_euclidean"):
        called = "a function" if callable(metric) else repr(metric)
        raise UnsupportedModelError(
            f"{name} has {called} for a metric, which programs do not have; use one of those of "
            "sklearn.metrics.DistanceMetric, by its name"
        )
    if hasattr(model._fit_X, "tocsr"):
        raise UnsupportedModelError(
            f"{name} was fitted on a sparse matrix, which programs do not search; fit it on "
            "X.toarray()"
        )


def search_of(model: Any, x: Wire) -> dict[str, Any]:
    """Return what a fitted search looks through, as attributes of operators."""
    if model._tree is not None:
        return metrics.of_tree(model._tree)
    return metrics.of_points(
        model._fit_X,
        x.numbers,
        model.effective_metric_,
        model.effective_metric_params_,
        f'fit {type(model).__name__} with algorithm="ball_tree", or a metric of trees, on float64',
    )


def k_nearest(model: Any, x: Wire, k: int, *, any_order: bool = False) -> tuple[Wire, Wire]:
    """Return the distances and numbers of the k nearest points.

    A search that leaves equally near points in the processor's own order is refused, but for
    `any_order`.
    """
    if k > model.n_samples_fit_:
        raise UnsupportedModelError(
            f"{type(model).__name__} asks for {k} neighbors and was fitted on "
            f"{model.n_samples_fit_} rows, so it predicts nothing; give fewer n_neighbors"
        )
    if model._tree is None and not any_order:
        name, metric = type(model).__name__, model.effective_metric_
        metrics.require_order(name, model._fit_X, x.numbers, metric)
    return metrics.nearest(x, search_of(model, x), k)


def within_radius(
    model: Any, x: Wire, radius: Wire, *, in_order: bool = False
) -> tuple[Wire, Wire]:
    """Return lists of the distances and numbers of points within a radius."""
    return metrics.within(x, search_of(model, x), radius, in_order=in_order)


def inverse_distances(distances: Any) -> Any:
    """Return weights ``1 / distance``; where some points are the row itself, 1 for these alone."""
    weights = 1.0 / distances
    infinite = np.isinf(weights).astype(np.float64)
    return np.where(np.max(infinite, axis=1, keepdims=True) > 0, infinite, weights)


# ------------------------------------------------------------------ searches


def _by_products(model: Any) -> bool:
    """Return whether a model computes distances by a product of matrices."""
    return model._tree is None and model.effective_metric_ in ("euclidean", "l2", "sqeuclidean")


def _told(found: tuple[Wire, Wire], model: Any) -> tuple[Wire, ...]:
    """Return neighbours, and say where their order is not the model's own."""
    if _by_products(model):
        found[0].builder.warnings.append(
            f"{type(model).__name__} computes Euclidean distances by a product of matrices, whose "
            "rounding depends on the processor and on the rows of a call: neighbors whose squared "
            "distances to x differ by less than 1e-12 (||x||² + ||y||²) may be in another order"
        )
    return found


class NearestNeighbors(Neighbors):
    """Distances and numbers of points, those within a radius in the order that the search meets.

    Which points are within a radius is on request where rounding may decide it.
    """

    gives_neighbors = True

    def offers(self, model: Any) -> Mapping[str, Declared]:
        found = dict(super().offers(model))
        if model.n_neighbors > model.n_samples_fit_:
            del found["kneighbors"]  # the model refuses every row
        if _by_products(model):
            found["radius_neighbors"] = replace(found["radius_neighbors"], on_request=True)
        return found

    @method
    def kneighbors(self, model: Any, x: Wire) -> tuple[Wire, ...]:
        return _told(self.nearest(model, x), model)

    @method
    def radius_neighbors(self, model: Any, x: Wire) -> tuple[Wire, ...]:
        usual = Input("radius", "parameter", "float64", default=float(model.radius))
        return within_radius(model, x, x.builder.beside(usual))


class Nearest(Neighbors):
    """Models of the k nearest points."""

    @method(on_request=True)
    def kneighbors(self, model: Any, x: Wire) -> tuple[Wire, ...]:
        return _told(self.nearest(model, x), model)

    def weights(self, model: Any, x: Wire) -> Any:
        """Return what each neighbour counts; None where all count alike."""
        distances, _ = self.nearest(model, x)
        return inverse_distances(distances) if model.weights == "distance" else None


class WithinRadius(Neighbors):
    """Models of the points within a radius."""

    def made_within(self, op: str, model: Any, x: Wire, **attrs: Any) -> Any:
        """Return what an operator makes of the points within the model's radius."""
        radius = ops.constant_column(x, float(model.radius))
        by_distance = int(model.weights == "distance")
        return metrics.made_within(
            op, x, search_of(model, x), radius, by_distance=by_distance, **attrs
        )

    @method(on_request=True)
    def radius_neighbors(self, model: Any, x: Wire) -> tuple[Wire, ...]:
        usual = Input("radius", "parameter", "float64", default=float(model.radius))
        return within_radius(model, x, x.builder.beside(usual))


# ------------------------------------------------------------------ classifiers


def _outputs(model: Any) -> list[tuple[Any, np.ndarray]]:
    """Return for each output its classes and the class number of each point."""
    if not model.outputs_2d_:
        return [(model.classes_, np.asarray(model._y))]
    return list(zip(model.classes_, np.asarray(model._y).T, strict=True))


class KNeighborsClassifier(Nearest):
    @method
    def predict(self, model: Any, x: Wire) -> Any:
        """Predict the class of the largest weight, which `numpy.sum` adds up."""
        votes = self._votes(model, x, pairs=True)
        codes = [np.argmax(v, axis=1) for v in votes]
        return _labels(codes, [classes for classes, _ in _outputs(model)])

    @method
    def predict_proba(self, model: Any, x: Wire) -> Any:
        shares = [v / np.sum(v, axis=1, keepdims=True) for v in self._votes(model, x)]
        return _side_by_side(shares)

    def _votes(self, model: Any, x: Wire, *, pairs: bool = False) -> list[Any]:
        _, numbers = self.nearest(model, x)
        weights = self.weights(model, x)
        given = [] if weights is None else [ops.refuse_zeros(weights)]
        return [
            x.builder.node(
                "sclbl.Votes",
                [take_rows(numbers, codes[:, None]), *given],
                classes=len(classes),
                pairs=int(pairs and weights is not None),
            )
            for classes, codes in _outputs(model)
        ]


def _side_by_side(shares: list[Wire]) -> Wire:
    """Return the probabilities of several outputs as the list that they are in the source."""
    if len(shares) == 1:
        return shares[0]
    return replace(ops.concat(shares), splits=tuple(share.width for share in shares))


def _labels(codes: list[Any], classes: list[Any]) -> Wire:
    """End a classifier with its class numbers, one column an output."""
    numbers: Any = codes[0] if len(codes) == 1 else np.column_stack(codes)
    return ops.labels(numbers, *classes)


def take_rows(numbers: Wire, table: np.ndarray) -> Wire:
    """Return the rows of a table with the given numbers, side by side."""
    dtype = "int64" if table.dtype.kind in "iub" else table.dtype.name
    return numbers.builder.node("sclbl.TakeRows", [numbers], table=table.astype(dtype))


class RadiusNeighborsClassifier(WithinRadius):
    def check(self, model: Any) -> None:
        super().check(model)
        if model._fit_method == "brute" and model.weights == "uniform" and not model.outputs_2d_:
            raise UnsupportedModelError(
                'RadiusNeighborsClassifier answers with algorithm="brute" otherwise where rows are '
                'an array than where they are a DataFrame; fit it with algorithm="kd_tree"'
            )

    @method
    def predict(self, model: Any, x: Wire) -> Any:
        codes, classes = [], []
        for k, (votes, (known, _)) in enumerate(
            zip(self._shares(model, x), _outputs(model), strict=True)
        ):
            code, every = np.argmax(votes, axis=1), list(known.tolist())
            if model.outlier_label_ is not None:
                label = np.asarray(model.outlier_label_[k]).astype(known.dtype).item()
                every += [] if label in every else [label]
                none = np.max(votes, axis=1) == 0
                code = np.where(none, np.int64(every.index(label)), code)
            codes.append(code)
            classes.append(np.array(every, dtype=known.dtype))
        return _labels(codes, classes)

    @method
    def predict_proba(self, model: Any, x: Wire) -> Any:
        shares = self._shares(model, x)
        return _side_by_side(shares)

    def _shares(self, model: Any, x: Wire) -> list[Any]:
        found = []
        for k, (classes, codes) in enumerate(_outputs(model)):
            attrs = {"codes": codes.astype(np.int64), "classes": len(classes)}
            votes = self.made_within("sclbl.VotesWithin", model, x, **attrs)
            whole = np.sum(votes, axis=1, keepdims=True)
            if model.outlier_label_ is None:
                votes = ops.refuse_zeros(votes)
            else:
                own = (np.asarray(classes) == model.outlier_label_[k]).astype(np.float64)
                votes = np.where(whole == 0, own, votes)
                whole = np.sum(votes, axis=1, keepdims=True)
            found.append(votes / np.where(whole == 0, 1.0, whole))
        return found


# ------------------------------------------------------------------ regressors


class KNeighborsRegressor(Nearest):
    @method
    def predict(self, model: Any, x: Wire) -> Any:
        _, numbers = self.nearest(model, x)
        targets = np.asarray(model._y)
        table = targets.reshape(len(targets), -1)
        width, values = table.shape[1], take_rows(numbers, table)
        columns = [values[:, j::width] for j in range(width)]
        weights = self.weights(model, x)
        if weights is None:
            # Of one column the means are added in pairs, of several from left to right.
            add = np.mean if width == 1 else _mean_in_order
            means = [add(column, axis=1) for column in columns]
        else:
            whole = np.sum(weights, axis=1)
            means = [np.sum(c * weights, axis=1) / whole for c in columns]
        return means[0] if targets.ndim == 1 else np.column_stack(means)


def _mean_in_order(x: Any, axis: int) -> Any:
    x = x if x.numbers.kind == "f" else x.astype(np.float64)
    return ops.sum_in_order(x) / x.width


class RadiusNeighborsRegressor(WithinRadius):
    def check(self, model: Any) -> None:
        super().check(model)
        if np.asarray(model._y).dtype == np.float32 and model.weights == "uniform":
            raise UnsupportedModelError(
                "RadiusNeighborsRegressor was fitted on float32 targets, whose mean is rounded at "
                "each step; fit it on y.astype(float)"
            )

    @method
    def predict(self, model: Any, x: Wire) -> Any:
        targets = np.asarray(model._y)
        table = targets.reshape(len(targets), -1)
        with np.errstate(invalid="ignore"):  # NaN in the type of the targets, whatever that is
            none = np.full_like(table[0], np.nan)
        attrs = {"table": table.astype(np.float64), "none": none.astype(np.float64)}
        means = self.made_within("sclbl.MeansWithin", model, x, **attrs)
        return means[:, 0] if targets.ndim == 1 else means


# ------------------------------------------------------------------ transformers


class KNeighborsTransformer(Nearest):
    """Sparse rows: of distances one point more than asked for, because a row finds itself."""

    @method
    def transform(self, model: Any, x: Wire) -> Wire:
        found = k_nearest(model, x, model.n_neighbors + (model.mode == "distance"))
        return _sparse(found, model)


class RadiusNeighborsTransformer(WithinRadius):
    @method
    def transform(self, model: Any, x: Wire) -> Wire:
        radius = ops.constant_column(x, float(model.radius))
        return _sparse(within_radius(model, x, radius, in_order=model.mode == "distance"), model)


def _sparse(found: tuple[Wire, Wire], model: Any) -> Wire:
    return found[0].builder.node(
        "sclbl.SparseNeighbors",
        list(found),
        columns=int(model.n_samples_fit_),
        ones=int(model.mode == "connectivity"),
    )


# ------------------------------------------------------------------ densities and centroids


class LocalOutlierFactor(Nearest):
    """How dense the rows around a row's neighbours are, beside those around itself."""

    @method
    def predict(self, model: Any, x: Wire) -> Any:
        outside = self.decision_function(model, x) < 0
        return np.where(outside, np.int64(-1), np.int64(1))

    @method
    def decision_function(self, model: Any, x: Wire) -> Any:
        return self.score_samples(model, x) - model.offset_

    @method
    def score_samples(self, model: Any, x: Wire) -> Any:
        distances, numbers = k_nearest(model, x, model.n_neighbors_)
        if x.numbers == np.float32:
            distances = distances.astype(np.float32)
        farthest = np.asarray(model._distances_fit_X_)[:, model.n_neighbors_ - 1]
        reach = np.maximum(distances, take_rows(numbers, farthest[:, None]))
        density = 1.0 / (np.mean(reach, axis=1, keepdims=True) + 1e-10)
        return -np.mean(take_rows(numbers, np.asarray(model._lrd)[:, None]) / density, axis=1)


class NearestCentroid(DiscriminantScores):
    """The nearest centroid; with priors that differ, the largest discriminant score."""

    @method
    def predict(self, model: Any, x: Wire) -> Any:
        if np.isclose(model.class_prior_, 1 / len(model.classes_)).all():
            search = metrics.of_points(model.centroids_, x.numbers, model.metric, {}, "")
            return ops.labels(metrics.nearest(x, search, 1)[1], model.classes_)
        return super().predict(model, x)

    @once
    def scores(self, model: Any, x: Wire) -> Any:
        deviation = np.asarray(model.within_class_std_dev_)
        scale = np.where(deviation != 0, deviation, 1.0)
        scaled, centroids = x.astype(np.float64) / scale, model.centroids_ / scale
        if model.metric == "manhattan":
            parts = [ops.sum_in_order(np.abs(scaled - c), keepdims=True) for c in centroids]
            distances: Any = np.column_stack(parts)
        else:
            distances = metrics.euclidean_distances(scaled, centroids)
        with np.errstate(divide="ignore"):
            priors = 2.0 * np.log(model.class_prior_)
        return -(distances**2) + priors


class NeighborhoodComponentsAnalysis(Estimator):
    makes_dense = True

    @method
    def transform(self, model: Any, x: Any) -> Any:
        return x @ model.components_.T


CLASSES: Mapping[str, Estimator] = {
    "KNeighborsClassifier": KNeighborsClassifier(),
    "KNeighborsRegressor": KNeighborsRegressor(),
    "KNeighborsTransformer": KNeighborsTransformer(),
    "KernelDensity": KernelDensity(),
    "LocalOutlierFactor": LocalOutlierFactor(),
    "NearestCentroid": NearestCentroid(),
    "NearestNeighbors": NearestNeighbors(),
    "NeighborhoodComponentsAnalysis": NeighborhoodComponentsAnalysis(),
    "RadiusNeighborsClassifier": RadiusNeighborsClassifier(),
    "RadiusNeighborsRegressor": RadiusNeighborsRegressor(),
    "RadiusNeighborsTransformer": RadiusNeighborsTransformer(),
}
