"""Options of the functions that stand-ins have: written, left at their defaults, or refused."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from sclbl.errors import UnsupportedModelError

_Method = TypeVar("_Method", bound=Callable[..., Any])
#: What makes no difference to what a row becomes.
_IDLE = frozenset({"copy", "deep", "order", "casting", "subok", "blocking"})

_ADVICE = {
    "inplace": "assign what it returns instead",
    "fill_value": "call fillna first",
    "keepdims": "DataFrames have none; work along axis 1 of X.to_numpy()",
    "dtype": "call astype on the result",
}


def as_in(own: Callable[..., Any]) -> Callable[[_Method], _Method]:
    """Return a decorator of a method that takes what a library's own one takes, in its order.

    Its parameters are those options that are written; any other one is refused, unless it has its
    default.
    """
    signature = inspect.signature(inspect.unwrap(own))  # positional, though pandas warns of it

    def decorate(method: _Method) -> _Method:
        written = frozenset(inspect.signature(method).parameters)

        @functools.wraps(method)
        def called(self: Any, *args: Any, **options: Any) -> Any:
            name = f"{self.__class__.__name__}.{own.__name__}"
            return method(self, **_bound(signature, name, written, self, args, options))

        return called  # type: ignore[return-value]  # it is called as the method is

    return decorate


def _bound(
    signature: inspect.Signature, name: str, written: frozenset[str], first: Any, args: Any,
    options: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Return the options of a call that are written."""
    given = dict(signature.bind(first, *args, **options).arguments)
    parameters = signature.parameters
    for p in parameters.values():
        if p.kind is inspect.Parameter.VAR_KEYWORD:
            given |= given.pop(p.name, {})
        if p.kind is inspect.Parameter.VAR_POSITIONAL and not given.get(p.name):
            given.pop(p.name, None)
    del given[next(iter(parameters))]
    own = {k: p.default for k, p in parameters.items()}
    require_defaults(name, {k: v for k, v in given.items() if k not in written}, own)
    return {k: v for k, v in given.items() if k in written}


def require_defaults(name: str, options: Mapping[str, Any], own: Mapping[str, Any]) -> None:
    """Refuse options that are not written, where they have other values than their defaults.

    Raises
    ------
    UnsupportedModelError
        Where one has.
    """
    for option, value in options.items():
        default = own.get(option)
        same = value is default or value is None or value is np._NoValue
        same = same or (type(value) in (bool, int, str) and value == default)
        if not same and option not in _IDLE:
            raise UnsupportedModelError(
                f"{name} is called with {option}=, which is not written; "
                + _ADVICE.get(option, "leave it at its default, or compute the same with operators")
            )


def of_numpy(function: Callable[..., Any], args: Any, options: Any) -> dict[str, Any]:
    """Return what NumPy asks an object's own method with, where it is called with that object."""
    signature = inspect.signature(function)
    bound = signature.bind(*args, **options)
    bound.apply_defaults()
    given = dict(bound.arguments)
    given.pop(next(iter(signature.parameters)))
    given |= given.pop("kwargs", {})
    missing = np._NoValue
    return {k: v for k, v in given.items() if v is not None and v is not missing}
