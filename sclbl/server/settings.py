"""What an operator can set, in one place."""

from __future__ import annotations

from dataclasses import dataclass

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
    predict_bytes : int
        Largest body of a prediction.
    upload_bytes : int
        Largest upload, program and spec together.
    rows : int
        Most rows of one prediction.
    idle_seconds : float
        How long a body may send nothing.
    body_seconds : float
        How long a body may take in all.
    cached_programs, cached_bytes : int
        How many programs stay loaded, and how many bytes of them.
    stamp_seconds : float
        A change made by another process is seen after at most this time; a change made through
        this server is seen at once.
    """

    private: bool = False
    cors: tuple[str, ...] = ()
    predict_bytes: int = 64 * MEBIBYTE
    upload_bytes: int = 512 * MEBIBYTE
    rows: int = 1_000_000
    idle_seconds: float = 15.0
    body_seconds: float = 300.0
    cached_programs: int = 64
    cached_bytes: int = 1024 * MEBIBYTE
    stamp_seconds: float = 0.02
