"""Functions of users, called with stand-ins of their rows, and of what they look up.

NumPy asks what it is given how to compute with it; ``np.asarray``, pandas and scikit-learn's checks
do not. So a function is called as a copy of itself, of the same code, whose global names (and the
variables that it holds on to) mean stand-ins of those. Nothing else in the process is changed.
"""

from __future__ import annotations

import builtins
import functools
import inspect
import linecache
import sys
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from types import CellType, CodeType, FunctionType, MethodType, ModuleType, TracebackType
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers.tracing.arrays import Known

#: Libraries whose functions are called as they are.
_LIBRARIES = frozenset({
    *sys.stdlib_module_names, "numpy", "scipy", "pandas", "sklearn", "polars", "pyarrow", "sclbl",
    "joblib", "statsmodels", "xgboost", "numba", "torch", "tensorflow",
})  # fmt: skip
#: Those of which some functions have stand-ins.
_REPLACED = ("numpy", "pandas", "sklearn")


def is_users(module: str | None) -> bool:
    """Return whether what a module defines is the user's own."""
    return (module or "__main__").partition(".")[0] not in _LIBRARIES


class Follower:
    """Makes the stand-ins, each once.

    Parameters
    ----------
    replaced : mapping of int to (object, object)
        By `id`: what has a stand-in, and that.
    stand_for : callable
        Returns the stand-in of an object of a user's class, and of an estimator.
    """

    def __init__(
        self,
        replaced: Mapping[int, tuple[Any, Any]],
        stand_for: Callable[[Follower, Any], Any],
    ) -> None:
        self._made: dict[int, tuple[Any, Any]] = dict(replaced)
        self._stand_for = stand_for
        self._codes: set[CodeType] = set()
        self.builtins = {**vars(builtins), "__import__": self._import}

    def of(self, value: Any) -> Any:
        """Return what stands for a value where the user's code looks it up."""
        if id(value) in self._made:
            return self._made[id(value)][1]
        kind = type(value)
        if kind is FunctionType:
            return self._function(value)
        if kind is MethodType:
            return self._method(value)
        if kind is functools.partial:
            options = {k: self.of(v) for k, v in value.keywords.items()}
            return functools.partial(self.of(value.func), *map(self.of, value.args), **options)
        if isinstance(value, ModuleType):
            own = is_users(value.__name__) or value.__name__.partition(".")[0] in _REPLACED
            return self._keep(value, Module(self, value)) if own else value
        if kind is np.ndarray:
            known = value.view(Known)
            known.flags.writeable = False  # the model stays as it is
            return self._keep(value, known)
        if kind in (list, tuple):
            return kind(map(self.of, value))
        if kind is dict:
            return {k: self.of(v) for k, v in value.items()}
        if isinstance(value, (type, Enum, BaseException)):
            return value
        if is_users(kind.__module__) or hasattr(value, "__sklearn_tags__"):
            return self._keep(value, self._stand_for(self, value))
        return value

    def replace(self, value: Any, made: Any) -> None:
        """Let something else stand for a value."""
        self._keep(value, made)

    def _keep(self, value: Any, made: Any) -> Any:
        self._made[id(value)] = (value, made)  # the value is kept, so that its id stays its own
        return made

    def _method(self, method: MethodType) -> Any:
        function = self.of(method.__func__)
        return method if function is method.__func__ else MethodType(
            function, self.of(method.__self__)
        )  # fmt: skip

    def _function(self, function: FunctionType) -> Any:
        """Return the copy of a user's function; one of a library's only wraps one, or is as it is.

        scikit-learn wraps ``transform`` of each class.
        """
        if not is_users(function.__globals__.get("__name__")):
            inside = getattr(function, "__wrapped__", None)
            return function if inside is None else self.of(inside)
        names: dict[str, Any] = {"__builtins__": self.builtins}
        cells = tuple(CellType() for _ in function.__closure__ or ())
        copy = FunctionType(function.__code__, names, function.__name__, None, cells)
        self._keep(function, copy)
        copy.__defaults__ = self.of(function.__defaults__)
        copy.__kwdefaults__ = self.of(function.__kwdefaults__)
        copy.__qualname__, copy.__dict__ = function.__qualname__, dict(vars(function))
        for name in _names_in(function.__code__, self._codes):
            if name in function.__globals__:
                names[name] = self.of(function.__globals__[name])
        names["__name__"] = function.__globals__.get("__name__")
        for cell, own in zip(cells, function.__closure__ or (), strict=True):
            try:
                cell.cell_contents = self.of(own.cell_contents)
            except ValueError:  # a variable that has no value yet
                continue
        return copy

    def _import(self, *args: Any, **options: Any) -> Any:
        return self.of(builtins.__import__(*args, **options))

    def place_of(self, traceback: TracebackType | None) -> str:
        """Return where in the user's code an error came from; empty where it is nowhere there."""
        found = ""
        while traceback is not None:
            code = traceback.tb_frame.f_code
            if code in self._codes:
                line = linecache.getline(code.co_filename, traceback.tb_lineno).strip()
                found = f"{code.co_filename}, line {traceback.tb_lineno}"
                found += f": {line}" if line else ""
            traceback = traceback.tb_next
        return found

    def caught(self, error: Exception) -> bool:
        """Return whether an error that was raised went no further than the user's own code."""
        found = error.__traceback__
        return found is not None and found.tb_frame.f_code in self._codes

    @staticmethod
    def defined(function: Any) -> str:
        """Return where a user's function begins; empty where that is not known."""
        code = getattr(inspect.unwrap(function), "__code__", None)
        return f"{code.co_filename}, line {code.co_firstlineno}" if code else ""


def _names_in(code: CodeType, codes: set[CodeType]) -> Iterator[str]:
    """Yield the names that code looks up, those of functions within it too; note all of it."""
    codes.add(code)
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_in(constant, codes)


class Module:
    """A module whose functions and objects have stand-ins."""

    def __init__(self, follower: Follower, module: ModuleType) -> None:
        self._follower, self._module = follower, module

    def __getattr__(self, name: str) -> Any:
        return self._follower.of(getattr(self._module, name))

    def __repr__(self) -> str:
        return repr(self._module)


def refuse_line(place: str, error: Exception, advice: str, what: str) -> UnsupportedModelError:
    """Return the error that says which line cannot be compiled, and why."""
    quoted = isinstance(error, KeyError) and len(error.args) == 1
    why = str(error.args[0] if quoted else error) or type(error).__name__
    where = f" ({place})" if place else ""
    return UnsupportedModelError(
        f"{what} holds Python code that cannot be compiled{where}: {why}; {advice}"
    )
