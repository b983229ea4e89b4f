"""One row with text goes a short way to its blocks, which gives what the long way gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sclbl.errors import SclblError
from sclbl.rows import Encoder, infer
from sclbl.rows.blocks import Blocks

EXAMPLES = (
    pd.DataFrame({"x": [1.5, 2.0], "city": ["a", "b"], "k": [1, 2], "old": [True, False]}),
    pd.DataFrame({"x": np.array([1.5, 2.0], np.float32), "city": ["a", "b"]}),
    pd.DataFrame({"city": ["a", None], "x": [1.5, np.nan]}, dtype=object),
    pd.DataFrame({"city": ["a", "b"]}),
    pd.DataFrame({"city": ["a", "b"], "plan": pd.Categorical(["p", "q"])}),
)
VALUES: tuple[Any, ...] = (
    1.5, -0.0, 3, 2**53, -(2**53) - 1, 2**70, True, False, None, float("nan"), float("inf"),
    "a", "", "Köln", "\ud800", "1", b"a", np.float64(2.5), np.float32(0.1), np.int64(4),
    np.bool_(True), np.str_("b"), pd.NA, [1.0], 1j,
)  # fmt: skip


def encoded(encoder: Encoder, rows: Any) -> Any:
    """Return blocks as plain values, or the error in their place."""
    try:
        blocks: Blocks = encoder.encode(rows)
    except SclblError as error:
        return type(error), str(error)
    numeric = None if blocks.numeric is None else (blocks.numeric.tobytes(), blocks.numeric.dtype)
    kinds = [
        None if t.kinds is None or not t.kinds.any() else t.kinds.tolist() for t in blocks.text
    ]
    texts = [
        (t.offsets.tolist(), bytes(t.data), k) for t, k in zip(blocks.text, kinds, strict=True)
    ]
    return blocks.rows, numeric, texts


def ways(example: pd.DataFrame) -> tuple[Encoder, Encoder]:
    """Return an encoder, and one that knows the long way alone."""
    signature = infer.infer(example)
    short, long = Encoder(signature), Encoder(signature)
    long._record = None
    return short, long


@pytest.mark.parametrize("place", range(len(EXAMPLES)))
@settings(max_examples=150, deadline=None, database=None)
@given(st.data())
def test_the_short_way_gives_what_the_long_way_gives(place: int, data: st.DataObject) -> None:
    example = EXAMPLES[place]
    short, long = ways(example)
    names = [*example.columns, *data.draw(st.sampled_from([[], [], ["more"]]))]
    row = {n: data.draw(st.sampled_from(VALUES)) for n in data.draw(st.permutations(names))}
    if data.draw(st.booleans()):
        plain = example.iloc[0].to_dict()
        row.update({n: plain[n] for n in list(plain)[1:]})
    for rows in (row, [row], [row, row]):
        assert encoded(short, rows) == encoded(long, rows)
    try:
        frame = pd.DataFrame({n: [v] for n, v in row.items()})
    except (TypeError, ValueError, UnicodeEncodeError):  # pandas does not hold it
        return
    assert encoded(short, frame) == encoded(long, frame)
    assert encoded(short, frame.astype(object)) == encoded(long, frame.astype(object))


def test_plain_rows_go_the_short_way() -> None:
    example = EXAMPLES[0]
    encoder, _ = ways(example)
    assert encoder._record is not None
    row = {"x": 1.5, "city": "Köln", "k": 3, "old": True}
    assert encoder._one(row) is not None
    assert encoder._one({**row, "x": None}) is None
    assert encoder._one({**row, "more": 1}) is None
