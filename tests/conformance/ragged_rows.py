"""Rows that are no table: sparse matrices, dicts and pairs of features, lists of texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp

#: Columns of sparse rows.
COLUMNS = 30
NAMES = ("age", "city", "größe", "日本", "", "a=b", "x" * 300, "city=Oslo")
UNKNOWN = ("never seen", "city=never", "0")
TEXTS = ("Oslo", "Århus", "", "東京")
NUMBERS = (0.0, -0.0, 1.0, -2.5, 1e-30, 7, True)
#: What float32 does not hold, or no finite sum.
ODD = (1e-300, 1e150, 5e-324, np.nan, np.inf)
#: Words of texts, and what stands between them.
SPOKEN = (
    "good", "Good", "bad", "the", "not", "film", "FILM", "a", "naïve", "NAÏVE", "Straße", "ΟΔΟΣ",
    "ΣΊΣΥΦΟΣ", "İstanbul", "日本語", "한국어", "ﬁn", "e\u0301te\u0301", "co-op", "it's", "x_1",
    "42", "①", "\U0001d400\U0001d401", "\U0001f600", "Ǆ", "Å\u0327",
)  # fmt: skip
SPACES = (
    " ", " ", " ", "  ", "\n", "\t\r\n", "\u00a0", "\u2003", "\x1c", ", ", ". ", "", "-", "\u0345",
)  # fmt: skip
TAGS = ("red", "grün", "蓝", "", "blue" * 50)

Rows = Callable[[int, int], Any]


def sparse(dtype: str = "float64", container: Any = sp.csr_matrix) -> Rows:
    """Sparse rows in their order, zeros that are stored and rows without any among them."""

    def rows(count: int, seed: int) -> Any:
        rng = np.random.default_rng(seed)
        dense = rng.normal(size=(count, COLUMNS)) * (rng.random((count, COLUMNS)) < 0.15)
        if dtype == "int64":
            dense = np.rint(3 * dense)
        dense[rng.random(count) < 0.05] = 0
        found = sp.csr_matrix(dense.astype(dtype))
        found.data[rng.random(found.nnz) < 0.05] = 0
        return container(found)

    return rows


def dicts(texts: bool = True, odd: tuple[Any, ...] = ()) -> Rows:
    """Dicts of names and values; `odd`: values beside the ordinary ones."""
    values = (*NUMBERS, *odd, *(TEXTS if texts else ()))

    def rows(count: int, seed: int) -> Any:
        rng = np.random.default_rng(seed)
        names = NAMES if seed == 0 else (*NAMES, *UNKNOWN)
        found = []
        for _ in range(count):
            chosen = rng.permutation(len(names))[: rng.integers(len(names))]
            found.append({names[i]: values[rng.integers(len(values))] for i in chosen})
        return found

    return rows


def pairs(count: int, seed: int) -> Any:
    """Lists of names and values, the same name more than once."""
    own = dicts()
    first, second = own(count, seed), own(count, seed + 1000)
    return [[*a.items(), *b.items()] for a, b in zip(first, second, strict=True)]


def lists(count: int, seed: int) -> Any:
    """Lists of texts, the same text more than once."""
    rng = np.random.default_rng(seed)
    texts = TAGS if seed == 0 else (*TAGS, "unknown")
    return [
        [texts[i] for i in rng.integers(len(texts), size=rng.integers(7))] for _ in range(count)
    ]


def points(count: int, seed: int) -> Any:
    """Points, some of them those of the fit."""
    rng = np.random.default_rng(seed)
    found = rng.normal(size=(count, 3))
    if seed:
        trained = np.random.default_rng(0).normal(size=(240, 3))
        known = trained[: count // 4]
        found[: len(known)] = known
    return found


def altered(value: float, row: int, column: int, dtype: str = "float64") -> Any:
    """Return sparse rows of which one holds this."""
    dense = sparse(dtype)(10, 7).toarray()
    dense[row, column] = value
    return sp.csr_matrix(dense)


def documents(count: int, seed: int) -> list[str]:
    """Texts of words in any case, between white space of every kind; empty and long ones too."""
    rng = np.random.default_rng(seed)
    found = []
    for i in range(count):
        words = rng.integers(len(SPOKEN), size=0 if i % 40 == 3 else rng.integers(1, 14))
        spaces = rng.integers(len(SPACES), size=len(words))
        parts = zip(words.tolist(), spaces.tolist(), strict=True)
        found.append("".join(SPOKEN[w] + SPACES[s] for w, s in parts))
    found[count // 2 : count // 2 + 1] = [" ".join(found[:20])] if count else []
    return found
