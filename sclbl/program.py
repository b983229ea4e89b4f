"""`Program`: what stands in for the model."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sclbl import manifest
from sclbl.errors import ProgramError, UnsupportedMethodError
from sclbl.printable import printable
from sclbl.rows import Blocks, encode
from sclbl.runtime import Module
from sclbl.signature import Output
from sclbl.spec import Spec
from sclbl.whole_file import whole_file

if TYPE_CHECKING:
    from sclbl.report import Report


class Method(partial[Any]):
    """A method of a program, as it stands on one: it pickles, as a function made there could not.

    It does not hold the `Program`, whose memory would then wait for the garbage collector.
    """

    origin: tuple[bytes, Spec | bytes | None, str]
    __name__: str
    __qualname__: str

    def __reduce__(self) -> tuple[Any, ...]:
        return _method, self.origin

    def __copy__(self) -> Method:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Method:
        return self


def _method(wasm: bytes, spec: Spec | bytes | None, name: str) -> Any:
    return getattr(Program(wasm, spec), name)


class Program:
    """A compiled model.

    It has the methods of the model (`predict`, `predict_proba`, `transform`, …), which take what
    the model took and return what it returned. It pickles, and is safe to call from many threads.

    Parameters
    ----------
    wasm : bytes
        The program, manifest included.
    spec : Spec, bytes or None
        What it was compiled from: a spec, or the bytes of its ONNX file.

    Raises
    ------
    InvalidProgramError
        Where the bytes are not a program: truncated, altered or foreign.
    """

    def __init__(self, wasm: bytes, spec: Spec | bytes | None = None) -> None:
        self.wasm = bytes(wasm)
        self.manifest = manifest.read(self.wasm)
        self.signature = manifest.read_signature(self.manifest)
        self._spec = spec
        self._module = Module(self.wasm, self.signature)
        for method in self.signature.outputs:
            # What Program has of that name stays; `run` calls every method by its name.
            if hasattr(Program, method) or method in self.__dict__:
                continue
            call = Method(self._caller(method))
            call.origin = (self.wasm, spec, method)
            call.__name__ = call.__qualname__ = method
            call.__doc__ = f"Return what the model's ``{method}`` returns for these rows."
            setattr(self, method, call)

    @classmethod
    def from_bytes(cls, wasm: bytes, spec: Spec | bytes | None = None) -> Program:
        """Return the program in `wasm`."""
        return cls(wasm, spec)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Program, (self.wasm, self._spec))

    # ------------------------------------------------------------ properties

    @cached_property
    def sha256(self) -> str:
        """SHA-256 (hex) of the program's bytes."""
        return hashlib.sha256(self.wasm).hexdigest()

    @property
    def size(self) -> int:
        """Bytes of the program."""
        return len(self.wasm)

    @property
    def memory_bytes(self) -> int:
        """Bytes that it takes where one thread runs it: its own, and its memory's when it starts.

        Each further thread that runs it takes as much memory again.
        """
        return len(self.wasm) + self._module.memory_bytes

    @property
    def module(self) -> Module:
        """What runs: its ``call(method, blocks)`` takes encoded rows and returns them undecoded."""
        return self._module

    @property
    def methods(self) -> tuple[str, ...]:
        """Methods that the program offers."""
        return tuple(self.signature.outputs)

    @cached_property
    def report(self) -> Report | None:
        """The fidelity report; None where the program was never verified."""
        from sclbl.report import Report

        data = self.manifest.get("report")
        return None if data is None else Report.from_json(data)

    @property
    def spec(self) -> Spec | None:
        """What the program was compiled from; None where it came without."""
        if isinstance(self._spec, bytes):
            from sclbl.onnx_format import read

            self._spec = read(self._spec)
        return self._spec

    @property
    def classes_(self) -> Any:
        """The labels of `predict`: an array, or a list of arrays for several outputs."""
        output = self.signature.outputs.get("predict")
        if output is None or output.labels is None:
            raise UnsupportedMethodError("the program predicts numbers, so it has no classes_")
        arrays = [_label_array(labels, output.dtype) for labels in output.labels]
        return arrays[0] if output.ndim == 1 else arrays

    # --------------------------------------------------------------- actions

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the program to a file, in one step, and return its path."""
        target = Path(path)
        with whole_file(target) as part:
            part.write_bytes(self.wasm)
        return target

    def run(self, method: str, rows: Any) -> Any:
        """Run a method on rows of any accepted kind; as ``getattr(program, method)(rows)``.

        Parameters
        ----------
        method : str
            One of `methods`.
        rows : array, DataFrame, list, dict, …
            See `sclbl.rows.encode`.

        Returns
        -------
        ndarray or list of ndarray
            What the model returned: same dtype, labels and shape.
        """
        output = self.signature.outputs.get(method)
        if output is None:
            raise UnsupportedMethodError(
                f"the program has no method {method!r}; it offers {', '.join(self.methods)}"
            )
        blocks = encode(rows, self.signature, empty=output.empty)
        return _finish(output, self._module.call(method, blocks))

    def _caller(self, method: str) -> Callable[[Any], Any]:
        """Return the bound method, with short ways for one row and for arrays of the right type."""
        from sclbl.runtime.engine import clock

        module, signature = self._module, self.signature
        output = signature.outputs[method]
        dtype = np.dtype(signature.numeric_dtype)
        width = len(signature.columns)
        one, ndarray = (1, width), np.ndarray
        flat, chunk = output.ndim == 1, module.chunk
        labels = None
        if output.storage == "label" and output.labels is not None and len(output.labels) == 1:
            labels = _label_array(output.labels[0], output.dtype)
        singles = [] if labels is None else [labels[k : k + 1] for k in range(len(labels))]
        same = output.storage not in ("label", "text") and output.dtype == output.storage
        short = output.splits is None and (same or labels is not None)
        short = short and (labels is None or output.ndim == 1)
        short = short and not signature.text and width > 0 and signature.is_uniform
        local = threading.local()

        def call(rows: Any) -> Any:
            if short and type(rows) is ndarray and rows.dtype is dtype:
                if rows.shape == one:
                    try:
                        ready = local.ready
                    except AttributeError:
                        ready = local.ready = module.session().one_row(method)
                    instance, into, found, raw, context, address, args, count, trap, block = ready
                    if instance.ticks != clock.ticks:
                        instance.rewind()
                    into[...] = rows
                    block[0] = 1
                    failed = raw(context, address, args, count, trap)
                    if failed is not None or block[0]:
                        module.session().finish(method, failed)
                    try:
                        return (found if labels is None else singles[found.item()]).copy()
                    except IndexError:
                        raise _no_label() from None
                if rows.ndim == 2 and rows.shape[1] == width and (size := len(rows)) > 0:
                    if size <= chunk:
                        session = module.session()
                        session.numeric[:size] = rows
                        session.run(method, size, 0)
                        got = session.outputs[method][:size]
                        if labels is not None:
                            return _choose(labels, got[:, 0])
                        return got[:, 0].copy() if flat else got.copy()
                    return _finish(output, module.call(method, Blocks(len(rows), rows, ())))
            blocks = encode(rows, signature, empty=output.empty)
            return _finish(output, module.call(method, blocks))

        return call

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "signature" not in self.__dict__:
            raise AttributeError(name)
        own = vars(Program).get(name)
        if isinstance(own, property):
            # Its error is an AttributeError too, which is how it came here; say it again.
            return own.__get__(self)
        raise UnsupportedMethodError(
            f"the program has no method {name!r}; it offers {', '.join(self.methods)}"
        )

    def __repr__(self) -> str:
        source = self.manifest.get("source")
        model = str(source.get("model", "?")) if isinstance(source, dict) else "?"
        named = printable(model.rpartition(".")[2])
        return f"<Program {named} {'+'.join(self.methods)} {self.size:,} bytes>"


def _label_array(labels: tuple[Any, ...], dtype: str) -> np.ndarray:
    return np.array(labels, dtype=object if dtype == "object" else np.dtype(dtype))


def _no_label() -> ProgramError:
    return ProgramError(
        "the program gave a class number that has no label; the file was altered, "
        "so fetch or compile it again"
    )


def _choose(labels: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return the labels of class numbers (int32)."""
    try:
        # Read without a sign, what is negative has no label either.
        return labels.take(numbers.view(np.uint32))
    except IndexError:
        raise _no_label() from None


def _finish(output: Output, found: np.ndarray) -> Any:
    """Return results as the model returns them."""
    if output.storage == "label" and output.labels is not None:
        columns = [
            _choose(_label_array(labels, output.dtype), found[:, j])
            for j, labels in enumerate(output.labels)
        ]
        return columns[0] if output.ndim == 1 else np.stack(columns, axis=1)
    if output.storage != "text" and np.dtype(output.dtype) != found.dtype:
        with np.errstate(invalid="ignore"):
            cast = found.astype(output.dtype)
        # A transformer whose results have its rows' dtype gave integers, or booleans, for the
        # example; where these rows hold fractions or missing values it gives floats, and so does
        # the program.
        if cast.dtype.kind not in "iub" or np.array_equal(cast, found):
            found = cast
    if output.splits is not None:
        edges = np.cumsum(output.splits)[:-1]
        return [np.ascontiguousarray(part) for part in np.split(found, edges, axis=1)]
    return found[:, 0] if output.ndim == 1 else found
