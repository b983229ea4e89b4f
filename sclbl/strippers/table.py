"""Which stripper takes which class: one literal table.

A key is the library and the class name; a subclass has no entry of its own, because it may
predict differently. A value names the module under `sclbl.strippers` and its `Stripper` object.
"""

from __future__ import annotations

STRIPPERS: dict[str, tuple[str, str]] = {}
