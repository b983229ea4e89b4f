"""Operators on texts: the program beside the definition, and that beside Python itself."""

from __future__ import annotations

import random
import re
import unicodedata
from typing import Any

import numpy as np
import pytest

from sclbl.compiler import compile_spec
from sclbl.errors import SpecError, UnsupportedModelError
from sclbl.missing import value_of
from sclbl.ops import find
from sclbl.ops.names import front_coded, hash_table, hashes_of
from sclbl.ops.packed import CODE_POINTS, of_runs, pack, two_level
from sclbl.ops.record import Operand
from sclbl.ops.tokens import Words
from sclbl.program import Program
from sclbl.reference import evaluate
from sclbl.rows import Blocks
from sclbl.rows.texts import text_column
from sclbl.signature import Column, Output, Signature
from sclbl.spec import MISSING_TEXTS, Node, Provenance, Spec
from sclbl.strippers.graph import Builder
from sclbl.strippers.letters import ascii_alone, letters, without_accents
from sclbl.strippers.patterns import compile_pattern
from tests.conformance.ragged import same_rows
from tests.conformance.ragged_rows import documents

COLUMNS = 2**22 - 3
SIGNATURE = Signature((Column(None, "text"),), "array", {})
TEXTS = [*documents(300, 9), "", " ", "a", "Σ", "ΑΣ.", "x" * 3000, "\x00", "\U0010fffd"]


def text_attributes(pattern: str, without: tuple[str, ...] = (), **lengths: int) -> dict[str, Any]:
    found = compile_pattern(pattern)
    left_out = np.array([*without, None], dtype=object)[:-1]
    names = ("starts", "kinds", "begins", "next", "moves", "lists", "group", "threads")
    return {n: getattr(found, n) for n in names} | {"without": left_out} | lengths


def program_of(op: str, **attrs: Any) -> tuple[Spec, Program]:
    """Return a program that counts the results of an operator by their hash, or gives its text."""
    build = Builder(SIGNATURE, [np.dtype(object)])
    wire = build.node(op, [build.table().text()], **attrs)
    if wire.ragged:
        names = build.node("sclbl.HashNames", [wire], columns=COLUMNS, signed=0)
        wire = build.node("sclbl.SumDuplicates", [names], distinct=0)
        output = Output("float64", "float64", COLUMNS, 2, ragged="sparse")
    else:
        output = Output("text", "object", 1, 2)
    graph = build.finish({"run": wire})
    signature = Signature(SIGNATURE.columns, "array", {"run": output})
    spec = Spec(graph, signature, Provenance("tests.Graph"))
    return spec, Program(compile_spec(spec))


def agree(op: str, rows: list[str], **attrs: Any) -> None:
    spec, program = program_of(op, **attrs)
    column = np.array([*rows, None], dtype=object)[:-1]
    blocks = Blocks(len(rows), None, (text_column(column, "text"),))
    wanted = evaluate(spec.graph, None, column[:, None])["run"]
    for _ in range(2):
        (found,) = program.module.general("run", blocks)
        if isinstance(found, np.ndarray):
            assert found.ravel().tolist() == wanted.ravel().tolist()
        else:
            same_rows(found, wanted, 0.0)


@pytest.mark.parametrize("accents", ["", "ascii", "unicode"])
@pytest.mark.parametrize("lower", [True, False])
def test_folding(lower: bool, accents: Any) -> None:
    attrs = letters(lower, accents).attributes(lower, accents)
    agree("sclbl.FoldText", TEXTS, **attrs)
    strip = {"": str, "ascii": ascii_alone, "unicode": without_accents}[accents]
    every = [chr(c) for c in range(CODE_POINTS) if not 0xD800 <= c < 0xE000]
    rows = ["".join(every[i : i + 4096]) for i in range(0, len(every), 4096)]
    rows += [f"a{c}Σ{c} {c}Σ Σ{c}a" for c in every[:0x3000]] + TEXTS
    _, program = program_of("sclbl.FoldText", **attrs)
    wanted = [strip(row.lower() if lower else row) for row in rows]
    assert np.asarray(program.run("run", rows)).ravel().tolist() == wanted


def test_letters_stand_where_they_are_looked_for() -> None:
    """Beyond them there is no character that changes, or that a sigma looks past."""
    looked_at = {*range(0x20000), *range(0xE0000, 0xE1000)}
    for point in range(0x20000, CODE_POINTS):
        if point not in looked_at and not 0xD800 <= point < 0xE000:
            assert unicodedata.category(chr(point)) in ("Lo", "Cn", "Co")
            assert chr(point).lower() == chr(point)


PATTERNS = (
    r"(?u)\b\w\w+\b", r"\w+|[^\w\s]+", r"(?i)[a-zé]{2,}", r"\b(\w)\w*\b", r"\d+|\w*", r"\B\w",
    r"(?m)^\w+", r"(?:a|ab)(?:c|bcd)?", r"(?a)\w+?\b", r"(?s).\Z", r"\A(?:x|(y))?", r"(?i)k|ss",
)  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_words(pattern: str) -> None:
    agree("sclbl.Words", TEXTS, **text_attributes(pattern, ("good", "naïve"), low=1, high=3))
    compiled = re.compile(pattern)
    for text in TEXTS[:60]:
        attrs = text_attributes(pattern, low=1, high=1)
        found = Words.define(attrs, np.array([[text]], dtype=object)).values.tolist()
        assert found == compiled.findall(text)


ATOMS = (
    "a", "b", "A", "é", "1", " ", r"\w", r"\d", r"\s", r"\W", ".", "[ab]", "[^a]", "[a-c1]",
    r"[\w-]", r"\b", r"\B", r"\A", r"\Z", "^",
)  # fmt: skip
REPEATS = ("", "", "", "*", "+", "?", "{2}", "{1,3}", "{2,}", "*?", "+?", "??")


def random_pattern(rng: random.Random, depth: int = 0, group: bool = True) -> str:
    ways = []
    for _ in range(rng.choice([1, 1, 2])):
        parts = []
        for _ in range(rng.randrange(1, 4)):
            atom = rng.choice(ATOMS)
            if depth < 2 and rng.random() < 0.3:
                kind = rng.choice(["(?:", "(?i:", "(?a:", "("] if group else ["(?:", "(?i:"])
                group = group and kind != "("
                atom = kind + random_pattern(rng, depth + 1, group) + ")"
            place = atom in (r"\b", r"\B", r"\A", r"\Z", "^")
            parts.append(atom if place else atom + rng.choice(REPEATS))
        ways.append("".join(parts))
    return "|".join(ways)


def test_random_patterns() -> None:
    """What `re` finds, the automaton finds."""
    rng = random.Random(3)
    texts = ["".join(rng.choices("aabbcA\u00e91_ \n.K", k=rng.randrange(12))) for _ in range(40)]
    tried = 0
    while tried < 60:
        pattern = random_pattern(rng)
        try:
            compiled = re.compile(pattern)
            attrs = text_attributes(pattern, low=1, high=1)
        except (re.error, UnsupportedModelError):
            continue
        if compiled.groups > 1:
            continue
        tried += 1
        found = Words.define(attrs, np.array(texts, dtype=object)[:, None])
        rows = [found.values[at].tolist() for at in found.rows()]
        assert rows == [compiled.findall(text) for text in texts], pattern


@pytest.mark.parametrize("words", [0, 1])
@pytest.mark.parametrize(("low", "high"), [(1, 1), (1, 3), (2, 5), (40, 41)])
def test_characters(words: int, low: int, high: int) -> None:
    space = compile_pattern(r"\s")
    spaces = space.kinds == space.kinds[np.searchsorted(space.starts, 32, side="right") - 1]
    attrs = {"starts": space.starts, "kinds": spaces.astype(np.int64)}
    agree("sclbl.Characters", TEXTS, **attrs, words=words, low=low, high=high)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("begins", np.full((3, 2), 99)),
        ("next", np.full((2, 3), 2)),
        ("moves", np.full((8, 3), 77)),
        ("lists", np.array([1, 5, 1, 1])),
        ("lists", np.array([3, 6, 11, -2, 0, 0, 9, 0, 1, -1, 0, 0, 0, 0])),
        ("kinds", np.array([0, 300])),
        ("threads", 65),
        ("low", 0),
        ("high", 0),
    ],
)
def test_a_broken_automaton_is_refused(name: str, value: Any) -> None:
    attrs = {**text_attributes(r"(?u)\b\w\w+\b", low=1, high=1), name: value}
    with pytest.raises(SpecError):
        find("sclbl.Words").infer(
            Node("sclbl.Words", ("x",), ("y",), attrs), [Operand("text", (1,))]
        )


def test_missing_texts_stay_out() -> None:
    _, program = program_of("sclbl.Words", **text_attributes(r"\w+", low=1, high=2))
    column = np.array([*(value_of(k) for k in MISSING_TEXTS), "a b"], dtype=object)
    (found,) = program.module.general("run", Blocks(4, None, (text_column(column, "text"),)))
    assert not isinstance(found, np.ndarray)
    assert np.asarray(found.offsets).tolist() == [0, 0, 0, 0, 3]


def test_tables_hold_what_was_put_in() -> None:
    rng = np.random.default_rng(0)
    starts = np.unique([0, *rng.integers(CODE_POINTS, size=300).tolist()])
    values = of_runs(starts, rng.integers(5, size=len(starts)))
    table = two_level(values)
    blocks = unpacked(table.blocks, table.bits).reshape(-1)
    index = unpacked(table.index, table.index_bits)
    points = np.arange(table.top)
    size = 1 << table.shift
    found = blocks[index[points >> table.shift] * size + points % size]
    np.testing.assert_array_equal(found, values[: table.top])
    assert (values[table.top :] == table.rest).all()
    numbers = rng.integers(2**17, size=999)
    np.testing.assert_array_equal(unpacked(pack(numbers, 17), 17)[:999], numbers)


def unpacked(packed: np.ndarray, bits: int) -> np.ndarray:
    flat = np.unpackbits(packed, bitorder="little")
    flat = flat[: len(flat) // bits * bits].reshape(-1, bits)
    return np.asarray(flat.astype(np.int64) @ (1 << np.arange(bits)))


def test_names_are_small() -> None:
    rng = np.random.default_rng(0)
    texts = sorted(
        {"".join(chr(97 + c) for c in rng.integers(26, size=8)).encode() for _ in range(5000)}
    )
    data, starts = front_coded(texts)
    slots, *_ = hash_table(texts)
    assert len(data) + starts.nbytes + len(slots) < 4 * len(texts) + sum(map(len, texts))
    assert len(set(hashes_of(texts).tolist())) > 0.999 * len(texts)
