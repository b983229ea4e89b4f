"""Rows of all inputs of a spec, invented from the spec alone: what a second opinion asks about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sclbl.fidelity.rows import BASE, SEED, SPECIAL, UNKNOWN_TEXT, Sample, generate, invent
from sclbl.fidelity.thresholds import threshold_rows
from sclbl.fidelity.trace import MOST_TRACKED, Found, Tracks, trace
from sclbl.ops.ragged import Items
from sclbl.rows import Blocks, RaggedRows
from sclbl.rows.texts import text_column
from sclbl.signature import Input, Signature
from sclbl.spec import NUMERIC_INPUT, Spec

#: Ordinary rows, the items of the longest, and rows with other values of the call.
ORDINARY, LONG, WITH_VALUES = 24, 60, 12
#: Texts of one, two, three and four bytes a character, and of lengths around whole words.
TEXTS = (UNKNOWN_TEXT, "", "a", "abc", "abcd", "abcde", "é", "日本語", "\N{GRINNING FACE}" * 9)
#: Columns in which each special value is tried, and categories of names.
COLUMNS, NAMES = 8, 128
_EMPTY = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Invented:
    """Rows of a call: those of the table, of the inputs beside it, and the values of the call.

    Parameters
    ----------
    signature : Signature
        What they are rows of.
    table : Sample
        Without columns where there is no table.
    beside : mapping of str to array or Items
        By input: ``[rows, *shape]`` or ragged rows; of a parameter ``()``, or nothing for its
        default.
    """

    signature: Signature
    table: Sample
    beside: Mapping[str, np.ndarray | Items]

    def __len__(self) -> int:
        return len(self.table)

    def take(self, rows: np.ndarray) -> Invented:
        """Return some of the rows."""
        beside = {name: _taken(given, rows) for name, given in self.beside.items()}
        return Invented(self.signature, self.table.take(rows), beside)

    def blocks(self) -> Blocks:
        """Return the rows as a program takes them."""
        table = self.table.blocks(self.signature.numeric_dtype)
        inputs = [self.beside.get(given.name) for given in self.signature.inputs]
        beside = tuple(_as_ragged(i) if isinstance(i, Items) else i for i in inputs)
        return Blocks(len(self), table.numeric, table.text, beside)

    def given(self, wide: bool = False) -> dict[str, np.ndarray | Items]:
        """Return the inputs beside the table as the interpreter takes them.

        With `wide`, float32 is float64.
        """
        found: dict[str, np.ndarray | Items] = dict(self.beside)
        for one in self.signature.parameters:
            value = found.get(one.name, np.array(one.default, dtype=one.dtype))
            if isinstance(value, np.ndarray):
                found[one.name] = np.broadcast_to(value, (len(self), 1))
        return {name: _widened(given) for name, given in found.items()} if wide else found

    def shown(self, row: int) -> str:
        """Return a row in words."""
        words = []
        if self.signature.columns:
            numbers, text = self.table.numeric[row].tolist(), self.table.text[row].tolist()
            words.append(f"numbers {numbers[:12]}, text {text[:12]}")
        for name, given in self.beside.items():
            if isinstance(given, Items):
                at = slice(*given.offsets[row : row + 2].tolist())
                values = given.values[at].tolist()
                keys = values if given.keys is None else given.keys[at].tolist()
                pairs = values if given.keys is None else list(zip(keys, values, strict=True))
                words.append(f"{name} {pairs!r:.300}")
            else:
                one = given if given.ndim == 0 else given[row]
                words.append(f"{name} {one.tolist()!r:.300}")
        return ", ".join(words)


def calls_of(spec: Spec) -> list[Invented]:
    """Return calls to try: one with the default values of the call, a short one for other values.

    The first rows, `ORDINARY` of them, are ordinary ones.
    """
    signature = spec.signature
    if not signature.inputs:
        return [Invented(signature, generate(spec, invent(spec, ORDINARY)), {})]
    maker = _Maker(spec)
    beside = {given.name: maker.rows(given) for given in signature.beside}
    table = Sample(np.empty((1, 0)), np.empty((1, 0), dtype=object))
    if signature.columns:
        table = generate(spec, invent(spec, ORDINARY))
    rows = np.arange(max(len(table), *map(len, beside.values()), 1))
    first = Invented(
        signature,
        table.take(rows % len(table)),
        {name: _taken(given, rows % len(given)) for name, given in beside.items()},
    )
    few = first.take(np.unique(np.linspace(0, len(first) - 1, WITH_VALUES).astype(int)))
    return [first] + [
        replace(few, beside={**few.beside, given.name: np.array(value, dtype=given.dtype)})
        for given in signature.parameters
        for value in _values(given)
    ]


def _values(given: Input) -> Sequence[Any]:
    """Return values of a call to try."""
    if given.dtype == "bool":
        return (False, True)
    usual = given.default or 0
    if given.dtype == "int64":
        limits = np.iinfo(np.int64)
        tried = (0, 1, -1, usual + 1, 2 * usual, -usual)
        return tuple(dict.fromkeys(v for v in tried if limits.min <= v <= limits.max))
    return (0.0, -0.0, 1.0, usual / 3, 2.0 * usual, -usual, np.inf, np.nan)


class _Maker:
    """Makes rows of inputs beside the table."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.rng = np.random.default_rng(SEED)
        self.found = trace(spec.graph)

    def rows(self, given: Input) -> np.ndarray | Items:
        """Return rows of an input, the ordinary ones first."""
        if given.kind == "tensor":
            flat = self.dense(given)
            return flat.reshape(len(flat), *given.shape)
        if given.kind == "sparse":
            return self.sparse(given)
        return self.items(given)

    def numbers(self, given: Input, shape: tuple[int, ...]) -> np.ndarray:
        """Return ordinary numbers of an input's type, of several sizes."""
        dtype = np.dtype(given.dtype)
        if dtype.kind == "b":
            return self.rng.random(shape) < 0.5
        if dtype.kind in "iu":
            low = 0 if dtype.kind == "u" else -9
            return self.rng.integers(low, 10, size=shape).astype(dtype)
        sizes = 10.0 ** self.rng.integers(-2, 4, size=shape)
        return np.asarray(self.rng.normal(size=shape) * sizes).astype(dtype)

    def special(self, given: Input) -> np.ndarray:
        """Return the numbers of an input's type that are tried one at a time."""
        dtype = np.dtype(given.dtype)
        if dtype.kind == "b":
            return np.array([False, True])
        if dtype.kind in "iu":
            limits = np.iinfo(dtype)
            return np.array([0, 1, limits.min, limits.max], dtype=dtype)
        values = np.array([*SPECIAL, 1.0, -1.0])
        finite = np.isfinite(values)
        most = float(np.finfo(dtype).max)
        values[finite] = np.clip(values[finite], -most, most)
        return values.astype(dtype)

    def dense(self, given: Input) -> np.ndarray:
        """Return rows of a tensor, flat."""
        width = given.width
        base = self.numbers(given, (ORDINARY, width))
        near = self.numbers(given, (BASE // 4, width)) if width <= MOST_TRACKED else base
        special = self.special(given)
        places = _places(width)
        alone = np.resize(base, (len(places) * len(special), width))
        for i, column in enumerate(places.tolist()):
            at = slice(i * len(special), (i + 1) * len(special))
            alone[at, column] = special
        parts = [base, near, alone, np.zeros((1, width), base.dtype)]
        return np.concatenate([*parts, self.on_thresholds(given, base)])

    def on_thresholds(self, given: Input, base: np.ndarray) -> np.ndarray:
        """Return rows on the thresholds of trees that test the input, and beside them."""
        tracks = self.found.tracks.get(given.name, ())
        if not self.found.trees or not any(track is not None for track in tracks):
            return base[:0]
        # Thresholds are found for columns of numbers: these stand for them.
        of_input = {name: _of(given.name, t) for name, t in self.found.tracks.items()}
        found = Found(tracks=of_input, trees=self.found.trees)
        types = {name: value.dtype for name, value in self.spec.graph.values.items()}
        rows, _ = threshold_rows(found, base.astype(np.float64), types, self.rng)
        if base.dtype.kind == "b":
            return rows > 0.5
        if base.dtype.kind in "iu":
            limits = np.iinfo(base.dtype)
            rows = np.clip(np.floor(rows), limits.min, limits.max)
        with np.errstate(over="ignore"):
            return rows.astype(base.dtype)

    def sparse(self, given: Input) -> Items:
        """Return sparse rows: a few columns, none, all, columns out of order and twice."""
        width = given.width
        rows: list[tuple[np.ndarray, np.ndarray]] = []
        for _ in range(ORDINARY):
            columns = self.columns(width, int(self.rng.integers(1, ORDINARY)))
            rows.append((columns, self.numbers(given, columns.shape)))
        rows.append((_EMPTY, self.numbers(given, (0,))))
        for _ in range(4):
            twice = self.rng.integers(0, width, size=LONG)
            rows.append((twice, self.numbers(given, (LONG,))))
        special = self.special(given)
        for column in _places(width).tolist():
            rows += [(np.array([column]), special[i : i + 1]) for i in range(len(special))]
        if width <= MOST_TRACKED:
            base = self.numbers(given, (ORDINARY, width))
            base[self.rng.random(base.shape) < 0.7] = 0
            full = self.numbers(given, (2, width))
            for row in np.concatenate([full, self.on_thresholds(given, base)]):
                (there,) = np.nonzero(row)
                rows.append((there, row[there]))
        keys, values = zip(*rows, strict=True)
        return Items(_offsets(keys), np.concatenate(keys), np.concatenate(values))

    def columns(self, width: int, count: int) -> np.ndarray:
        """Return up to `count` different columns in order."""
        return np.unique(self.rng.integers(0, width, size=count))

    def items(self, given: Input) -> Items:
        """Return lists, or features: known and other names, none, many, and the same again."""
        lengths = [*self.rng.integers(1, 8, size=ORDINARY).tolist(), 0, 1, LONG, 0, 2, LONG]
        count = sum(lengths)
        if given.kind == "list" and given.dtype != "text":
            values = self.numbers(given, (count,))
            special = self.special(given)
            return Items(
                _offsets_of([*lengths, len(special), *(1,) * len(special)]),
                None,
                np.concatenate([values, special, special]),
            )
        known = list(dict.fromkeys(map(str, self.found.keys.get((given.name, 0), ()))))
        known = known[:: max(-(-len(known) // NAMES), 1)]
        ordinary = [*known, *TEXTS[2:5]]
        names = [ordinary[i] for i in self.rng.integers(0, len(ordinary), size=count)]
        odd = [*known, *TEXTS, *(f"{name} " for name in known[:1])]
        lengths += [len(odd), *(1,) * len(odd)]
        names += 2 * odd
        texts = np.array([*names, None], dtype=object)[:-1]
        if given.kind == "list":
            return Items(_offsets_of(lengths), None, texts)
        values = self.numbers(given, (len(texts),))
        special = self.special(given)
        more = np.array([*np.resize(np.array(ordinary, dtype=object), len(special)), None])[:-1]
        return Items(
            _offsets_of([*lengths, *(1,) * len(special)]),
            np.concatenate([texts, more]),
            np.concatenate([values, special]),
        )


def _places(width: int) -> np.ndarray:
    return np.unique(np.linspace(0, width - 1, COLUMNS).astype(np.int64))


def _of(name: str, tracks: Tracks) -> Tracks:
    """Return tracks of an input as if its columns were those of the table."""
    return tuple(
        replace(t, block=NUMERIC_INPUT) if t is not None and t.block == name else None
        for t in tracks
    )


def _offsets(rows: Sequence[np.ndarray]) -> np.ndarray:
    return _offsets_of([len(row) for row in rows])


def _offsets_of(lengths: Sequence[int]) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def _taken(given: np.ndarray | Items, rows: np.ndarray) -> np.ndarray | Items:
    if not isinstance(given, Items):
        return given if given.ndim == 0 else given[rows]
    slices = [given.rows()[row] for row in rows.tolist()]
    at = np.concatenate([_EMPTY, *(np.arange(s.start, s.stop) for s in slices)])
    keys = None if given.keys is None else given.keys[at]
    return Items(_offsets_of([s.stop - s.start for s in slices]), keys, given.values[at])


def _as_ragged(given: Items) -> RaggedRows:
    keys: Any = given.keys
    values: Any = given.values
    if keys is not None and keys.dtype == object:
        keys = text_column(keys, "a name")
    elif keys is not None:
        keys = keys.astype(np.int32)
    if values.dtype == object:
        values = text_column(values, "an item")
    return RaggedRows(given.offsets, keys, values)


def _widened(given: np.ndarray | Items) -> np.ndarray | Items:
    values = given.values if isinstance(given, Items) else given
    if values.dtype != np.float32:
        return given
    wide = values.astype(np.float64)
    return replace(given, values=wide) if isinstance(given, Items) else wide
