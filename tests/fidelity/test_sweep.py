"""Every model of the first release, through strip, compile and the runtime, beside its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from sclbl.compiler import compile_spec
from sclbl.program import Program
from sclbl.spec import Node
from tests.fidelity.subjects import SUBJECTS, Subject
from tests.fidelity.sweep import Pair, run

ROWS, SOME, MANY = 800, 10_000, 100_000
EVERY = [(subject, form) for subject in SUBJECTS for form in subject.domain.forms]
# The plain model of a class in every form; its variations, whose names have a comma, in one form
# each, in turn. The exhaustive sweep takes all of them in every form.
QUICK = [
    (subject, form)
    for i, subject in enumerate(SUBJECTS)
    for j, form in enumerate(subject.domain.forms)
    if "," not in subject.name or i % len(subject.domain.forms) == j
]


def named(pairs: list[tuple[Subject, str]]) -> list[object]:
    return [pytest.param(*pair, id=f"{pair[0].name}-{pair[1]}") for pair in pairs]


@pytest.mark.parametrize(("subject", "form"), named(QUICK))
def test_program_predicts_what_its_model_predicts(subject: Subject, form: str) -> None:
    found = run(subject, form, ROWS)
    assert found
    assert [miss for one in found for miss in one.misses] == []


@pytest.mark.exhaustive
@pytest.mark.parametrize(("subject", "form"), named(EVERY))
def test_program_predicts_what_its_model_predicts_on_many_rows(subject: Subject, form: str) -> None:
    found = run(subject, form, MANY)
    assert all(one.rows == MANY for one in found)
    assert [miss for one in found for miss in one.misses] == []


def test_every_subject_has_a_name_of_its_own() -> None:
    names = [subject.name for subject in SUBJECTS]
    assert len(set(names)) == len(names)


def altered(name: str, change: Mapping[str, np.ndarray] | None = None) -> Pair:
    """Return a pair whose program is not the model's: other tree arrays, else other weights."""
    subject = next(subject for subject in SUBJECTS if subject.name == name)
    pair = Pair(subject, "float64", strict=True)
    graph = pair.spec.graph
    if change is None:
        constants = {
            n: c * (1 + 1e-11) if c.dtype.kind == "f" and c.ndim == 2 else c
            for n, c in graph.constants.items()
        }
        graph = replace(graph, constants=constants)
    else:
        nodes = tuple(
            Node(n.op, n.inputs, n.outputs, {**n.attrs, **change})
            if n.op == "sclbl.TreeEnsemble"
            else n
            for n in graph.nodes
        )
        graph = replace(graph, nodes=nodes)
    pair.program = Program(compile_spec(replace(pair.spec, graph=graph)))
    return pair


def test_weights_that_are_off_in_the_eleventh_digit_are_noticed() -> None:
    misses = [m for one in altered("LinearRegression").sweep(ROWS) for m in one.misses]
    assert any("rows differ, worst output 0 by" in miss for miss in misses)


def test_a_threshold_one_ulp_off_is_noticed() -> None:
    name = "DecisionTreeRegressor"
    pair = altered(name, {})
    (node,) = [n for n in pair.spec.graph.nodes if n.op == "sclbl.TreeEnsemble"]
    threshold = node.attrs["threshold"].copy()
    inner = np.flatnonzero(node.attrs["feature"] >= 0)
    # In float32, in which the model compares: a finer change would change nothing.
    single = threshold[inner[0]].astype(np.float32)
    threshold[inner[0]] = np.nextafter(single, np.float32(np.inf))
    assert [m for one in pair.sweep(SOME) for m in one.misses] == []
    pair = altered(name, {"threshold": threshold})
    misses = {one.method: one.misses for one in pair.sweep(SOME)}
    assert "rows differ" in misses["predict"][0]
    assert misses["apply"] == ()


def test_a_missing_check_is_noticed() -> None:
    subject = next(subject for subject in SUBJECTS if subject.name == "Ridge")
    pair = Pair(subject, "float64", strict=True)
    lax = [replace_refusal(n) for n in pair.spec.graph.nodes]
    graph = replace(pair.spec.graph, nodes=tuple(lax))
    pair.program = Program(compile_spec(replace(pair.spec, graph=graph)))
    (found,) = pair.sweep(ROWS)
    expected = "predict, column 'alpha' = nan: taken, and the model refuses it (MissingValueError)"
    assert expected in found.misses


def replace_refusal(node: Node) -> Node:
    if node.op != "sclbl.Refuse":
        return node
    return Node(node.op, node.inputs, node.outputs, {**node.attrs, "nan": 0})
