"""The manifest: JSON in the custom section ``sclbl`` of a program.

The manifest says what a program takes and returns, where it came from, and how it was verified.
It is data about the code, so `code_sha256` identifies the code alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from sclbl.errors import InvalidProgramError, LimitError, SpecError
from sclbl.signature import Signature
from sclbl.signature_check import MAX_COUNTED, validate
from sclbl.wasm import encode_leb, read_leb, sections

ABI = 2
SECTION = "sclbl"
#: The custom section of a command, which is another file made of a program: see `sclbl.wasi`.
COMMAND_SECTION = "sclbl.command"
#: Digits of the code's SHA-256 in the manifest: enough against damage, not against forgery.
CODE_DIGITS = 16
#: A manifest above this size is refused before it is parsed.
MAX_MANIFEST = 16 * 1024 * 1024
#: Bytes that the labels of all results may take as arrays.
MAX_LABELS = 256 * 1024 * 1024
#: What a spec and the compiler decide; every other entry is what the maker of the program states.
DERIVED = ("abi", "signature", "numeric_dtype", "source", "spec", "compiler", "code")
#: Every key that a manifest may have: its type, and the most bytes of JSON that it may take. A new
#: key is one line here.
KEYS: dict[str, tuple[type | tuple[type, ...], int]] = {
    "abi": (int, 10),
    "signature": (dict, MAX_MANIFEST),
    "numeric_dtype": (str, 20),
    "source": (dict, 64 * 1024),
    "spec": (str, 100),
    "report": (dict, 1024 * 1024),
    "example": ((dict, list), 64 * 1024),
    "compiler": (str, 200),
    "code": (str, 100),
}


def _find(wasm: bytes, called: str = SECTION) -> tuple[int, int, int] | None:
    for number, start, content, end in sections(wasm):
        if number != 0:
            continue
        size, name = read_leb(wasm, content)
        if wasm[name : name + size] == called.encode():
            return start, name + size, end
    return None


def read(wasm: bytes) -> dict[str, Any]:
    """Return the manifest of a program.

    Parameters
    ----------
    wasm : bytes
        The program.

    Returns
    -------
    dict
        ``abi``, ``signature``, ``numeric_dtype``, ``source``, ``spec``, ``report``, ``compiler``.

    Raises
    ------
    InvalidProgramError
        Where the bytes are not a program, or one of a newer ABI.
    """
    found = _find(wasm)
    if found is None:
        if _find(wasm, COMMAND_SECTION) is not None:
            raise InvalidProgramError(
                "this is a WASI command (`sclbl compile --wasi`), which runs by itself and is no "
                "program; give the program that it was made of, or run it in a WASI runtime"
            )
        raise InvalidProgramError(
            "this WebAssembly module carries no sclbl manifest, so it is not a sclbl program; "
            "compile the model with sclbl.compile"
        )
    _, content, end = found
    if end - content > MAX_MANIFEST:
        raise InvalidProgramError(
            f"the program's manifest has {end - content} bytes; the limit is {MAX_MANIFEST}"
        )
    try:
        manifest = json.loads(bytes(wasm[content:end]))
    except (ValueError, RecursionError) as error:
        raise InvalidProgramError(
            f"the program's manifest is not JSON ({error}); the file was altered, "
            "so fetch or compile it again"
        ) from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("abi"), int):
        raise InvalidProgramError("the program's manifest names no ABI version")
    if manifest["abi"] != ABI:
        raise InvalidProgramError(
            f"the program has ABI {manifest['abi']}, this sclbl runs ABI {ABI}; "
            "install a matching sclbl or compile the model again"
        )
    _check_keys(manifest)
    if "code" in manifest and manifest["code"] != code_sha256(wasm)[:CODE_DIGITS]:
        raise InvalidProgramError(
            "the program's code or weights were altered after it was compiled; "
            "fetch or compile it again"
        )
    return manifest


def _check_keys(manifest: Mapping[str, Any]) -> None:
    """Raise where a manifest has a key that none has, or one of another type or too large."""
    for key, value in manifest.items():
        if key not in KEYS:
            raise InvalidProgramError(
                f"the program's manifest has a key {key[:80]!r}, which this sclbl does not know; "
                f"known are {', '.join(KEYS)}: the file was altered, or needs a newer sclbl"
            )
        kind, most = KEYS[key]
        if not isinstance(value, kind) or isinstance(value, bool):
            wanted = kind if isinstance(kind, tuple) else (kind,)
            raise InvalidProgramError(
                f"the program's manifest has a {key} that is {type(value).__name__} where "
                f"{' or '.join(k.__name__ for k in wanted)} belongs; the file was altered, so "
                "fetch or compile it again"
            )
        if most < MAX_MANIFEST and (size := len(json.dumps(value))) > most:
            raise LimitError(
                f"the program's manifest has a {key} of {size:,} bytes; the limit is {most:,}"
            )


def read_signature(manifest: Mapping[str, Any]) -> Signature:
    """Return the signature in a manifest.

    Raises
    ------
    InvalidProgramError
        Where it is not well formed.
    """
    try:
        data = manifest["signature"]
        signature = Signature.from_json(data, MAX_COUNTED)
        numeric = signature.numeric_dtype
        if manifest.get("numeric_dtype", numeric) != numeric:
            raise ValueError(f"numbers of type {manifest['numeric_dtype'][:40]!r}, not {numeric}")
        validate(signature)
        _check_labels(signature)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InvalidProgramError(
            f"the program's manifest has no readable signature ({error!r}); the file was "
            "altered, so fetch or compile it again"
        ) from None
    return signature


def _check_labels(signature: Signature) -> None:
    """Raise where labels are not of their result's type, or arrays of them take much memory.

    A type of text gives every label the room of the longest.
    """
    size = 0
    for method in signature.outputs:
        for _, output in signature.results(method):
            for column in output.labels or ():
                size += len(column) * np.dtype(output.dtype).itemsize
                if size > MAX_LABELS:
                    raise ValueError(
                        f"its labels take {size:,} bytes as {output.dtype}; at most "
                        f"{MAX_LABELS:,} are taken"
                    )
                np.array(column, dtype=output.dtype)


def code(wasm: bytes) -> bytes:
    """Return the program without its manifest."""
    found = _find(wasm)
    return wasm if found is None else wasm[: found[0]] + wasm[found[2] :]


def code_sha256(wasm: bytes) -> str:
    """Return the SHA-256 (hex) of the program without its manifest."""
    return hashlib.sha256(code(wasm)).hexdigest()


def attach(wasm: bytes, manifest: Mapping[str, Any]) -> bytes:
    """Return the program with this manifest, in place of one that it had.

    The entry ``code`` is added: the first digits of `code_sha256`, by which `read` knows a file
    whose code or weights were damaged.
    """
    manifest = {**manifest, "code": code_sha256(wasm)[:CODE_DIGITS]}
    text = json.dumps(manifest, separators=(",", ":"), ensure_ascii=False)
    try:
        raw = text.encode()
    except UnicodeEncodeError as error:
        raise SpecError(
            f"the model has a name or label {text[max(0, error.start - 20) : error.end]!a} that is "
            "not valid Unicode text (it holds a lone surrogate); decode the source with its "
            "right encoding, and fit the model again"
        ) from None
    name = SECTION.encode()
    content = encode_leb(len(name)) + name + raw
    return code(wasm) + b"\0" + encode_leb(len(content)) + content


def stated(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the maker of a program states in its manifest: its report, an example."""
    return {key: value for key, value in manifest.items() if key not in DERIVED}


def restate(wasm: bytes, stated: Mapping[str, Any]) -> bytes:
    """Return the program with these statements, in place of those that it had.

    The same code, spec and statements give the same bytes, wherever they were put together.

    Raises
    ------
    InvalidProgramError
        Where a statement would replace what the spec and the compiler decide.
    """
    found = read(wasm)
    wrong = [key for key in stated if key in DERIVED]
    if wrong:
        raise InvalidProgramError(
            f"an uploader cannot state {wrong[0]!r} of a program: its spec decides that; "
            "upload the model again"
        )
    return attach(wasm, {**{key: found[key] for key in found if key in DERIVED}, **stated})
