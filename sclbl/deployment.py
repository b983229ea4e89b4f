"""`Deployment`: a version in a registry, with the methods of its program."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sclbl.errors import UnsupportedMethodError
from sclbl.manifest import read_signature
from sclbl.printable import printable
from sclbl.registry.base import Record, Registry
from sclbl.signature import Signature

if TYPE_CHECKING:
    from sclbl.program import Program
    from sclbl.report import Report
    from sclbl.spec import Spec
    from sclbl.web.frame import Page


class Deployment:
    """A version in a registry, with the methods of its program.

    ``predict``, ``predict_proba``, … work as on the model. The program is fetched when it is first
    needed, and then kept; the deployment pickles and may be used from many threads. `aliases` are
    those of the moment when it was made: `sclbl.get` looks again.

    Parameters
    ----------
    record : Record
        The version.
    registry : Registry
        Where it lives.
    program : Program, optional
        Its program, where it is at hand.
    """

    def __init__(self, record: Record, registry: Registry, program: Program | None = None) -> None:
        self._record = record
        self._registry = registry
        self._program = program
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The deployment's name."""
        return self._record.name

    @property
    def version(self) -> int:
        """The version's number, from 1 upwards."""
        return self._record.version

    @property
    def ref(self) -> str:
        """``name@version``."""
        return self._record.ref

    @property
    def aliases(self) -> tuple[str, ...]:
        """Aliases that named this version when it was looked up."""
        return self._record.aliases

    @property
    def url(self) -> str | None:
        """Where the version answers over HTTP; None in a local registry."""
        return self._record.url

    @property
    def created_at(self) -> datetime:
        """When the version was made (aware, UTC)."""
        return self._record.created_at

    @property
    def docs(self) -> str:
        """The text written about it (Markdown)."""
        return self._record.docs

    @property
    def tags(self) -> Mapping[str, str]:
        """Its tags."""
        return self._record.tags

    @property
    def metrics(self) -> Mapping[str, float]:
        """Its metrics."""
        return self._record.metrics

    @property
    def methods(self) -> tuple[str, ...]:
        """Methods of the program."""
        return self._record.methods

    @property
    def signature(self) -> Signature:
        """Inputs and outputs of the program."""
        return read_signature(self._record.manifest)

    @property
    def example(self) -> Any:
        """A row to call it with, a dict or a list; None unless uploaded with ``example=True``.

        What is missing in it is each column's own missing value: None, NaN or pandas.NA.
        """
        from sclbl.example import in_python

        row = self._record.example
        return None if row is None else in_python(row, self.signature)

    @property
    def sha256(self) -> str:
        """SHA-256 (hex) of the program."""
        return self._record.sha256

    @property
    def size(self) -> int:
        """Bytes of the program."""
        return self._record.size

    @property
    def report(self) -> Report | None:
        """What the uploader states: program against model. None where nothing is stated."""
        return _report(self._record.report)

    @property
    def checked(self) -> Report | None:
        """What the server found: the program that it compiled against the spec.

        None where the process that verified the program against its model also recorded it.
        """
        return _report(self._record.checked)

    @property
    def program(self) -> Program:
        """The program, fetched from the registry at the first use.

        Raises
        ------
        NotFoundError
            The version was deleted since.
        CorruptedError
            The stored bytes were altered.
        """
        with self._lock:
            if self._program is None:
                from sclbl.program import Program

                self._program = Program.from_bytes(self._registry.program(self._record))
            return self._program

    @property
    def wasm(self) -> bytes:
        """The program's bytes."""
        return self.program.wasm

    @property
    def spec(self) -> Spec:
        """What the program was compiled from, fetched from the registry."""
        from sclbl import onnx_format

        return onnx_format.read(self._registry.spec(self._record))

    def edit(
        self,
        *,
        docs: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        metrics: Mapping[str, float | None] | None = None,
    ) -> Self:
        """Change what is written about this version, here and in the registry; return this.

        Parameters
        ----------
        docs : str, optional
            The new text, in place of the old one; empty for none.
        tags, metrics : optional
            Entries to set; one that is None is removed. Others stay.
        """
        self._record = self._registry.edit(self.ref, docs=docs, tags=tags, metrics=metrics)
        return self

    def site(
        self,
        path: str | os.PathLike[str],
        *,
        widget: str | None = None,
        options: Mapping[str, Any] | None = None,
        single_file: bool = False,
    ) -> Path:
        """Write the version's page with its program and the loader, and return the page's path.

        Any static host serves the folder: nothing in it needs a server that computes.

        Parameters
        ----------
        path : str or path
            A folder: new, empty, or with such a site, which is replaced. With `single_file` also
            the name of an ``.html`` file.
        widget : {"form", "canvas", "image", "text"}, optional
            What stands in the page to try the model with; by default what the tag ``widget`` names,
            else a form.
        options : mapping, optional
            What the widget is told, beside the tag ``widget-options``.
        single_file : bool
            Write one HTML file, which opens from a disk.

        Raises
        ------
        RegistryError
            The version is marked server-only, or other files are in the way.
        """
        from sclbl.web import site

        write = site.write_single if single_file else site.write
        spec = self._registry.spec(self._record)
        return write(self._record, self.wasm, spec, Path(path), widget=widget, options=options)

    def page(
        self,
        *,
        widget: str | None = None,
        options: Mapping[str, Any] | None = None,
        height: int = 900,
    ) -> Page:
        """Return the version's page, which a notebook shows in a frame.

        Parameters
        ----------
        widget, options : optional
            See `site`.
        height : int
            Of the frame, in pixels.

        Raises
        ------
        RegistryError
            The version is marked server-only.
        LimitError
            The page would be too large for a notebook.
        """
        from sclbl.web import site
        from sclbl.web.frame import Page

        spec = self._registry.spec(self._record)
        text = site.single(self._record, self.wasm, spec, widget=widget, options=options)
        return Page(self.ref, text, height)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the program to a file and return its path."""
        return self.program.save(path)

    def __getattr__(self, name: str) -> Any:
        # Only what has no property above comes here. Names that Python or a notebook tries on any
        # object must not fetch the program.
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        if name in self._record.methods or name == "classes_":
            return getattr(self.program, name)
        raise UnsupportedMethodError(
            f"{self.ref} has no method {name!r}; it offers {', '.join(self.methods)}"
        )

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.methods})

    def __getstate__(self) -> dict[str, Any]:
        # With its program, so that a worker elsewhere can predict without the registry.
        return {"record": self._record, "registry": self._registry, "program": self.program}

    def __setstate__(self, state: dict[str, Any]) -> None:
        Deployment.__init__(self, state["record"], state["registry"], state["program"])

    def __repr__(self) -> str:
        named = f" [{', '.join(self.aliases)}]" if self.aliases else ""
        model = self._record.model.rpartition(".")[2]
        return printable(
            f"<Deployment {self.ref}{named} {model} {'+'.join(self.methods)} {self.size:,} bytes>"
        )

    def _repr_html_(self) -> str:
        from sclbl.view import deployment_html

        return deployment_html(self._record, self.report, self._registry.location)


def _report(data: Mapping[str, Any] | None) -> Report | None:
    from sclbl.report import Report

    return None if data is None else Report.from_json(data)
