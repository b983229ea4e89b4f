"""Calls in a JSON text where the rows are no plain table: inputs by name, values of the call.

A text is the rows, ``{"rows": [...], "parameters": {...}}``, or, by the names of the inputs,
``{"inputs": {"X": [...], ...}, "parameters": {...}}``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from sclbl.errors import ColumnError, ParameterError, RequestError, ShapeError
from sclbl.json_rows import check_keys, check_row, not_json
from sclbl.rows import OneNull
from sclbl.rows.beside import PAIRS
from sclbl.signature import TABLE, Input, Signature

_DECODER = msgspec.json.Decoder()
#: What each kind of input has for a row, in words.
_ROWS = {
    "features": "an object of names and values",
    "list": "a list of items",
    "sparse": 'a list of all its numbers or {"columns": [...], "values": [...]}',
    "tensor": "lists of numbers in the shape of the input",
}


@dataclass(frozen=True, slots=True)
class Pieces:
    """Rows that are decoded anew each time they are needed, some at a time.

    Decoded rows take many times the memory of their text, so those of a large text are never there
    all at once.

    Parameters
    ----------
    count : int
        How many rows there are.
    decode : callable
        Returns an iterator of lists of rows.
    """

    count: int
    decode: Callable[[], Iterator[list[Any]]]

    def __len__(self) -> int:
        return self.count


@dataclass(frozen=True, slots=True)
class Call:
    """What a text asks for.

    Parameters
    ----------
    inputs : mapping of str to list
        The rows of each input, the table's under `sclbl.rows.encode.TABLE`. Of the table alone also
        what another reader made of its rows: an array, or a dict of columns. Of an only input also
        `Pieces`.
    parameters : mapping of str to object
        Values of the call, by name, as JSON has them.
    """

    inputs: Mapping[str, Any]
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many rows there are; of inputs that differ, the most."""
        return max(map(_count, self.inputs.values()))

    def parts(self, rows: int, items: int = 2**62) -> Iterator[tuple[int, Any]]:
        """Yield where some rows begin, and so many of them as an encoder takes them.

        `items` bounds what the rows of a part hold, where they are lists or objects; a row of more
        comes alone. What is no list comes whole; so do inputs of different lengths, to be refused
        as such.
        """
        only = next(iter(self.inputs.values()))
        if isinstance(only, Pieces):
            first = 0
            for piece in only.decode():
                for start in range(0, len(piece), rows):
                    yield first + start, OneNull(piece[start : start + rows])
                first += len(piece)
            return
        lengths = {_count(rows) for rows in self.inputs.values()}
        sliced = all(isinstance(rows, list) for rows in self.inputs.values())
        if len(lengths) > 1 or not sliced:
            whole = {name: OneNull(rows) for name, rows in self.inputs.items()}
            yield 0, whole if len(whole) > 1 else next(iter(whole.values()))
            return
        first = 0
        for last in _cuts(list(self.inputs.values()), rows, items):
            part = {name: OneNull(r[first:last]) for name, r in self.inputs.items()}
            yield first, part if len(part) > 1 else next(iter(part.values()))
            first = last


def _cuts(inputs: list[list[Any]], rows: int, items: int) -> Iterator[int]:
    """Yield where parts end: after so many rows, or before those that hold more items together."""
    first, held, count = 0, 0, len(inputs[0])
    for at, row in enumerate(zip(*inputs, strict=True)):
        more = sum(map(_items, row))
        if at > first and (at - first >= rows or held + more > items):
            yield at
            first, held = at, 0
        held += more
    if first < count or not count:
        yield count


def _items(row: Any) -> int:
    """Return how many items a row holds; of an object of lists, those of the lists."""
    if type(row) is dict and len(row) <= len(PAIRS):
        return len(row) + sum(len(value) for value in row.values() if type(value) is list)
    return len(row) if type(row) in (list, dict) else 1


def _count(rows: Any) -> int:
    return len(next(iter(rows.values()))) if isinstance(rows, dict) else len(rows)


def names_of(signature: Signature) -> tuple[str, ...]:
    """Return what the inputs with rows are called."""
    names = tuple(given.name for given in signature.beside)
    return (TABLE, *names) if signature.columns else names


def form_of(signature: Signature) -> str:
    """Return in words what is to be sent."""
    kinds: dict[str, Input | None] = {given.name: given for given in signature.beside}
    if signature.columns:
        kinds = {TABLE: None, **kinds}
    more = ', "parameters": {...}' if signature.parameters else ""
    rows = {
        name: "an object or an array" if given is None else _ROWS[given.kind]
        for name, given in kinds.items()
    }
    if len(rows) == 1:
        return f'send {{"rows": [...]{more}}} or [...], each row {next(iter(rows.values()))}'
    listed = ", ".join(f'"{name}": [...]' for name in rows)
    each = "; ".join(f"each row of {name!r} {row}" for name, row in rows.items())
    return f'send {{"inputs": {{{listed}}}{more}}}, {each}'


def read_call(text: bytes, signature: Signature, what: str = "the body") -> Call:
    """Return the rows of each input, and the values of the call, in a JSON text.

    An object that has a list under ``rows``, or an object under ``inputs``, holds rows. Any other
    object is one row where the model takes objects: no row of one input holds the like.

    Parameters
    ----------
    text : bytes
        UTF-8.
    signature : Signature
        What the inputs are called.
    what : str
        How messages call the text.

    Raises
    ------
    RequestError
        The text is not JSON, or holds no rows.
    ShapeError
        Rows are not a list.
    ColumnError
        An input is missing or unknown, or an object has a key twice.
    ParameterError
        A value of the call is null.
    """
    try:
        value = _DECODER.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise not_json(error, text, what, form_of(signature), signature) from None
    call, keys = _call(value, signature, what)
    for rows in call.inputs.values():
        keys += sum(len(row) for row in rows if type(row) is dict)
    if text.count(b":") != keys + len(call.parameters):
        check_keys(text, what)
    return call


def _call(value: Any, signature: Signature, what: str) -> tuple[Call, int]:
    """Return what a value asks for, and how many keys hold it together."""
    names = names_of(signature)
    if type(value) is not dict:
        only = _only(names, signature, what)
        return Call({only: _rows(_list(value, signature, what), only, signature)}), 0
    named = type(value.get("inputs")) is dict
    if not named and type(value.get("rows")) is not list:
        return Call({_only(names, signature, what): [_row(value, signature, what)]}), 0
    held = "inputs" if named else "rows"
    others = sorted(value.keys() - {held, "parameters"})
    if others:
        listed = ", ".join(f"{key!r:.80}" for key in others[:8])
        raise RequestError(f'{what} has {listed} beside "{held}"; {form_of(signature)}')
    parameters = value.get("parameters", {})
    if type(parameters) is not dict:
        raise RequestError(
            f'{what} holds {type(parameters).__name__} under "parameters"; give an object with '
            'their values by name, such as "parameters": {"radius": 0.5}'
        )
    empty = [name for name, given in parameters.items() if given is None]
    if empty:
        raise ParameterError(
            f"the parameter {empty[0]!r:.80} is null; give a value, or leave it out for its default"
        )
    if not named:
        only = _only(names, signature, what)
        return Call({only: _rows(value["rows"], only, signature)}, parameters), len(value)
    inputs = value["inputs"]
    lost = [name for name in names if name not in inputs]
    more = [name for name in inputs if name not in names]
    if lost or more:
        wrong = f"lack {lost[0]!r}" if lost else f"have {more[0]!r:.80}"
        raise ColumnError(f"the inputs {wrong}; the model takes {', '.join(map(repr, names))}")
    rows = {
        name: _rows(_list(inputs[name], signature, f"the input {name!r}"), name, signature)
        for name in names
    }
    return Call(rows, parameters), len(value) + len(inputs)


def _only(names: tuple[str, ...], signature: Signature, what: str) -> str:
    """Return the one input; raise where there are several, so that rows must say whose they are."""
    if len(names) == 1:
        return names[0]
    raise ShapeError(
        f"{what} does not say which input its rows are of, and the model takes several; "
        f"{form_of(signature)}"
    )


def _rows(value: list[Any], name: str, signature: Signature) -> list[Any]:
    """Return a list of rows; the cells of a table's row are one row, as they are in Python."""
    cells = name == TABLE and len(signature.columns) > 1 and value
    return [value] if cells and type(value[0]) not in (list, dict) else value


def _list(value: Any, signature: Signature, what: str) -> list[Any]:
    if type(value) is not list:
        raise ShapeError(f"{what} holds {type(value).__name__}, not rows; {form_of(signature)}")
    return value


def _row(value: dict[str, Any], signature: Signature, what: str) -> dict[str, Any]:
    """Return an object that is one row."""
    if signature.columns:
        check_row(value, signature, what)
        return value
    kind = signature.beside[0].kind
    if kind == "features" or (kind == "sparse" and set(value) == set(PAIRS)):
        return value
    raise ShapeError(f"{what} is an object that holds no rows; {form_of(signature)}")
