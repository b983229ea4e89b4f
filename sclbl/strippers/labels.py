"""Class labels as Python's, where a program can give them back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.signature import Label


def plain_labels(classes: Sequence[Any] | np.ndarray) -> tuple[Label, ...]:
    """Return the labels of one output: texts, integers, floats or booleans.

    Raises
    ------
    UnsupportedModelError
        Where they are anything else, or text that UTF-8 cannot hold.
    """
    return tuple(_plain(v) for v in _values(classes))


def _plain(value: Any) -> Label:
    return value if isinstance(value, (str, int, float, bool)) else str(value)


def _values(classes: Sequence[Any] | np.ndarray) -> list[Any]:
    """Return class labels as Python's, where a program can give them back."""
    array = np.asarray(classes)
    values: list[Any] = array.tolist()
    odd = next((v for v in values if not isinstance(v, (str, int, float, np.integer))), None)
    if array.dtype.kind in "SMmc" or odd is not None:
        kind = array.dtype.name if array.dtype.kind != "O" else type(odd).__name__
        raise UnsupportedModelError(
            f"the labels of the model are {kind} (the first is {values[0]!r}), which a program "
            "cannot give back; fit it on labels that are text, integers, floats or booleans, as in "
            "y.astype(str)"
        )
    if not all(_is_utf8(v) for v in values):
        raise UnsupportedModelError(
            "a label of the model is text that UTF-8 cannot hold (half of a surrogate pair); fit "
            "it on labels without"
        )
    return values


def _is_utf8(value: Any) -> bool:
    try:
        return not isinstance(value, str) or bool(value.encode() or True)
    except UnicodeEncodeError:
        return False
