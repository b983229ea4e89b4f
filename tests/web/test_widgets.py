"""What widgets make of pictures, against NumPy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

WIDGETS = Path(__file__).parents[2] / "sclbl" / "web" / "page" / "widgets"
NODE = Path(sys.executable).with_name("node")
RNG = np.random.default_rng(5)

pytestmark = pytest.mark.browser


def asked(body: str, given: Any) -> Any:
    """Run statements in Node, with `grid.js` as `grid`; return what they return."""
    code = f"""
        const grid = await import({json.dumps((WIDGETS / "grid.js").as_uri())});
        const chunks = [];
        for await (const chunk of process.stdin) chunks.push(chunk);
        const given = JSON.parse(Buffer.concat(chunks).toString());
        const answer = (() => {{ {body} }})();
        process.stdout.write(JSON.stringify(answer));
    """
    done = subprocess.run(
        [NODE, "--input-type=module", "-e", code],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def columns(count: int, **more: Any) -> dict[str, Any]:
    return {"columns": {"count": count, "kind": "float32"}, **more}


def tensor(*shape: int, **more: Any) -> dict[str, Any]:
    inputs = [{"name": "x", "kind": "tensor", "dtype": "float32", "shape": shape}]
    return {"columns": [], "inputs": inputs, **more}


SCALED = {"mean": [0.4914, 0.4822, 0.4465], "std": [0.2023, 0.1994, 0.201]}
#: The signature, the options, and how a row is made of ``[channels, height, width]``.
TAKEN: list[tuple[dict[str, Any], dict[str, Any], str, tuple[int, ...]]] = [
    (columns(784), {}, "chw", (784,)),
    (columns(784, shape=[28, 28]), {}, "hw", (28, 28)),
    (columns(784, shape=[1, 28, 28]), {"scale": 1}, "chw", (1, 28, 28)),
    (columns(784, shape=[28, 28, 1]), {"mean": 0.13, "std": 0.31}, "hwc", (28, 28, 1)),
    (columns(3072, shape=[3, 32, 32]), SCALED, "chw", (3, 32, 32)),
    (columns(3072, shape=[32, 32, 3]), SCALED, "hwc", (32, 32, 3)),
    (columns(3072), SCALED, "chw", (3072,)),
    (columns(3072), {**SCALED, "shape": [32, 32, 3]}, "hwc", (3072,)),
    (columns(24), {"shape": [4, 6]}, "chw", (24,)),
    (tensor(1, 8, 8), {}, "chw", (1, 8, 8)),
    (columns(64, shape=[1, 1, 8, 8], one_row=True), {}, "chw", (1, 1, 8, 8)),
]


def test_rows_of_pictures_are_what_numpy_makes_of_the_same_bytes() -> None:
    cases, wanted = [], []
    for signature, options, order, shape in TAKEN:
        channels = 3 if int(np.prod(shape)) == 3072 else 1
        height, width = (
            options.get("shape", [0])[:2]
            if len(options.get("shape", [])) == 2
            else (int((np.prod(shape) / channels) ** 0.5),) * 2
        )
        planes = RNG.integers(0, 256, (channels, height, width))
        mean, std = (
            np.reshape(options.get(key, default), (-1, 1, 1))
            for key, default in (("mean", 0), ("std", 1))
        )
        values = (planes / options.get("scale", 255) - mean) / std
        row = (values.transpose(1, 2, 0) if order == "hwc" else values).reshape(shape).tolist()
        rows = row if signature.get("one_row") else [row]
        wanted.append({"x": rows} if signature.get("inputs") else rows)
        cases.append([signature, options, planes.reshape(channels, -1).tolist()])
    found = asked(
        """return given.map(([signature, options, planes]) =>
            grid.rowsOf(planes, grid.gridOf(signature, options), options));""",
        cases,
    )
    for case, one, other in zip(TAKEN, found, wanted, strict=True):
        assert one == other, case


def test_what_is_no_picture_is_refused() -> None:
    refused = asked(
        """return given.map(([signature, options]) => {
            try { grid.gridOf(signature, options); } catch (error) { return error.message; }
            return null;
        });""",
        [
            [columns(7), {}],
            [columns(50, shape=[2, 5, 5]), {}],
            [columns(784), {"shape": [28, 27]}],
            [{**tensor(8, 8), "columns": {"count": 3, "kind": "float64"}}, {}],
        ],
    )
    assert [text and text.partition(";")[0].partition(".")[0] for text in refused] == [
        "Rows of 7 values are no picture",
        "Rows of 2 by 5 by 5 values are no picture",
        "Rows of 784 values are no picture",
        "A picture is one input",
    ]


def shares(length: int, begin: float, step: float, count: int) -> np.ndarray:
    """How much of each pixel lies in each cell of a line."""
    low = begin + step * np.arange(count)[:, None]
    pixels = np.arange(length)
    return np.clip(np.minimum(pixels + 1, low + step) - np.maximum(pixels, low), 0, None)


@pytest.mark.parametrize(
    ("size", "raster", "cells"),
    [
        ((40, 60), (0, 0, 2.0, 2.0), (20, 30)),
        ((37, 53), (0, 0, 37 / 28, 53 / 28), (28, 28)),
        ((37, 53), (-6.25, 3.7, 1.9, 1.3), (28, 28)),
        ((5, 9), (0, 0, 9 / 32, 5 / 32), (32, 32)),
        ((9, 9), (-50.5, 2, 1, 1), (4, 4)),
    ],
)
def test_a_pixel_counts_by_the_area_that_it_shares(
    size: tuple[int, int], raster: tuple[float, ...], cells: tuple[int, int]
) -> None:
    plane = RNG.integers(0, 256, size)
    left, top, across, down = raster
    found = asked(
        """const { plane, size, raster, cells } = given;
        const values = grid.averaged(plane, size, raster, cells);
        return [Array.from(values), Array.from(grid.bytes(values))];""",
        {
            "plane": plane.ravel().tolist(),
            "size": {"height": size[0], "width": size[1]},
            "raster": {"left": left, "top": top, "across": across, "down": down},
            "cells": {"height": cells[0], "width": cells[1]},
        },
    )
    rows = shares(size[0], top, down, cells[0])
    lines = shares(size[1], left, across, cells[1])
    wanted = rows @ plane @ lines.T / (across * down)
    np.testing.assert_allclose(np.reshape(found[0], cells), wanted, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(found[1], np.floor(np.array(found[0]) + 0.5))
