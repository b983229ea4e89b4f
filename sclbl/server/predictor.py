"""Predictions over a registry: refs to loaded programs, rows to encoded answers."""

from __future__ import annotations

import asyncio
import os
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import msgspec

from sclbl.methods import pick_method
from sclbl.program import Program
from sclbl.registry.base import Record, Registry
from sclbl.server import results
from sclbl.server.dense import Dense
from sclbl.server.payload import JSON, NDJSON, READERS
from sclbl.server.settings import Settings

#: A prediction expected to take longer than this leaves the event loop for a thread.
INLINE_SECONDS = 0.001
#: So does one with a larger body.
INLINE_BYTES = 32 * 1024
#: Refs remembered at most, over all methods.
MAX_TARGETS = 4096


@dataclass(slots=True)
class Target:
    """A method of a program that a ref named when it was last looked up.

    ``cost`` is the seconds per byte of body that predictions took lately.
    """

    record: Record
    program: Program
    method: str
    prefix: bytes
    call: Callable[[Any], Any]
    dense: Dense
    cost: float = 0.0


class Programs:
    """Loaded programs by SHA-256; the least recently used one goes when there are too many."""

    def __init__(self, count: int, size: int) -> None:
        self._count = count
        self._size = size
        self._held: OrderedDict[str, Program] = OrderedDict()
        self._bytes = 0

    def get(self, sha256: str) -> Program | None:
        """Return a program if it is loaded."""
        program = self._held.get(sha256)
        if program is not None:
            self._held.move_to_end(sha256)
        return program

    def put(self, program: Program) -> None:
        """Hold a program. One that is larger than the whole cache is held alone."""
        if program.sha256 in self._held:
            return
        self._held[program.sha256] = program
        self._bytes += program.memory_bytes
        while len(self._held) > 1 and (len(self._held) > self._count or self._bytes > self._size):
            _, gone = self._held.popitem(last=False)
            self._bytes -= gone.memory_bytes

    def __len__(self) -> int:
        return len(self._held)


class Predictor:
    """Answers predictions.

    What a ref names is remembered for as long as the registry's stamp is the same. The stamp is
    read at most every `Settings.stamp_seconds`, so a promotion by another process is seen within
    that time, and one through this server at once (`forget`).
    """

    def __init__(self, registry: Registry, settings: Settings) -> None:
        self._registry = registry
        self._settings = settings
        self._targets: dict[tuple[str, str | None], Target] = {}
        self._programs = Programs(settings.cached_programs, settings.cached_bytes)
        self._loading: dict[str, asyncio.Future[Program]] = {}
        self._stamp: int | None = None
        self._checked = 0.0
        # Counts the changes that were noticed: what was looked up before one is not kept after it.
        self._changes = 0
        workers = max(2, os.cpu_count() or 1)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="predict")
        self._loaders = ThreadPoolExecutor(4, thread_name_prefix="load")

    def forget(self) -> None:
        """Look every ref up again."""
        self._targets.clear()
        self._changes += 1

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._loaders.shutdown(wait=False, cancel_futures=True)

    def _refresh(self) -> None:
        now = time.monotonic()
        if now - self._checked < self._settings.stamp_seconds:
            return
        stamp = self._registry.stamp()
        if stamp != self._stamp or stamp is None:
            self.forget()
            self._stamp = stamp
        self._checked = now

    def known(self, ref: str, method: str | None) -> Target | None:
        """Return what a ref and a method name, if that is known without asking the registry."""
        self._refresh()
        return self._targets.get((ref, method))

    async def find(self, ref: str, method: str | None) -> Target:
        """Return what a ref and a method name.

        Raises
        ------
        InvalidRefError, NotFoundError, DeletedError, UnsupportedMethodError
            The ref or the method names nothing.
        """
        target = self.known(ref, method)
        if target is not None:
            return target
        changes = self._changes
        loop = asyncio.get_running_loop()
        record = await loop.run_in_executor(self._loaders, self._registry.get, ref)
        program = await self._load(record)
        chosen = pick_method(program.methods, record.ref, method)
        target = Target(
            record,
            program,
            chosen,
            _prefix(record, chosen),
            getattr(program, chosen),
            Dense(program.signature),
        )
        if changes == self._changes and self._stamp is not None:
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
            loop = asyncio.get_running_loop()
            future = asyncio.ensure_future(loop.run_in_executor(self._loaders, self._read, record))
            self._loading[record.sha256] = future
            future.add_done_callback(lambda done: self._loaded(record.sha256, done))
        return await asyncio.shield(future)

    def _read(self, record: Record) -> Program:
        return Program.from_bytes(self._registry.program(record))

    def _loaded(self, sha256: str, done: asyncio.Future[Program]) -> None:
        self._loading.pop(sha256, None)
        if not done.cancelled() and done.exception() is None:
            self._programs.put(done.result())

    def answer(self, target: Target, body: bytes, media: str = JSON) -> bytes:
        """Predict, in this thread, and return the JSON answer.

        Raises
        ------
        InputError, RequestError, LimitError
            The body cannot be read, or the program refuses its rows.
        """
        return self._encoded(target, body, media, _as_json)

    def answer_lines(self, target: Target, body: bytes, media: str) -> bytes:
        """Predict, in this thread, and return the results as NDJSON; raises as `answer` does."""
        return self._encoded(target, body, media, _as_lines)

    def _encoded(
        self,
        target: Target,
        body: bytes,
        media: str,
        encode: Callable[[Target, list[Any]], bytes],
    ) -> bytes:
        start = time.perf_counter()
        program = target.program
        rows = READERS[media](body, program.signature, self._settings.rows)
        found = results.by_row(target.call(target.dense(rows)))
        text = encode(target, found)
        spent = (time.perf_counter() - start) / (len(body) or 1)
        target.cost += (spent - target.cost) * 0.25
        return text

    def inline(self, target: Target, size: int) -> bool:
        """Return whether a body of this size should be answered in the event loop."""
        return size <= INLINE_BYTES and target.cost * size < INLINE_SECONDS

    async def respond(self, target: Target, body: bytes, media: str, accept: str) -> bytes:
        """Predict, in a thread where it may take long, and return the answer in the media type
        `accept`; raises as `answer` does."""
        run = self.answer_lines if accept == NDJSON else self.answer
        if self.inline(target, len(body)):
            return run(target, body, media)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, run, target, body, media)


def _prefix(record: Record, method: str) -> bytes:
    head = msgspec.json.encode(
        {
            "ref": record.ref,
            "name": record.name,
            "version": record.version,
            "sha256": record.sha256,
            "method": method,
        }
    )
    return head[:-1] + b',"results":'


def _as_json(target: Target, rows: list[Any]) -> bytes:
    output = target.program.signature.outputs[target.method]
    return b"%b%b}" % (target.prefix, results.encode(rows, output))


def _as_lines(target: Target, rows: list[Any]) -> bytes:
    return results.encode_lines(rows, target.program.signature.outputs[target.method])
