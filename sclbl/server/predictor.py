"""Predictions over a registry: refs to loaded programs, rows to encoded answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import numpy as np

from sclbl.errors import DeadlineError, RequestError
from sclbl.methods import pick_method
from sclbl.program import Program
from sclbl.registry.base import Record, Registry
from sclbl.rows import OneNull
from sclbl.runtime.engine import check_time
from sclbl.server import general, large, results
from sclbl.server.lanes import INLINE_SECONDS, Lanes, begin_inline, end_inline
from sclbl.server.limits import Settings, too_many_bytes, too_many_values
from sclbl.server.payload import JSON, NDJSON, READERS
from sclbl.server.pools import Pools
from sclbl.server.programs import Programs, Target, target_of
from sclbl.server.revision import Revision

#: A prediction with a larger body leaves the event loop for a thread.
INLINE_BYTES = 32 * 1024
#: So does one with more values in its answer.
INLINE_VALUES = 16 * 1024
#: So does one whose result takes more bytes as an array.
INLINE_RESULT = 1024 * 1024
#: Times that a result may take its text's bytes as an array: NumPy has four bytes a character.
WIDEST = 4
#: One with a larger body is taken for one that may take long.
SHORT_BYTES = 512 * 1024
#: Values that are encoded at a time: others wait meanwhile.
SLICE_VALUES = 4 * 1024
#: Refs remembered at most, over all methods.
MAX_TARGETS = 4096


class Predictor:
    """Answers predictions.

    What a ref names is remembered for as long as the registry's revision is the same; see
    `Revision` for how soon a change is seen. One through this server is seen at once (`forget`).
    """

    def __init__(self, registry: Registry, settings: Settings, pools: Pools) -> None:
        self._registry = registry
        self._settings = settings
        self._targets: dict[tuple[str, str | None], Target] = {}
        self._programs = Programs(settings.cached_programs, settings.cached_bytes)
        self._loading: dict[str, asyncio.Future[Program]] = {}
        # Counts the changes that were noticed: what was looked up before one is not kept after it.
        self._changes = 0
        self.revision = Revision(registry, settings.revision_seconds, self.forget, pools)
        self._lanes = Lanes(pools, settings.predict_seconds)
        self._pools = pools

    def forget(self) -> None:
        """Look every ref up again."""
        self._targets.clear()
        self._changes += 1

    async def find(self, ref: str, method: str | None) -> Target:
        """Return what a ref and a method name.

        Raises
        ------
        InvalidRefError, NotFoundError, DeletedError, UnsupportedMethodError
            The ref or the method names nothing.
        """
        await self.revision.renew()
        target = self._targets.get((ref, method))
        if target is not None:
            return target
        changes = self._changes
        record = await self._pools.run("load", lambda: self._registry.get(ref))
        program = await self._load(record)
        target = target_of(record, program, pick_method(program.methods, record.ref, method))
        if changes == self._changes and self.revision.known:
            if len(self._targets) >= MAX_TARGETS:
                self._targets.clear()
            self._targets[ref, method] = target
        return target

    async def _load(self, record: Record) -> Program:
        program = self._programs.get(record.sha256)
        if program is not None:
            return program
        # Requests that want the same program wait for one load of it.
        future = self._loading.get(record.sha256)
        if future is None:
            future = self._pools.run("load", lambda: self._read(record))
            self._loading[record.sha256] = future
            future.add_done_callback(lambda done: self._loaded(record.sha256, done))
        return await asyncio.shield(future)

    def _read(self, record: Record) -> Program:
        return Program.from_bytes(self._registry.program(record))

    def _loaded(self, sha256: str, done: asyncio.Future[Program]) -> None:
        self._loading.pop(sha256, None)
        if not done.cancelled() and done.exception() is None:
            self._programs.put(done.result())

    # -------------------------------------------------------------- answers

    def answer_inline(self, ref: str, method: str | None, body: bytes) -> bytes | None:
        """Answer a small JSON prediction at once, on the event loop.

        None where it is not known to be short, or where anything is wrong: then `respond` answers,
        which also knows how to refuse.
        """
        if not self.revision.fresh() or len(body) > INLINE_BYTES:
            return None
        target = self._targets.get((ref, method))
        if target is None or target.general:
            return None
        return self._at_once(target, body)

    def _at_once(self, target: Target, body: bytes) -> bytes | None:
        start = time.perf_counter()
        try:
            rows = READERS[JSON](body, target.program.signature, self._settings.rows)
            count = len(rows)
            if target.costs.expected(count) > INLINE_SECONDS:
                return None
            if count * target.width > min(INLINE_VALUES, self._settings.answer_values):
                return None
            if count * target.row_bytes > INLINE_RESULT:
                return None
            begin_inline()
            try:
                found = target.call(OneNull(rows))
            finally:
                end_inline()
            output = target.program.signature.outputs[target.method]
            text = results.encode(results.by_row(results.with_rows(found, output)), output)
        except DeadlineError:
            target.costs.too_slow(count)
            return None
        except Exception:
            # Whatever it is, it happens again on the long way, which answers or logs it.
            return None
        target.costs.add(count, time.perf_counter() - start)
        return None if len(text) > self._settings.answer_bytes else target.prefix + text + b"}"

    async def respond(
        self,
        target: Target,
        body: bytes,
        media: str,
        accept: str,
        *,
        gone: Callable[[], Awaitable[Any]] | None = None,
    ) -> list[bytes]:
        """Predict and return the answer, in pieces, in the media type `accept`.

        `gone` returns when the client has left; what it asked for then gives up its place in the
        queue.

        Raises
        ------
        InputError, RequestError, LimitError
            The body cannot be read, the program refuses its rows, or they take too much.
        BusyError
            Too many predictions wait for their turn.
        """
        size = len(body)
        if media == accept == JSON and size <= INLINE_BYTES and not target.general:
            answer = self._at_once(target, body)
            if answer is not None:
                return [answer]
        if size <= SHORT_BYTES and size < target.long_bytes:
            try:
                return await self._lanes.short(lambda: self.answer(target, body, media, accept))
            except DeadlineError:
                target.long_bytes = min(target.long_bytes, size)
        start = time.monotonic()
        work = self._lanes.long(lambda: self.answer(target, body, media, accept))
        answers = await (work if gone is None else _attended(work, gone))
        if time.monotonic() - start < INLINE_SECONDS:
            target.long_bytes = 1 << 62
        return answers

    def answer(
        self, target: Target, body: bytes, media: str = JSON, accept: str = JSON
    ) -> list[bytes]:
        """Predict, in this thread, and return the answer in pieces; raises as `respond` does."""
        start = time.thread_time()
        settings, signature = self._settings, target.program.signature
        if target.general:
            parts, count = general.answer(target, body, media, accept, settings)
            target.costs.add(count, time.thread_time() - start)
            return parts
        rows = large.read(body, media, target.program.module.encoder, settings.rows)
        count = _count(rows)
        if count * target.width > settings.answer_values:
            raise too_many_values(count, count * target.width, settings.answer_values)
        if count * target.row_bytes > WIDEST * settings.answer_bytes:
            raise too_many_bytes(settings.answer_bytes)
        check_time()
        output = signature.outputs[target.method]
        found = results.with_rows(target.call(rows), output)
        del rows
        parts, size = [], 0
        for some in results.in_slices(found, SLICE_VALUES):
            check_time()
            if accept == NDJSON:
                parts.append(results.encode_lines(some, output))
            else:
                text = results.encode(some, output)
                parts.append(b"%b%b" % (b"," if parts else target.prefix + b"[", text[1:-1]))
            size += len(parts[-1])
            if size > settings.answer_bytes:
                raise too_many_bytes(settings.answer_bytes)
            if len(parts) > 1:
                time.sleep(large.BREATH)
        if accept != NDJSON:
            parts.append(b"]}" if parts else target.prefix + b"[]}")
        target.costs.add(count, time.thread_time() - start)
        return parts


async def _attended(
    work: Coroutine[Any, Any, list[bytes]], gone: Callable[[], Awaitable[Any]]
) -> list[bytes]:
    """Return what comes of `work`, or give it up when the client has left."""
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(gone())
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise RequestError("the client closed the connection before it was answered")
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()


def _count(rows: Any) -> int:
    """Return how many rows `large.read` returned: an array, a list, or columns by name."""
    if isinstance(rows, OneNull):
        rows = rows.rows
    if isinstance(rows, dict):
        return max((len(column) for column in rows.values()), default=0)
    return rows.shape[0] if isinstance(rows, np.ndarray) else len(rows)
