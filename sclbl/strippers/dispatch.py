"""Which stripper takes a fitted object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, overload

import numpy as np

from sclbl.errors import (
    NotFittedError,
    SclblError,
    UnsupportedMethodError,
    UnsupportedModelError,
)
from sclbl.signature import TAKES
from sclbl.strippers import converted
from sclbl.strippers.advice import advise
from sclbl.strippers.base import Declared, Stripper
from sclbl.strippers.columns import Sparse, Table, Wire
from sclbl.strippers.graph import Builder
from sclbl.strippers.promotion import kind_of
from sclbl.strippers.table import stripper_of

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
        An instance of a subclass of `sclbl.strippers.base.Stripper`, or what `sclbl.traced`
        returns.

    Raises
    ------
    TypeError
        Where `cls` is not a class or `stripper` is no stripper, and where the methods of a class
        that sclbl knows are to be followed.
    """
    if not isinstance(cls, type):
        raise TypeError(f"register takes a class first, not {cls!r}")
    if not isinstance(stripper, Stripper):
        raise TypeError(
            f"the stripper for {qualified_name(cls)} is {stripper!r}, which is no instance of "
            "sclbl.strippers.base.Stripper; see docs/adding-a-stripper.md"
        )
    if stripper.follows and stripper_of(cls) is not None:
        raise TypeError(
            f"{qualified_name(cls)} is known to sclbl, which compiles it as it is; register "
            "classes of your own, or give a stripper that is to take the place of sclbl's"
        )
    _REGISTERED[cls] = stripper


def qualified_name(cls: type) -> str:
    """Return module and name of a class."""
    return f"{cls.__module__}.{cls.__qualname__}"


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
    found = _of_class(type(model))
    if found is None:
        raise UnsupportedModelError(_refusal(model))
    return found


def _of_class(cls: type) -> Stripper | None:
    return _REGISTERED.get(cls) or stripper_of(cls) or converted.stripper_of(cls)


def _refusal(model: Any) -> str:
    if isinstance(model, type):
        return f"{qualified_name(model)} is a class; pass a fitted instance of it"
    cls = type(model)
    name = qualified_name(cls)
    # Classes of one library inherit from each other for reasons of its own.
    parents = () if cls.__module__.startswith("statsmodels.") else cls.__mro__[1:]
    for parent in parents:
        if _of_class(parent) is not None:
            return (
                f"{name} is a subclass of {qualified_name(parent)} and may predict differently, "
                "so it is not stripped as one; fit the parent class, or teach sclbl this one: "
                "sclbl.register(cls) where its own methods are made of NumPy's functions, else "
                "sclbl.register(cls, stripper)"
            )
    return (
        f"no stripper knows {name}; {advise(model, is_known)}; or teach sclbl this class: "
        "sclbl.register(cls) where its methods are made of NumPy's functions, else "
        "sclbl.register(cls, stripper)"
    )


def is_known(model: Any) -> bool:
    """Return whether an object's class has a stripper."""
    return _of_class(type(model)) is not None


def is_code(model: Any) -> bool:
    """Return whether an object's methods, or a function of it, are a user's that are followed."""
    stripper = _of_class(type(model))
    return stripper is not None and (stripper.follows or callable(getattr(model, "func", None)))


def title(model: Any) -> str:
    """Return the class by which a person calls a model."""
    stripper = _of_class(type(model))
    return type(model).__name__ if stripper is None else stripper.title(model)


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
        lacking = lacks(model, error)
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


def lacks(model: Any, error: BaseException | None) -> str:
    """Return which fitted attribute of a scikit-learn estimator an error says is absent, if any."""
    if not isinstance(error, AttributeError) or error.obj is not model:
        return ""
    name = error.name or ""
    by_fit = name.endswith("_") != name.startswith("_")
    return name if by_fit and hasattr(model, "__sklearn_tags__") else ""


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def offers(model: Any) -> Mapping[str, Declared]:
    """Return what a fitted object offers as programs, and how each method was declared.

    Raises
    ------
    NotFittedError
        Where the object was not fitted.
    UnsupportedModelError
        Where no stripper knows the class, or an option of it has no exact equivalent.
    """
    stripper = find(model)
    with reading(model):
        # A user's class may have nothing to fit.
        if not (stripper.follows or stripper.fitted_by_parts):
            _check_fitted(model)
        stripper.check(model)
        return stripper.offers(model)


def methods(model: Any) -> tuple[str, ...]:
    """Return the methods that a fitted object offers by default; see `offers`."""
    found = tuple(m for m, declared in offers(model).items() if not declared.on_request)
    if not found:
        raise UnsupportedModelError(
            f"{qualified_name(type(model))} has no method that a program can have: {_lost(model)}"
        )
    return found


def _lost(model: Any) -> str:
    """Return why a model has no method, with what to do about it."""
    last = model
    while getattr(last, "steps", None):
        last = last.steps[-1][1]
    name = type(last).__name__
    if getattr(last, "novelty", None) is False:
        return f"a {name} with novelty=False only labels the rows it is fitted on; " + (
            "fit it with novelty=True"
        )
    if getattr(last, "refit", None) is False:
        return f"a {name} with refit=False keeps no fitted model; fit it with refit=True"
    return (
        f"a Pipeline hands on none of those of its last step, {name}; compile that step, and give "
        "it transformed rows"
        if last is not model
        else f"a fitted {name} keeps nothing that answers for new rows"
    )


def optional(model: Any) -> tuple[str, ...]:
    """Return the methods that are written on request only."""
    return tuple(m for m, declared in offers(model).items() if declared.on_request)


def is_backwards(model: Any, wanted: Sequence[str]) -> bool:
    """Return whether the methods wanted are the one that takes rows of what ``transform`` gives.

    Raises
    ------
    UnsupportedMethodError
        Where it is wanted together with others, whose rows are other columns.
    """
    offered = offers(model)
    found = [m for m in wanted if offered[m].backwards]
    if found and len(wanted) > 1:
        raise UnsupportedMethodError(
            f"{qualified_name(type(model))}.{found[0]} takes rows of what transform gives, and the "
            "other methods take other columns: give it a program of its own, "
            f'methods=["{found[0]}"] with such rows as example_input'
        )
    return bool(found)


def used_by_name(model: Any) -> frozenset[str] | None:
    """Return the columns that a model looks up by name; None where it goes by position."""
    with reading(model):
        names = find(model).columns(model)
    return None if names is None else frozenset(names)


def fitted_names(model: Any) -> tuple[str, ...] | None:
    """Return the names of the columns that a model was fitted on; None where it knows none."""
    found = find(model).names(model)
    return None if found is None else tuple(map(str, found))


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
    model: Any, x: Table | Wire, build: Builder, wanted: frozenset[str], name: str = ""
) -> Mapping[str, Any]:
    """Write the computation of some methods of a fitted object into a graph.

    Parameters
    ----------
    model : object
        What to write.
    x : Table or Wire
        The columns that it takes, or rows of varying length.
    build : Builder
        Where to write.
    wanted : frozenset of str
        Methods.
    name : str
        What the model around it calls it.

    Returns
    -------
    mapping of str to Wire, Table or tuple of Wire
        By method.

    Raises
    ------
    NotFittedError, UnsupportedModelError, UnsupportedMethodError
        Where the object cannot be written.
    """
    offered = offers(model)
    check_offered(model, sorted(wanted), tuple(offered))
    stripper = find(model)
    if isinstance(x, Wire):
        x = _for(stripper, model, x)
    elif stripper.beside(model) is not None:
        raise UnsupportedModelError(
            f"{qualified_name(type(model))} takes no columns, and columns reach it; put it first, "
            "or in place of what makes them"
        )
    if isinstance(x, Table) and not stripper.tells_missing:
        for cell in x.cells:  # made numbers at once, by `check_array` and its like
            build.take(cell, TAKES)
    with reading(model), build.writing(model, name):
        return stripper.strip(model, x, build, wanted)


def _for(stripper: Stripper, model: Any, x: Wire) -> Wire | Table:
    """Return rows of varying length as a stripper takes them."""
    wanted = stripper.beside(model)
    if stripper.takes_sparse or (wanted is not None and wanted.ragged == x.ragged):
        return x
    if x.ragged != "sparse" or wanted is not None:
        raise UnsupportedModelError(
            f"{qualified_name(type(model))} does not take rows of {x.ragged}; put the transformer "
            "that takes them before it"
        )
    return as_table(x.builder.dense(x))


def check_offered(model: Any, wanted: Sequence[str], offered: Sequence[str]) -> None:
    """Refuse methods that a model does not offer.

    Raises
    ------
    UnsupportedMethodError
        Where one is not offered; the message lists what is.
    """
    lacking = [m for m in wanted if m not in offered]
    if lacking:
        stripper = _of_class(type(model))
        known = {} if stripper is None else stripper.instead
        advice = "".join(f"; {known[m]}" for m in lacking if m in known)
        raise UnsupportedMethodError(
            f"{qualified_name(type(model))} does not offer {', '.join(lacking)}; "
            f"it offers {', '.join(offered)}{advice}"
        )


@overload
def transform(model: Any, x: Table, build: Builder, name: str = "") -> Table: ...
@overload
def transform(model: Any, x: Table | Wire, build: Builder, name: str = "") -> Table | Wire: ...
def transform(model: Any, x: Table | Wire, build: Builder, name: str = "") -> Table | Wire:
    """Write a fitted transformer into a graph and return its columns, named as it names them.

    What it makes of varying length stays that.
    """
    result = apply(model, x, build, frozenset({"transform"}), name)["transform"]
    if isinstance(result, Wire) and result.ragged:
        return result
    table = as_table(result)
    if isinstance(x, Wire):
        return table
    names: Sequence[str | None] | None = names_out(model, x.names)
    if names is None or len(names) != table.width:
        kept = table.frame and find(model).keeps_frames
        names = table.names if kept else (None,) * table.width
    cells = tuple(replace(c, name=n) for c, n in zip(table.cells, names, strict=True))
    return Table(build, cells, sparse_form(model, x, table), hands_on_frames(model, table))


def hands_on_frames(model: Any, result: Table) -> bool:
    """Return whether a transformer results in a DataFrame: by itself, or as `set_output` says."""
    if result.frame and find(model).keeps_frames:
        return True
    if not hasattr(model, "__sklearn_tags__"):
        return False
    from sklearn import get_config

    own = getattr(model, "_sklearn_output_config", {}).get("transform")
    return bool((own or get_config()["transform_output"]) == "pandas")


def hand_on(
    model: Any, x: Table | Wire, build: Builder, wanted: frozenset[str], name: str
) -> Mapping[str, Any]:
    """Write methods of a model as those of the one around it."""
    results = dict(apply(model, x, build, wanted, name))
    made = results.get("transform")
    ragged = isinstance(made, Wire) and made.ragged is not None
    if made is not None and isinstance(x, Table) and not ragged:  # a step of a pipeline, perhaps
        table = as_table(made)
        sparse, frame = sparse_form(model, x, table), hands_on_frames(model, table)
        results["transform"] = replace(table, sparse=sparse, frame=frame)
    return results


def as_table(result: Wire | Table) -> Table:
    """Return what a transformer results in as columns."""
    if isinstance(result, Table):
        return result
    dtype = result.numbers
    kind = None if result.dtype == "text" else kind_of(dtype)
    table = result.builder.wire_table(result, kind=kind, dtype=dtype)
    return replace(table, sparse=result.sparse)


def sparse_form(model: Any, x: Table, result: Table) -> Sparse | None:
    """Return the form of the sparse matrix that a transformer makes of x, if it makes one."""
    if result.dense:
        return None
    return result.sparse or (None if find(model).makes_dense else x.sparse)


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
