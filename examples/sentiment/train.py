"""Fit the sentiment of a sentence: TF-IDF of single words and logistic regression.

    python -m examples.sentiment.train

Of the 2,982 different sentences in `sentences.tsv` every third one (positions 2, 5, 8, …) is kept
for the test. Cross-validation on the others chooses the strength of the penalty.
"""

from __future__ import annotations

from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegressionCV
from sklearn.pipeline import Pipeline, make_pipeline

from examples.intervals import in_words

SENTENCES = Path(__file__).with_name("sentences.tsv")
LABELS = {"0": "negative", "1": "positive"}


def read() -> dict[str, str]:
    """Return the different sentences with their labels, in the order of the file."""
    found: dict[str, str] = {}
    for line in SENTENCES.read_text(encoding="utf-8").split("\n"):
        sentence, _, label = line.rpartition("\t")
        if sentence:
            found.setdefault(sentence, LABELS[label])
    return found


def train() -> tuple[Pipeline, list[str], list[str]]:
    """Return the fitted pipeline, and sentences that it has not seen with their labels."""
    known = list(read().items())
    seen = [pair for k, pair in enumerate(known) if k % 3 != 2]
    unseen = known[2::3]
    # Words that only one sentence has say little, and would take half of the page's bytes.
    words = TfidfVectorizer(min_df=2, sublinear_tf=True)
    classify = LogisticRegressionCV(
        Cs=[0.3, 1, 3, 10, 30],
        l1_ratios=(0,),
        scoring="neg_log_loss",
        use_legacy_attributes=False,
    )
    model = make_pipeline(words, classify)
    model.fit([sentence for sentence, _ in seen], [label for _, label in seen])
    return model, [sentence for sentence, _ in unseen], [label for _, label in unseen]


def accuracy(model: Pipeline, sentences: list[str], labels: list[str]) -> str:
    """Return how many sentences are labelled rightly, in words."""
    found = model.predict(sentences)
    right = sum(a == b for a, b in zip(found, labels, strict=True))
    return in_words(right, len(labels))


if __name__ == "__main__":
    print(f"right: {accuracy(*train())}")
