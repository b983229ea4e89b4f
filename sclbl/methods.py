"""Which method answers when none is named."""

from __future__ import annotations

from collections.abc import Sequence

from sclbl.errors import UnsupportedMethodError


def default_method(methods: Sequence[str]) -> str:
    """Return the method that answers when none is named: predict, transform, else the first."""
    return next((m for m in ("predict", "transform") if m in methods), methods[0])


def pick_method(methods: Sequence[str], what: str, method: str | None) -> str:
    """Return the method that answers.

    Parameters
    ----------
    methods : sequence of str
        What is offered.
    what : str
        How messages call the program: a ref or a path.
    method : str or None
        What was asked for.

    Raises
    ------
    UnsupportedMethodError
        It is not offered.
    """
    if method is None:
        return default_method(methods)
    if method not in methods:
        raise UnsupportedMethodError(
            f"{what} has no method {method[:80]!r}; it offers {', '.join(methods)}"
        )
    return method
