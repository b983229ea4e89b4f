"""Which of the columns that rows have are those of a signature."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Collection, Sequence

from sclbl.errors import ColumnError
from sclbl.rows.source import Source
from sclbl.signature import Signature


def match(source: Source, signature: Signature) -> Sequence[int]:
    """Return, for each column of a signature, its position in the rows.

    Raises
    ------
    ColumnError
        Where one is missing, or the number of columns is wrong.
    """
    wanted = [signature.label_of(i) for i in range(len(signature.columns))]
    names = source.names
    if signature.layout == "array":
        if names is None or not source.strict_names:
            return _by_position(source, len(wanted))
        held = set(names)
        if lost := [w for w in wanted if w not in held]:
            raise ColumnError(
                f"the rows lack {_listed(lost)}; the model's columns have no names, and the rows "
                f"name theirs ({_listed(names)}): give each row as a list of {len(wanted)} values, "
                "or compile the model with a DataFrame as example_input",
                column=lost[0],
            )
    if names is None:
        return _by_position(source, len(wanted))
    place = {name: i for i, name in enumerate(names)}
    missing = [w for w in wanted if w not in place]
    if missing:
        known = {w for w in wanted if w in place}
        _refuse_missing(missing, names, known, getattr(source.header, "nlevels", 1))
    if len(place) < len(names):
        counts = Counter(names)
        repeated = [w for w in wanted if counts[w] > 1]
        if repeated:
            raise ColumnError(
                f"the rows have more than one column named {_listed(repeated)}; "
                "keep the one that the model was fitted on",
                column=repeated[0],
            )
    return [place[w] for w in wanted]


def _by_position(source: Source, width: int) -> range:
    if source.width != width:
        hint = ""
        if width == 1 and source.rows == 1:
            hint = "; for many rows of one column give two dimensions, X.reshape(-1, 1)"
        raise ColumnError(
            f"the rows have {source.width} columns and the model takes {width}{hint or ''}; "
            "give the columns of example_input, in its order"
        )
    return range(width)


def suggested(name: str, names: Sequence[str], known: Collection[str] = ()) -> str:
    """Return how messages call a column that is not among `names`, with the nearest that is.

    No name is suggested that is `known` to be another column.
    """
    unknown = {n.casefold(): n for n in reversed(names) if n not in known}
    near = difflib.get_close_matches(name.casefold(), unknown, n=1, cutoff=0.6)
    found = [unknown[n] for n in near]
    return f"{name!r} (did you mean {found[0]!r}?)" if found else repr(name)


def _refuse_missing(
    missing: Sequence[str], names: Sequence[str], known: Collection[str], levels: int
) -> None:
    near = [suggested(name, names, known) for name in missing[:10]]
    meant = ", ".join(name for name in near if name.endswith("?)"))
    advice = "Add what is missing, with None for a value that is not known"
    if levels > 1:
        advice = (
            f"Their names have {levels} levels (a MultiIndex): give each column the one name that "
            "the model knows, rows.set_axis(names, axis=1)"
        )
    raise ColumnError(
        f"the rows lack {_listed(missing)}; {meant and f'{meant}; '}the rows have "
        f"{_listed(names)}. {advice}",
        column=missing[0],
    )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ", ".join(map(repr, names[:10])) + more
