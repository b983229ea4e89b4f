"""One method of a program, ready to be called with rows of any kind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from sclbl.errors import ParameterError
from sclbl.rows import Blocks
from sclbl.runtime.containers import in_container
from sclbl.runtime.engine import clock
from sclbl.runtime.general import Result
from sclbl.runtime.module import TELLING_ROWS, WORTH_THREADS, Module
from sclbl.runtime.outputs import (
    choose,
    finish,
    finish_any,
    label_array,
    most_dense_rows,
    no_label,
    too_large,
)
from sclbl.signature import Output, Signature


def is_general(signature: Signature, method: str) -> bool:
    """Return whether a method takes more than a table, or gives more than one plain result."""
    output = signature.outputs[method]
    return bool(signature.beside or output.parameters) or not output.is_plain


def check_options(
    signature: Signature, method: str, output: str | None, parameters: Iterable[str]
) -> None:
    """Check what a call gives beside its rows.

    Parameters
    ----------
    output : str or None
        The container that results are to come back in.
    parameters : iterable of str
        Names of the values of the call.

    Raises
    ------
    ParameterError
        The method has no such parameter or output.
    """
    names = signature.outputs[method].parameters
    wrong = [name for name in parameters if name not in names]
    if wrong:
        has = f"it has {', '.join(names)}" if names else "it has none"
        raise ParameterError(f"{method} has no parameter {wrong[0]!r:.80}; {has}")
    if output is None:
        return
    offered = containers_of(signature, method)
    if output not in offered:
        offers = " and ".join(map(repr, offered)) or "only its own, an array"
        raise ParameterError(f"{method} has no output {output!r:.80}; it offers {offers}")


def containers_of(signature: Signature, method: str) -> tuple[str, ...]:
    """Return the containers that a call of a method may ask for as its `output`."""
    results = [output.containers for _, output in signature.results(method)]
    # Of several results those that are not sparse come back as they are.
    return tuple(dict.fromkeys(name for offered in results for name in offered))


def named(call: Callable[..., Any], method: str) -> Callable[..., Any]:
    """Return a function that Python's errors about its arguments call by its method."""
    call.__name__, call.__qualname__ = method, f"Program.{method}"
    return call


def method_call(module: Module, method: str) -> Callable[..., Any]:
    """Return a function of rows, with short ways for one row and for a chunk of numbers.

    It takes `output` by name, and the method's parameters where it has some.
    """
    encode, signature, pace = module.encoder.encode, module.signature, module.pace
    gives = signature.outputs[method]
    if is_general(signature, method):
        return _general_call(module, method)
    dtype = np.dtype(signature.numeric_dtype)
    width = len(signature.columns)
    one, ndarray, perf_counter = (1, width), np.ndarray, time.perf_counter
    flat, chunk, empty = gives.ndim == 1, module.chunk, gives.empty
    labels = None
    if gives.storage == "label" and gives.labels is not None and len(gives.labels) == 1:
        labels = label_array(gives.labels[0], gives.dtype)
    singles = [] if labels is None else [labels[k : k + 1] for k in range(len(labels))]
    same = gives.storage not in ("label", "text") and gives.dtype == gives.storage
    short = gives.splits is None and (same or labels is not None)
    short = short and (labels is None or gives.ndim == 1)
    short = short and not signature.text and width > 0 and gives.shape is None
    short = short and signature.is_uniform and signature.takes_nan
    local = threading.local()
    most = most_dense_rows(gives)

    def call(rows: Any, *, output: str | None = None) -> Any:
        if output is not None:
            check_options(signature, method, output, ())
            return in_container(module, method, rows, output, {})
        if short and type(rows) is ndarray and rows.dtype is dtype:
            if rows.shape == one:
                try:
                    ready = local.ready
                except AttributeError:
                    ready = local.ready = module.session().one_row(method)
                instance, into, found, raw, context, address, args, count, trap, block = ready
                if instance.ticks != clock.ticks:
                    instance.rewind()
                into[...] = rows
                block[0] = 1
                failed = raw(context, address, args, count, trap)
                if failed is not None or block[0]:
                    module.session().finish(method, failed)
                try:
                    return (found if labels is None else singles[found.item()]).copy()
                except IndexError:
                    raise no_label() from None
            if rows.ndim == 2 and rows.shape[1] == width and 0 < (size := len(rows)) <= most:
                if size > chunk or size * pace[method] > WORTH_THREADS:
                    return finish(gives, module.call(method, Blocks(size, rows)))
                session = module.session()
                begin = perf_counter() if size >= TELLING_ROWS else 0.0
                session.numeric[:size] = rows
                session.run(method, size, 0)
                got = session.outputs[method][:size]
                if begin:
                    module.learn(method, perf_counter() - begin, size)
                if labels is not None:
                    return choose(labels, got[:, 0])
                return got[:, 0].copy() if flat else got.copy()
        blocks = encode(rows, empty=empty)
        if blocks.rows > most:
            raise too_large(gives, blocks.rows)
        numeric = blocks.numeric
        if short and numeric is not None and numeric is not rows and blocks.rows:
            return call(numeric)
        return finish(gives, module.call(method, blocks))

    return named(call, method)


def general_results(
    module: Module, method: str, rows: Any, parameters: Mapping[str, Any]
) -> list[tuple[Output, Result]]:
    """Run any method, and return what each of its results is and holds, undecoded.

    Parameters
    ----------
    rows : object
        What `sclbl.rows.Encoder.encode` takes.
    parameters : mapping
        Values of the call, whose names `check_options` found to be right.
    """
    signature = module.signature
    outputs = [output for _, output in signature.results(method)]
    blocks = module.encoder.encode(rows, empty=outputs[0].empty, parameters=parameters)
    return list(zip(outputs, module.general(method, blocks), strict=True))


def _general_call(module: Module, method: str) -> Callable[..., Any]:
    """Return a function of rows and parameters, for all that the short ways are not for."""
    signature = module.signature
    gives = signature.outputs[method]

    def call(rows: Any, *more: Any, output: str | None = None, **parameters: Any) -> Any:
        if more:
            names = signature.outputs[method].parameters
            said = f"give {names[0]}={more[0]!r:.40}" if names else "give them alone"
            raise ParameterError(f"{method} takes rows, and values of the call by name; {said}")
        check_options(signature, method, output, parameters)
        if output is not None and gives.is_plain:
            return in_container(module, method, rows, output, parameters)
        found = general_results(module, method, rows, parameters)
        if output is None and isinstance(found[0][1], np.ndarray):
            count = len(found[0][1])
            if count > most_dense_rows(gives):
                raise too_large(gives, count)
        results = [finish_any(o, r, output) for o, r in found]
        return tuple(results) if len(results) > 1 else results[0]

    return named(call, method)
