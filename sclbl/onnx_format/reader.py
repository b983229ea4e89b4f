"""ONNX bytes → `Spec`: which reader takes a file."""

from __future__ import annotations

from sclbl.errors import SpecError
from sclbl.onnx_format.foreign import read_foreign
from sclbl.onnx_format.own import read_own
from sclbl.onnx_format.parse import parse
from sclbl.spec import Spec

#: What reading fields of the wrong kind or number ends in, wherever it is noticed.
_MALFORMED = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)


def read_model(data: bytes, limit: int) -> Spec:
    """Read a file; see `sclbl.onnx_format.read`."""
    try:
        return _read(data, limit)
    except _MALFORMED as error:
        raise SpecError(
            f"the ONNX file is malformed ({type(error).__name__}: {str(error)[:200]}); check it "
            "with onnx.checker.check_model, or give the fitted model itself to sclbl"
        ) from error


def _read(data: bytes, limit: int) -> Spec:
    model = parse(data, limit)
    metadata = {p.key: p.value for p in model.metadata_props}
    return read_own(model, metadata) if "sclbl.format" in metadata else read_foreign(model)
