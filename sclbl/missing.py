"""What counts as missing: None, NaN and pandas.NA, which are three values to scikit-learn.

A text cell carries which one it is: as Python's own value outside, as one of the constants
`sclbl.spec.MISSING_TEXTS` in graphs, as a byte of its column in a program's input (`CODES`) and as
a length in a program's memory (`LENGTHS`; see docs/abi.md). Of numbers NaN alone is missing.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from sclbl.signature import Missing
from sclbl.spec import MISSING_TEXTS

#: The byte of a text that is there, and of each missing one.
PRESENT = 1
CODES: Mapping[Missing, int] = {"none": 0, "nan": 2, "na": 3}
#: The length of each missing text in a program's memory, as in kernels/abi.h.
LENGTHS: Mapping[Missing, int] = {"none": 0xFFFFFFFF, "nan": 0xFFFFFFFE, "na": 0xFFFFFFFD}
#: How messages call them.
NAMES: Mapping[Missing, str] = {"none": "None", "nan": "NaN", "na": "pandas.NA"}

_OF_TEXT: Mapping[str, Missing] = {text: kind for kind, text in MISSING_TEXTS.items()}
_OF_CODE: Mapping[int, Missing] = {code: kind for kind, code in CODES.items()}
_OF_LENGTH: Mapping[int, Missing] = {length: kind for kind, length in LENGTHS.items()}


def kind_of(value: object) -> Missing | None:
    """Return which missing value a Python object is; None where it is none."""
    if value is None:
        return "none"
    if isinstance(value, (float, np.floating)):
        return "nan" if math.isnan(value) else None  # whatever a subclass says it equals
    pandas = sys.modules.get("pandas")
    return "na" if pandas is not None and value is pandas.NA else None


def is_missing(value: object) -> bool:
    """Return whether a Python object is None, NaN or pandas.NA."""
    return kind_of(value) is not None


def value_of(kind: Missing) -> Any:
    """Return the Python object; None for pandas.NA where pandas is not installed."""
    if kind == "none":
        return None
    if kind == "nan":
        return np.nan
    try:
        import pandas as pd
    except ImportError:
        return None
    return pd.NA


def of_text(text: object) -> Missing | None:
    """Return which missing text a constant of a graph is; None where it is a text."""
    return _OF_TEXT.get(text) if isinstance(text, str) else None


def of_code(code: int) -> Missing:
    """Return which missing text a byte of a text column stands for."""
    return _OF_CODE[code]


def of_length(length: int) -> Missing | None:
    """Return which missing text a length in a program's memory stands for, if any."""
    return _OF_LENGTH.get(length)
