"""Files whose name someone gave: read whole, where they are files at all and not too large."""

from __future__ import annotations

import errno
import os
import stat
from typing import BinaryIO

#: Bytes of the largest file that is read whole: no program and no ONNX file is larger.
MAX_FILE = 2 * 1024**3
#: What else a name may stand for.
_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def open_file(path: str | bytes | os.PathLike[str], *, pipe: bool = False) -> BinaryIO:
    """Open a file for reading, without waiting for a writer; with `pipe` a pipe too.

    Raises
    ------
    OSError
        It cannot be opened, or is no file: others never end, or never begin.
    """
    wait = 0 if pipe else getattr(os, "O_NONBLOCK", 0)
    handle = os.open(path, os.O_RDONLY | wait | getattr(os, "O_BINARY", 0))
    try:
        kind = stat.S_IFMT(os.fstat(handle).st_mode)
        if kind == stat.S_IFDIR:
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        if kind != stat.S_IFREG and not (pipe and kind == stat.S_IFIFO):
            raise OSError(errno.EINVAL, f"it is {_KINDS.get(kind, 'something else')}, not a file")
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_file(path: str | bytes | os.PathLike[str], most: int = MAX_FILE) -> bytes:
    """Return the bytes of a file.

    Raises
    ------
    OSError
        It cannot be read, is no file, or has more than `most` bytes.
    """
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        data = b"" if size > most else file.read(most + 1)
    if max(size, len(data)) > most:
        raise OSError(errno.EFBIG, f"it has {max(size, len(data)):,} bytes; at most {most:,}")
    return data
