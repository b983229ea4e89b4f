"""An example row for a deployment: its own where the uploader allows one to be shown, else one
made up that its program takes.

The signature says what a column holds, not which categories a model knows, so the candidates for
such a column are the keys that the spec looks values up in. What is made up is tried out, once and
on the way that every prediction takes, with its limits.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import Any

import msgspec
from starlette.requests import Request

from sclbl import onnx_format
from sclbl.errors import InputError, SclblError
from sclbl.json_calls import names_of
from sclbl.registry.base import Record
from sclbl.server.context import Context, context_of
from sclbl.server.payload import JSON
from sclbl.signature import Signature
from sclbl.web.fields import TAG, stated_in
from sclbl.web.known import known
from sclbl.web.made_up import better, plain, row_of

log = logging.getLogger("sclbl.server")

#: A larger spec is not read for the sake of an example.
SPEC_BYTES = 16 * 1024 * 1024
#: Examples remembered at most.
REMEMBERED = 1024


class Examples:
    """Finds example rows, and remembers those that it made up by the program's SHA-256
    and by what the uploader says of its columns."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._found: OrderedDict[tuple[str, str | None], Any] = OrderedDict()

    async def of(self, record: Record) -> Any:
        """Return a row as JSON data; None where no candidate is one that the model takes.

        A program or spec that is damaged, or takes too long, has no example; the log says why.
        """
        if record.example is not None:
            return record.example
        key = record.sha256, record.tags.get(TAG)
        if key in self._found:
            return self._found[key]
        try:
            row = await self._made_up(record)
        except SclblError as error:
            log.warning("no example for %s: %s", record.ref, error)
            return None
        self._found[key] = row
        while len(self._found) > REMEMBERED:
            self._found.popitem(last=False)
        return row

    async def _made_up(self, record: Record) -> Any:
        signature = Signature.from_json(record.signature)
        predictor = self._context.predictor
        target = await predictor.find(record.ref, None)
        ones = plain(signature)
        # Most models of numbers take any, and reading a spec costs more than one try.
        tries = [] if signature.text else [ones]
        first: list[Any] | None = None
        while True:
            for values in tries:
                row = row_of(values, signature)
                body = msgspec.json.encode(example_body(signature, row))
                try:
                    await predictor.respond(target, body, JSON, JSON)
                except InputError:
                    continue
                return row
            if first is not None or not signature.columns:
                return None
            first = await self._context.ask(self._known, record, signature, ones)
            tries = [first, ones] if signature.text else [first]

    def _known(self, record: Record, signature: Signature, ones: list[Any]) -> list[Any]:
        """Return a row of values that the graph knows."""
        spec = onnx_format.read(self._context.registry.spec(record), limit=SPEC_BYTES)
        stated, _ = stated_in(record.tags)
        return better(ones, signature, known(signature, spec.graph), stated)


def examples_of(request: Request) -> Examples:
    """Return the examples of the application that a request came to."""
    found: Examples | None = getattr(request.app.state, "examples", None)
    if found is None:
        found = request.app.state.examples = Examples(context_of(request))
    return found


def example_body(signature: Signature, row: Any) -> Any:
    """Return the body of a prediction of an example, None where there is none.

    Parameters
    ----------
    row : object
        A row; where there are several inputs, the row of each by its name.
    """
    if row is None:
        return None
    if len(names_of(signature)) == 1:
        return {"rows": [row]}
    return {"inputs": {name: [part] for name, part in row.items()}}
