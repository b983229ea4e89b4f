"""sklearn.feature_extraction, and models after it."""

from __future__ import annotations

from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from tests.conformance.domains import SCORE, WORDS
from tests.conformance.ragged import RaggedSubject
from tests.conformance.ragged_rows import ODD, dicts, lists, pairs
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
)  # fmt: skip
