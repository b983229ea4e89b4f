"""Rows to try: around an example, on thresholds, every category, missing values, extremes.

All randomness is seeded, so that a model gets the same rows at every run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sclbl.fidelity.thresholds import threshold_rows
from sclbl.fidelity.trace import Found, trace
from sclbl.missing import of_text
from sclbl.rows import Blocks, RaggedRows, TextColumn
from sclbl.rows.blocks import Beside
from sclbl.rows.numbers import EXACT
from sclbl.rows.texts import text_of_constants
from sclbl.signature import MISSING as KINDS
from sclbl.signature import Column, Kind, Missing
from sclbl.spec import MISSING_TEXTS, NUMERIC_INPUT, TEXT_INPUT, Spec

SEED = 20_221
#: How many rows of each sort.
BASE, MIXED, AROUND, NEAR, MISSING = 128, 32, 64, 16, 12
#: In how many columns each special value is tried, and how many categories of a column.
COLUMNS, CATEGORIES = 8, 128
UNKNOWN_TEXT = "sclbl: unknown"
#: Texts of several terms: how many, and what stands among the terms and between them.
DOCUMENTS, TERMS = 48, 12
PIECES = (
    "x", "Ab", "1_2", "ΑΣ", "Σα", "Straße", "İx", "e\u0301", "É", "ﬁ", "日本語", "한글",
    "\U0001f600", "\U00010400", "co-op", "isn't",
)  # fmt: skip
BETWEEN = (" ", " ", "  ", "\n", "\t \r\n", "\u00a0", "\u2003", "\x1f", ", ", "", "-", "\u0345")
#: Which missing values each column of text may hold.
Holds = Sequence[Sequence[Missing]]
#: Most numbers in the rows that hold one special value each.
CELLS = 4_000_000
SPECIAL = (0.0, -0.0, 5e-324, -1e-30, 1e30, -1e30, 1e300, np.nan, np.inf, -np.inf)


@dataclass(frozen=True)
class Sample:
    """Rows as a graph takes them.

    Parameters
    ----------
    numeric : float64 ``[rows, numeric columns]``
        NaN is missing.
    text : object ``[rows, text columns]``
        `sclbl.spec.MISSING_TEXTS` are missing.
    """

    numeric: np.ndarray
    text: np.ndarray

    def __len__(self) -> int:
        return max(len(self.numeric), len(self.text))

    def take(self, rows: np.ndarray) -> Sample:
        """Return some of the rows."""
        return Sample(self.numeric[rows], self.text[rows])

    def join(self, other: Sample) -> Sample:
        """Return these rows and others."""
        return Sample(
            np.concatenate([self.numeric, other.numeric]), np.concatenate([self.text, other.text])
        )

    def blocks(self, dtype: str) -> Blocks:
        """Return the rows as a program takes them."""
        numeric = None
        if self.numeric.shape[1]:
            numeric = np.ascontiguousarray(self.numeric, dtype=dtype)
        columns = tuple(text_of_constants(c, str(i)) for i, c in enumerate(self.text.T))
        return Blocks(len(self), numeric, columns)


def from_blocks(blocks: Blocks) -> Sample:
    """Return encoded rows."""
    numeric = np.zeros((blocks.rows, 0))
    if blocks.numeric is not None:
        numeric = blocks.numeric.astype(np.float64)
    text = np.empty((blocks.rows, len(blocks.text)), dtype=object)
    for i, column in enumerate(blocks.text):
        text[:, i] = column.constants()
    return Sample(numeric, text)


def part(blocks: Blocks, start: int, stop: int) -> Blocks:
    """Return rows `start` to `stop` of encoded rows, without copying numbers or text."""
    numeric = None if blocks.numeric is None else blocks.numeric[start:stop]
    text = []
    for column in blocks.text:
        first, last = int(column.offsets[start]), int(column.offsets[stop])
        kinds = None if column.kinds is None else column.kinds[start:stop]
        offsets = column.offsets[start : stop + 1] - np.uint32(first)
        text.append(TextColumn(offsets, column.data[first:last], kinds))
    beside = tuple(_part_beside(given, start, stop) for given in blocks.beside)
    return Blocks(stop - start, numeric, tuple(text), beside)


def _part_beside(given: Beside | None, start: int, stop: int) -> Beside | None:
    if isinstance(given, RaggedRows):
        return given.part(start, stop)
    # The value of a parameter is that of every row.
    return given if given is None or given.ndim == 0 else given[start:stop]


def generate(spec: Spec, base: Sample, holds: Holds | None = None) -> Sample:
    """Return rows to try, the given ones first (at most `BASE` of them).

    Parameters
    ----------
    spec : Spec
        Whose graph says which thresholds and categories matter.
    base : Sample
        Rows that the model takes.
    holds : sequence of sequence of {"none", "nan", "na"}, optional
        Which missing values each column of text may hold; all by default.

    Returns
    -------
    Sample
        Some of which the program may refuse.
    """
    return _Generator(spec, base, holds).run()


def each_alone(spec: Spec, base: Sample) -> Sample:
    """Return rows in each of which one column of numbers is infinite or missing, for every column.

    A check that a program lacks shows only where nothing else in the row is refused. Beyond some
    thousand columns, neighbours share a row.
    """
    return _Generator(spec, base, None).each_alone()


def invent(spec: Spec, count: int = 24) -> Sample:
    """Return rows for a spec without an example: numbers of several sizes, known categories."""
    rng = np.random.default_rng(SEED)
    signature = spec.signature
    columns = len(signature.numeric)
    sizes = 10.0 ** rng.integers(-2, 4, size=(count, columns))
    numeric = rng.normal(size=(count, columns)) * sizes
    text = np.empty((count, len(signature.text)), dtype=object)
    text[:] = UNKNOWN_TEXT
    rows = Sample(numeric, text)
    generator = _Generator(spec, rows, None)
    generator.tidy(rows)
    return rows


def _whole_numbers(column: Column) -> list[float]:
    """Return numbers to try in a column of integers: the ends of its type, where that counts."""
    if column.dtype is None:
        return [0.0, -1.0, 7.0, 2.0**31, 2.0**53, np.nan]
    limits = np.iinfo(column.dtype)
    ends = [float(max(limits.min, -EXACT)), float(min(limits.max, EXACT))]
    return [0.0, *ends, 1.0, 7.0, ends[0] + 1, ends[1] - 1, ends[1] // 3, np.nan]


class _Generator:
    def __init__(self, spec: Spec, base: Sample, holds: Holds | None) -> None:
        self.rng = np.random.default_rng(SEED)
        self.spec = spec
        self.found: Found = trace(spec.graph)
        columns = spec.signature.columns
        self.holds: Holds = [KINDS] * len(spec.signature.text) if holds is None else holds
        self.columns = [columns[i] for i in spec.signature.numeric]
        self.kinds: list[Kind] = [column.kind for column in self.columns]
        self.single = spec.signature.numeric_dtype == "float32"
        keep = np.unique(np.linspace(0, max(len(base) - 1, 0), BASE).astype(int))
        self.base = base.take(keep)
        with np.errstate(all="ignore"):
            numbers = np.where(np.isfinite(self.base.numeric), self.base.numeric, 0)
            spread = numbers.std(axis=0)
            self.spread = np.where(spread > 0, spread, np.abs(numbers).max(axis=0, initial=0))
        self.spread[self.spread == 0] = 1.0

    def run(self) -> Sample:
        """Make all rows."""
        rows = self.base
        for part in (
            self.mixed(),
            self.around(),
            self.near(),
            self.categories(),
            self.on_thresholds(),
            self.special(),
            self.missing(),
        ):
            rows = rows.join(part)
        for i, own in enumerate(self.columns):
            if own.kind == "float32":  # what such a column holds
                with np.errstate(over="ignore"):
                    rows.numeric[:, i] = rows.numeric[:, i].astype(own.stored)
            elif own.kind == "integer":  # what rows may hold
                rows.numeric[:, i] = np.clip(rows.numeric[:, i], -EXACT, EXACT)
        return rows

    def pick(self, count: int) -> Sample:
        """Return base rows at random."""
        picked = self.base.take(self.rng.integers(0, len(self.base), count))
        return Sample(picked.numeric.copy(), picked.text.copy())

    def tidy(self, rows: Sample) -> Sample:
        """Make numbers what their columns hold, and categories known ones."""
        rng = self.rng
        for i, kind in enumerate(self.kinds):
            column = rows.numeric[:, i]
            keys = self.keys(NUMERIC_INPUT, i)
            if keys:
                column[:] = rng.choice(np.array(keys, dtype=np.float64), len(rows))
            elif kind == "integer":
                column[:] = np.rint(column)
            elif kind == "boolean":
                column[:] = np.where(np.isnan(column), column, column > 0.5)
        for i in range(rows.text.shape[1]):
            keys = self.keys(TEXT_INPUT, i)
            if keys:
                rows.text[:, i] = [keys[k] for k in rng.integers(0, len(keys), len(rows))]
        return rows

    def keys(self, block: str, column: int) -> list[object]:
        """Return the categories that the graph knows for a column, a part of them where many."""
        keys = list(dict.fromkeys(self.found.keys.get((block, column), ())))
        keys = [k for k in keys if not of_text(k)]
        return keys if len(keys) <= CATEGORIES else keys[:: -(-len(keys) // CATEGORIES)]

    def mixed(self) -> Sample:
        """Columns of different base rows."""
        rows = self.pick(MIXED)
        for block in (rows.numeric, rows.text):
            for i in range(block.shape[1]):
                source = self.base.numeric if block is rows.numeric else self.base.text
                block[:, i] = source[self.rng.integers(0, len(self.base), MIXED), i]
        return rows

    def around(self) -> Sample:
        """Rows about as far from the base as those are from each other."""
        return self.tidy(self.around_base())

    def around_base(self) -> Sample:
        rows = self.pick(AROUND)
        sizes = self.rng.choice([0.1, 1.0, 4.0], size=(AROUND, 1))
        rows.numeric[:] += self.rng.normal(size=rows.numeric.shape) * self.spread * sizes
        return rows

    def near(self) -> Sample:
        """Rows one ULP from the base, where a column takes any number."""
        rows = self.pick(NEAR)
        side = np.where(self.rng.random(rows.numeric.shape) < 0.5, -np.inf, np.inf)
        kind = np.float32 if self.single else np.float64
        moved = np.nextafter(rows.numeric.astype(kind), side.astype(kind))
        for i, column in enumerate(self.kinds):
            if column.startswith("float") and not self.keys(NUMERIC_INPUT, i):
                rows.numeric[:, i] = moved[:, i]
        return rows

    def categories(self) -> Sample:
        """Every category of each column, one that is close to it, and one that nobody knows."""
        parts = []
        for i in range(self.base.text.shape[1]):
            keys = self.keys(TEXT_INPUT, i)
            values = [*keys, UNKNOWN_TEXT, "", *(f"{k} " for k in keys[:1])]
            if (TEXT_INPUT, i) in self.found.documents:
                values += self.documents(i, [str(k) for k in keys])
            values += [MISSING_TEXTS[kind] for kind in self.holds[i]]
            rows = self.pick(len(values))
            rows.text[:, i] = values
            parts.append(rows)
        for i in range(self.base.numeric.shape[1]):
            keys = self.keys(NUMERIC_INPUT, i)
            numbers = [float(k) for k in keys if isinstance(k, (int, float))]
            numbers += [max(numbers) + 1, min(numbers) - 0.5] if numbers else []
            for point in self.found.points.get(i, ())[:CATEGORIES]:
                numbers += [point, np.nextafter(point, -np.inf), np.nextafter(point, np.inf)]
            rows = self.pick(len(numbers))
            rows.numeric[:, i] = numbers
            parts.append(rows)
        return self._joined(parts)

    def documents(self, column: int, terms: list[str]) -> list[str]:
        """Return texts of known terms and of odd ones, in any case, between any white space."""
        rng = self.rng
        words = [w for text in self.base.text[:, column].tolist() for w in str(text).split()]
        known = [*terms, *words[: 4 * DOCUMENTS]] or [UNKNOWN_TEXT]
        found = []
        for _ in range(DOCUMENTS):
            parts = []
            for _ in range(int(rng.integers(1, TERMS))):
                odd = rng.random() < 0.2
                piece = (
                    PIECES[rng.integers(len(PIECES))] if odd else known[rng.integers(len(known))]
                )
                case = rng.random()
                parts.append(
                    piece.upper() if case < 0.1 else piece.title() if case < 0.3 else piece
                )
                parts.append(BETWEEN[rng.integers(len(BETWEEN))])
            found.append("".join(parts))
        return found

    def on_thresholds(self) -> Sample:
        """Rows on thresholds and beside them."""
        types = {name: value.dtype for name, value in self.spec.graph.values.items()}
        near = self.base.join(self.tidy(self.around_base()))
        numeric, starts = threshold_rows(self.found, near.numeric, types, self.rng)
        for i, kind in enumerate(self.kinds):
            if kind == "integer":
                numeric[:, i] = np.floor(numeric[:, i])
            elif kind == "boolean":
                numeric[:, i] = numeric[:, i] > 0.5
        return Sample(numeric, near.text[starts])

    def special(self) -> Sample:
        """Special numbers in a few columns, one a row."""
        width = self.base.numeric.shape[1]
        chosen = np.unique(np.linspace(0, max(width - 1, 0), COLUMNS).astype(int))[:width]
        rows = self.pick(len(chosen) * len(SPECIAL))
        for i, column in enumerate(chosen.tolist()):
            at = slice(i * len(SPECIAL), (i + 1) * len(SPECIAL))
            values = np.array(SPECIAL)
            if self.single:
                finite = np.isfinite(values)
                values[finite] = np.clip(values[finite], -3e38, 3e38)
            if self.kinds[column] == "boolean":
                values = np.resize([0.0, 1.0, np.nan], len(SPECIAL))
            elif self.kinds[column] == "integer":
                values = np.resize(_whole_numbers(self.columns[column]), len(SPECIAL))
            rows.numeric[at, column] = values
        return rows

    def each_alone(self) -> Sample:
        """Infinities and missing values, each in one column alone; all columns, in order."""
        columns = [self.spec.signature.columns[i] for i in self.spec.signature.numeric]
        # A column of objects holds its missing values in turn: as many rows show each of them.
        values = [
            [np.nan] * max(len(c.takes), 1) + [np.inf, -np.inf] * (c.kind != "boolean")
            for c in columns
        ]
        most = max(CELLS // (len(columns) * max(map(len, values))), 1) if columns else 0
        groups = np.array_split(np.arange(len(columns)), min(most, len(columns)) or 1)
        parts = []
        for group in groups:
            count = max((len(values[c]) for c in group.tolist()), default=0)
            rows = self.pick(count)
            for c in group.tolist():
                rows.numeric[:, c] = np.resize(values[c], count)
            parts.append(rows)
        return Sample(
            np.concatenate([p.numeric for p in parts]), np.concatenate([p.text for p in parts])
        )

    def missing(self) -> Sample:
        """Rows with several missing values, and one with nothing at all."""
        rows = self.pick(MISSING)
        rows.numeric[self.rng.random(rows.numeric.shape) < 0.4] = np.nan
        rows.numeric[-1] = np.nan
        for column, kinds in zip(rows.text.T, self.holds, strict=True):
            gone = self.rng.random(len(rows)) < 0.4
            gone[-1] = True
            if kinds:
                texts = [MISSING_TEXTS[kind] for kind in kinds]
                column[gone] = self.rng.choice(np.array(texts, dtype=object), int(gone.sum()))
        return rows

    def _joined(self, parts: list[Sample]) -> Sample:
        rows = self.pick(0)
        for part in parts:
            rows = rows.join(part)
        return rows
