"""Train the network for drawn digits on 8,000 images of MNIST, and test it on 2,000 others.

    pip install torch==2.13.0 onnx onnxscript
    python -m examples.digits.train FOLDER_OF_MNIST

It takes the 10,000 images of MNIST's test set. Every fifth one (positions 0, 5, 10, …) is kept for
the test. Written beside this file: `digits.onnx`, the network in inference mode with the running
mean of its weights, and `figures.json`.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from examples.digits.idx import read
from examples.intervals import wilson

HERE = Path(__file__).parent
SEED = 7
EPOCHS = 40
BATCH = 64


class Digits(nn.Module):
    """Five convolutions with batch normalisation, two poolings, dropout, one linear layer.

    It takes pictures of one channel with values from 0 (paper) to 1 (ink).
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *_block(1, 12),
            *_block(12, 16),
            nn.MaxPool2d(2),
            *_block(16, 24),
            *_block(24, 24),
            nn.MaxPool2d(2),
            nn.Dropout2d(0.1),
            *_block(24, 40),
        )
        self.classify = nn.Sequential(nn.Dropout(0.2), nn.Linear(40, 10))

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the logits of the ten digits."""
        return self.classify(self.features(pictures).mean(dim=(2, 3)))


class Probabilities(nn.Module):
    """The network as it is exported: probabilities in place of logits."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the probabilities of the ten digits."""
        return functional.softmax(self.network(pictures), dim=1)


def _block(channels: int, filters: int) -> list[nn.Module]:
    convolution = nn.Conv2d(channels, filters, 3, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(filters), nn.ReLU()]


def drawn_anew(pictures: Tensor, random: torch.Generator) -> Tensor:
    """Return pictures turned, slanted, scaled and moved, with thinner or thicker strokes.

    People draw with a mouse or a finger on a canvas otherwise than these writers did with a pen.
    """
    count = len(pictures)

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, generator=random)

    angle, slant = uniform(-0.3, 0.3), uniform(-0.3, 0.3)
    wide, high = uniform(0.82, 1.18), uniform(0.82, 1.18)
    cos, sin = torch.cos(angle), torch.sin(angle)
    first = torch.stack([cos / wide, (slant * cos - sin) / wide, uniform(-0.15, 0.15)], dim=1)
    second = torch.stack([sin / high, (slant * sin + cos) / high, uniform(-0.15, 0.15)], dim=1)
    grid = functional.affine_grid(
        torch.stack([first, second], dim=1), list(pictures.shape), align_corners=False
    )
    moved = functional.grid_sample(pictures, grid, align_corners=False)
    thick = functional.max_pool2d(moved, 3, 1, 1)
    thin = -functional.max_pool2d(-moved, 3, 1, 1)
    stroke = uniform(-0.5, 0.9).reshape(-1, 1, 1, 1)
    return torch.where(
        stroke > 0, moved + stroke * (thick - moved), moved - stroke * (thin - moved)
    )


def fit(pictures: Tensor, digits: Tensor) -> nn.Module:
    """Return the trained network: the running mean of its weights, in inference mode."""
    torch.manual_seed(SEED)
    random = torch.Generator().manual_seed(SEED)
    network = Digits()
    mean = torch.optim.swa_utils.AveragedModel(
        network,
        multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.998),
        use_buffers=True,
    )
    steps = math.ceil(len(pictures) / BATCH) * EPOCHS
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps=steps)
    for epoch in range(EPOCHS):
        total = 0.0
        for batch in torch.randperm(len(pictures), generator=random).split(BATCH):
            optimizer.zero_grad()
            logits = network(drawn_anew(pictures[batch], random))
            loss = functional.cross_entropy(logits, digits[batch], label_smoothing=0.05)
            loss.backward()
            optimizer.step()
            schedule.step()
            mean.update_parameters(network)
            total += loss.item() * len(batch)
        print(f"epoch {epoch + 1} of {EPOCHS}: loss {total / len(pictures):.4f}", flush=True)
    return mean.module.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="where the two t10k files of MNIST are")
    folder = parser.parse_args().folder
    pictures = read(folder / "t10k-images-idx3-ubyte.gz")
    digits = read(folder / "t10k-labels-idx1-ubyte.gz")
    held = np.arange(len(digits)) % 5 == 0
    x = torch.tensor(pictures[:, None] / np.float32(255), dtype=torch.float32)
    y = torch.tensor(digits.astype(np.int64))
    network = fit(x[~held], y[~held])
    with torch.no_grad():
        found = network(x[held]).argmax(dim=1)
    right, count = int((found == y[held]).sum()), int(held.sum())
    low, high = wilson(right, count)
    weights = sum(p.numel() for p in network.parameters())
    figures = {
        "train": int((~held).sum()), "test": count, "right": right,
        "accuracy": right / count, "low": round(low, 4), "high": round(high, 4), "weights": weights,
    }  # fmt: skip
    print(figures)
    # The exporter that traces a module keeps batch normalisation as nodes of their own.
    torch.onnx.export(
        Probabilities(network).eval(),
        (x[:1],),
        HERE / "digits.onnx",
        input_names=["picture"],
        output_names=["probabilities"],
        dynamic_axes={"picture": {0: "rows"}, "probabilities": {0: "rows"}},
        opset_version=18,
        dynamo=False,
        do_constant_folding=False,
        training=torch.onnx.TrainingMode.PRESERVE,
    )
    (HERE / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
