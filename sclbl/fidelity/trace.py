"""What a graph looks at: which input columns reach its trees and look-ups, and how scaled."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sclbl.ops import find
from sclbl.spec import NUMERIC_INPUT, TEXT_INPUT, Graph, Node

#: Most columns of an input beside the table that are followed: sparse rows may have millions.
MOST_TRACKED = 4096


@dataclass(frozen=True, slots=True)
class Track:
    """A column of a tensor: ``value = input * scale + shift`` of one input column.

    Of a list and of features the one column stands for their items.
    """

    block: str
    column: int
    scale: float = 1.0
    shift: float = 0.0


Tracks = tuple[Track | None, ...]


@dataclass
class Found:
    """What `trace` found.

    Attributes
    ----------
    tracks : dict
        By tensor, where each of its columns came from; None where that is not one input column.
    keys : dict
        By block and column, the constants that a look-up or a comparison knows.
    points : dict
        By numeric column, numbers that a comparison knows, in the input's own scale.
    trees : list of Node
        Tree ensembles.
    documents : set
        Blocks and columns of text that is taken apart.
    """

    tracks: dict[str, Tracks] = field(default_factory=dict)
    keys: dict[tuple[str, int], list[object]] = field(default_factory=dict)
    points: dict[int, list[float]] = field(default_factory=dict)
    trees: list[Node] = field(default_factory=list)
    documents: set[tuple[str, int]] = field(default_factory=set)


def trace(graph: Graph) -> Found:
    """Follow the input columns through a graph."""
    found = Found()
    tables = (NUMERIC_INPUT, TEXT_INPUT)
    for value in graph.inputs:
        followed = value.name in tables or value.width <= MOST_TRACKED
        tracks = (Track(value.name, i) if followed else None for i in range(value.width))
        found.tracks[value.name] = tuple(tracks)
    for node in graph.nodes:
        for name in node.outputs:
            value = graph.values[name]
            followed = len(value.shape) == 1 and len(node.outputs) == 1
            nothing: Tracks = (None,) * value.width
            found.tracks[name] = _follow(graph, node, found, value.width) if followed else nothing
        role = find(node.op).role
        if role == "trees":
            found.trees.append(node)
        elif role == "finds":
            for track in found.tracks.get(node.inputs[0], ()):
                keys = node.attrs["keys" if "keys" in node.attrs else "names"]
                _add_keys(found, track, keys.tolist())
        elif role == "reads":
            whole = (t for t in found.tracks.get(node.inputs[0], ()) if t is not None)
            found.documents.update((t.block, t.column) for t in whole)
        elif role == "compares":
            _add_comparison(graph, node, found)
    return found


def _follow(graph: Graph, node: Node, found: Found, width: int) -> Tracks:
    nothing: Tracks = (None,) * width
    inputs = [found.tracks.get(i) for i in node.inputs]
    first = inputs[0] if inputs else None
    role = find(node.op).role
    if role in ("passes", "reads"):
        return first or nothing
    if role == "chooses" and first is not None:
        return tuple(first[i] for i in graph.constants[node.inputs[1]].tolist())
    if role == "joins":
        widths = [graph.values[i].width for i in node.inputs]
        parts = zip(inputs, widths, strict=True)
        return tuple(t for p, w in parts for t in (p or (None,) * w))
    if role == "selects":  # an imputer passes on what is not missing
        chosen = next((t for t in inputs[1:] if t is not None), None)
        return chosen if chosen is not None and len(chosen) == width else nothing
    if role == "moves" and first is not None and len(first) == width:
        constant = graph.constants.get(node.inputs[1])
        if constant is not None:
            row = np.broadcast_to(constant.astype(np.float64).reshape(-1), (width,)).tolist()
            return tuple(_moved(node.op, t, c) for t, c in zip(first, row, strict=True))
    return nothing


def _moved(op: str, track: Track | None, constant: float) -> Track | None:
    if track is None or (op in ("Mul", "Div") and constant == 0):
        return None
    scale, shift = track.scale, track.shift
    if op in ("Add", "Sub"):
        return Track(
            track.block, track.column, scale, shift + (constant if op == "Add" else -constant)
        )
    factor = constant if op == "Mul" else 1 / constant
    return Track(track.block, track.column, scale * factor, shift * factor)


def _add_keys(found: Found, track: Track | None, keys: list[object]) -> None:
    if track is not None and (track.scale, track.shift) == (1.0, 0.0):
        known = found.keys.setdefault((track.block, track.column), [])
        known.extend(k for k in keys if k == k)


def _add_comparison(graph: Graph, node: Node, found: Found) -> None:
    for tensor, other in (node.inputs, node.inputs[::-1]):
        tracks, constant = found.tracks.get(tensor), graph.constants.get(other)
        if tracks is None or constant is None:
            continue
        shape = graph.values[tensor].shape
        own = constant[0] if constant.ndim > len(shape) else constant  # without the rows
        if np.broadcast_shapes(own.shape, shape) != shape:
            continue  # the tensor is spread over the constant
        row = np.broadcast_to(own, shape).ravel().tolist()
        for track, value in zip(tracks, row, strict=True):
            if track is None:
                continue
            if track.block == TEXT_INPUT:
                _add_keys(found, track, [value])
            elif track.scale and is_numeric(track):
                point = (value - track.shift) / track.scale
                found.points.setdefault(track.column, []).append(point)


def is_bit_exact(graph: Graph, method: str) -> bool:
    """Return whether a method is trees and exact arithmetic only, so that bits must be equal."""
    ops = [find(node.op) for node in graph.upstream([method])]
    return any(op.role == "trees" for op in ops) and all(op.exact for op in ops)


def reaches_trees(graph: Graph, method: str) -> bool:
    """Return whether trees take part in a method."""
    return any(find(node.op).role == "trees" for node in graph.upstream([method]))


def is_numeric(track: Track | None) -> bool:
    """Return whether a track comes from a numeric column."""
    return track is not None and track.block == NUMERIC_INPUT
