"""What the disk and the system below a registry say, as errors of its own."""

from __future__ import annotations

import errno

from sclbl.errors import ExhaustedError, ReadOnlyError, StorageError, StorageFullError

_CLASSES: dict[int | None, type[StorageError]] = {
    errno.ENOSPC: StorageFullError,
    errno.EDQUOT: StorageFullError,
    errno.EFBIG: StorageFullError,
    errno.EROFS: ReadOnlyError,
    errno.EACCES: ReadOnlyError,
    errno.EPERM: ReadOnlyError,
    errno.EMFILE: ExhaustedError,
    errno.ENFILE: ExhaustedError,
    errno.ENOMEM: ExhaustedError,
    errno.EIO: StorageError,
}
#: The same, in SQLite's words.
_WORDS: dict[str, type[StorageError]] = {
    "is full": StorageFullError,
    "readonly": ReadOnlyError,
    "out of memory": ExhaustedError,
}


def is_storage(error: OSError) -> bool:
    """Return whether a call of the system failed for want of a disk, files or memory."""
    return error.errno in _CLASSES


def failure(error: OSError, text: str) -> StorageError:
    """Return the error for a call of the system that failed."""
    return _CLASSES.get(error.errno, StorageError)(text)


def of_database(said: object, text: str) -> StorageError:
    """Return the error for what SQLite says of the disk."""
    words = str(said).lower()
    found = next((cls for part, cls in _WORDS.items() if part in words), StorageError)
    return found(text)
