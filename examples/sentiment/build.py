"""Fit and compile the sentiment of a sentence, and write its site."""

from __future__ import annotations

from pathlib import Path

import sclbl
from examples.sentiment.train import accuracy, train
from examples.sites import write

DOCS = """\
Type a sentence: is it positive or negative? Each word is coloured by how far the probability moves
when the same program is asked without it.

Logistic regression on the TF-IDF of single words: it knows no grammar, so "not bad" is two bad
words to it. Fitted on two thirds of 2,982 sentences about films, products and restaurants; of the
other {count} it labels {share} rightly. Sentences: "Sentiment Labelled Sentences", D. Kotzias et
al. 2015, UCI Machine Learning Repository, CC BY 4.0.
"""
EXAMPLE = "The food was great, but the waiter was slow and rude."


def build(directory: Path) -> sclbl.Program:
    """Write the site into a folder, and return its program."""
    model, sentences, labels = train()
    return write(
        "sentiment",
        model,
        sentences[:3],
        directory,
        docs=DOCS.format(count=len(labels), share=accuracy(model, sentences, labels)),
        widget="text",
        options={"label": "A sentence in English", "example": EXAMPLE, "follow": "positive"},
        methods=["predict", "predict_proba"],
        verify_on=sentences,
    )
