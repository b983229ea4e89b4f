"""Stand-ins of objects in code that users wrote: the model itself, and estimators inside it."""

from __future__ import annotations

import builtins
import dis
import inspect
import itertools
import sys
import warnings
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, MethodType
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import dispatch
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.graph import Builder
from sclbl.strippers.sklearn import inside
from sclbl.strippers.table import stripper_of
from sclbl.strippers.tracing import numpy_module
from sclbl.strippers.tracing.arrays import Array, Known
from sclbl.strippers.tracing.following import Follower, is_users
from sclbl.strippers.tracing.tables import table_of


def follower_of(like: Wire, build: Builder) -> Follower:
    """Return what follows code whose rows are those of a wire."""

    def stand_for(follower: Follower, value: Any) -> Any:
        if dispatch.is_known(value) and not dispatch.find(value).follows:
            return Inside(value, build)
        return StandIn(follower, value, build)

    replaced = numpy_module.Numpy(like).replaced()
    if "sklearn" in sys.modules:
        from sclbl.strippers.tracing import validation

        replaced |= validation.replaced()
    if "pandas" in sys.modules:
        from sclbl.strippers.tracing import pandas_module

        replaced |= pandas_module.replaced()
    follower = Follower(replaced, stand_for)
    follower.builtins["len"] = replaced[id(builtins.len)][1]
    follower.builtins["type"] = _Kinds("type", (type,), {"follower": follower})
    follower.builtins["super"] = _Super(follower, build)
    return follower


class _Kinds(type):
    """The class of what stands for `type`: of stand-ins it tells what `isinstance` is told."""

    follower: Follower

    def __call__(cls, *args: Any, **options: Any) -> Any:
        if len(args) != 1 or options:
            return type(*args, **options)
        (one,) = args
        if hasattr(type(one), "_sclbl_array") and one.__class__ is type(one):
            one._sclbl_array()  # what it stands for is not known: refused
        return np.ndarray if type(one) is Known else cls.follower.of(one.__class__)

    def __instancecheck__(cls, one: Any) -> bool:
        return isinstance(one, type)


class StandIn:
    """An object of a user's class, whose methods are followed.

    What they leave on it stays here.
    """

    def __init__(self, follower: Follower, value: Any, build: Builder) -> None:
        vars(self).update(_sclbl=(follower, value, build))

    @property  # type: ignore[misc]  # what isinstance is told
    def __class__(self) -> type:
        found: type = type(vars(self)["_sclbl"][1])
        return found

    def __getattr__(self, name: str) -> Any:
        follower, value, _ = vars(self)["_sclbl"]
        if name == "_validate_data" and hasattr(value, name):
            from sclbl.strippers.tracing.validation import validate_data

            return lambda *args, **options: validate_data(self, *args, **options)
        for cls in type(value).__mro__:
            if name not in vars(cls):
                continue
            own = vars(cls)[name]
            if isinstance(own, FunctionType):
                function = follower.of(own)
                if not is_users(function.__module__) and own.__module__.startswith("sklearn."):
                    return _of_library(cls, name, value, vars(self)["_sclbl"][2], self)
                return MethodType(function, self)
            if isinstance(own, property) and own.fget is not None:
                return follower.of(own.fget)(self)
            if isinstance(own, staticmethod):
                return follower.of(own.__func__)
            break
        return follower.of(getattr(value, name))

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self.__getattr__("__call__")(*args, **options)


def _of_library(cls: type, name: str, value: Any, build: Builder, self: Any) -> Any:
    """Return what stands for a method that a user's class inherits from an estimator."""
    mro = type(value).__mro__
    parents = [c for c in mro[: mro.index(cls) + 1] if not is_users(c.__module__)]
    known = [(c, s) for c in parents if (s := stripper_of(c)) is not None]
    found = next(((c, s) for c, s in known if name in s.declared()), None)
    if found is None:
        if name == "fit_transform" or stripper_of(cls) is not None:
            raise UnsupportedModelError(
                f"{cls.__name__}.{name} is called, which programs do not have"
            )
        return MethodType(vars(cls)[name], self)
    other = _overridden(type(value), cls, name)
    if other:
        raise UnsupportedModelError(
            f"{cls.__name__}.{name} is called, which calls {other}, and {type(value).__name__} has "
            f"its own {other}; write {name} in {type(value).__name__} too"
        )
    cls, stripper = found

    def method(x: Any) -> Any:
        with build.writing(value, cls.__name__):
            made = stripper.strip(value, table_of(x), build, frozenset({name}))[name]
        return _array(made, axes_of(value, name, cls))

    return method


def _overridden(cls: type, library: type, name: str) -> str:
    """Return what a library's method asks of itself, at any depth, and a user's class has anew."""
    seen, left = {name}, [vars(library)[name]]
    while left:
        code = getattr(inspect.unwrap(left.pop()), "__code__", None)
        for called in _asked_of_self(code) if code is not None else ():
            owner = next((c for c in cls.__mro__ if called in vars(c)), None)
            if owner is None or called in seen:
                continue
            seen.add(called)
            if is_users(owner.__module__):
                return called
            if isinstance(vars(owner)[called], FunctionType):
                left.append(vars(owner)[called])
    return ""


def _asked_of_self(code: CodeType) -> Iterator[str]:
    """Yield the attributes that code looks up on its first argument; all where it asks `super`."""
    if "super" in code.co_names:
        yield from code.co_names
    for before, now in itertools.pairwise(dis.get_instructions(code)):
        held = before.argval[-1] if isinstance(before.argval, tuple) else before.argval
        loaded = before.opname.startswith("LOAD_FAST") and [held] == [*code.co_varnames[:1]]
        if loaded and now.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            yield now.argval


class Inside:
    """A fitted estimator that has a stripper, called with stand-ins of rows."""

    def __init__(self, model: Any, build: Builder) -> None:
        vars(self).update(_sclbl=(model, build))

    @property  # type: ignore[misc]  # what isinstance is told
    def __class__(self) -> type:
        found: type = type(vars(self)["_sclbl"][0])
        return found

    def __getattr__(self, name: str) -> Any:
        model, build = vars(self)["_sclbl"]
        value = getattr(model, name)
        if name not in dispatch.offers(model):
            return value

        def method(x: Any, *args: Any, **options: Any) -> Any:
            if args or options:
                raise UnsupportedModelError(
                    f"{type(model).__name__}.{name} is called with more than rows"
                )
            made = dispatch.apply(model, table_of(x), build, frozenset({name}), name)[name]
            return _array(made, axes_of(model, name))

        return method


def axes_of(model: Any, name: str, cls: type | None = None) -> int | None:
    """Return how many axes a method's result has, asked of the model; None where it does not say.

    Parameters
    ----------
    model : object
        A fitted estimator.
    name : str
        The method.
    cls : type, optional
        The class whose method is meant.
    """
    width = getattr(model, "n_features_in_", None)
    method = getattr(cls or type(model), name)
    if width is None:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.ndim(method(model, np.zeros((1, width))))
    except (TypeError, ValueError):  # it takes text, or columns by name
        return None


def _array(made: Any, axes: int | None) -> Array:
    """Return what an estimator's method gives as an array."""
    if isinstance(made, tuple):
        raise UnsupportedModelError("a method with several results is called")
    wire = made.results() if isinstance(made, Table) else made
    wire = wire if wire.labels is None else _plain(wire)
    if wire.ndim == 2 and axes == 1:
        wire = wire[:, 0]
    return Array(wire)


def _plain(wire: Wire) -> Wire:
    """Return predicted labels as numbers, where they are numbers."""
    if any(isinstance(label, str) for labels in wire.labels or () for label in labels):
        return wire
    return inside.numbers(wire)


class _Super:
    """What stands for `super`: of a class of scikit-learn, its stripper writes the method."""

    def __init__(self, follower: Follower, build: Builder) -> None:
        self.follower, self.build = follower, build

    def __call__(self, *args: Any) -> Any:
        if args:
            cls, self_ = args
        else:
            frame = sys._getframe(1)
            self_ = frame.f_locals[frame.f_code.co_varnames[0]]
            cls = frame.f_locals["__class__"]
        return _Above(self.follower, self.build, cls, self_)


class _Above:
    def __init__(self, follower: Follower, build: Builder, cls: type, self_: Any) -> None:
        self._parts = follower, build, cls, self_

    def __getattr__(self, name: str) -> Any:
        follower, build, cls, self_ = self._parts
        if not isinstance(self_, object) or type(self_) is not StandIn:
            return getattr(super(cls, self_), name)
        value = vars(self_)["_sclbl"][1]
        mro = type(value).__mro__
        for parent in mro[mro.index(cls) + 1 :]:
            own = vars(parent).get(name)
            if isinstance(own, FunctionType):
                function: Callable[..., Any] = follower.of(own)
                if function is own or stripper_of(parent) is not None:
                    return _of_library(parent, name, value, build, self_)
                return MethodType(function, self_)
            if own is not None:
                break
        return follower.of(getattr(super(cls, value), name))
