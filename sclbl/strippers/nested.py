"""The models inside a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from sclbl.strippers import dispatch


def nested(model: Any) -> Iterator[Any]:
    """Yield a model and those inside it, at any depth, of each that has a stripper.

    Parameters
    ----------
    model : object
        Whose attributes, and lists, tuples, dicts and arrays of objects among them, are looked at.
    """
    seen: set[int] = set()
    todo = [model]
    while todo:
        value = todo.pop()
        if isinstance(value, Mapping):
            todo.extend(value.values())
        elif isinstance(value, (list, tuple)):
            todo.extend(value)
        elif isinstance(value, np.ndarray):
            todo.extend(value.ravel().tolist() if value.dtype == object else ())
        elif dispatch.is_known(value) and id(value) not in seen:
            seen.add(id(value))
            yield value
            todo.extend(getattr(value, "__dict__", {}).values())
