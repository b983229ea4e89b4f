"""Ensembles of trees: flat arrays, never code."""

from __future__ import annotations

from sclbl.ops.record import FLOATS, Op
from sclbl.ops.trees import file, meaning
from sclbl.ops.trees.checks import check_leaves, check_sums, infer_leaves, infer_sums
from sclbl.ops.trees.contributions import TreeContributions
from sclbl.ops.trees.lowering import ensemble, leaves

__all__ = ["TreeContributions", "TreeEnsemble", "TreeLeaves"]

TreeEnsemble = Op(
    "sclbl.TreeEnsemble",
    infer_sums,
    meaning.sums,
    ensemble,
    FLOATS,
    body=file.body,
    private=True,
    check=check_sums,
    exact=True,
    role="trees",
    holds="trees",
)
TreeLeaves = Op(
    "sclbl.TreeLeaves",
    infer_leaves,
    meaning.leaves,
    leaves,
    FLOATS,
    body=file.body,
    private=True,
    check=check_leaves,
    exact=True,
    role="trees",
    holds="trees",
)
