"""Modules that no compiler of ours made, under a manifest that promises a program."""

from __future__ import annotations

from typing import Any

import wasmtime

from sclbl import manifest
from sclbl.signature import Column, Output, Signature

PARTS = {
    "memory": '(memory (export "memory") 400)',
    "error": '(global (export "error") i32 (i32.const 16))',
    "alloc": """
      (global $top (mut i32) (i32.const 1024))
      (func (export "alloc") (param $bytes i32) (result i32)
        (global.get $top)
        (global.set $top (i32.add (global.get $top) (local.get $bytes))))""",
    "reset": '(func (export "reset") (global.set $top (i32.const 1024)))',
    # Leaves the results as they are: zeros.
    "predict": """
      (func (export "predict") (param $rows i32) (param $inputs i32) (param $outputs i32)
        (result i32)
        {body})""",
    "more": "",
}
SIGNATURE = Signature(
    (Column(None, "float64"),) * 2, "array", {"predict": Output("float64", "float64", 1, 1)}
)
LABELS = Signature(
    (Column(None, "float64"),) * 2,
    "array",
    {"predict": Output("label", "object", 1, 1, labels=(("no", "yes"),))},
)
TEXT = Signature(
    (Column(None, "float64"),) * 2, "array", {"predict": Output("text", "object", 1, 2)}
)


def module(body: str = "(i32.const 0)", signature: Any = SIGNATURE, **parts: str) -> bytes:
    """Return a module; `parts` replace those of `PARTS`, empty text leaves one out.

    `signature` is a Signature, or JSON data to stand in its place.
    """
    chosen = {**PARTS, **parts}
    text = "\n".join(chosen.values()).replace("{body}", body)
    wasm = bytes(wasmtime.wat2wasm(f"(module {text})"))
    data = signature.to_json() if isinstance(signature, Signature) else signature
    return manifest.attach(wasm, {"abi": manifest.ABI, "signature": data})
