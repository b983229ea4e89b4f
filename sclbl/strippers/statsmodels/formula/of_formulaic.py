"""Designs that formulaic made: `formulaic.ModelSpec`.

Columns of a term are products in the columns' own types, single columns first and last in order
(`formulaic.materializers.pandas.PandasMaterializer._get_columns_for_term`); a factor that is
missing leaves its row out. A category that the fit never saw becomes zeros, with a warning: a
program refuses it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from sclbl.errors import UnknownCategoryError, UnsupportedModelError
from sclbl.strippers.statsmodels.formula.columns import Block, Constant, Design, checked, product
from sclbl.strippers.statsmodels.formula.factors import Fields, codes_of, contrasts, numbers_of
from sclbl.strippers.statsmodels.formula.formulaic_transforms import TRANSFORMS, cubic
from sclbl.strippers.statsmodels.formula.scope import Scope
from sclbl.strippers.wire import Wire


def names(spec: Any) -> tuple[str, ...]:
    """Return the columns that the factors read."""
    return tuple(sorted(map(str, spec.required_variables)))


def design(spec: Any, scope: Scope) -> Design:
    """Write the design matrix that the specification gives for new rows."""
    scope.require(names(spec), ())
    state = _Names(spec, scope)
    _require_known(spec, scope, state)
    kinds = {expr: kind.value for expr, (kind, _) in spec.encoder_state.items()}
    own: dict[str, Wire] = {}
    whole: dict[str, bool] = {}
    codes: dict[str, Wire] = {}
    for expr in _factors(spec):
        value = state.value_of(expr)
        scope.require_columns(expr)
        if kinds[expr] == "categorical":
            levels = spec.encoder_state[expr][1]["categories"]
            codes[expr] = codes_of(value, levels, expr)
            scope.table.builder.refuses_more.add(UnknownCategoryError)
            continue
        wire = numbers_of(value)
        if wire is None:
            why = "it was fitted on numbers, and is no column of numbers made from example_input"
            raise scope.refused(expr, why)
        own[expr] = scope.located(wire)
        whole[expr] = type(value) is Fields and value.spans_intercept
    numbers = _typed(own)
    parts: list[Block | Constant] = []
    for structure in spec.structure:
        before = sum(_width(p) for p in parts)
        for scoped in structure.scoped_terms:
            blocks = []
            for one in scoped.factors:
                expr = one.factor.expr
                if expr in codes:
                    blocks.append(_coded(spec, expr, codes[expr], one.reduced))
                else:
                    drops = one.reduced and whole[expr]
                    block = numbers[expr]
                    blocks.append(block.select(range(1, block.width)) if drops else block)
            parts.append(_scaled(blocks, float(scoped.scale)))
        if sum(_width(p) for p in parts) - before != len(structure.columns):
            raise UnsupportedModelError(
                f"the term {structure.term} of the formula {scope.formula!r} of {scope.model} has "
                f"columns that its factors do not make ({', '.join(structure.columns)}); write the "
                "term in another way"
            )
    return Design(scope.table, tuple(parts))


def _require_known(spec: Any, scope: Scope, known: Mapping[str, Any]) -> None:
    """Raise where the formula reads what stood in the code that fitted the model."""
    for variable in spec.variables_by_source.get("context", ()):
        name = str(variable).partition(".")[0]
        if name not in known:
            raise UnsupportedModelError(
                f"the formula {scope.formula!r} of {scope.model} reads {name!r} of the code that "
                "fitted it, which formulaic does not keep, so statsmodels cannot predict with it "
                "either; write its value into the formula, or make it a column"
            )


def _width(part: Block | Constant) -> int:
    return part.width if isinstance(part, Block) else 1


def _factors(spec: Any) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for structure in spec.structure:
        for scoped in structure.scoped_terms:
            for one in scoped.factors:
                found[one.factor.expr] = None
    return tuple(found)


def _typed(own: Mapping[str, Wire]) -> dict[str, Block]:
    """Return the numbers of factors, checked; those that are no float64 in their own type too."""
    found = checked({expr: wire.astype(np.float64) for expr, wire in own.items()})
    for expr, wire in own.items():
        if wire.numbers != np.float64:
            found[expr] = Block.of(wire)  # products of them are made in it
    return found


def _coded(spec: Any, expr: str, codes: Wire, reduced: bool) -> Block:
    state = spec.encoder_state[expr][1]
    levels = state["categories"]
    if reduced and len(levels) == 1:
        return Block(codes, ())
    matrix = state["contrasts"].get_coding_matrix(reduced_rank=reduced)
    return Block.of(contrasts(codes, np.asarray(matrix, dtype=np.float64)))


def _scaled(blocks: list[Block], scale: float) -> Block | Constant:
    if not blocks:
        return Constant(scale)
    several = [b for b in blocks if b.width != 1]
    single = [b for b in blocks if b.width == 1]
    made = product([*several, product(single)] if single else several)
    if scale == 1:
        return made
    times: Any = made.columns()
    return Block.of(times * scale)


class _Names(Mapping[str, Any]):
    """What names mean to an expression when rows are predicted: columns, modules, transforms.

    The names of the code that fitted the model are not known then: `formulaic` looks them up where
    it is called, which is in statsmodels.
    """

    def __init__(self, spec: Any, scope: Scope) -> None:
        from formulaic.transforms import TRANSFORMS as theirs
        from statsmodels.formula import _manager

        self._spec, self._scope = spec, scope
        self._outside = {**theirs, **vars(_manager)}
        self._cubic = {id(theirs[name]) for name in ("cc", "cr", "cs")}
        self._state = {k: dict(v) for k, v in spec.transform_state.items()}

    def value_of(self, expr: str) -> Any:
        from formulaic.utils.stateful_transforms import stateful_eval

        factor = next(f for t in self._spec.terms for f in t.factors if f.expr == expr)
        if factor.eval_method.value == "lookup":
            return self._scope.evaluate(expr, lambda: self[expr])
        evaluate = lambda: stateful_eval(expr, self, {}, self._state, self._spec)  # noqa: E731
        return self._scope.evaluate(expr, evaluate)

    def __getitem__(self, name: str) -> Any:
        if name in self._scope.columns:
            return self._scope.columns[name]
        return self._stand_in(self._outside[name])

    def __iter__(self) -> Iterator[str]:
        return iter({*self._scope.columns, *self._outside})

    def __len__(self) -> int:
        return len({*self._scope.columns, *self._outside})

    def _stand_in(self, value: Any) -> Any:
        called = f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"
        if called == "formulaic.transforms.patsy_compat.Q":
            return lambda name: self._scope.columns[name]
        if id(value) in self._cubic:
            return _Learned(cubic, True)
        if called in TRANSFORMS:
            return _Learned(*TRANSFORMS[called])
        if getattr(value, "__is_stateful_transform__", False):
            raise UnsupportedModelError(f"the stateful transform {called} is not known")
        return self._scope.follower.of(value)


class _Learned:
    """What stands for a transform of formulaic's, given its state by formulaic's evaluator."""

    def __init__(self, function: Any, stateful: bool) -> None:
        self._function, self._stateful = function, stateful
        self.__is_stateful_transform__ = stateful

    def __call__(self, *args: Any, **options: Any) -> Any:
        if not self._stateful:
            return self._function({}, *args, **options)
        given = {k: v for k, v in options.items() if k[:1] != "_"}
        state = options.get("_state")
        raw = given.get("raw") or (self._function.__name__ == "poly" and len(args) > 2 and args[2])
        if not state and not raw:
            raise NameError(f"{self._function.__name__} learned nothing when the model was fitted")
        return self._function(state, *args, **given)
