"""A program whose rows are no table against its model: sparse rows, lists, dicts of features."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from sclbl.errors import InputError
from sclbl.fidelity import blame
from sclbl.fidelity.against_model import Check, shown
from sclbl.fidelity.rows import BASE, SEED, UNKNOWN_TEXT
from sclbl.report import Report
from sclbl.signature import Input
from sclbl.strippers.beside import rows_of

#: Numbers that a value is replaced by, one at a time.
SPECIAL = (0.0, -0.0, 1.0, -1.0, 5e-324, -1e30, 1e300, np.nan, np.inf, -np.inf)
#: Names of several lengths, whose bytes are one, two, three and four a character.
NAMES = (
    UNKNOWN_TEXT,
    "",
    "a",
    "ab",
    "abc",
    "abcd",
    "é",
    "日本語",
    "\N{GRINNING FACE}" * 9,
    "x" * 300,
)
#: Rows of each sort, and the items of a long row.
MIXED, LONG = 32, 40


class BesideCheck(Check):
    """As `Check`, for a spec with one input beside the table and no table."""

    def run(self, example_input: Any, verify_on: Any) -> Report:
        (given,) = self.spec.signature.beside
        example = rows_of(given, example_input)
        tried = generate(given, example)
        good, refused = self.accepted(given, tried)
        if count_of(good):
            self.compare(good)
            self.compare_frames(good)
        sorts: set[tuple[object, ...]] = set()
        for row, why in refused:
            sort = (type(why), why.column)
            if sort not in sorts:
                sorts.add(sort)
                self.try_refused(row, why)
        if verify_on is not None:
            self.compare_given(rows_of(given, verify_on))
        return self.report()

    def accepted(self, given: Input, rows: Any) -> tuple[Any, list[tuple[Any, InputError]]]:
        """Return the rows that every method takes, and the others one by one."""
        kept, refused = [], []
        for i in range(count_of(rows)):
            row = taken(rows, [i])
            try:
                for method in self.spec.methods:
                    self.program.run(method, row)
            except InputError as error:
                refused.append((row, error))
            else:
                kept.append(i)
        return taken(rows, kept), refused

    def compare_given(self, given: Any) -> None:
        """Compare on the rows of `verify_on`."""
        try:
            self.program.module.encoder.encode(given)
        except InputError as error:
            raise type(error)(
                f"verify_on is not what the model takes: {error}",
                row=error.row,
                column=error.column,
            ) from error
        (kind,) = self.spec.signature.beside
        good, refused = self.accepted(kind, given)
        for row, why in refused:
            self.try_refused(row, why)
        if count_of(good):
            self.compare(good)

    def try_refused(self, row: Any, why: InputError) -> None:
        """Ask the model for a row that the program refuses."""
        method = self.spec.methods[0]
        if not self.refused(why, method, row):
            self.fail(
                f"{method}: the program refuses {shown(row, 0)} ({why}), and the model does not",
                blame.of_replaced(self.model, method) or blame.DEFECT,
            )


def count_of(rows: Any) -> int:
    """Return how many rows there are."""
    return int(rows.shape[0]) if hasattr(rows, "shape") else len(rows)


def taken(rows: Any, which: Sequence[int]) -> Any:
    """Return some of the rows."""
    return rows[which] if hasattr(rows, "shape") else [rows[i] for i in which]


def generate(given: Input, example: Any) -> Any:
    """Return rows to try, the example's first; the same at every run."""
    rng = np.random.default_rng(SEED)
    if given.kind == "sparse":
        return _sparse(given, example, rng)
    base = [_pairs(given, row) for row in list(example)[:BASE]]
    every = [pair for row in base for pair in row]
    rows = [*base, []]
    for _ in range(MIXED if every else 0):
        chosen = rng.choice(len(every), size=int(rng.integers(1, 8)))
        rows.append([every[k] for k in chosen])
    rows.append([every[k] for k in rng.choice(len(every), size=LONG)] if every else [])
    rows += [[(name, 1.0)] for name in NAMES]
    rows.append([(name, 2.0) for name in NAMES])
    if given.kind == "features":
        names = list(dict.fromkeys(name for name, value in every if not isinstance(value, str)))
        rows += [[*every[:2], (n, v)] for n, v in itertools.product(names[:8], SPECIAL)]
        # A dict has a name once; a model of pairs takes no dicts.
        return [dict(row) for row in rows] if hasattr(example[0], "items") else rows
    return [[name for name, _ in row] for row in rows]


def _pairs(given: Input, row: Any) -> list[tuple[str, Any]]:
    if given.kind == "features":
        return list(row.items() if hasattr(row, "items") else row)
    return [(name, 1.0) for name in row]


def _sparse(given: Input, example: Any, rng: np.random.Generator) -> Any:
    """Return sparse rows: the example's, mixtures of them, full and empty ones, special values."""
    from scipy import sparse

    first = sparse.csr_matrix(example)[:BASE]
    count, columns = first.shape[0], given.width
    dtype = np.dtype(given.dtype)
    blocks = [first]
    for _ in range(MIXED):
        a, b = rng.integers(count, size=2)
        blocks.append(first[int(a)] * rng.normal() + first[int(b)] * rng.normal())
    blocks.append(sparse.random(MIXED, columns, min(1.0, 24 / columns), random_state=SEED))
    blocks.append(sparse.csr_matrix((1, columns)))
    if columns <= 4096:
        blocks.append(sparse.csr_matrix(rng.normal(size=(2, columns))))
    places = rng.choice(columns, size=min(columns, 8), replace=False)
    for column, value in itertools.product(places.tolist(), SPECIAL):
        # Explicit zeros are items too.
        one = sparse.csr_matrix(([value], ([0], [column])), shape=(1, columns))
        blocks.append(one)
    with np.errstate(over="ignore"):
        return sparse.vstack(blocks, format="csr").astype(dtype)
