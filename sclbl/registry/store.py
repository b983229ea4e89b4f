"""A registry that keeps its own bytes, and therefore compiles them itself."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sclbl.registry.base import Record, Registry
from sclbl.registry.blobs import Content
from sclbl.registry.metadata import About, check_about

if TYPE_CHECKING:
    from sclbl.recompile import Verify


@dataclass(frozen=True)
class Pending:
    """An upload whose program, compiled here, has other bytes than the uploader verified.

    Parameters
    ----------
    id : str
        Names it until it is confirmed or gone.
    name : str
        The deployment that it is for.
    sha256 : str
        SHA-256 of the program that waits.
    size : int
        Bytes of it and of its spec.
    expires_at : datetime
        When it is gone (aware, UTC).
    """

    id: str
    name: str
    sha256: str
    size: int
    expires_at: datetime

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return {
            "id": self.id,
            "name": self.name,
            "sha256": self.sha256,
            "size": self.size,
            "expires_at": self.expires_at.isoformat(),
        }


class Store(Registry):
    """A registry with storage of its own: what `sclbl serve` serves.

    `create` compiles in this process. A server compiles in another one, within limits, and then
    calls `record`, or `hold` and later `confirm`. None of these three looks at what code does:
    their callers give them only what was compiled for this registry.
    """

    def create(
        self,
        name: str,
        wasm: bytes,
        spec: bytes,
        *,
        alias: str | None = None,
        docs: str | None = None,
        tags: Mapping[str, str] | None = None,
        metrics: Mapping[str, float] | None = None,
        request_id: str | None = None,
        verify: Verify | None = None,
    ) -> Record:
        """See `Registry.create`."""
        from sclbl.recompile import own

        about = check_about(
            name, alias=alias, docs=docs, tags=tags, metrics=metrics, request_id=request_id
        )
        recorded = self.recorded(about, hashlib.sha256(spec).hexdigest())
        if recorded is not None:
            return recorded
        made = own(wasm, spec, verify)
        return self.record(
            about, made.wasm, spec, None if made.report is None else made.report.to_json()
        )

    @abstractmethod
    def recorded(self, about: About, spec_sha256: str) -> Record | None:
        """Return the version that this request made before, if it did.

        Raises
        ------
        ConflictError
            The request's id made a version of another name or spec.
        DeletedError
            The version was deleted since.
        """

    @abstractmethod
    def record(
        self, about: About, wasm: bytes, spec: bytes, checked: Mapping[str, Any] | None
    ) -> Record:
        """Record a program that was compiled for this registry as the next version.

        Parameters
        ----------
        about : About
            What it is called, and what is kept beside it.
        wasm, spec : bytes
            The program, and the ONNX file that it was compiled from.
        checked : mapping or None
            The report of the program against the spec.
        """

    @abstractmethod
    def hold(
        self, about: About, wasm: bytes, spec: bytes, checked: Mapping[str, Any] | None
    ) -> Pending | Record:
        """Keep a program, for an hour and without a number, until its uploader confirms it.

        A request that is repeated returns what the first one made.

        Raises
        ------
        BusyError
            Too many programs wait.
        """

    @abstractmethod
    def held(self, id: str) -> bytes:
        """Return the program of a pending upload.

        Raises
        ------
        NotFoundError
            There is none of that id, or no longer.
        """

    @abstractmethod
    def confirm(self, id: str, sha256: str, stated: Mapping[str, Any]) -> Record:
        """Record a pending upload as the next version. Repeating it returns the same version.

        Parameters
        ----------
        id : str
            The pending upload.
        sha256 : str
            SHA-256 of the program with `stated` in its manifest: what the uploader verified.
        stated : mapping
            What the uploader states about it; see `sclbl.manifest.stated`.

        Raises
        ------
        NotFoundError
            There is none of that id, or no longer.
        ConflictError
            The program with these statements has another SHA-256.
        """

    @abstractmethod
    def is_tagged(self, kind: Content, sha256: str, tag: str) -> bool:
        """Return whether all live versions with this program or spec have a tag of this name."""

    @abstractmethod
    def drop(self, id: str) -> None:
        """Forget a pending upload; nothing where there is none."""
