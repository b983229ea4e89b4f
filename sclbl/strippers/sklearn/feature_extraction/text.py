"""`sklearn.feature_extraction.text`: texts to counted terms, and what these weigh."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import strip_accents_ascii, strip_accents_unicode

from sclbl.errors import UnsupportedModelError
from sclbl.strippers import ops
from sclbl.strippers.base import Stripper, method
from sclbl.strippers.columns import Table, Wire
from sclbl.strippers.letters import Accents, letters
from sclbl.strippers.patterns import compile_pattern
from sclbl.strippers.patterns.characters import CharacterSet, classes_of, opcodes
from sclbl.strippers.sklearn.estimator import Estimator

#: Types of counts that hold those of any text; narrower ones would wrap around.
_COUNTS = ("float64", "float32", "int64", "int32", "uint32", "uint64")


class TextStripper(Stripper):
    """What the vectorizers share: a column of texts, taken apart into terms."""

    tells_missing = True

    def check(self, model: Any) -> None:
        name = type(model).__name__
        if model.input != "content":
            raise UnsupportedModelError(
                f"{name}(input={model.input!r}): a program opens no files; fit it with "
                "input='content' and give it what the files hold"
            )
        for option in ("preprocessor", "tokenizer"):
            if getattr(model, option) is not None:
                raise UnsupportedModelError(
                    f"{name}({option}=...): a function of your own cannot be followed; use "
                    "lowercase, strip_accents, token_pattern and stop_words, or call it before "
                    "the model"
                )
        if callable(model.analyzer):
            raise UnsupportedModelError(
                f"{name}(analyzer=...): a function of your own cannot be followed; use 'word', "
                "'char' or 'char_wb', or make tokens before the model and hash them with "
                "FeatureHasher(input_type='string')"
            )
        low, high = model.ngram_range
        if low < 1 and not (model.analyzer == "word" and high == 1):
            raise UnsupportedModelError(
                f"{name}(ngram_range={model.ngram_range!r}): terms of no words are no terms; "
                "fit it with a range from 1 on"
            )

    def as_taken(self, model: Any, rows: Any) -> Any:
        """Return the one column of rows: one text a row."""
        if hasattr(rows, "iloc"):
            return rows.iloc[:, 0]
        if hasattr(rows, "to_series"):
            return rows.to_series(0)
        return rows[:, 0] if getattr(rows, "ndim", 1) == 2 else rows

    def rows(self, model: Any, x: Any) -> Wire:
        """Return the terms of each text, as lists."""
        build = x.builder
        texts = build.refuse_missing_text(_column(model, x))
        accents = _accents(model)
        if model.lowercase or accents:
            made = letters(bool(model.lowercase), accents)
            texts = build.node(
                "sclbl.FoldText", [texts], **made.attributes(model.lowercase, accents)
            )
        low, high = (int(n) for n in model.ngram_range)
        lengths = {"low": max(low, 1), "high": high}
        if model.analyzer == "word":
            words: Wire = build.node("sclbl.Words", [texts], **_words(model), **lengths)
            return words
        starts, kinds, _ = _spaces()
        lengths["words"] = int(model.analyzer == "char_wb")
        parts: Wire = build.node("sclbl.Characters", [texts], starts=starts, kinds=kinds, **lengths)
        return parts


class CountVectorizer(TextStripper):
    """How often each term of the vocabulary occurs."""

    def check(self, model: Any) -> None:
        super().check(model)
        if np.dtype(model.dtype).name not in _COUNTS:
            raise UnsupportedModelError(
                f"{type(model).__name__}(dtype={np.dtype(model.dtype).name}): counts may wrap "
                f"around in it; fit it with one of {', '.join(_COUNTS)}"
            )
        if not all(isinstance(term, str) for term in _vocabulary(model)):
            raise UnsupportedModelError(
                f"{type(model).__name__} has a vocabulary that is not all text; give it text alone"
            )

    @method
    def transform(self, model: Any, x: Wire) -> Wire:
        return self.counts(model, x)

    def counts(self, model: Any, x: Wire) -> Wire:
        """Return the counts of terms, in the type that the source holds them in."""
        place = _vocabulary(model)
        names = np.empty(len(place), dtype=object)
        names[list(place.values())] = list(place)
        found = x.builder.node("sclbl.FindNames", [x], names=names)
        return ops.items_held_as(
            x.builder.node("sclbl.SumDuplicates", [found], distinct=int(model.binary)),
            np.dtype(model.dtype),
        )


class TfidfVectorizer(CountVectorizer):
    """Counts, and what `TfidfTransformer` makes of them."""

    def check(self, model: Any) -> None:
        super().check(model)
        _require_fitted_idf(model._tfidf)

    @method
    def transform(self, model: Any, x: Wire) -> Wire:
        return weighted_terms(model._tfidf, self.counts(model, x))


class HashingVectorizer(TextStripper):
    """Terms by their hash, with a sign or without; what meets in a column is added."""

    def check(self, model: Any) -> None:
        super().check(model)
        if np.dtype(model.dtype).name not in ("float64", "float32"):
            raise UnsupportedModelError(
                f"HashingVectorizer(dtype={np.dtype(model.dtype).name}): programs compute its "
                "rows in float64 or float32; fit it with one of these"
            )

    @method
    def transform(self, model: Any, x: Wire) -> Wire:
        signed = int(model.alternate_sign and not model.binary)
        found = x.builder.node("sclbl.HashNames", [x], columns=model.n_features, signed=signed)
        # Where terms are not counted, columns whose terms cancel out are there too.
        counts = x.builder.node("sclbl.SumDuplicates", [found], distinct=int(model.binary))
        held = ops.items_held_as(counts, np.dtype(model.dtype))
        return held if model.norm is None else ops.items_norm(held, model.norm)


class TfidfTransformer(Estimator):
    """Counts times how rare terms are."""

    dtype, takes_sparse = "float", True

    def check(self, model: Any) -> None:
        _require_fitted_idf(model)

    @method
    def transform(self, model: Any, x: Wire) -> Wire:
        return weighted_terms(model, x if x.ragged else ops.sparse_rows(x))


def weighted_terms(model: Any, x: Wire) -> Wire:
    """`TfidfTransformer.transform`, of floats."""
    if x.numbers.kind != "f":
        x = ops.items_held_as(x, np.dtype(np.float64))
    if model.sublinear_tf:
        x = ops.items_log(x)
    if hasattr(model, "idf_"):
        x = ops.items_scale(x, np.asarray(model.idf_))
    return x if model.norm is None else ops.items_norm(x, model.norm)


def _require_fitted_idf(model: Any) -> None:
    if model.use_idf != hasattr(model, "idf_"):
        raise UnsupportedModelError(
            f"{type(model).__name__} has use_idf={model.use_idf} and was fitted otherwise; fit it "
            "again"
        )


def _column(model: Any, x: Table) -> Wire:
    if x.width != 1:
        raise UnsupportedModelError(
            f"{type(model).__name__} takes one text a row, and {x.width} columns reach it; give it "
            "a list or a Series of texts (in a ColumnTransformer the name of one column, not a "
            "list of names)"
        )
    return x.text(model=model)


def _vocabulary(model: Any) -> dict[str, int]:
    found: dict[str, int] = model.vocabulary_
    return found


def _accents(model: Any) -> Accents:
    known: dict[Any, Accents] = {
        None: "",
        "ascii": "ascii",
        "unicode": "unicode",
        strip_accents_ascii: "ascii",
        strip_accents_unicode: "unicode",
    }
    try:
        return known[model.strip_accents]
    except (KeyError, TypeError):
        raise UnsupportedModelError(
            f"{type(model).__name__}(strip_accents=...): a function of your own cannot be "
            "followed; use 'ascii' or 'unicode', or call it before the model"
        ) from None


def _words(model: Any) -> dict[str, Any]:
    """Return how text comes apart into words: the attributes of ``sclbl.Words``."""
    if model.token_pattern is None:
        raise UnsupportedModelError(
            f"{type(model).__name__} has neither a token_pattern nor a tokenizer; give it a "
            "token_pattern"
        )
    found = compile_pattern(str(model.token_pattern))
    stop_words: Callable[[], Any] = model.get_stop_words
    left_out = sorted(w for w in stop_words() or () if isinstance(w, str))
    without = np.empty(len(left_out), dtype=object)
    without[:] = left_out
    return {
        "starts": found.starts,
        "kinds": found.kinds,
        "begins": found.begins,
        "next": found.next,
        "moves": found.moves,
        "lists": found.lists,
        "group": found.group,
        "threads": found.threads,
        "without": without,
    }


def _spaces() -> Any:
    space = (opcodes.IN, [(opcodes.CATEGORY, opcodes.CATEGORY_SPACE)])
    return classes_of([CharacterSet(space, re.UNICODE).edges])


CLASSES = {
    "CountVectorizer": CountVectorizer(),
    "HashingVectorizer": HashingVectorizer(),
    "TfidfTransformer": TfidfTransformer(),
    "TfidfVectorizer": TfidfVectorizer(),
}
