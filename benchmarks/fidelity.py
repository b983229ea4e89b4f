"""Every supported model against its program on 100,000 rows chosen to tell them apart."""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from _measure import save, show

if TYPE_CHECKING:
    from tests.conformance.bars import Found

ROOT = Path(__file__).resolve().parents[1]
ROWS = 100_000
#: Which results a line of the summary is about: the family, the bars, and whether in float32.
SUMMARY = (
    ("trees: predictions, leaves, margins, averages", "trees", ("exact", "bits"), None),
    ("trees: after an exp or a log", "trees", ("ulp",), None),
    ("others: labels, codes, texts", "other", ("exact",), None),
    ("others: numbers, float64", "other", ("relative",), False),
    ("others: probabilities, float64", "other", ("chance",), False),
    ("others: numbers and probabilities, float32", "other", ("relative", "chance"), True),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="rows for each model")
    parser.add_argument("--only", default="", help="models whose names hold this")
    options = parser.parse_args()
    # The subjects are those of the tests.
    sys.path.insert(0, str(ROOT))
    from tests.conformance.domains import USUAL
    from tests.conformance.pair import run
    from tests.conformance.subject import subjects

    found: list[Found] = []
    families = {}
    begin = time.perf_counter()
    for subject in subjects():
        if options.only in subject.name:
            families[subject.name] = subject.family
            for form in (form for form in subject.domain.forms if form in USUAL):
                print(f"{subject.name}, {form}", file=sys.stderr)
                found += run(subject, form, options.rows, strict=True)
    seconds = time.perf_counter() - begin
    columns = ["subject", "method", "input", "rows", "max ULP", "max relative", "to scale", "flips"]
    show("Programs against their models", columns, [_line(one) for one in found])
    summary = [_sum(title, [f for f in found if _belongs(f, families, *of)])
               for title, *of in SUMMARY]  # fmt: skip
    columns = ["bar", "results", "rows", "max ULP", "max absolute", "to scale", "flips", "misses"]
    show(f"{len(families)} models in {seconds:.0f} s", columns, [s for s in summary if s])
    misses = [f"{f.subject}, {f.form}: {miss}" for f in found for miss in f.misses]
    if not options.only:
        save(
            "fidelity",
            {
                "rows": options.rows,
                "summary": [dict(zip(columns, s, strict=True)) for s in summary if s],
                "misses": misses,
                "found": {f"{f.subject}, {f.form}, {f.method}": _short(f) for f in found},
            },
        )
    for miss in misses:
        print(f"miss: {miss}")


def _line(one: Found) -> list[str]:
    # Codes and texts have no size to be relative to.
    numbers = ["-"] * 3 if one.bar == "exact" else [
        _units(one.ulp), f"{one.relative:.2g}", "-" if one.bar in ("bits", "ulp")
        else f"{one.scaled:.2g}"
    ]  # fmt: skip
    flips = str(one.flips) if one.bar == "exact" else "-"
    return [one.subject, one.method, one.form, f"{one.rows:,}", *numbers, flips]


def _short(one: Found) -> dict[str, str | float]:
    """Return what differs at all; JSON has no infinity."""
    measured = {k: getattr(one, k) for k in ("ulp", "absolute", "relative", "scaled", "flips")}
    numbers = {k: v if math.isfinite(v) else str(v) for k, v in measured.items() if v}
    return {"bar": one.bar, **numbers}


def _units(ulp: int) -> str:
    return str(ulp) if ulp < 10**6 else f"{ulp:.1g}"


def _belongs(
    one: Found, families: dict[str, str], family: str, bars: Sequence[str], single: bool | None
) -> bool:
    is_single = one.allowed > 1e-6
    right = families[one.subject] == family and one.bar in bars
    return right and (single is None or single == is_single)


def _sum(title: str, found: Sequence[Found]) -> list[str] | None:
    if not found:
        return None
    return [
        title,
        f"{len(found):,}",
        f"{sum(f.rows for f in found):,}",
        _units(max(f.ulp for f in found)),
        f"{max(f.absolute for f in found):.2g}",
        f"{max(f.scaled for f in found):.2g}",
        str(sum(f.flips for f in found)),
        str(sum(len(f.misses) for f in found)),
    ]


if __name__ == "__main__":
    main()
