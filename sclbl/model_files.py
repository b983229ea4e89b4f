"""A file in place of a fitted model: what it holds is told by its first bytes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sclbl.errors import ModelError, SclblError, UnsupportedModelError
from sclbl.plain_file import read_file

if TYPE_CHECKING:
    from sclbl.spec import Spec

#: How a library's files are loaded, by their suffix.
_LOADERS = {
    ".joblib": "joblib.load(path)",
    ".skops": "skops.io.load(path, trusted=...)",
    ".pt": "torch.load(path), and export it to ONNX",
    ".pth": "torch.load(path), and export it to ONNX",
    ".keras": "keras.models.load_model(path), and export it to ONNX",
    ".h5": "keras.models.load_model(path), and export it to ONNX",
}
_PICKLE = "pickle.load(open(path, 'rb'))"
_HEAD = 4096
#: What a damaged file may lead its reader to.
_DAMAGED = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    SclblError,
    TypeError,
    ValueError,
)


def is_file(model: Any) -> bool:
    """Return whether a model was given as a path or as the bytes of a file."""
    return isinstance(model, (str, os.PathLike, bytes, bytearray, memoryview))


def open_model(model: Any) -> Any:
    """Return what a file holds.

    Parameters
    ----------
    model : str, path or bytes
        A path, or the bytes of a file.

    Returns
    -------
    Spec or xgboost.Booster
        Of an ONNX file, and of a booster's own file (UBJSON or JSON). Nothing in it is executed.

    Raises
    ------
    ModelError
        The file cannot be read.
    UnsupportedModelError
        It is of a sort that is not read; the message says how to load it.
    SpecError
        It is an ONNX file that cannot become a program.
    """
    if isinstance(model, (bytes, bytearray, memoryview)):
        label, suffix, data = "the file", "", bytes(model)
    else:
        path = os.fspath(model)
        label, suffix, data = repr(path), Path(os.fsdecode(path)).suffix.lower(), _read(path)
    head = data[:_HEAD]
    if head.startswith(b"\0asm"):
        raise UnsupportedModelError(
            f"{label} is a compiled program; give sclbl.load(path) for the model"
        )
    if head.startswith(b"{") and b"learner" in head:
        return _booster(label, data)
    if head.startswith(b"binf"):
        raise UnsupportedModelError(
            f"{label} is in the binary format of XGBoost before release 3.1, which does not say "
            "which release wrote it and is not read; load it with the one that did, and save it as "
            'JSON: xgboost.Booster(model_file=path).save_model("model.json")'
        )
    # Protocols 2 and later of pickle begin so; joblib's files are pickles, skops' are archives.
    is_pickle = head[:1] == b"\x80" and head[1:2] <= b"\x10"
    if is_pickle or suffix in _LOADERS or suffix in (".pkl", ".pickle"):
        raise UnsupportedModelError(
            f"{label} is not loaded, because such a file runs code of its own when it is; where "
            "you trust it, load it yourself and pass the fitted model: model = "
            f"{_LOADERS.get(suffix, _PICKLE)}"
        )
    return _onnx(label, suffix, data)


def _read(path: str | bytes) -> bytes:
    try:
        return read_file(path)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ModelError(
            f"the model was given as text, {path!r}, and there is no such file to read ({why}); "
            "give the fitted model itself, or the path of an ONNX file; a deployment's program is "
            "sclbl.load(ref)"
        ) from error


def _onnx(label: str, suffix: str, data: bytes) -> Spec:
    from sclbl import onnx_format
    from sclbl.errors import SpecError

    try:
        return onnx_format.read(data)
    except SpecError as error:
        if suffix == ".onnx" or data[:1] == b"\x08":  # how ONNX's first field begins
            raise SpecError(f"{label}: {error}") from error
        raise UnsupportedModelError(
            f"{label} is neither an ONNX file nor one of XGBoost's (UBJSON, JSON), which are the "
            "files that are read; load it with its own library and pass the fitted model"
        ) from error


def _booster(label: str, data: bytes) -> Any:
    try:
        import xgboost
    except ImportError as error:
        raise UnsupportedModelError(
            f"{label} is a file of XGBoost, which is not installed; pip install xgboost"
        ) from error
    from sclbl.strippers.xgboost import file as xgboost_file

    try:
        xgboost_file.check(data, xgboost.__version__)
    except xgboost_file.OtherRelease as error:
        raise UnsupportedModelError(f"{label} {error}") from error
    except _DAMAGED as error:
        raise UnsupportedModelError(
            f"{label} is a damaged or altered file of XGBoost, which is not loaded "
            f"({type(error).__name__}: {error}); save the model again with Booster.save_model"
        ) from error
    try:
        return xgboost.Booster(model_file=bytearray(data))
    except xgboost.core.XGBoostError as error:
        line = next(iter(str(error).splitlines()), "")
        raise UnsupportedModelError(f"{label} is no model to XGBoost: {line}") from error
