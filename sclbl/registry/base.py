"""The one interface of every registry, local or remote, and what it hands out.

`tests/registry/contract.py` holds every implementation to the semantics written here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from sclbl.recompile import Verify

#: Why an alias has the version it has.
Action = Literal["promote", "rollback", "delete"]


#: How the two reports of a version are called wherever they are shown.
STATED = "stated by the uploader: program against model"
CHECKED = "checked by this server: program against spec"


@dataclass(frozen=True)
class Record:
    """One version of a deployment.

    What the program is and does (`sha256`, `manifest`, …) is fixed for ever when the version is
    made. What people write about it (`docs`, `tags`, `metrics`) can be edited, and `aliases` move.

    Parameters
    ----------
    name : str
        The deployment.
    version : int
        From 1 upwards; a number is never used twice under one name.
    sha256 : str
        SHA-256 (64 lower-case hex digits) of the program's bytes, its manifest included.
    spec_sha256 : str
        SHA-256 of the bytes of the spec's ONNX file. (The manifest's ``spec`` is another hash:
        `Spec.sha256`, of the graph.)
    size : int
        Bytes of the program.
    created_at : datetime
        Aware, UTC.
    docs : str
        Free text (Markdown), empty by default.
    tags : mapping of str to str
        Free labels.
    metrics : mapping of str to float
        Free numbers.
    aliases : tuple of str
        The aliases that name this version now, sorted.
    manifest : mapping
        The program's manifest (see docs/abi.md).
    url : str or None
        Where the version can be reached over HTTP; None in a local registry.
    checked : mapping or None
        What the server found when it compared the program that it compiled with the spec, as
        JSON data. None where the process that verified the program against its model also
        recorded it.
    """

    name: str
    version: int
    sha256: str
    spec_sha256: str
    size: int
    created_at: datetime
    docs: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    manifest: Mapping[str, Any] = field(default_factory=dict, repr=False)
    url: str | None = None
    checked: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def ref(self) -> str:
        """``name@version``."""
        return f"{self.name}@{self.version}"

    @property
    def model(self) -> str:
        """Class of the source model."""
        return str(self.manifest.get("source", {}).get("model", ""))

    @property
    def signature(self) -> Mapping[str, Any]:
        """What `Signature.to_json` wrote."""
        signature: Mapping[str, Any] = self.manifest.get("signature", {})
        return signature

    @property
    def methods(self) -> tuple[str, ...]:
        """Methods of the program."""
        return tuple(self.signature.get("outputs", ()))

    @property
    def example(self) -> Any:
        """A row as JSON data, an object or a list, where the uploader allows one to be shown."""
        from sclbl.example import read

        return read(self.manifest)

    @property
    def report(self) -> Mapping[str, Any] | None:
        """The uploader's report, program against model, as JSON data."""
        return self.manifest.get("report")

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON-ready data; `from_json` reads it."""
        return {
            "name": self.name,
            "version": self.version,
            "ref": self.ref,
            "sha256": self.sha256,
            "spec_sha256": self.spec_sha256,
            "size": self.size,
            "created_at": self.created_at.isoformat(),
            "docs": self.docs,
            "tags": dict(self.tags),
            "metrics": dict(self.metrics),
            "aliases": list(self.aliases),
            "manifest": dict(self.manifest),
            "url": self.url,
            "checked": None if self.checked is None else dict(self.checked),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(
            name=data["name"],
            version=int(data["version"]),
            sha256=data["sha256"],
            spec_sha256=data["spec_sha256"],
            size=int(data["size"]),
            created_at=_utc(data["created_at"]),
            docs=data["docs"],
            tags=dict(data["tags"]),
            metrics=dict(data["metrics"]),
            aliases=tuple(data["aliases"]),
            manifest=data["manifest"],
            url=data.get("url"),
            checked=data.get("checked"),
        )


@dataclass(frozen=True)
class AliasEvent:
    """One entry of an alias's history.

    Parameters
    ----------
    alias : str
        The alias.
    version : int or None
        What it named from then on; None after the deployment was deleted.
    at : datetime
        Aware, UTC.
    action : {"promote", "rollback", "delete"}
        Why.
    """

    alias: str
    version: int | None
    at: datetime
    action: Action

    def to_json(self) -> dict[str, Any]:
        """Return the event as JSON-ready data; `from_json` reads it."""
        return {
            "alias": self.alias,
            "version": self.version,
            "at": self.at.isoformat(),
            "action": self.action,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        version = data["version"]
        return cls(
            alias=data["alias"],
            version=None if version is None else int(version),
            at=_utc(data["at"]),
            action=data["action"],
        )


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


class Registry(ABC):
    """Where deployments live.

    A *ref* is ``churn`` (the newest live version), ``churn@3`` or ``churn@production``. Names and
    aliases are checked by `sclbl.registry.refs` before anything else happens: a bad one raises
    `InvalidNameError`, a bad ref `InvalidRefError`. What is not there raises `NotFoundError`; a
    version that was deleted raises `DeletedError`, which says when, and which versions live.
    Every method is safe to call from several threads and processes at once, and each change is
    whole or absent after a crash. When a method returns, its change is durable.
    """

    #: What messages call this registry: a path or a URL, never with a secret in it.
    location: str

    @abstractmethod
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
        """Record the program of a spec as the next version of `name`, and return it.

        A registry stores only code that it compiled itself. It compiles `spec`; where that gives
        the bytes of `wasm`, the version has them. Where it gives others (another release of the
        compiler), they are verified again before the version is recorded with them.

        Parameters
        ----------
        name : str
            The deployment; made when it does not exist.
        wasm : bytes
            The program that was verified. What its manifest states (its report) is kept.
        spec : bytes
            The ONNX file of its spec.
        alias : str, optional
            Promoted to the new version in the same step.
        docs, tags, metrics : optional
            Kept with the version. Metrics must be finite numbers, tags text.
        request_id : str, optional
            Makes repeating safe: a second call with the same id returns the version that the
            first one made. At most 128 characters.
        verify : callable, optional
            Takes the bytes of a program, compares it with the model and returns the report; raises
            `FidelityError`. Asked where the registry compiled other bytes than `wasm`; without it
            they are compared with the spec.

        Raises
        ------
        InvalidProgramError
            `wasm` has no readable manifest, or is no program of `spec`.
        SpecError, FidelityError, LimitError
            `spec` is malformed, does not become a program that computes it, or needs more time or
            memory than the registry gives.
        ConflictError
            `request_id` was used for another name or another program.
        BusyError
            Too many uploads are under way; try again later.
        RegistryError
            `docs`, `tags` or `metrics` are not what they must be.

        Notes
        -----
        The same program twice makes two versions that share the stored bytes.
        """

    @abstractmethod
    def deployments(self) -> list[Record]:
        """Return the newest live version of each deployment, ordered by name."""

    @abstractmethod
    def versions(self, name: str) -> list[Record]:
        """Return the live versions of one deployment, oldest first.

        Raises
        ------
        NotFoundError, DeletedError
            There is no such deployment, or it was deleted.
        """

    @abstractmethod
    def get(self, ref: str) -> Record:
        """Return the version that `ref` names now.

        Raises
        ------
        NotFoundError, DeletedError
            It names nothing, or a deleted version.
        """

    @abstractmethod
    def program(self, source: str | Record) -> bytes:
        """Return a program by its SHA-256 or its record.

        Raises
        ------
        NotFoundError
            No live version has this program.
        CorruptedError
            The stored bytes do not match their SHA-256.
        """

    @abstractmethod
    def spec(self, source: str | Record) -> bytes:
        """Return the ONNX file of a spec by its SHA-256 or a record; raises as `program` does."""

    @abstractmethod
    def delete(self, ref: str) -> None:
        """Delete a version (``churn@3``) or a whole deployment with its aliases (``churn``).

        Numbers are not used again, not even when a deployment of that name is made anew.

        Raises
        ------
        ConflictError
            An alias names the version; the message says how to move it. Deleting a version never
            changes what an alias answers.
        InvalidRefError
            `ref` ends in an alias: say which version is meant.
        NotFoundError, DeletedError
            It is not there, or was deleted before.
        """

    @abstractmethod
    def edit(
        self,
        ref: str,
        *,
        docs: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        metrics: Mapping[str, float | None] | None = None,
    ) -> Record:
        """Change what is written about the version that `ref` names now, and return it.

        The program, its number and its aliases stay as they are. The same edit twice is one.

        Parameters
        ----------
        ref : str
            The version.
        docs : str, optional
            The new text, in place of the old one; empty for none.
        tags, metrics : optional
            Entries to set; one that is None is removed. Others stay.

        Raises
        ------
        NotFoundError, DeletedError
            The ref names nothing, or a deleted version.
        RegistryError
            `docs`, `tags` or `metrics` are not what they must be, or nothing is given.
        """

    @abstractmethod
    def promote(self, ref: str, alias: str) -> Record:
        """Make `alias` name the version that `ref` names now, and return that version.

        Promoting what the alias names already changes nothing and adds nothing to its history.
        """

    @abstractmethod
    def rollback(self, name: str, alias: str) -> Record:
        """Make `alias` name the version it named before the current one, and return that version.

        Deleted versions are skipped. Rolling back twice goes back twice: what was rolled back is
        not returned to (promote it to have it again).

        Raises
        ------
        NotFoundError
            There is no such deployment or alias.
        ConflictError
            The alias named no other version that still lives.
        """

    @abstractmethod
    def history(self, name: str, alias: str) -> list[AliasEvent]:
        """Return what `alias` has named, oldest first; entries are only ever added.

        The history outlives the deletion of its deployment.

        Raises
        ------
        NotFoundError
            The alias never named anything.
        """

    def revision(self) -> int | None:
        """Return a number that changes whenever anyone changes the registry, cheaply.

        An answer may be kept for as long as the revision is the same. None: there is no such
        number, ask every time.
        """
        return None

    def close(self) -> None:
        """Give back connections; the registry can be used again afterwards."""
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.location}>"
