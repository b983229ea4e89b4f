"""Small modules that carry a manifest: all that a registry looks at."""

from __future__ import annotations

from sclbl import manifest
from sclbl.signature import Column, Output, Signature
from sclbl.wasm import MAGIC, encode_leb


def make_program(number: int = 0) -> tuple[bytes, bytes]:
    """Return the bytes of a program and of its spec, different for each number."""
    signature = Signature(
        columns=(Column("age", "float64"), Column("plan", "text")),
        layout="table",
        outputs={"predict": Output("float64", "float64", 1, 1)},
    )
    section = encode_leb(len(b"n")) + b"n" + str(number).encode()
    module = MAGIC + b"\0" + encode_leb(len(section)) + section
    wasm = manifest.attach(
        module,
        {
            "abi": manifest.ABI,
            "signature": signature.to_json(),
            "numeric_dtype": "float64",
            "source": {"model": "sklearn.linear_model.LinearRegression", "libraries": {}},
            "spec": f"{number:064x}",
            "report": {"rows": 7},
            "compiler": "llvm 0",
        },
    )
    return wasm, b"onnx file %d" % number
