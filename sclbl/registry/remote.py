"""The registry of a server, over HTTP. See `sclbl.server` for the other end."""

from __future__ import annotations

import hashlib
import json
import os
import re
import uuid
import zlib
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from sclbl import manifest, verbs
from sclbl.errors import (
    CorruptedError,
    DeletedError,
    NotFoundError,
    RequestError,
    SclblError,
    ServerUnreachableError,
)
from sclbl.registry import answers
from sclbl.registry.base import AliasEvent, Record, Registry
from sclbl.registry.metadata import check_about, check_edit
from sclbl.registry.refs import Ref, check_alias, check_name, parse_deletable, parse_ref
from sclbl.registry.transport import Answer, Transport

if TYPE_CHECKING:
    from sclbl.recompile import Verify

_SHA256 = re.compile(r"[0-9a-f]{64}")
#: An upload is verified before it is answered, and a large program takes a while.
UPLOAD_SECONDS = 900.0
#: What an upload is answered with that the server compiled to other bytes.
PENDING = 202
#: The largest program that runs anywhere, and the largest ONNX file.
FILE_BYTES = 2 * 1024**3
#: Weights hardly compress, names and structure do at any level.
COMPRESSION = 1


class RemoteRegistry(Registry):
    """The registry that a server serves.

    Calls that can be repeated are, when the connection breaks or the server is overloaded; an
    upload carries an id that makes repeating it safe. Errors are those of a local registry, with
    the same texts.

    Parameters
    ----------
    url : str
        The server, for example ``https://models.example.org``.
    token : str, optional
        Needed to change anything. It is sent to this server only, and over plain HTTP only to
        this machine.
    allow_http : bool, optional
        Send the token over plain HTTP to other machines too. By default what the environment
        variable ``SCLBL_ALLOW_HTTP`` says (``1``: yes).

    Raises
    ------
    RegistryError
        The URL or the token is not one.
    AuthenticationError
        The token would travel unencrypted.
    """

    def __init__(
        self, url: str, token: str | None = None, *, allow_http: bool | None = None
    ) -> None:
        if allow_http is None:
            allow_http = os.environ.get("SCLBL_ALLOW_HTTP") == "1"
        self._transport = Transport(url, token, allow_http=allow_http)
        self._allow_http = allow_http
        self.location = self._transport.url

    def __reduce__(self) -> tuple[Any, ...]:
        # Without the token: where this is unpickled, the login of that place is used.
        return _reopen, (self.location, self._allow_http)

    def whoami(self) -> bool:
        """Return whether the server takes this token; without a token, whether it answers.

        Raises
        ------
        AuthenticationError
            The token is wrong.
        ServerUnreachableError
            There is no answer.
        """
        data = self._json(self._transport.send("GET", "/v1/whoami"))
        return answers.may_write(data)

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
        about = check_about(
            name, alias=alias, docs=docs, tags=tags, metrics=metrics, request_id=request_id
        )
        details = {
            "alias": about.alias,
            "docs": about.docs,
            "tags": dict(about.tags),
            "metrics": dict(about.metrics),
            "sha256": hashlib.sha256(wasm).hexdigest(),
            "spec_sha256": hashlib.sha256(spec).hexdigest(),
            "stated": manifest.stated(manifest.read(wasm)),
        }
        key = about.request_id or uuid.uuid4().hex
        answer = self._transport.send(
            "POST",
            f"/v1/deployments/{_part(about.name)}/versions",
            files={
                "spec": ("spec.onnx.z", zlib.compress(spec, COMPRESSION), "application/zlib"),
                # As it is in the manifest, so that the server puts the same bytes together.
                "details": (None, json.dumps(details), "application/json"),
            },
            headers={"Idempotency-Key": quote(key, safe=" !#$&'()*+,/:;=?@[]")},
            timeout=UPLOAD_SECONDS,
        )
        data = self._json(answer)
        if answer.status != PENDING:
            return answers.record(data, self.location, Ref(about.name))
        id, sha256 = answers.pending(data)
        return self._confirm(about.name, id, sha256, wasm, spec, verify)

    def _confirm(
        self, name: str, id: str, sha256: str, wasm: bytes, spec: bytes, verify: Verify | None
    ) -> Record:
        """Verify what the server compiled, and have it recorded; or have it forgotten."""
        from sclbl.recompile import reverified

        path = f"/v1/pending/{_part(id)}"
        try:
            made = reverified(self._file("program", sha256, f"{path}.wasm"), wasm, spec, verify)
            stated = manifest.stated(manifest.read(made))
            confirmed = {"sha256": hashlib.sha256(made).hexdigest(), "stated": stated}
            data = self._json(self._transport.send("POST", path, json=confirmed))
            return answers.record(data, self.location, Ref(name))
        except ServerUnreachableError:
            raise  # it may have been recorded
        except SclblError:
            with suppress(SclblError):
                self._transport.send("DELETE", path)
            raise

    def deployments(self) -> list[Record]:
        """See `Registry.deployments`."""
        data = self._json(self._transport.send("GET", "/v1/deployments"))
        return answers.records(data, "deployments", self.location)

    def versions(self, name: str) -> list[Record]:
        """See `Registry.versions`."""
        path = f"/v1/deployments/{_part(check_name(name))}/versions"
        data = self._json(self._transport.send("GET", path))
        return answers.records(data, "versions", self.location, name)

    def get(self, ref: str) -> Record:
        """See `Registry.get`."""
        parsed = parse_ref(ref)
        path = f"/v1/deployments/{_part(ref)}"
        return answers.record(self._json(self._transport.send("GET", path)), self.location, parsed)

    def program(self, source: str | Record) -> bytes:
        """See `Registry.program`."""
        sha256 = source.sha256 if isinstance(source, Record) else source
        return self._file("program", sha256, f"/v1/programs/{sha256}.wasm")

    def spec(self, source: str | Record) -> bytes:
        """See `Registry.spec`."""
        sha256 = source.spec_sha256 if isinstance(source, Record) else source
        return self._file("spec", sha256, f"/v1/specs/{sha256}.onnx")

    def delete(self, ref: str) -> None:
        """See `Registry.delete`."""
        parse_deletable(ref)
        answer = self._transport.exchange("DELETE", f"/v1/deployments/{_part(ref)}")
        error = answer.error()
        # The answer to the first try may have been lost after the server had done it.
        if error is not None and not (answer.repeated and isinstance(error, DeletedError)):
            raise error

    def edit(
        self,
        ref: str,
        *,
        docs: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        metrics: Mapping[str, float | None] | None = None,
    ) -> Record:
        """See `Registry.edit`."""
        parsed = parse_ref(ref)
        change = check_edit(docs, tags, metrics).to_json()
        path = f"/v1/deployments/{_part(ref)}"
        data = self._json(self._transport.send("PATCH", path, json=change))
        return answers.record(data, self.location, parsed)

    def promote(self, ref: str, alias: str) -> Record:
        """See `Registry.promote`."""
        parsed = parse_ref(ref)
        check_alias(alias)
        path = f"/v1/deployments/{_part(parsed.name)}/aliases/{_part(alias)}"
        data = self._json(self._transport.send("PUT", path, json={"ref": ref}))
        return answers.record(data, self.location, parsed)

    def rollback(self, name: str, alias: str) -> Record:
        """See `Registry.rollback`. It is not repeated when the connection breaks, because a second
        one would go back further."""
        check_name(name)
        check_alias(alias)
        path = f"/v1/deployments/{_part(name)}/aliases/{_part(alias)}/rollback"
        data = self._json(self._transport.send("POST", path, repeatable=False))
        return answers.record(data, self.location, Ref(name))

    def history(self, name: str, alias: str) -> list[AliasEvent]:
        """See `Registry.history`."""
        check_name(name)
        check_alias(alias)
        path = f"/v1/deployments/{_part(name)}/aliases/{_part(alias)}/history"
        data = self._json(self._transport.send("GET", path))
        return answers.events(data)

    def close(self) -> None:
        """See `Registry.close`."""
        self._transport.close()

    def _file(self, what: str, sha256: object, path: str) -> bytes:
        if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
            raise NotFoundError(
                verbs.say(
                    f"no live version has the {what} {sha256!r}; ",
                    verbs.deployments(),
                    " lists what there is",
                )
            )
        content = self._transport.send("GET", path, limit=FILE_BYTES).content
        found = hashlib.sha256(content).hexdigest()
        if found != sha256:
            raise CorruptedError(
                f"the {what} that {self.location} sent has the SHA-256 {found}, not {sha256}; "
                "it was altered on its way or in the server's store, so it is not used"
            )
        return content

    def _json(self, answer: Answer) -> Any:
        try:
            return msgspec.json.decode(answer.content)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise RequestError(
                f"{self.location} answered what is not JSON; check that this is the URL of an "
                "sclbl server"
            ) from None


def _part(text: str) -> str:
    return quote(text, safe="@")


def _reopen(url: str, allow_http: bool) -> RemoteRegistry:
    from sclbl.settings import login_for

    return RemoteRegistry(url, login_for(url).token, allow_http=allow_http)
