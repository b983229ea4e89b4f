"""TF-IDF and LogisticRegression: size, and prediction from Python on one thread.

Two models: words and pairs of them of the sentences in a folder of tab-separated files (text, tab,
0 or 1), and 100,000 words of seeded texts whose frequencies are Zipf's. Contenders are
scikit-learn and, where it is installed with skl2onnx, ONNX Runtime, each with the probabilities of
one short text, another one in every call, and of 1,000 texts.

    python benchmarks/text.py [folder]
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from _measure import duration, interleave, save, show
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

import sclbl
from sclbl.settings import use_threads

TERMS, WORDS, EACH = 100_000, 130_000, 40
Call = Callable[[Any], Any]


def sentences(folder: Path) -> tuple[list[str], np.ndarray]:
    """Return the texts of a folder's files, and their labels."""
    texts, labels = [], []
    for path in sorted(folder.glob("*.txt")):
        for line in path.read_text(encoding="utf-8").split("\n"):
            text, tab, label = line.rpartition("\t")
            if tab:
                texts.append(text)
                labels.append(int(label))
    return texts, np.array(labels)


def zipf() -> tuple[list[str], np.ndarray]:
    """Return texts of made-up words, the k-th of which is k times as rare as the first."""
    rng = np.random.default_rng(0)
    letters = np.array(list("etaoinshrdlucmfwypvbgkjqxz"))
    likely = 1 / np.arange(2, 28)
    lengths = np.clip(rng.poisson(7, size=WORDS), 2, 16)
    drawn = rng.choice(letters, size=int(lengths.sum()), p=likely / likely.sum())
    ends = np.cumsum(lengths)
    made = ("".join(drawn[a:b]) for a, b in zip(ends - lengths, ends, strict=True))
    words = np.array(list(dict.fromkeys(made)), dtype=object)
    chances = 1 / np.arange(1, len(words) + 1)
    # Every word once, so that there are as many as wanted, and the rest as they come.
    tokens = np.concatenate(
        [rng.permutation(words), rng.choice(words, size=12 * TERMS, p=chances / chances.sum())]
    )
    tokens = rng.permutation(tokens)
    texts = [" ".join(tokens[i : i + EACH]) for i in range(0, len(tokens), EACH)]
    return texts, rng.integers(2, size=len(texts))


def onnx_call(model: Pipeline) -> tuple[Call, int] | None:
    """Return what asks ONNX Runtime, and the bytes of its file; None where it does not convert."""
    try:
        import onnxruntime
        from skl2onnx import to_onnx
        from skl2onnx.common.data_types import StringTensorType
    except ImportError:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = to_onnx(
            model,
            initial_types=[("text", StringTensorType([None, 1]))],
            # The locale that every machine has.
            options={id(model): {"zipmap": False}, id(model[0]): {"locale": "C.UTF-8"}},
        ).SerializeToString()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(made, options, providers=["CPUExecutionProvider"])
    last = [session.get_outputs()[1].name]
    return lambda texts: session.run(last, {"text": np.array(texts)[:, None]}), len(made)


def measure(name: str, model: Pipeline, texts: list[str]) -> tuple[list[list[str]], dict[str, Any]]:
    """Return the rows of the table and the numbers of one model."""
    vocabulary = model[0].vocabulary_
    letters = sum(len(term.encode()) for term in vocabulary)
    program = sclbl.compile(model, texts[:5], methods=["predict_proba"])
    a_term = (program.size - letters) / len(vocabulary)
    found: dict[str, Any] = {
        "terms": len(vocabulary),
        "bytes": program.size,
        "bytes a term": a_term,
    }
    np.testing.assert_allclose(
        program.predict_proba(texts[:1000]), model.predict_proba(texts[:1000]), rtol=1e-12
    )
    sizes = f"{program.size:,} ({a_term:.2f} a term and its letters)"
    calls: dict[str, tuple[Call, str]] = {
        "sclbl": (program.predict_proba, sizes),
        "scikit-learn": (model.predict_proba, "-"),
    }
    other = onnx_call(model)
    if other is not None:
        calls["ONNX Runtime"] = (other[0], f"{other[1]:,}")
    short = [t for t in texts if 20 <= len(t) <= 300]
    ones = [[text] for text in short[:512]]
    many = [texts[i : i + 1000] for i in (0, 1000)]
    one = interleave({k: (call, ones) for k, (call, _) in calls.items()}, rounds=9)
    batch = interleave({k: (call, many) for k, (call, _) in calls.items()}, rounds=5)
    rows = []
    for k, (_, size) in calls.items():
        found[k] = {"one": one[k], "thousand": batch[k]}
        each = [duration(one[k]), f"{one[k] / one['sclbl']:.1f}"]
        each += [duration(batch[k]), f"{batch[k] / batch['sclbl']:.1f}"]
        rows.append([name, k, size, *each])
    return rows, found


def main() -> None:
    use_threads(1)
    made: dict[str, tuple[Pipeline, list[str]]] = {}
    if len(sys.argv) > 1:
        texts, labels = sentences(Path(sys.argv[1]))
        model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression())
        made["sentences, 1-2 words"] = (model.fit(texts, labels), texts)
    texts, labels = zipf()
    first = TfidfVectorizer(max_features=TERMS)
    model = make_pipeline(first, LogisticRegression(max_iter=20, tol=1e-2))
    made["Zipf, 100,000 words"] = (model.fit(texts, labels), texts)
    table, results = [], {}
    for name, (model, texts) in made.items():
        rows, results[name] = measure(name, model, texts)
        table += rows
    titles = ["model", "runs in", "bytes", "one text", "times", "1,000 texts", "times"]
    show("Text", titles, table)
    save("text", results)


if __name__ == "__main__":
    main()
