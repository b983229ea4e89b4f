"""The process that compiles uploads: ``python -m sclbl.server.forge``.

It loads the compiler once and forks a child for each upload, with limits of its own; a child ends
with its upload, so that none finds what another left. It reads one order a line on its standard
input and writes one line for each child that ended. When the input ends, so do its children, and
it: a server that is killed leaves none behind.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import selectors
import signal
import sys
import traceback
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

#: How a child ends: all well, an error that `error.json` holds.
DONE, FAILED = 0, 3
#: What lies in the folder of an upload.
BODY, ORDER, PROGRAM, SPEC, REPORT, ERROR, LOG = (
    "body", "order.json", "program.wasm", "spec.onnx", "report.json", "error.json", "log",
)  # fmt: skip
_CHUNK = 1 << 20
NO_MEMORY = "out of memory"


def main() -> None:
    """Take orders until there are no more."""
    from sclbl.recompile import warm
    from sclbl.settings import use_threads

    os.nice(10)  # predictions go first
    use_threads(1)  # so that forking is safe, and an upload has one processor
    warm()
    gc.freeze()
    children: dict[int, int] = {}  # number of the order by process
    # A signal makes this pipe readable, so that one wait is for orders and ends of children.
    awake, wake = os.pipe()
    for end in (awake, wake):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    selector = selectors.DefaultSelector()
    selector.register(0, selectors.EVENT_READ)
    selector.register(awake, selectors.EVENT_READ)
    rest = b""
    while True:
        ready = {key.fd for key, _ in selector.select()}
        if awake in ready:
            os.read(awake, 4096)
        for pid, status in list(ended(children)):
            answer = {"id": children.pop(pid), "status": os.waitstatus_to_exitcode(status)}
            os.write(1, json.dumps(answer).encode() + b"\n")
        if 0 not in ready:
            continue
        data = os.read(0, 65536)
        if not data:
            break
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            order = json.loads(line)
            if "kill" in order:
                for pid in [p for p, number in children.items() if number == order["kill"]]:
                    os.kill(pid, signal.SIGKILL)
                continue
            pid = os.fork()
            if pid == 0:
                work(order)
            children[pid] = order["id"]
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def ended(children: dict[int, int]) -> Iterator[tuple[int, int]]:
    """Yield the children that ended, and how."""
    for _ in range(len(children)):
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        yield pid, status


def work(order: dict[str, Any]) -> NoReturn:
    """Do one order, in a child, and end."""
    code = 1
    folder = Path(order["folder"])
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDWR)
        log = os.open(folder / LOG, os.O_CREAT | os.O_WRONLY, 0o600)
        for number, target in ((0, nothing), (1, nothing), (2, log)):
            os.dup2(target, number)
        limit(order["seconds"], order["memory"])
        code = attempt(folder, order["bytes"])
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def limit(seconds: float, memory: int) -> None:
    """Bound this process's time and memory, and end it with its parent."""
    import resource

    spent = resource.getrusage(resource.RUSAGE_SELF)
    cpu = int(spent.ru_utime + spent.ru_stime + seconds) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
    # Of addresses, an engine reserves gigabytes that it never uses; this counts what can be used.
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        set_death_signal = 1
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)


def attempt(folder: Path, most: int) -> int:
    """Compile and check the upload in a folder; leave the results, or an error, there."""
    from sclbl.errors import LimitError, SclblError, SpecError
    from sclbl.recompile import recompile

    try:
        stated = json.loads((folder / ORDER).read_bytes())
        spec = inflate(folder / BODY, most)
        made = recompile(spec, stated)
        (folder / PROGRAM).write_bytes(made.wasm)
        (folder / SPEC).write_bytes(spec)
        report = None if made.report is None else made.report.to_json()
        (folder / REPORT).write_text(json.dumps(report))
        return DONE
    except SclblError as found:
        error = found
    except MemoryError:
        error = LimitError(NO_MEMORY)
    except Exception as found:
        # Bytes from outside: what they provoke is taken for their fault, and looked into.
        traceback.print_exc()
        error = SpecError(
            f"the spec cannot be compiled or checked ({type(found).__name__}: {found}); "
            "compile the model again with sclbl.compile"
        )
    (folder / ERROR).write_text(json.dumps({"code": error.code, "message": str(error)}))
    return FAILED


def inflate(path: Path, most: int) -> bytes:
    """Return a compressed file's content; raise `LimitError` where it is more than `most` bytes."""
    from sclbl.errors import LimitError, SpecError

    reader = zlib.decompressobj()
    found = bytearray()
    try:
        with path.open("rb") as file:
            while not reader.eof:
                data = reader.unconsumed_tail or file.read(_CHUNK)
                if not data:
                    raise zlib.error("it ends too early")
                found += reader.decompress(data, _CHUNK)
                if len(found) > most:
                    raise LimitError(
                        f"the spec has more than {most:,} bytes; this server takes no more"
                    )
            if reader.unused_data or file.read(1):
                raise zlib.error("something follows it")
    except zlib.error as error:
        raise SpecError(
            f"the spec of the upload is not whole, or not compressed with zlib ({error}); "
            "send it again"
        ) from None
    return bytes(found)


if __name__ == "__main__":
    main()
