"""Stand-ins of ``df.loc`` and ``df.iloc``, in code that users wrote."""

from __future__ import annotations

from typing import Any

import numpy as np

from sclbl.errors import UnsupportedModelError
from sclbl.strippers.tracing.arrays import Array
from sclbl.strippers.tracing.operators import is_frame
from sclbl.strippers.tracing.series import Series
from sclbl.strippers.wire import mixes_rows


class Located:
    """What stands for ``df.loc`` and ``df.iloc``."""

    def __init__(self, frame: Any, name: str) -> None:
        self.frame, self.name = frame, name

    def _key(self, key: Any) -> Any:
        parts = key if isinstance(key, tuple) else (key,)
        if len(parts) != 2 or not isinstance(parts[0], slice) or parts[0] != slice(None):
            mixes_rows(f"a choice of rows, df.{self.name}[...],")
        return parts[1]

    def __getitem__(self, key: Any) -> Any:
        at = getattr(self.frame._positions(), self.name)
        return self.frame._chosen(at[:, self._key(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        frame = self.frame
        if isinstance(key, tuple) and len(key) == 2 and type(key[0]) in (Series, Array):
            if self.name != "loc" or not isinstance(key[1], str):
                mixes_rows("what is written to some rows of several columns")
            frame[key[1]] = frame[key[1]].mask(key[0], value)
            return
        where = self._key(key)
        names = frame._positions().iloc[:, where].columns if self.name == "iloc" else where
        frame[names if isinstance(names, str) else list(names)] = value


def parts_of(value: Any, count: int) -> list[Any]:
    """Return what is written into several columns, one by one."""
    if is_frame(value) and value.shape[1] == count:
        return list(value._sclbl_columns)
    if type(value) is Array and value.ndim == 2 and value.shape[1] == count:
        return [value[:, i].copy() for i in range(count)]
    if np.ndim(value) == 0:
        return [value] * count
    raise UnsupportedModelError(f"{type(value).__name__} is written into {count} columns")
