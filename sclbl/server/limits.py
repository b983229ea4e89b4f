"""What an operator can set, in one place."""

from __future__ import annotations

from dataclasses import dataclass

from sclbl.errors import LimitError

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """Limits and policies of one server.

    Parameters
    ----------
    private : bool
        Ask for the token on reads and predictions too.
    cors : tuple of str
        Origins that browsers may call from; none by default, ``("*",)`` for all.
    hosts : tuple of str
        Hosts that requests may be for, without a port; none by default, which takes all. A server
        that only this machine reaches needs them: else a web page whose name comes to point here
        reads what is served.
    predict_bytes : int
        Largest body of a prediction.
    upload_bytes : int
        Largest upload, and largest spec in it once it is decompressed.
    upload_seconds : float
        How long compiling and checking one upload may take.
    upload_memory : int
        Bytes of memory that it may take (on Linux).
    uploads_at_once : int
        How many are compiled at a time. One that takes longer than `quick_seconds` makes room for
        the next; as many again may take that long.
    uploads_waiting : int
        How many may wait for their turn.
    quick_seconds : float
        See `uploads_at_once`.
    rows : int
        Most rows of one prediction.
    answer_values : int
        Most values (rows times outputs) of one prediction's answer.
    answer_bytes : int
        Largest answer of a prediction.
    flight_bytes : int
        Bytes of large bodies and answers that may be under way, over all connections.
    idle_seconds : float
        How long a body may send nothing.
    body_seconds : float
        How long a body may take in all.
    write_seconds : float
        How long a client may leave an answer unread.
    predict_seconds : float
        How long a prediction may take.
    connections : int
        Most connections at once, where the system's limit of open files allows that many.
    cached_programs, cached_bytes : int
        How many programs stay loaded, and how many bytes of them.
    revision_seconds : float
        A change made by another process is seen after at most this time; a change made through
        this server is seen at once.
    """

    private: bool = False
    cors: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    predict_bytes: int = 64 * MEBIBYTE
    upload_bytes: int = 512 * MEBIBYTE
    upload_seconds: float = 300.0
    upload_memory: int = 4096 * MEBIBYTE
    uploads_at_once: int = 2
    uploads_waiting: int = 16
    quick_seconds: float = 10.0
    rows: int = 1_000_000
    answer_values: int = 8_000_000
    answer_bytes: int = 256 * MEBIBYTE
    flight_bytes: int = 512 * MEBIBYTE
    idle_seconds: float = 15.0
    body_seconds: float = 300.0
    write_seconds: float = 30.0
    predict_seconds: float = 10.0
    connections: int = 4096
    cached_programs: int = 64
    cached_bytes: int = 1024 * MEBIBYTE
    revision_seconds: float = 0.02


def too_many_values(rows: int, values: int, most: int) -> LimitError:
    """Return the error for an answer of more values than one may have."""
    return LimitError(
        f"the answer for {rows:,} rows has {values:,} values; this server "
        f"gives at most {most:,} in one answer, so send fewer rows"
    )


def too_many_bytes(most: int) -> LimitError:
    """Return the error for an answer of more bytes than one may have."""
    return LimitError(
        f"the answer has more than {most:,} bytes, which is the most "
        "that this server gives in one answer; send fewer rows"
    )
