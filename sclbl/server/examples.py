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

from sclbl import example, onnx_format
from sclbl.errors import InputError, SclblError
from sclbl.json_calls import names_of
from sclbl.missing import of_text
from sclbl.ops import find
from sclbl.registry.base import Record
from sclbl.server.context import Context
from sclbl.server.payload import JSON
from sclbl.server.schemas import example_row
from sclbl.signature import TABLE, Kind, Signature
from sclbl.spec import Graph

log = logging.getLogger("sclbl.server")

#: A larger spec is not read for the sake of an example.
SPEC_BYTES = 16 * 1024 * 1024
#: Examples remembered at most.
REMEMBERED = 1024

_PLAIN: dict[Kind, Any] = {
    "float64": 1.0,
    "float32": 1.0,
    "integer": 1,
    "boolean": True,
    "text": "a",
}


class Examples:
    """Finds example rows, and remembers those that it made up by the program's SHA-256."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._found: OrderedDict[str, Any] = OrderedDict()

    async def of(self, record: Record) -> Any:
        """Return a row as JSON data; None where no candidate is one that the model takes.

        A program or spec that is damaged, or takes too long, has no example; the log says why.
        """
        if record.example is not None:
            return record.example
        if record.sha256 in self._found:
            return self._found[record.sha256]
        try:
            row = await self._made_up(record)
        except SclblError as error:
            log.warning("no example for %s: %s", record.ref, error)
            return None
        self._found[record.sha256] = row
        while len(self._found) > REMEMBERED:
            self._found.popitem(last=False)
        return row

    async def _made_up(self, record: Record) -> Any:
        signature = Signature.from_json(record.signature)
        predictor = self._context.predictor
        target = await predictor.find(record.ref, None)
        plain = [_PLAIN[column.kind] for column in signature.columns]
        # Most models of numbers take any, and reading a spec costs more than one try.
        tries = [] if signature.text else [plain]
        known: list[Any] | None = None
        while True:
            for values in tries:
                row = _row(values, signature)
                body = msgspec.json.encode(example_body(signature, row))
                try:
                    await predictor.respond(target, body, JSON, JSON)
                except InputError:
                    continue
                return row
            if known is not None or not signature.columns:
                return None
            known = await self._context.ask(self._known, record, signature, plain)
            tries = [known, plain] if signature.text else [known]

    def _known(self, record: Record, signature: Signature, plain: list[Any]) -> list[Any]:
        """Return a row of values that the graph knows."""
        spec = onnx_format.read(self._context.registry.spec(record), limit=SPEC_BYTES)
        row = list(plain)
        for position, keys in _keys(signature, spec.graph).items():
            row[position] = keys[0]
        return row


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


def _row(values: list[Any], signature: Signature) -> Any:
    """Return values of the table, and a row of each other input, as an example."""
    rows = {given.name: example_row(given) for given in signature.beside}
    if signature.columns:
        table = example.as_row(values, signature)
        for size in (signature.shape or ())[:0:-1]:
            table = [table[k : k + size] for k in range(0, len(table), size)]
        rows = {TABLE: table, **rows}
    return rows if len(rows) > 1 else next(iter(rows.values()))


def _keys(signature: Signature, graph: Graph) -> dict[int, list[Any]]:
    """Return, by column, the values that the graph looks the column up in."""
    blocks = {"numeric": signature.numeric, "text": signature.text}
    # Which column of the input each column of a tensor is, as far as it is only passed on.
    origins: dict[str, tuple[int, ...]] = {
        v.name: blocks[v.name] for v in graph.inputs if v.name in blocks
    }
    found: dict[int, list[Any]] = {}
    for node in graph.nodes:
        source = origins.get(node.inputs[0]) if node.inputs else None
        if source is None or len(graph.values[node.outputs[0]].shape) != 1:
            continue
        role = find(node.op).role
        if role == "chooses":
            indices = graph.constants[node.inputs[1]].tolist()
            origins[node.outputs[0]] = tuple(source[i] for i in indices)
        elif role == "passes":
            origins[node.outputs[0]] = source
        elif role == "finds" and len(source) == 1:
            keys = [k for k in node.attrs["keys"].tolist() if k == k and not of_text(k)]
            if keys:
                found.setdefault(source[0], keys)
    return found
