"""Compile a network for photos of CIFAR-10's ten classes, and write its site."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import helper

import sclbl
from examples.sites import write

NETWORK = Path(__file__).with_name("cifar10-resnet20.onnx")
LABELS = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
]  # fmt: skip
#: What the network was trained on: bytes / 255, less the mean, by the deviation of each channel.
MEAN = [0.4914, 0.4822, 0.4465]
STD = [0.2023, 0.1994, 0.2010]
DOCS = """\
Drop a photo: a residual network of 20 layers says which of ten things is on it, in your browser. It
knows airplane, automobile, bird, cat, deer, dog, frog, horse, ship and truck, and names one of
these whatever it is shown.

The largest square in the middle of the photo is made 32 by 32 pixels, each the mean of the area
that it covers. (Of a square with more than 1,024 pixels a side, your browser makes one of 1,024
first.) Network: "pytorch-cifar-models", chenyaofo, BSD 3-Clause, as Scailable's tutorials converted
it.
"""


def network() -> bytes:
    """Return the network with a softmax at its end: it gives probabilities in place of logits."""
    model = onnx.load(NETWORK)
    (logits,) = model.graph.output
    axes = [axis.dim_value for axis in logits.type.tensor_type.shape.dim]
    model.graph.node.append(helper.make_node("Softmax", [logits.name], ["probabilities"], axis=1))
    del model.graph.output[:]
    model.graph.output.append(
        helper.make_tensor_value_info("probabilities", onnx.TensorProto.FLOAT, axes)
    )
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def build(directory: Path) -> sclbl.Program:
    """Write the site into a folder, and return its program."""
    return write(
        "cifar10",
        network(),
        None,
        directory,
        docs=DOCS,
        widget="image",
        options={"label": "A photo", "labels": LABELS, "top": 5, "mean": MEAN, "std": STD},
    )
