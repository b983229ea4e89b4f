"""Which stripper takes a fitted object."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import numpy as np

from sclbl.errors import (
    InputError,
    NotFittedError,
    SclblError,
    UnsupportedMethodError,
    UnsupportedModelError,
)
from sclbl.signature import TAKES
from sclbl.strippers.advice import advise
from sclbl.strippers.base import Stripper
from sclbl.strippers.columns import Sparse, Table, Wire
from sclbl.strippers.graph import Builder
from sclbl.strippers.table import STRIPPERS

_REGISTERED: dict[type, Stripper] = {}
#: What code runs into where an attribute of a model is absent, or of another type or shape.
_MISREAD = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


def register(cls: type, stripper: Stripper) -> None:
    """Make `stripper` responsible for `cls`, before any built-in one.

    Parameters
    ----------
    cls : type
        The exact class; its subclasses are registered on their own.
    stripper : Stripper
        An object with the methods of `sclbl.strippers.base.Stripper`.

    Raises
    ------
    TypeError
        Where `cls` is not a class or `stripper` lacks a method.
    """
    if not isinstance(cls, type):
        raise TypeError(f"register takes a class first, not {cls!r}")
    for method in ("methods", "strip"):
        if not callable(getattr(stripper, method, None)):
            raise TypeError(
                f"the stripper for {qualified_name(cls)} has no method {method!r}; "
                "see sclbl.strippers.base.Stripper"
            )
    _REGISTERED[cls] = stripper


def qualified_name(cls: type) -> str:
    """Return module and name of a class."""
    return f"{cls.__module__}.{cls.__qualname__}"


def table_key(cls: type) -> str:
    """Return how the table calls a class: library and class name."""
    return f"{cls.__module__.partition('.')[0]}.{cls.__qualname__}"


def find(model: Any) -> Stripper:
    """Return the stripper of a fitted object.

    Parameters
    ----------
    model : object
        A fitted estimator, results object or booster.

    Raises
    ------
    UnsupportedModelError
        Where no stripper knows the exact class.
    """
    cls = type(model)
    if cls in _REGISTERED:
        return _REGISTERED[cls]
    entry = STRIPPERS.get(table_key(cls))
    if entry is None:
        raise UnsupportedModelError(_refusal(model))
    module, name = entry
    return cast(Stripper, getattr(importlib.import_module(module), name))


def _refusal(model: Any) -> str:
    if isinstance(model, type):
        return f"{qualified_name(model)} is a class; pass a fitted instance of it"
    cls = type(model)
    name = qualified_name(cls)
    # Classes of one library inherit from each other for reasons of its own.
    parents = () if cls.__module__.startswith("statsmodels.") else cls.__mro__[1:]
    for parent in parents:
        if parent in _REGISTERED or table_key(parent) in STRIPPERS:
            return (
                f"{name} is a subclass of {qualified_name(parent)} and may predict differently, "
                "so it is not stripped as one; fit the parent class, or give the subclass a "
                "stripper of its own with sclbl.register(cls, stripper)"
            )
    return (
        f"no stripper knows {name}; {advise(model, is_known)}; or teach sclbl this class with "
        "sclbl.register(cls, stripper)"
    )


def is_known(model: Any) -> bool:
    """Return whether an object's class has a stripper."""
    cls = type(model)
    return cls in _REGISTERED or table_key(cls) in STRIPPERS


@contextmanager
def reading(model: Any) -> Iterator[None]:
    """Say which model could not be read where its attributes are not what its class leaves there.

    Raises
    ------
    NotFittedError
        Where an attribute is absent that fit leaves: it was never called, or raised halfway.
    UnsupportedModelError
        In place of whatever else the stripper ran into, which is its cause.
    """
    try:
        yield
    except SclblError:
        raise
    except _MISREAD as error:
        lacking = _lacks(model, error)
        if lacking:
            raise NotFittedError(
                f"{qualified_name(type(model))} is not fitted: it has no {lacking} (its fit method "
                "was not called, did not end, or this was removed); fit it again"
            ) from error
        raise UnsupportedModelError(
            f"{qualified_name(type(model))} cannot be read "
            f"({type(error).__name__}: {first_line(error)}): something that its fit method leaves "
            "is not there, or was changed; fit it again, and where that does not help, report "
            "this with the model's parameters"
        ) from error


def _lacks(model: Any, error: Exception) -> str:
    """Return which fitted attribute of a scikit-learn estimator an error says is absent, if any."""
    if not isinstance(error, AttributeError) or error.obj is not model:
        return ""
    name = error.name or ""
    by_fit = name.endswith("_") != name.startswith("_")
    return name if by_fit and hasattr(model, "__sklearn_tags__") else ""


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def methods(model: Any) -> tuple[str, ...]:
    """Return the methods that a fitted object offers as programs, the default ones first.

    Raises
    ------
    NotFittedError
        Where the object was not fitted.
    UnsupportedModelError
        Where no stripper knows the class, or an option of it has no exact equivalent.
    """
    stripper = find(model)
    with reading(model):
        _check_fitted(model)
        return stripper.methods(model)


def optional(model: Any) -> tuple[str, ...]:
    """Return the methods that are written on request only (see `base.OnRequest`)."""
    more = getattr(find(model), "optional", None)
    with reading(model):
        return tuple(more(model)) if more else ()


def used_by_name(model: Any) -> frozenset[str] | None:
    """Return the columns that a model looks up by name; None where it goes by position.

    See `base.ByName`.
    """
    by_name = getattr(find(model), "columns", None)
    with reading(model):
        names = by_name(model) if by_name else None
    return None if names is None else frozenset(names)


def fitted_names(model: Any) -> tuple[str, ...] | None:
    """Return the names of the columns that a model was fitted on; None where it knows none.

    See `base.Named`.
    """
    names = getattr(find(model), "names", None)
    found = names(model) if names else getattr(model, "feature_names_in_", None)
    return None if found is None else tuple(map(str, found))


def refuses_more(models: Iterable[Any]) -> tuple[type[InputError], ...]:
    """Return the errors of programs that these models need not share; see `base.Stricter`."""
    found: dict[type[InputError], None] = {}
    for model in models:
        more = getattr(find(model), "refuses_more", None)
        found.update(dict.fromkeys(more(model) if more else ()))
    return tuple(found)


def _check_fitted(model: Any) -> None:
    if not hasattr(model, "__sklearn_tags__"):
        return
    from sklearn import exceptions
    from sklearn.utils import validation

    try:
        validation.check_is_fitted(model)
    except exceptions.NotFittedError as error:
        raise NotFittedError(
            f"{qualified_name(type(model))} is not fitted; call its fit method first"
        ) from error


def apply(
    model: Any, x: Table, build: Builder, wanted: frozenset[str]
) -> Mapping[str, Wire | Table]:
    """Write the computation of some methods of a fitted object into a graph.

    Parameters
    ----------
    model : object
        What to write.
    x : Table
        The columns that it takes.
    build : Builder
        Where to write.
    wanted : frozenset of str
        Methods.

    Returns
    -------
    mapping of str to Wire or Table
        By method.

    Raises
    ------
    NotFittedError, UnsupportedModelError, UnsupportedMethodError
        Where the object cannot be written.
    """
    offered = methods(model)
    if not wanted.issubset(offered):
        check_offered(model, sorted(wanted), (*offered, *optional(model)))
    build.visited.append(model)
    stripper = find(model)
    if not getattr(stripper, "tells_missing", False):
        for cell in x.cells:  # made numbers at once, by `check_array` and its like
            build.take(cell, TAKES)
    with reading(model):
        return stripper.strip(model, x, build, wanted)


def check_offered(model: Any, wanted: Sequence[str], offered: Sequence[str]) -> None:
    """Refuse methods that a model does not offer.

    Raises
    ------
    UnsupportedMethodError
        Where one is not offered; the message lists what is.
    """
    lacking = [m for m in wanted if m not in offered]
    if lacking:
        raise UnsupportedMethodError(
            f"{qualified_name(type(model))} does not offer {', '.join(lacking)}; "
            f"it offers {', '.join(offered)}"
        )


def transform(model: Any, x: Table, build: Builder) -> Table:
    """Write a fitted transformer into a graph and return its columns, named as it names them."""
    result = apply(model, x, build, frozenset({"transform"}))["transform"]
    table = result if isinstance(result, Table) else build.wire_table(result)
    names: Sequence[str | None] | None = names_out(model, x.names)
    if names is None or len(names) != table.width:
        names = (None,) * table.width
    cells = tuple(replace(c, name=n) for c, n in zip(table.cells, names, strict=True))
    return Table(build, cells, sparse_form(model, x, table))


def sparse_form(model: Any, x: Table, result: Table) -> Sparse | None:
    """Return the form of the sparse matrix that a transformer makes of x, if it makes one."""
    # Of the transformers that take a sparse matrix, all but components return one.
    return result.sparse or (None if hasattr(model, "components_") else x.sparse)


def names_out(model: Any, names: Sequence[str | None]) -> tuple[str, ...] | None:
    """Return what a transformer calls its columns; None where it has no names for them.

    Parameters
    ----------
    model : object
        A fitted transformer.
    names : sequence of str or None
        Its columns.
    """
    if not hasattr(model, "get_feature_names_out"):
        return None
    # A model fitted on names knows them, and a ColumnTransformer may be given fewer than those.
    unknown = hasattr(model, "feature_names_in_") or any(n is None for n in names)
    known = None if unknown else np.array(names, dtype=object)
    try:
        return tuple(str(n) for n in model.get_feature_names_out(known))
    except (ValueError, AttributeError, TypeError):
        # A step inside has no names for its output, or names came from arrays: then the model
        # itself knows none, and selecting by them is refused where it happens.
        return None
