"""Designs that patsy made: `patsy.design_info.DesignInfo`.

Columns of a subterm are ``1 * factor * factor ...`` in float64, those of the first factor fastest
(`patsy.build._build_subterm`); a numerical factor with NaN leaves its row out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers.statsmodels.formula.columns import Block, Constant, Design, checked, product
from sclbl.strippers.statsmodels.formula.factors import Marked, codes_of, contrasts, numbers_of
from sclbl.strippers.statsmodels.formula.patsy_transforms import TRANSFORMS
from sclbl.strippers.statsmodels.formula.scope import Scope
from sclbl.strippers.wire import Wire


def names(spec: Any) -> tuple[str, ...]:
    """Return the names that the factors look up, other than those of stateful transforms."""
    found: dict[str, None] = {}
    for info in spec.factor_infos.values():
        for name in _names_in(info):
            found[name] = None
    return tuple(found)


def _names_in(info: Any) -> Iterator[str]:
    code, _ = _parts(info)
    for node in ast.walk(ast.parse(code, mode="eval")):
        if isinstance(node, ast.Name) and node.id not in info.state["transforms"]:
            yield node.id
        quoted = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if quoted and node.func.id == "Q":  # type: ignore[attr-defined]  # a name
            for one in (*node.args, *(k.value for k in node.keywords)):  # type: ignore[attr-defined]
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    yield one.value


def _parts(info: Any) -> tuple[str, Any]:
    state = info.state
    if not isinstance(state, Mapping) or "eval_code" not in state or "eval_env" not in state:
        raise UnsupportedModelError(
            f"the factor {info.factor.name()!r} is of the class {type(info.factor).__name__}, "
            "which is not followed; write the term as text in the formula"
        )
    return state["eval_code"], state["eval_env"]


def design(spec: Any, scope: Scope) -> Design:
    """Write the design matrix that `patsy.build_design_matrices` makes."""
    numeric: dict[Any, Wire] = {}
    codes: dict[Any, Wire] = {}
    for factor, info in spec.factor_infos.items():
        name = factor.name()
        value = _evaluated(info, scope)
        if info.type == "categorical":
            codes[factor] = codes_of(value, info.categories, name)
            continue
        scope.require_columns(name)
        wire = numbers_of(value)
        if wire is None or wire.numbers.kind == "b" or wire.width != info.num_columns:
            raise scope.refused(name, _unlike(wire, info))
        numeric[factor] = scope.located(wire.astype(np.float64))
    numbers = checked(numeric)
    parts: list[Block | Constant] = []
    for subterms in spec.term_codings.values():
        for subterm in subterms:
            blocks = []
            for factor in subterm.factors:
                if factor in numbers:
                    blocks.append(numbers[factor])
                else:
                    matrix = subterm.contrast_matrices[factor].matrix
                    blocks.append(Block.of(contrasts(codes[factor], matrix)))
            parts.append(product(blocks) if blocks else Constant(1.0))
    return Design(scope.table, tuple(parts))


def _unlike(wire: Wire | None, info: Any) -> str:
    if wire is None:
        return "it was fitted on numbers, and is no column of numbers made from example_input"
    if wire.numbers.kind == "b":
        return "it was fitted on numbers, and is boolean in example_input; convert it to float"
    return f"it has {wire.width} columns, and {info.num_columns} were fitted"


def _evaluated(info: Any, scope: Scope) -> Any:
    """Return what a factor is of the rows, evaluated as the engine does."""
    from patsy.eval import EvalEnvironment, VarLookupDict

    code, environment = _parts(info)
    transforms = info.state["transforms"]
    outside = environment.namespace
    scope.require([n for n in _names_in(info) if n not in outside], ())
    known = {n: _stand_in(outside[n], scope, outside) for n in _names_in(info) if n in outside}
    fitted = {n: _Fitted(obj, scope) for n, obj in transforms.items()}
    env = EvalEnvironment([known], environment.flags)
    inner = VarLookupDict([scope.columns, fitted])
    return scope.evaluate(info.factor.name(), lambda: env.eval(code, inner_namespace=inner))


def _stand_in(value: Any, scope: Scope, outside: Any) -> Any:
    from patsy import builtins

    if value is builtins.C:
        return lambda data, contrast=None, levels=None: Marked(
            data.data if type(data) is Marked else data
        )
    if value is builtins.Q:
        return lambda name: scope.columns[name] if name in scope.columns else outside[name]
    return scope.follower.of(value)


class _Fitted:
    """What stands for a stateful transform: what it learned, in its own formulas."""

    def __init__(self, transform: Any, scope: Scope) -> None:
        self._transform, self._scope = transform, scope

    def transform(self, *args: Any, **options: Any) -> Any:
        cls = type(self._transform)
        written = TRANSFORMS.get(f"{cls.__module__}.{cls.__qualname__}")
        if written is not None:
            return written(self._transform, *args, **options)
        transform: Any = self._scope.follower.of(self._transform).transform
        return transform(*args, **options)
