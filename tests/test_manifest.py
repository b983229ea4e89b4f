"""Manifests that were altered: always an error of sclbl's, soon, whatever they hold."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sclbl import manifest
from sclbl.errors import InvalidProgramError, LimitError, SclblError, SpecError
from sclbl.program import Program
from sclbl.signature import Column, Output, Signature
from sclbl.wasm import encode_leb
from tests import mutation
from tests.compiler.test_linker import mixed
from tests.runtime.test_foreign import small_program

LIST = {"storage": "float64", "dtype": "float64", "width": 1, "ndim": 1, "ragged": "list"}
LABEL = {"storage": "label", "dtype": "<U1", "width": 1, "ndim": 1}
NUMBER = {"storage": "float64", "dtype": "float64", "width": 1, "ndim": 2}


def with_text(wasm: bytes, text: str) -> bytes:
    content = b"\x05sclbl" + text.encode()
    return manifest.code(wasm) + b"\0" + encode_leb(len(content)) + content


def with_key(**entries: Any) -> bytes:
    wasm = small_program()
    return manifest.attach(wasm, {**manifest.read(wasm), **entries})


def test_keys_are_those_that_programs_have() -> None:
    for wasm in (small_program(), mixed()):
        assert manifest.read(wasm).keys() <= manifest.KEYS.keys()


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("zzz", 1, "has a key 'zzz', which this sclbl does not know; known are abi, signature"),
        ("\x1b[31m", 1, r"has a key '\\x1b\[31m'"),
        ("source", "x", "has a source that is str where dict belongs"),
        ("report", [1], "has a report that is list where dict belongs"),
        ("spec", None, "has a spec that is NoneType where str belongs"),
        ("abi", True, "has ABI True, this sclbl runs ABI 2"),
        ("numeric_dtype", 3, "has a numeric_dtype that is int where str belongs"),
    ],
)
def test_keys_of_another_kind(key: str, value: Any, message: str) -> None:
    with pytest.raises(InvalidProgramError, match=message):
        Program(with_key(**{key: value}))


@pytest.mark.parametrize(("key", "size"), [("spec", 101), ("compiler", 300), ("source", 70_000)])
def test_keys_that_are_too_large(key: str, size: int) -> None:
    value: Any = {"model": "x" * size} if key == "source" else "x" * size
    with pytest.raises(LimitError, match=rf"has a {key} of .* bytes; the limit is"):
        Program(with_key(**{key: value}))


@pytest.mark.parametrize(
    "change",
    [
        {"columns": {"count": 4194304, "kind": "float64"}},
        {"columns": {"count": float("inf"), "kind": "float64"}},
        {"columns": {"count": "9", "kind": "float64"}},
        {"columns": [["a", "float64"], ["a", "float64"]], "layout": "table"},
        {"outputs": {"predict": {"storage": "label", "dtype": "<U500000000", "width": 1, "ndim": 1,
                                 "labels": [["a", "b"]]}}},
        {"outputs": {"predict": {"storage": "float64", "dtype": "f8,f8", "width": 1, "ndim": 1}}},
        {"outputs": {"predict": {"storage": [], "dtype": "float64", "width": 1, "ndim": 1}}},
        {"outputs": {"predict": {"storage": "float64", "dtype": "float64", "width": 1e400,
                                 "ndim": 1}}},
        {"outputs": []},
        {"columns": {"count": 2**18 + 1, "kind": "float64"}},
        {"columns": {"count": True, "kind": "float64"}},
        {"columns": {"count": 2.0, "kind": "float64"}},
        {"outputs": {"predict": {**NUMBER, "width": 2.5}}},
        {"outputs": {"predict": {**NUMBER, "width": "2"}}},
        {"outputs": {"predict": {**NUMBER, "width": True}}},
        {"outputs": {"predict": {**NUMBER, "ndim": True}}},
        {"outputs": {"predict": {**NUMBER, "width": 2, "splits": [1, True]}}},
        {"outputs": {"predict": {**NUMBER, "empty": 1}}},
        {"outputs": {"predict": {**NUMBER, "width": 4, "names": "abcd"}}},
        {"outputs": {"predict": {**NUMBER, "width": 4, "names": [{}, {}, [], 1]}}},
        {"outputs": {"predict": {**NUMBER, "parameters": "rr"}}, "inputs": [
            {"name": "r", "kind": "parameter", "dtype": "float64", "default": 1.0}]},
        {"outputs": {"predict": {**LABEL, "labels": ["ab"]}}},
        {"outputs": {"predict": {**NUMBER, "shape": [1] * 100, "ndim": 101}}},
        {"inputs": [{"name": "x", "kind": "tensor", "dtype": "float64", "shape": [1] * 33}]},
        *({"outputs": {"predict": {**NUMBER, "dtype": dtype}}} for dtype in (
            "<U9999", "<U1", "U0", "str", "category", "float8", "int128", "complex128", "S9")),
        *({"outputs": {"predict": {**NUMBER, "dtype": dtype, "matrix": "csr_matrix", "ndim": 2}}}
          for dtype in ("<U9", "object")),
        *({"outputs": {"predict": {**NUMBER, "storage": "text", "dtype": dtype}}}
          for dtype in ("float64", "bool", "category", "<U0")),
        *({"outputs": {"predict": {**LABEL, "labels": [["a", "b"]], "dtype": dtype}}}
          for dtype in ("<U1025", "category", "str", "U0", "float8")),
        {"outputs": {"predict": {**LIST, "storage": "int64", "dtype": "bool"}}},
        {"outputs": {"predict": {**LIST, "dtype": "float32"}}},
        {"outputs": {"predict": {**LIST, "dtype": "int64"}}},
    ],
)  # fmt: skip
def test_signatures_that_lie(change: dict[str, Any]) -> None:
    signature = {**manifest.read(small_program())["signature"], **change}
    with pytest.raises(InvalidProgramError, match="manifest has no readable signature"):
        Program(with_key(signature=signature))


@pytest.mark.parametrize("dtype", ["float32", "object", "int8", ""])
def test_a_number_type_that_the_signature_contradicts(dtype: str) -> None:
    with pytest.raises(InvalidProgramError, match=rf"numbers of type '{dtype}', not float64"):
        Program(with_key(numeric_dtype=dtype))


def test_shapes_beyond_reason_are_not_multiplied() -> None:
    """In proportion these took hours, where a shape may have a hundred times as many axes."""
    signature = manifest.read(small_program())["signature"]
    large = {"name": "x", "kind": "tensor", "dtype": "float64", "shape": [10**4000] * 30}
    for change in (
        {"inputs": [large]},
        {"inputs": [{**large, "shape": [2**62] * 100_000}]},
        {"shape": [2**62] * 100_000},
        {"outputs": {"predict": {**NUMBER, "shape": [2**62] * 100_000, "ndim": 100_001}}},
    ):
        data = {"signature": {**signature, **change}}
        with pytest.raises(InvalidProgramError, match=r"a shape (of 100,000 axes|with an axis)"):
            manifest.read_signature(data)


def test_labels_take_the_room_of_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    signature = manifest.read(small_program())["signature"]
    output = {**LABEL, "dtype": "<U9999", "labels": [["9" * 9999, *map(str, range(29))]]}
    data = {"signature": {**signature, "outputs": {"predict": output}}}
    assert manifest.read_signature(data).outputs["predict"].dtype == "<U9999"
    monkeypatch.setattr(manifest, "MAX_LABELS", 1_000_000)
    with pytest.raises(InvalidProgramError, match="labels take 1,199,880 bytes as <U9999"):
        manifest.read_signature(data)


def test_text_that_is_not_unicode() -> None:
    wasm = small_program()
    found = manifest.read(wasm)
    names = {**NUMBER, "names": ["\ud800"]}
    for output in (names, {**LABEL, "labels": [["a", "b\ud800"]]}, {**NUMBER, "further": [names]}):
        data = {**found, "signature": {**found["signature"], "outputs": {"predict": output}}}
        with pytest.raises(InvalidProgramError, match="ud800', which is not valid Unicode text"):
            Program(with_text(wasm, json.dumps(data)))
    with pytest.raises(SpecError, match=r"label '[^']*\\ud800' that is not valid Unicode"):
        manifest.attach(wasm, {**found, "source": {"model": "a\ud800b"}})


def test_columns_that_are_counted_cost_nothing_each() -> None:
    signature = {**manifest.read(small_program())["signature"]}
    signature["columns"] = {"count": manifest.MAX_COUNTED, "kind": "float64"}
    read = manifest.read_signature({"signature": signature})
    assert len(read.columns) == manifest.MAX_COUNTED
    assert len({id(c) for c in read.columns}) == 1


def test_control_characters_are_written_out() -> None:
    program = Program(with_key(source={"model": "a.\x1b[31mX"}))
    assert repr(program).startswith("<Program \\u001b[31mX predict+transform ")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"abi":1e400}', '{"abi":' + "9" * 5000 + "}", ""])
def test_json_that_no_parser_likes(text: str) -> None:
    with pytest.raises(InvalidProgramError, match=r"is not JSON|names no ABI version"):
        Program(with_text(small_program(), text))


def mutate(seed: int, count: int) -> int:
    chance = random.Random(seed)
    programs = [small_program(), mixed()]
    read = [manifest.read(p) for p in programs]
    ran = 0
    for _ in range(count):
        at = chance.randrange(len(programs))
        changed = read[at]
        for _ in range(chance.choice((1, 1, 2))):
            changed = mutation.json_value(changed, chance)
            changed = changed if isinstance(changed, dict) and changed else read[at]
        text = json.dumps({k: v for k, v in changed.items() if k != "code"})
        try:
            program = Program(with_text(programs[at], text.replace("Infinity", "1e400")))
            repr(program), program.report
            for method in program.methods:
                program.run(method, np.ones((1, len(program.signature.columns))))
            ran += 1
        except SclblError:
            continue
    return ran


def test_changed_manifests() -> None:
    assert mutate(0, 300) > 20


@pytest.mark.exhaustive
def test_many_changed_manifests() -> None:
    assert all(mutate(seed, 2000) for seed in range(1, 11))


def test_labels_of_further_results_are_of_their_type() -> None:
    labelled = Output("label", "int64", 1, 1, labels=((1, 2),))
    columns = (Column(None, "float64"),)
    for labels, readable in ((((3, 4),), True), ((("a", "b"),), False)):
        both = replace(labelled, further=(replace(labelled, labels=labels),))
        data = Signature(columns, "array", {"predict": both}).to_json()
        if readable:
            assert manifest.read_signature({"signature": data}).outputs["predict"] == both
            continue
        with pytest.raises(InvalidProgramError, match="no readable signature"):
            manifest.read_signature({"signature": data})
