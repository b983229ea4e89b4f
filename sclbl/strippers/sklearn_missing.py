"""Which values count as missing: what scikit-learn's imputers and indicators have in common.

The rules are those of ``sklearn/impute/_base.py`` and ``sklearn/utils/_mask.py``. ``np.nan``,
``None`` and ``pandas.NA`` all stand for the one missing value that a program knows; any other
``missing_values`` is compared by value, and a missing value is then refused.
"""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.spec import MISSING_TEXT
from sclbl.strippers.build import Builder
from sclbl.strippers.columns import Wire


def is_missing(value: Any) -> bool:
    """Return whether a value is None, NaN or pandas.NA."""
    if value is None or type(value).__name__ == "NAType":
        return True
    return isinstance(value, (float, np.floating)) and bool(np.isnan(value))


def check(wire: Wire, build: Builder, *, allowed: bool, finite: bool = True) -> Wire:
    """Pass values through; the program refuses those that the model refuses.

    Parameters
    ----------
    wire : Wire
        Numbers or text.
    build : Builder
        Where to write.
    allowed : bool
        Whether values may be missing.
    finite : bool, optional
        Whether infinities are refused (scikit-learn does not look for them among objects).
    """
    if wire.dtype == "text":
        return wire if allowed else build.refuse_missing_text(wire)
    return build.refuse(wire, nan=not allowed, inf=finite)


def mask(marker: Any, wire: Wire, build: Builder) -> Wire:
    """Return (bool) which values of a checked wire are missing.

    Where `marker` is of another sort than the wire, no value equals it; missing values were refused
    by `check`, so looking for those finds none.
    """
    if wire.dtype == "text":
        text = marker if isinstance(marker, str) else MISSING_TEXT
        return build.binary("Equal", wire, np.full(1, text, dtype=object))
    if is_missing(marker) or not isinstance(marker, numbers.Real):
        return build.is_nan(wire)
    if wire.dtype == "float32" and isinstance(marker, np.float64):
        # NumPy widens for a float64 scalar, and narrows a Python number.
        return build.binary("Equal", build.cast(wire, "float64"), marker)
    return build.binary("Equal", wire, float(marker))


def check_marker(model: Any) -> None:
    """Refuse a ``missing_values`` that no column of a program can hold.

    Raises
    ------
    UnsupportedModelError
        Where it is neither a number, text, nor a missing value.
    """
    marker = model.missing_values
    if not (is_missing(marker) or isinstance(marker, (str, numbers.Real))):
        raise UnsupportedModelError(
            f"{type(model).__name__}(missing_values={marker!r}) is not supported; "
            "use NaN, None, pandas.NA, a number or a text"
        )
