"""`sklearn.feature_extraction`: dicts and lists of features as sparse rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.signature import Input
from sclbl.strippers.base import Stripper, method
from sclbl.strippers.beside import NAME
from sclbl.strippers.columns import Wire


class FeatureHasher(Stripper):
    """Names by their hash (MurmurHash3); items of one column are added."""

    def check(self, model: Any) -> None:
        _require_float64(model)

    def beside(self, model: Any) -> Input:
        if model.input_type == "string":
            return Input(NAME, "list", "text")
        return Input(NAME, "features", "float64")

    @method
    def transform(self, model: Any, x: Wire) -> Wire:
        signed = int(model.alternate_sign)
        found = x.builder.node("sclbl.HashNames", [x], columns=model.n_features, signed=signed)
        return x.builder.node("sclbl.SumDuplicates", [found], distinct=0)


class DictVectorizer(Stripper):
    """Names by the vocabulary of the fit, in its order; unknown ones are left out."""

    def check(self, model: Any) -> None:
        _require_float64(model)
        if model.separator != "=":
            raise UnsupportedModelError(
                f"DictVectorizer(separator={model.separator!r}): programs join a name and a text "
                "with '='; fit it with separator='='"
            )

    def beside(self, model: Any) -> Input:
        return Input(NAME, "features", "float64")

    @method
    def transform(self, model: Any, x: Wire) -> Wire:
        names = np.array(model.feature_names_, dtype=object)
        found = x.builder.node("sclbl.FindNames", [x], names=names)
        ordered = x.builder.node("sclbl.SumDuplicates", [found], distinct=0)
        return ordered if model.sparse else x.builder.dense(ordered)


def _require_float64(model: Any) -> None:
    if np.dtype(model.dtype) != np.float64:
        raise UnsupportedModelError(
            f"{type(model).__name__}(dtype={np.dtype(model.dtype).name}): programs compute its "
            "rows in float64; fit it with dtype=numpy.float64"
        )


CLASSES = {"DictVectorizer": DictVectorizer(), "FeatureHasher": FeatureHasher()}
