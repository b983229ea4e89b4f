"""Texts: every option of the vectorizers, what they stand beside, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
    strip_accents_unicode,
)
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import sclbl
from sclbl.errors import InputError, MissingValueError, SclblError, UnsupportedModelError
from sclbl.json_rows import read_json
from sclbl.onnx_format import read, write
from sclbl.strippers import strip
from tests.conformance.ragged_rows import documents

TEXTS = documents(160, 0)
OTHERS = [*documents(300, 1), "", " \n", "x" * 5000]
Y = np.arange(len(TEXTS)) % 2
NAMES = np.array(["no", "yes"])[Y]


def same(model: Any, given: Any = TEXTS, rows: Any = OTHERS) -> sclbl.Program:
    """Compare a model with its program: sparse rows to the bit where they are counts."""
    program = sclbl.compile(model, given[:5])
    for method in program.methods:
        with np.errstate(divide="ignore"):
            theirs = getattr(model, method)(rows)
        if hasattr(theirs, "tocsr"):
            ours = program.run(method, rows, output="sparse")
            assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
            np.testing.assert_array_equal(ours.indptr, theirs.indptr)
            np.testing.assert_array_equal(ours.indices, theirs.indices)
            np.testing.assert_allclose(
                ours.data, theirs.data, rtol=1e-6 if ours.dtype == np.float32 else 1e-14
            )
        else:
            ours = getattr(program, method)(rows)
            if theirs.dtype.kind == "f":
                np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)
            else:
                np.testing.assert_array_equal(ours, theirs)
                assert ours.dtype == theirs.dtype
    return program


@pytest.mark.parametrize(
    "model",
    [
        CountVectorizer(dtype=np.float32, max_df=0.9, min_df=2, max_features=9),
        CountVectorizer(dtype=np.int32, lowercase=False, token_pattern=r"\S+"),
        CountVectorizer(vocabulary=["zebra", "good", "bad", "a b"], token_pattern=r"\w+"),
        CountVectorizer(vocabulary={"film": 1, "the": 0}, binary=True, ngram_range=(1, 1)),
        CountVectorizer(strip_accents=strip_accents_unicode, ngram_range=(2, 2)),
        CountVectorizer(token_pattern=r"#?(\w+)", stop_words=["a", "film"], ngram_range=(2, 4)),
        CountVectorizer(analyzer="char", strip_accents="ascii"),
        CountVectorizer(analyzer="char_wb", ngram_range=(3, 9), stop_words=None),
        HashingVectorizer(norm="l1", analyzer="char", ngram_range=(1, 2)),
        HashingVectorizer(n_features=1, norm=None, dtype=np.float32),
        HashingVectorizer(n_features=50, binary=True, norm="l2"),
        TfidfVectorizer(use_idf=False, norm=None, sublinear_tf=True),
        TfidfVectorizer(smooth_idf=False, dtype=np.float32, binary=True),
    ],
    ids=lambda m: repr(m)[:60],
)
def test_vectorizers(model: Any) -> None:
    same(model.fit(TEXTS))


def test_text_in_other_containers() -> None:
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, NAMES)
    expected = model.predict(OTHERS)
    series = pd.Series(TEXTS)
    for example in (TEXTS, tuple(TEXTS), series, np.array(TEXTS), np.array(TEXTS, dtype=object),
                    series.astype("string"), pl.Series(TEXTS)):  # fmt: skip
        program = sclbl.compile(model, example[:4])
        for rows in (OTHERS, pd.Series(OTHERS), np.array(OTHERS), pl.Series(OTHERS),
                     pd.DataFrame({"text": OTHERS}), [[text] for text in OTHERS]):  # fmt: skip
            np.testing.assert_array_equal(program.predict(rows), expected)
    assert program.predict(["good film"]).shape == (1,)
    assert np.array_equal(program.predict(OTHERS[:1]), expected[:1])


def test_texts_of_megabytes() -> None:
    """The memory grows during a call, and is seen again after it."""
    model = make_pipeline(CountVectorizer(ngram_range=(1, 2)), LogisticRegression()).fit(TEXTS, Y)
    program = sclbl.compile(model, TEXTS[:3], methods=["decision_function"])
    rows = [
        " ".join(OTHERS),
        "É good " * 300_000,
        "Σ" * 1_000_000,
        *OTHERS,
        "bad the film " * 99_999,
    ]
    for _ in range(2):
        found = program.decision_function(rows)
        np.testing.assert_allclose(found, model.decision_function(rows), rtol=1e-12)
        np.testing.assert_array_equal(program.decision_function(rows[3:9]), found[3:9])


FRAME = pd.DataFrame(
    {
        "n": np.arange(len(TEXTS)) % 7 / 3,
        "text": TEXTS,
        "k": np.arange(len(TEXTS)) % 5,
        "c": np.array(list("abcd"))[np.arange(len(TEXTS)) % 4],
    }
)
SCALED = ("n", StandardScaler(), ["n", "k"])


@pytest.mark.parametrize(
    "columns",
    [
        ColumnTransformer([("t", TfidfVectorizer(), "text"), SCALED, ("c", OneHotEncoder(), ["c"])],
                          sparse_threshold=1.0),
        make_column_transformer((CountVectorizer(), "text"), ("passthrough", ["k"])),
        make_column_transformer((CountVectorizer(binary=True), "text"), remainder="drop"),
        ColumnTransformer([SCALED, ("t", TfidfVectorizer(), "text")], sparse_threshold=0,
                          transformer_weights={"t": 0.5}),
        ColumnTransformer([("t", HashingVectorizer(n_features=9, norm=None), "text")],
                          remainder="passthrough", sparse_threshold=0.01),
    ],
    ids=["mixed", "integers", "text", "dense", "hashed"],
)  # fmt: skip
@pytest.mark.parametrize("last", [Ridge(), DecisionTreeClassifier(max_depth=5, random_state=0)])
def test_a_column_of_a_table(columns: ColumnTransformer, last: Any) -> None:
    frame = FRAME.drop(columns="c") if columns.remainder == "passthrough" else FRAME
    same(make_pipeline(columns, last).fit(frame, Y), frame, frame.sample(99, random_state=1))


def test_compositions() -> None:
    union = make_union(TfidfVectorizer(), CountVectorizer(analyzer="char_wb"))
    same(make_pipeline(union, SGDClassifier(random_state=0)).fit(TEXTS, NAMES))
    weighted = make_union(HashingVectorizer(n_features=64), CountVectorizer())
    weighted.set_params(transformer_weights={"countvectorizer": 0.1})
    same(weighted.fit(TEXTS))
    inner = make_pipeline(CountVectorizer(), TfidfTransformer(norm="l1"), LogisticRegression())
    same(GridSearchCV(inner, {"logisticregression__C": [1, 9]}, cv=2).fit(TEXTS, NAMES))


def test_weights_of_dense_rows() -> None:
    counts = np.array([[0.0, 2, 1], [3, 0, 0], [0, 0, 0], [1, 1, 5]])
    same(TfidfTransformer(sublinear_tf=True).fit(counts), counts, counts)
    with pytest.raises(InputError):
        sclbl.compile(TfidfTransformer().fit(counts), counts).transform([[0, np.nan, 1]])


def test_small_programs() -> None:
    rng = np.random.default_rng(0)
    words = ["".join(chr(97 + c) for c in rng.integers(26, size=7)) for _ in range(12_000)]
    rows = [" ".join(rng.choice(words, size=40)) for _ in range(600)]
    model = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=5, C=1e-3))
    model.fit(rows, np.arange(600) % 2)
    terms = [term.encode() for term in model[0].vocabulary_]
    program = sclbl.compile(model, rows[:3], methods=["predict"])
    fixed = 40_000  # code, tables of characters, manifest
    assert len(program.wasm) < 12 * len(terms) + sum(map(len, terms)) + fixed


def test_missing_text_is_refused() -> None:
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, Y)
    program = sclbl.compile(model, TEXTS[:3])
    for missing in (None, np.nan, pd.NA):
        rows = np.array([["good"], [missing]], dtype=object)
        with pytest.raises((ValueError, AttributeError)):
            model.predict(rows[:, 0])
        with pytest.raises(MissingValueError) as refused:
            program.predict(rows)
        assert refused.value.row == 1
    for given in (["good", None], ["good", np.nan]):
        with pytest.raises(MissingValueError) as refused:
            program.predict(given)
        assert refused.value.row == 1
    with pytest.raises(MissingValueError):
        program.predict(read_json(b'["good", null]', program.signature))
    for rows in ([3], [b"x"], "good", [["a", "b"]]):
        with pytest.raises(SclblError):
            program.predict(rows)


def test_files_and_servers(tmp_path: Any) -> None:
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, NAMES)
    spec = strip(model, TEXTS[:3])
    assert read(write(spec)).sha256 == spec.sha256
    program = sclbl.compile(model, TEXTS[:3])
    rows = read_json(json.dumps(OTHERS[:9]).encode(), program.signature)
    np.testing.assert_array_equal(program.predict(rows), model.predict(OTHERS[:9]))


def own(text: str) -> str:
    return text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"analyzer": str.split}, "FeatureHasher"),
        ({"tokenizer": str.split}, "token_pattern"),
        ({"preprocessor": own}, "preprocessor=...*function of your own"),
        ({"strip_accents": own}, "strip_accents=...*'ascii' or 'unicode'"),
        ({"token_pattern": r"\w+(?=\s)"}, "looks ahead"),
        ({"token_pattern": r"(?<!x)\w+"}, "looks ahead or behind"),
        ({"token_pattern": r"(\w)\1"}, "refers back"),
        ({"token_pattern": r"\w++"}, "possessive"),
        ({"token_pattern": r"(?>\w+)"}, "atomic"),
        ({"token_pattern": r"(?:a*)*b"}, "repeats what may be empty"),
        ({"token_pattern": r"\w+$"}, "has .*\\\\Z"),
        ({"token_pattern": r"(?:\w{200}){200}"}, "too long"),
        ({"token_pattern": r"(?:\w?\d){60}[a-f]{30}x"}, "too large|too long"),
        ({"dtype": np.uint8}, "dtype=uint8"),
        ({"ngram_range": (0, 2)}, "from 1 on"),
    ],
)
def test_refusals(options: dict[str, Any], said: str) -> None:
    model = CountVectorizer(vocabulary=["a", "b"]).fit(TEXTS).set_params(**options)
    with pytest.raises(UnsupportedModelError, match=said):
        strip(model, TEXTS[:3])


def test_files_of_texts_are_refused() -> None:
    model = CountVectorizer().fit(TEXTS).set_params(input="filename")
    with pytest.raises(UnsupportedModelError, match="opens no files"):
        strip(model, TEXTS[:3])
    changed = TfidfTransformer().fit(np.eye(3)).set_params(use_idf=False)
    with pytest.raises(UnsupportedModelError, match="fitted otherwise"):
        strip(changed, np.eye(3))
