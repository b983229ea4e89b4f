"""Programs in Node, beside wasmtime: results as bytes, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sclbl.errors import (
    InfiniteValueError,
    InputError,
    MissingValueError,
    OutOfRangeError,
    OutOfReachError,
    UnknownCategoryError,
)
from sclbl.program import Program
from sclbl.rows import Blocks
from sclbl.signature import Signature
from tests.runtime.host import Host, request_of, results_of

#: NaN of both signs, quiet and signalling, with several payloads; the first is what programs write.
NANS: dict[str, tuple[int, ...]] = {
    "float64": (
        0x7FF8000000000000, 0xFFF8000000000000, 0x7FF8000000000001, 0xFFFC0000DEADBEEF,
        0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF, 0x7FF0000000000001, 0xFFF0000000000001,
        0x7FF4DEAD00000000, 0xFFF7FFFFFFFFFFFF,
    ),
    "float32": (
        0x7FC00000, 0xFFC00000, 0x7FC00001, 0xFFE0BEEF, 0x7FFFFFFF, 0xFFFFFFFF, 0x7F800001,
        0xFF800001, 0x7FA0DEAD, 0xFFBFFFFF,
    ),
}  # fmt: skip
_BITS = {"float64": np.uint64, "float32": np.uint32}
_CODES: dict[type[InputError], int] = {
    MissingValueError: 1,
    InfiniteValueError: 2,
    UnknownCategoryError: 3,
    OutOfRangeError: 6,
    OutOfReachError: 7,
}


def with_every_nan(blocks: Blocks) -> Blocks:
    """Return rows whose missing numbers are NaN of every sort."""
    if blocks.numeric is None:
        return blocks
    numeric = np.array(blocks.numeric, order="C")
    name = numeric.dtype.name
    bits, missing = numeric.view(_BITS[name]), np.isnan(numeric)
    bits[missing] = np.resize(np.array(NANS[name], dtype=_BITS[name]), missing.sum())
    return replace(blocks, numeric=numeric)


def other_nans(result: np.ndarray) -> int:
    """Return how many NaN of a result are not the one quiet NaN."""
    if result.dtype.kind != "f":
        return 0
    bits = np.ascontiguousarray(result).view(_BITS[result.dtype.name])
    return int((np.isnan(result) & (bits != NANS[result.dtype.name][0])).sum())


def in_wasmtime(program: Program, method: str, blocks: Blocks) -> Any:
    """Return the bytes of each result, texts, or what is refused: code, row, column."""
    try:
        if program.signature.inputs or not program.signature.outputs[method].is_plain:
            return results_of(program.module.general(method, blocks))
        return results_of((program.module.call(method, blocks),))
    except InputError as error:
        columns = program.signature.columns
        labels = [program.signature.label_of(i) for i in range(len(columns))]
        # Of sparse rows the column is its number.
        place = labels.index(error.column) if error.column in labels else int(error.column or -1)
        return {"refused": [_CODES[type(error)], error.row, place]}


def in_node(host: Host, name: str, method: str, blocks: Blocks, signature: Signature) -> Any:
    """Return the same of the program of that name that Node has loaded."""
    answer = host.ask("run", name=name, method=method, **request_of(blocks, signature))
    if "trap" in answer:
        raise RuntimeError(f"{method} in Node: {answer['trap']}")
    return {"refused": answer["error"]} if answer["code"] else answer["out"]
