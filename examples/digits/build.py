"""Compile the network for drawn digits, and write its site."""

from __future__ import annotations

import json
from pathlib import Path

import sclbl
from examples.intervals import in_words
from examples.sites import write

HERE = Path(__file__).parent
DOCS = """\
Draw a digit: a convolution network reads it with each stroke, in your browser. It was trained on
{train:,} images of MNIST; of {test:,} others it reads {share} rightly.

Five convolutions with batch normalisation, dropout, {weights:,} weights. What you draw is scaled
so that its longer side fills 20 of 28 pixels, and moved until its centre of mass is in the middle,
as the digits of MNIST were (Y. LeCun, C. Cortes, C. Burges).
"""


def build(directory: Path) -> sclbl.Program:
    """Write the site into a folder, and return its program."""
    figures = json.loads((HERE / "figures.json").read_text(encoding="utf-8"))
    share = in_words(figures["right"], figures["test"])
    return write(
        "digits",
        (HERE / "digits.onnx").read_bytes(),
        None,
        directory,
        docs=DOCS.format(share=share, **figures),
        widget="canvas",
        options={
            "label": "Draw a digit, 0 to 9",
            "file": "Or give a picture of a digit",
            "prompt": "Draw a digit, and its probabilities stand here.",
            "labels": [str(digit) for digit in range(10)],
        },
    )
