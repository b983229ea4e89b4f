"""Which stripper takes which class: found by the class's own module.

``sclbl/strippers/<library>/`` has one module for each public module of the library, with a literal
table ``CLASSES`` of its own: `sklearn.linear_model._base.LinearRegression` is looked up in
``strippers/sklearn/linear_model.py`` under its name, and `statsmodels.regression.linear_model.OLS`
in ``strippers/statsmodels/regression.py`` as ``linear_model.OLS``. A subclass has no entry of its
own, because it may predict differently.
"""

from __future__ import annotations

import importlib
import itertools
import pkgutil
from collections.abc import Mapping
from functools import cache

from sclbl.strippers.base import Stripper

LIBRARIES = ("sclbl", "sklearn", "statsmodels", "xgboost")
_HERE = __name__.rpartition(".")[0]


def stripper_of(cls: type) -> Stripper | None:
    """Return the stripper of a library's class; None where it has none."""
    public = list(itertools.takewhile(lambda p: p[:1] != "_", str(cls.__module__).split(".")))
    if not public or public[0] not in LIBRARIES:
        return None
    for end in range(len(public), 0, -1):
        module = ".".join(public[:end])
        if module in _modules():
            return _classes_of(module).get(".".join([*public[end:], cls.__qualname__]))
    return None


def classes() -> dict[str, Stripper]:
    """Return every class that has a stripper, by public module and name."""
    return {f"{m}.{name}": s for m in _modules() for name, s in _classes_of(m).items()}


@cache
def _modules() -> tuple[str, ...]:
    packages = [importlib.import_module(f"{_HERE}.{library}") for library in LIBRARIES]
    return tuple(
        module.name.removeprefix(f"{_HERE}.")
        for package in packages
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    )


@cache
def _classes_of(module: str) -> Mapping[str, Stripper]:
    found: Mapping[str, Stripper] = getattr(
        importlib.import_module(f"{_HERE}.{module}"), "CLASSES", {}
    )
    return found
