"""What widgets make of pictures and texts, against NumPy and against programs in Python."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

import sclbl
from tests.web.browser import Browser, Page
from tests.web.hosting import Hosted, hosting

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
    ({"columns": {"count": 64, "kind": "float64"}}, {"scale": 16}, "chw", (64,)),
    ({"columns": [[f"p{k}", "float64"] for k in range(64)]}, {}, "chw", (64,)),
]


def test_rows_of_pictures_are_what_numpy_makes_of_the_same_bytes() -> None:
    cases, wanted = [], []
    for signature, options, order, shape in TAKEN:
        count = int(np.prod(shape))
        channels = 3 if count == 3072 else 1
        side = int((count / channels) ** 0.5)
        height, width = (4, 6) if count == 24 else (side, side)
        planes = RNG.integers(0, 256, (channels, height, width))
        mean, std = (
            np.reshape(options.get(key, default), (-1, 1, 1))
            for key, default in (("mean", 0), ("std", 1))
        )
        values = (planes / options.get("scale", 255) - mean) / std
        row = values.transpose(1, 2, 0) if order == "hwc" else values
        double = "float64" in json.dumps(signature)
        wanted.append(
            [
                "Float64Array" if double else "Float32Array",
                row.astype("float64" if double else "float32").ravel().tolist(),
                "x" if signature.get("inputs") else None,
            ]
        )
        cases.append([signature, options, planes.reshape(channels, -1).tolist()])
    found = asked(
        """return given.map(([signature, options, planes]) => {
            const rows = grid.rowsOf(planes, grid.gridOf(signature, options), options);
            const [name, values] = rows.x ? ["x", rows.x] : [null, rows];
            return [values.constructor.name, Array.from(values), name];
        });""",
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


@dataclass
class Pages:
    """Sites of models with widgets, where they are served, and one tab to look at them."""

    hosted: Hosted
    page: Page
    folder: Path

    def open(self, model: Any, example: Any, widget: str, **options: Any) -> sclbl.Program:
        """Build the site of a model and go there; return its program."""
        name = f"m{len(list(self.folder.iterdir()))}"
        deployment = sclbl.upload(model, example, name=name, registry=self.folder / name)
        site = self.folder / name / "site"
        deployment.site(site, widget=widget, options=options)
        for path in site.iterdir():
            self.hosted.replies[f"/{name}/{path.name}"] = path.read_bytes()
        self.page.goto(f"{self.hosted.url}/{name}/index.html")
        self.page.drive('await page.waitForSelector("#answer:not([aria-busy])")')
        return deployment.program

    def give(self, pixels: np.ndarray) -> None:
        """Choose a PNG file in the widget, and wait for what is said of it."""
        file = io.BytesIO()
        Image.fromarray(pixels.astype(np.uint8)).save(file, "png")
        self.page.run(
            """document.querySelector("#answer").replaceChildren();
            const bytes = Uint8Array.from(atob(given), (letter) => letter.charCodeAt(0));
            const files = new DataTransfer();
            files.items.add(new File([bytes], "picture.png", { type: "image/png" }));
            const input = document.querySelector("#picture");
            input.files = files.files;
            input.dispatchEvent(new Event("change"));
            while (!document.querySelector("#answer").hasChildNodes()) {
                await new Promise((go) => setTimeout(go, 5));
            }""",
            base64.b64encode(file.getvalue()).decode(),
        )

    def type(self, text: str) -> None:
        """Type a text in the widget, and wait for what is said of it."""
        self.page.run(
            """document.querySelector("#answer").replaceChildren();
            const box = document.querySelector("#text");
            box.value = given;
            box.dispatchEvent(new Event("input"));
            while (!document.querySelector("#answer").hasChildNodes()) {
                await new Promise((go) => setTimeout(go, 5));
            }""",
            text,
        )

    def bars(self) -> list[list[Any]]:
        """Return the labels and the numbers of the bars that are shown."""
        found: list[list[Any]] = self.page.evaluate(
            """Array.from(document.querySelectorAll("#answer .share"), (share) =>
                [share.parentElement.querySelector(".label").textContent,
                 Number(share.dataset.value)])"""
        )
        return found

    def moves(self) -> list[list[Any]]:
        """Return the words, and how far each moves the number."""
        found: list[list[Any]] = self.page.evaluate(
            """Array.from(document.querySelectorAll(".word"), (word) =>
                [word.textContent, Number(word.dataset.moves)])"""
        )
        return found

    @property
    def said(self) -> str:
        """What stands in the place of the answer."""
        return str(self.page.evaluate('document.querySelector("#answer").textContent'))


@pytest.fixture(scope="module")
def pages(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    with hosting() as hosted:
        yield Pages(hosted, chromium.page(), tmp_path_factory.mktemp("widgets"))


def gemm(*shape: int) -> bytes:
    """Return a network of one layer over pictures, with a softmax at its end."""
    weights = RNG.normal(size=(int(np.prod(shape)), 4)).astype(np.float32)
    nodes = [
        helper.make_node("Flatten", ["x"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["shares"]),
    ]
    values = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["rows", *sizes])
        for name, sizes in (("x", shape), ("shares", (4,)))
    ]
    graph = helper.make_graph(
        nodes, "layer", values[:1], values[1:], [numpy_helper.from_array(weights, "w")]
    )
    opset = helper.make_opsetid("", 17)
    return bytes(helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString())


@pytest.mark.parametrize(
    ("shape", "widget"),
    [
        ((9, 9), "canvas"),
        ((9, 9, 1), "image"),
        ((3, 9, 9), "canvas"),
        ((3, 9, 9), "image"),
        ((9, 9, 3), "image"),
    ],
    ids=str,
)
def test_pictures_of_every_form(pages: Pages, shape: tuple[int, ...], widget: str) -> None:
    labels = ["<b>a</b>", "b", "c", "d"]
    program = pages.open(gemm(*shape), None, widget, labels=labels, mean=0.25, std=0.5)
    picture = Image.fromarray(RNG.integers(0, 256, (9, 9, 3)).astype(np.uint8))
    pages.give(np.asarray(picture))
    if widget == "canvas" or 3 not in shape:
        picture = picture.convert("L")
    planes = np.moveaxis(np.asarray(picture.convert("RGB")), -1, 0)
    values = ((planes / 255 - 0.25) / 0.5).astype(np.float32)
    row = np.moveaxis(values, 0, shape.index(3)) if 3 in shape else values[0].reshape(shape)
    (wanted,) = program.run("shares", row[None])
    assert pages.bars() == [list(pair) for pair in zip(labels, wanted.tolist(), strict=True)]
    assert pages.page.said == []


def test_a_classifier_of_columns_that_are_pixels(pages: Pages) -> None:
    x, y = load_digits(return_X_y=True)
    names = np.array([f"digit {k}" for k in range(10)])
    model = GaussianNB(var_smoothing=0.1).fit(x[:500], names[y[:500]])
    pages.open(model, x[:3], "image", scale=15, top=3)
    pages.give(x[700].reshape(8, 8) * 15)
    wanted = sorted(zip(model.predict_proba(x[700:701])[0], names, strict=True), reverse=True)[:3]
    np.testing.assert_allclose([share for _, share in pages.bars()], [s for s, _ in wanted], 1e-12)
    assert [label for label, _ in pages.bars()] == [name for _, name in wanted]


TEXTS = [
    "red wine with fish",
    "white wine",
    "beer and crisps",
    "red beer",
    "fish and crisps",
    "tea",
]


def test_the_words_of_a_classifier_with_three_classes_and_of_a_regression(pages: Pages) -> None:
    text = "red  wine, wine & tea"
    without = ["  wine, wine & tea", "red  , wine & tea", "red  wine,  & tea", "red  wine, wine & "]
    classes = make_pipeline(CountVectorizer(), LogisticRegression()).fit(TEXTS, list("aabbcc"))
    program = pages.open(classes, TEXTS[:2], "text")
    pages.type(text)
    whole, *others = program.predict_proba([text, *without])
    place = int(whole.argmax())
    wanted = [whole[place] - other[place] for other in others]
    assert pages.moves() == [
        list(p) for p in zip(["red", "wine", "wine", "tea"], wanted, strict=True)
    ]
    assert pages.bars() == [list(pair) for pair in zip("abc", whole.tolist(), strict=True)]
    prices = make_pipeline(CountVectorizer(), Ridge()).fit(TEXTS, [9, 8, 3, 4, 6, 2.5])
    program = pages.open(prices, TEXTS[:2], "text")
    pages.type(text)
    number, *numbers = program.predict([text, *without])
    assert [move for _, move in pages.moves()] == [number - other for other in numbers]


def test_a_widget_that_does_not_fit_says_what_to_take(pages: Pages) -> None:
    model = Ridge().fit(RNG.normal(size=(9, 7)), np.arange(9.0))
    for widget, said in (
        ("text", "This model does not take one text. Take the form."),
        ("image", "Rows of 7 values are no picture; say its axes in the option shape."),
        ("canvas", "Rows of 7 values are no picture; say its axes in the option shape."),
    ):
        pages.open(model, np.zeros((1, 7)), widget)
        assert pages.said == said
