"""Specs as standard ONNX files: `write` and `read`.

Operators of the domain ``sclbl`` are functions in the file, with bodies of standard operators, so
any runtime runs it; but for those of rows whose length varies, which other runtimes only show. What
`read` needs stands in the nodes that call them and in the metadata.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sclbl.spec import Spec

__all__ = ["MAX_BYTES", "read", "write"]

#: Largest ONNX file that is read, in bytes.
MAX_BYTES = 1024 * 1024 * 1024


def write(spec: Spec) -> bytes:
    """Write a spec as an ONNX model (opset 21, ai.onnx.ml 5).

    Parameters
    ----------
    spec : Spec
        What to write.

    Returns
    -------
    bytes
        The same bytes for the same spec. Inputs are ``numeric``, ``text`` and those beside the
        table, outputs are named after methods, ``method.1`` and so on where a method has several
        results; missing texts are `sclbl.spec.MISSING_TEXTS`. A runtime other than sclbl's
        returns class labels as they are (text, int64, …), does not refuse rows, and rounds as it
        likes: the order of sums and the last digits are its own.

    Raises
    ------
    SpecError
        Where the spec does not fit in an ONNX file (2 GB), or holds text that UTF-8 cannot.
    """
    from sclbl.onnx_format.writer import write_model

    return write_model(spec)


def read(data: bytes, *, limit: int = MAX_BYTES) -> Spec:
    """Read an ONNX model, one that `write` wrote or a simple one of row-wise operators.

    Nothing in the file is executed. Types and widths of every tensor are worked out anew.

    Parameters
    ----------
    data : bytes
        The file.
    limit : int
        Largest size accepted, in bytes.

    Returns
    -------
    Spec
        With the ``sha256`` of the spec that was written.

    Raises
    ------
    SpecError
        Where the file is too large, malformed, refers to external data, or uses an operator,
        an operator set or a type that the compiler does not know.
    """
    from sclbl.onnx_format.reader import read_model

    return read_model(data, limit)
