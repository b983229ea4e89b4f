"""`Program`: what stands in for the model."""

from __future__ import annotations

import hashlib
import os
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sclbl import manifest
from sclbl.errors import UnsupportedMethodError
from sclbl.printable import printable
from sclbl.runtime import Module
from sclbl.runtime.method import check_options, method_call
from sclbl.runtime.outputs import label_array
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
    return Program(wasm, spec)._calls[name]


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
        self._calls: dict[str, Method] = {}
        for method in self.signature.outputs:
            call = Method(method_call(self._module, method))
            call.origin = (self.wasm, spec, method)
            call.__name__ = call.__qualname__ = method
            call.__doc__ = f"Return what the model's ``{method}`` returns for these rows."
            self._calls[method] = call
            # What Program has of that name stays; `run` calls every method by its name.
            if not hasattr(Program, method) and method not in self.__dict__:
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
        arrays = [label_array(labels, output.dtype) for labels in output.labels]
        return arrays[0] if output.ndim == 1 else arrays

    # --------------------------------------------------------------- actions

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the program to a file, in one step, and return its path."""
        target = Path(path)
        with whole_file(target) as part:
            part.write_bytes(self.wasm)
        return target

    def run(self, method: str, rows: Any, *, output: str | None = None, **parameters: Any) -> Any:
        """Run a method on rows of any accepted kind; as ``getattr(program, method)(rows)``.

        Parameters
        ----------
        method : str
            One of `methods`.
        rows : array, DataFrame, list, dict, …
            See `sclbl.rows.encode`.
        output : {"dense", "sparse", "pandas", "polars"}, optional
            The container of the result, where the model gives it too: an array of a sparse result,
            the matrix itself, a DataFrame. An array by default.
        **parameters
            Values of the call, where the method has some; the others are their defaults.

        Returns
        -------
        ndarray, list or tuple of ndarray
            What the model returned: same dtype, labels and shape. Lists of different lengths are
            an array of arrays.

        Raises
        ------
        ParameterError
            The method has no such parameter or output, or a value is not of its type.
        """
        if method not in self.signature.outputs:
            raise UnsupportedMethodError(
                f"the program has no method {method!r}; it offers {', '.join(self.methods)}"
            )
        call = self._calls[method]
        if output is None and not parameters:
            return call(rows)
        check_options(self.signature, method, output, parameters)
        return call(rows, output=output, **parameters)

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
