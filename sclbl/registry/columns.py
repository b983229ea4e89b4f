"""Whether a new version takes other columns than the one before it, which its callers must know."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from sclbl.errors import ColumnsWarning, InvalidProgramError, NotFoundError
from sclbl.manifest import read_signature
from sclbl.registry.base import Record, Registry
from sclbl.signature import Input, Signature

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
    """Return in words how what two signatures take differs; empty where it does not."""
    return "; ".join(text for text in (_columns(old, new), _inputs(old, new)) if text)


def _inputs(old: Signature, new: Signature) -> str:
    """Return how the inputs beside the table differ; another default asks nothing of callers."""
    was = {given.name: replace(given, default=None) for given in old.inputs}
    now = {given.name: replace(given, default=None) for given in new.inputs}
    found = [
        _listed("new input: ", [repr(name) for name in now if name not in was]),
        _listed("no longer an input: ", [repr(name) for name in was if name not in now]),
        _listed(
            "changed input: ",
            [
                f"{name!r} ({_input(was[name])} → {_input(now[name])})"
                for name in now
                if name in was and was[name] != now[name]
            ],
        ),
    ]
    return "; ".join(text for text in found if text)


def _input(given: Input) -> str:
    sizes = f" {given.shape}" if given.shape else ""
    return f"{given.kind} of {given.dtype}{sizes}"


def _columns(old: Signature, new: Signature) -> str:
    if not old.columns or not new.columns:
        changed = bool(old.columns) != bool(new.columns)
        table = "a table of columns" if new.columns else "no table"
        return f"{table} in place of {'one' if old.columns else 'none'}" if changed else ""
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
