"""One method of a program, ready to be called with rows of any kind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from sclbl.rows import Blocks
from sclbl.runtime.engine import clock
from sclbl.runtime.module import TELLING_ROWS, WORTH_THREADS, Module
from sclbl.runtime.outputs import choose, finish, label_array, no_label


def method_call(module: Module, method: str) -> Callable[[Any], Any]:
    """Return a function of rows, with short ways for one row and for a chunk of numbers."""
    encode, signature, pace = module.encoder.encode, module.signature, module.pace
    output = signature.outputs[method]
    dtype = np.dtype(signature.numeric_dtype)
    width = len(signature.columns)
    one, ndarray, perf_counter = (1, width), np.ndarray, time.perf_counter
    flat, chunk, empty = output.ndim == 1, module.chunk, output.empty
    labels = None
    if output.storage == "label" and output.labels is not None and len(output.labels) == 1:
        labels = label_array(output.labels[0], output.dtype)
    singles = [] if labels is None else [labels[k : k + 1] for k in range(len(labels))]
    same = output.storage not in ("label", "text") and output.dtype == output.storage
    short = output.splits is None and (same or labels is not None)
    short = short and (labels is None or output.ndim == 1)
    short = short and not signature.text and width > 0 and output.shape is None
    short = short and signature.is_uniform and signature.takes_nan
    local = threading.local()

    def call(rows: Any) -> Any:
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
            if rows.ndim == 2 and rows.shape[1] == width and (size := len(rows)) > 0:
                if size > chunk or size * pace[method] > WORTH_THREADS:
                    return finish(output, module.call(method, Blocks(size, rows)))
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
        numeric = blocks.numeric
        if short and numeric is not None and numeric is not rows and blocks.rows:
            return call(numeric)
        return finish(output, module.call(method, blocks))

    return call
