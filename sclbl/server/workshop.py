"""Uploads compiled in another process: their turns, their limits, and their end."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO

from sclbl.errors import BusyError, CompileError, ExhaustedError, LimitError, by_code
from sclbl.server import forge
from sclbl.server.bodies import size
from sclbl.server.folders import Folders
from sclbl.server.limits import Settings

log = logging.getLogger("sclbl.server")


@dataclass(frozen=True, slots=True)
class Compiled:
    """What became of an upload: the program, the spec, and the report of one against the other."""

    wasm: bytes
    spec: bytes
    report: Mapping[str, Any] | None


class Forge:
    """The process of `sclbl.server.forge`, started when first needed and again where it ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._orders: dict[int, Future[int]] = {}
        self._numbers = itertools.count(1)

    def open(self) -> None:
        """Start the process, unless it runs."""
        with self._lock:
            self._open()

    def order(self, folder: Path, seconds: float, memory: int, most: int) -> tuple[int, Any]:
        """Order a folder to be worked on; return the order's number and the future of its end."""
        number, future = next(self._numbers), Future[int]()
        line = {"id": number, "folder": str(folder), "seconds": seconds, "memory": memory}
        with self._lock:
            self._open()
            self._orders[number] = future
            self._write({**line, "bytes": most})
        return number, future

    def kill(self, number: int) -> None:
        """End what works on an order, if it still does."""
        with self._lock:
            if number in self._orders:
                self._write({"kill": number})

    def close(self) -> None:
        """End the process, and what works on orders with it."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()
            process.wait()

    def _write(self, order: Mapping[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended, and what waits for it is told by `_listen`

    def _open(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", forge.__name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, **threads},
                start_new_session=True,  # Ctrl-C ends the server, which ends this
            )
        except OSError as error:
            raise ExhaustedError(
                f"no process to compile uploads could be started: {error.strerror or error}; "
                "try again later"
            ) from error
        arguments = (self._process, self._process.stdout)
        threading.Thread(target=self._listen, args=arguments, name="forge", daemon=True).start()

    def _listen(self, process: subprocess.Popen[bytes], answers: IO[bytes]) -> None:
        with answers:
            for line in answers:
                answer = json.loads(line)
                with self._lock:
                    future = self._orders.pop(answer["id"])
                future.set_result(answer["status"])
        with self._lock:
            left, self._orders = self._orders, {}
            if self._process is process:
                self._process = None
        for future in left.values():
            future.set_exception(
                BusyError("the process that compiles uploads ended; upload the model again")
            )


class Workshop:
    """Compiles uploads, a few at a time.

    Each is quick at first. One that is not done after `Settings.quick_seconds` makes room for the
    next quick one where fewer than `Settings.uploads_at_once` take that long, and is refused
    otherwise: however long some take, others go through.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._forge = Forge()
        self._folders = Folders()
        self._quick = asyncio.Semaphore(settings.uploads_at_once)
        self._waiting = self._long = 0

    def open(self) -> None:
        """Start the process that compiles, which takes about a second, before it is needed."""
        self._forge.open()

    def close(self) -> None:
        """End it."""
        self._forge.close()
        self._folders.close()

    async def compile(self, body: BinaryIO, stated: Mapping[str, Any]) -> Compiled:
        """Compile and check an upload; cancel this to end it.

        Parameters
        ----------
        body : file
            The ONNX file of the spec, compressed with zlib.
        stated : mapping
            What the uploader states in the program's manifest.

        Raises
        ------
        SclblError
            What is wrong with it, or `BusyError` where it has to wait for too many others.
        """
        if self._waiting >= self._settings.uploads_waiting:
            raise BusyError(
                f"{self._waiting} uploads wait to be compiled, and no more may; try again later"
            )
        self._waiting += 1
        try:
            await self._quick.acquire()
        finally:
            self._waiting -= 1
        seat = _Seat(self._quick)
        try:
            folder = await asyncio.to_thread(_prepare, self._folders.make, body, stated)
            try:
                status = await self._work(folder, seat)
                return await asyncio.to_thread(_collect, folder, status, self._settings)
            finally:
                await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, True))
        finally:
            seat.leave()

    async def _work(self, folder: Path, seat: _Seat) -> int:
        settings = self._settings
        number, ordered = await asyncio.to_thread(
            self._forge.order,
            folder,
            settings.upload_seconds,
            settings.upload_memory,
            settings.upload_bytes,
        )
        end = asyncio.ensure_future(asyncio.wrap_future(ordered))
        quick = min(settings.quick_seconds, settings.upload_seconds)
        try:
            done, _ = await asyncio.wait({end}, timeout=quick)
            if not done and quick < settings.upload_seconds:
                if self._long >= settings.uploads_at_once:
                    raise BusyError(
                        f"compiling this spec takes more than {quick:g} s, and {self._long} "
                        "others that do are under way; try again later"
                    )
                seat.leave()
                self._long += 1
                try:
                    rest = settings.upload_seconds - quick
                    done, _ = await asyncio.wait({end}, timeout=rest)
                finally:
                    self._long -= 1
            if not done:
                raise _too_long(settings)
            status: int = end.result()
            return status
        finally:
            if not end.done():
                self._forge.kill(number)
                # Its folder goes when it has ended; what it ended with says nothing.
                await asyncio.shield(asyncio.wait({end}))
                if not end.cancelled():
                    end.exception()


class _Seat:
    """A place among the quick ones, left once."""

    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places: asyncio.Semaphore | None = places

    def leave(self) -> None:
        places, self._places = self._places, None
        if places is not None:
            places.release()


def _too_long(settings: Settings) -> LimitError:
    return LimitError(
        f"compiling and checking this spec took more than {settings.upload_seconds:g} s, the limit "
        "of this server; make the model smaller, or ask who runs the server to raise the limit"
    )


def _prepare(make: Callable[[], Path], body: BinaryIO, stated: Mapping[str, Any]) -> Path:
    folder = make()
    try:
        with (folder / forge.BODY).open("wb") as file:
            shutil.copyfileobj(body, file, 1 << 20)
        (folder / forge.ORDER).write_text(json.dumps(stated))
    except BaseException:
        shutil.rmtree(folder, True)
        raise
    return folder


def _collect(folder: Path, status: int, settings: Settings) -> Compiled:
    """Return what a child left in its folder, or raise why it left nothing."""
    said = _said(folder)
    if said:
        log.warning("an upload made the compiler's process say: %s", said)
    if status == forge.DONE:
        report = json.loads((folder / forge.REPORT).read_text())
        spec = (folder / forge.SPEC).read_bytes()
        return Compiled((folder / forge.PROGRAM).read_bytes(), spec, report)
    if status == forge.FAILED:
        error = json.loads((folder / forge.ERROR).read_text())
        if error["code"] == LimitError.code and error["message"] == forge.NO_MEMORY:
            raise _too_much(settings)
        raise by_code(error["code"])(error["message"])
    if status in (-24, -9):  # SIGXCPU; SIGKILL by the kernel, at the hard limit
        raise _too_long(settings)
    if status < 0:
        raise _too_much(settings)
    raise CompileError(
        f"the process that compiled this spec ended with status {status}; the server's log says why"
    )


def _too_much(settings: Settings) -> LimitError:
    return LimitError(
        "compiling and checking this spec needs more memory than this server gives an upload "
        f"({size(settings.upload_memory)}); make the model smaller, or ask who runs the server to "
        "raise the limit"
    )


def _said(folder: Path) -> str:
    try:
        with (folder / forge.LOG).open("rb") as file:
            return file.read(4096).decode(errors="replace").strip()
    except OSError:
        return ""
