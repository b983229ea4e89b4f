"""sklearn.feature_extraction, and models after it."""

from __future__ import annotations

from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from tests.conformance.domains import SCORE, WORDS
from tests.conformance.ragged import RaggedSubject
from tests.conformance.ragged_rows import ODD, dicts, documents, lists, pairs, sparse
from tests.conformance.subject import Subject, fitted

_MODEL = DecisionTreeClassifier(max_depth=8, random_state=0)

SUBJECTS: tuple[Subject, ...] = ()
RAGGED = (
    RaggedSubject("FeatureHasher", fitted(FeatureHasher(64)), dicts(odd=ODD)),
    RaggedSubject("FeatureHasher, few columns",
                  fitted(FeatureHasher(3, alternate_sign=False)), dicts()),
    RaggedSubject("FeatureHasher, pairs", fitted(FeatureHasher(16, input_type="pair")), pairs),
    RaggedSubject("FeatureHasher, texts", fitted(FeatureHasher(5, input_type="string")), lists),
    RaggedSubject("DictVectorizer", fitted(DictVectorizer()), dicts(odd=ODD)),
    RaggedSubject("DictVectorizer, dense", fitted(DictVectorizer(sparse=False)), dicts()),
    RaggedSubject("DictVectorizer, unsorted", fitted(DictVectorizer(sort=False)), dicts(False)),
    RaggedSubject("Pipeline, hashed, LogisticRegression", fitted(make_pipeline(
                  FeatureHasher(32, input_type="string"), LogisticRegression()), WORDS),
                  lists, rtol=1e-12),
    RaggedSubject("Pipeline, dicts, Ridge", fitted(make_pipeline(
                  DictVectorizer(), Ridge()), SCORE), dicts(), rtol=1e-12),
    RaggedSubject("Pipeline, dicts, DecisionTreeClassifier", fitted(make_pipeline(
                  DictVectorizer(), _MODEL), WORDS), dicts()),
    RaggedSubject("CountVectorizer", fitted(CountVectorizer()), documents),
    RaggedSubject("CountVectorizer, n-grams", fitted(CountVectorizer(
                  ngram_range=(1, 3), stop_words=["the", "straße"], strip_accents="unicode",
                  token_pattern=r"(?i)\b([a-zåïǆ\d]+)\b|\w+")), documents),
    RaggedSubject("CountVectorizer, characters", fitted(CountVectorizer(
                  analyzer="char", ngram_range=(2, 3), lowercase=False, binary=True)), documents),
    RaggedSubject("TfidfVectorizer", fitted(TfidfVectorizer(stop_words="english")), documents),
    RaggedSubject("TfidfVectorizer, char_wb", fitted(TfidfVectorizer(
                  analyzer="char_wb", ngram_range=(1, 4), norm="l1", sublinear_tf=True,
                  strip_accents="ascii")), documents, rtol=1e-14),
    RaggedSubject("HashingVectorizer", fitted(HashingVectorizer(n_features=3000)), documents),
    RaggedSubject("HashingVectorizer, few columns", fitted(HashingVectorizer(
                  n_features=7, alternate_sign=False, norm=None, binary=True)), documents),
    RaggedSubject("TfidfTransformer", fitted(TfidfTransformer()), sparse()),
    RaggedSubject("Pipeline, TF-IDF, LogisticRegression", fitted(make_pipeline(
                  TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression()), WORDS), documents,
                  rtol=1e-12),
    RaggedSubject("Pipeline, counts, TfidfTransformer, LinearSVC", fitted(make_pipeline(
                  make_union(CountVectorizer(), CountVectorizer(analyzer="char_wb")),
                  TfidfTransformer(), LinearSVC()), WORDS), documents, rtol=1e-12),
)  # fmt: skip
