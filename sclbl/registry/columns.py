"""Whether a new version takes other columns than the one before it, which its callers must know."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import suppress

from sclbl.errors import ColumnsWarning, InvalidProgramError, NotFoundError
from sclbl.manifest import read_signature
from sclbl.registry.base import Record, Registry
from sclbl.signature import Signature

#: How many columns of each sort are listed.
LISTED = 8


def newest(registry: Registry, name: str) -> Record | None:
    """Return the newest version of a deployment; None where there is none yet."""
    try:
        return registry.get(name)
    except NotFoundError:
        return None


def warn_of_others(before: Record | None, made: Record, *, stacklevel: int = 2) -> None:
    """Warn with `ColumnsWarning` where a version takes other columns than the one before.

    Parameters
    ----------
    before : Record or None
        What was the newest version; None where there was none.
    made : Record
        The new version.
    stacklevel : int
        As for `warnings.warn`, counted from the caller.
    """
    if before is None or before.ref == made.ref:
        return
    found = ""
    with suppress(InvalidProgramError):  # the version is made, whatever the other one's says
        columns = [read_signature(record.manifest) for record in (before, made)]
        found = differences(*columns)
    if found:
        warnings.warn(
            ColumnsWarning(
                f"{made.ref} takes other columns than {before.ref}: {found}; "
                f"who calls {made.name} must send these"
            ),
            stacklevel=stacklevel + 1,
        )


def differences(old: Signature, new: Signature) -> str:
    """Return in words how the columns of two signatures differ; empty where they do not."""
    if old.layout != new.layout:
        kinds = {"table": "named columns", "array": "columns by position"}
        return f"{kinds[new.layout]} in place of {kinds[old.layout]}"
    if new.layout == "array" and len(old.columns) != len(new.columns):
        return f"{len(new.columns)} in place of {len(old.columns)}"
    was = {old.label_of(i): column.kind for i, column in enumerate(old.columns)}
    now = {new.label_of(i): column.kind for i, column in enumerate(new.columns)}
    found = [
        _listed("new: ", [f"{name!r} ({now[name]})" for name in now if name not in was]),
        _listed("no longer: ", [repr(name) for name in was if name not in now]),
        _listed(
            "changed: ",
            [
                f"{name!r} ({was[name]} → {now[name]})"
                for name in now
                if name in was and was[name] != now[name]
            ],
        ),
    ]
    if not any(found) and list(was) != list(now):
        return "the same ones in another order, which matters to rows without names"
    return "; ".join(text for text in found if text)


def _listed(title: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return title + ", ".join(names[:LISTED]) + more
