"""An example row for a deployment: one that its program predicts.

The signature says what a column holds, not which categories a model knows, so the candidates for
a text column are the keys that the spec looks text up in. The rows are tried out before they are
shown.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sclbl import onnx_format
from sclbl.errors import InputError
from sclbl.methods import default_method
from sclbl.program import Program
from sclbl.registry.base import Record, Registry
from sclbl.spec import MISSING_TEXT, Graph, Kind, Signature

_PLAIN: dict[Kind, Any] = {
    "float64": 1.0,
    "float32": 1.0,
    "integer": 1,
    "boolean": True,
    "text": "a",
}


def example_rows(registry: Registry, record: Record) -> list[Any] | None:
    """Return one row, as an object or an array, that the deployment predicts.

    None where none of the candidates is one that the model takes.
    """
    found = _cached(registry, record.sha256, record.spec_sha256)
    return None if found is None else [found]


@lru_cache(maxsize=512)
def _cached(registry: Registry, sha256: str, spec_sha256: str) -> Any:
    program = Program.from_bytes(registry.program(sha256))
    signature = program.signature
    method = default_method(tuple(program.methods))
    for row in _candidates(signature, onnx_format.read(registry.spec(spec_sha256)).graph):
        try:
            program.run(method, [row])
        except InputError:
            continue
        return row
    return None


def _candidates(signature: Signature, graph: Graph) -> list[Any]:
    plain = [_PLAIN[c.kind] for c in signature.columns]
    known = list(plain)
    for position, keys in _keys(signature, graph).items():
        known[position] = keys[0]
    rows = [known, plain]
    if signature.layout == "table":
        names = [str(c.name) for c in signature.columns]
        return [dict(zip(names, row, strict=True)) for row in rows]
    return rows


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
        if source is None:
            continue
        if node.op == "Gather":
            indices = graph.constants[node.inputs[1]].tolist()
            origins[node.outputs[0]] = tuple(source[i] for i in indices)
        elif node.op in ("Identity", "Cast", "sclbl.Refuse", "sclbl.RefuseMissingText"):
            origins[node.outputs[0]] = source
        elif node.op == "ai.onnx.ml.LabelEncoder" and len(source) == 1:
            keys = [k for k in node.attrs["keys"].tolist() if k == k and k != MISSING_TEXT]
            if keys:
                found.setdefault(source[0], keys)
    return found
