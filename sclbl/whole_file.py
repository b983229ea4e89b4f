"""Files that are there whole or not at all: the one way in which the project writes them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: How names of files end that are not whole yet; one that a crash left is nobody's.
SUFFIX = ".part"


@contextmanager
def whole_file(path: Path, *, private: bool = False, sync: bool = False) -> Iterator[Path]:
    """Give a path to write to, beside `path`, which becomes `path` only when all went well.

    Parameters
    ----------
    path : Path
        The file; one that exists is replaced in one step.
    private : bool
        Whether only its owner may read it, from before there is anything to read; else the
        process's umask decides.
    sync : bool
        Whether the disk must have the content before the name: a crash of the machine then leaves
        the old file or the new one.
    """
    part = path.with_name(f".{path.name[:50]}.{secrets.token_hex(8)}{SUFFIX}")
    mode = 0o600 if private else 0o666
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
    try:
        yield part
        if sync:
            with open(part, "r+b") as file:
                os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
