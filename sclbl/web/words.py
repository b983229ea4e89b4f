"""Fidelity reports in words."""

from __future__ import annotations

from dataclasses import dataclass

from sclbl.report import MethodReport, Report


@dataclass(frozen=True, slots=True)
class Words:
    """A report for people.

    Parameters
    ----------
    ok : bool
        Whether everything compared equal, within what was allowed.
    summary : str
        What was compared, and what came out.
    methods : tuple of pairs of text
        Each method, and how it compared.
    """

    ok: bool
    summary: str
    methods: tuple[tuple[str, str], ...]


def in_words(report: Report) -> Words:
    """Return a report in words."""
    verdict = "It predicts the same" if report.ok else "It does NOT predict the same"
    parts = [f"Compared with {report.against} on {report.rows:,} rows. {verdict}."]
    if report.refusals:
        parts.append(f"Both refuse {_rows(report.refusals)}.")
    if report.alone:
        parts.append(
            f"The program alone refuses {_rows(report.alone)}: a bad value never becomes a number."
        )
    if report.sequential:
        parts.append("The model was asked with one job, so that its sums have one order.")
    if report.frames:
        parts.append(f"DataFrames were compared too: {report.frames}.")
    if report.worst:
        parts.append(f"The worst row: {report.worst}")
    return Words(report.ok, " ".join(parts), tuple((m.method, _method(m)) for m in report.methods))


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _method(method: MethodReport) -> str:
    if method.flips:
        some = "label differs" if method.flips == 1 else "labels differ"
        return f"{method.flips:,} {some} in {_rows(method.rows)}"
    if method.max_abs == 0 and method.max_ulp == 0:
        return f"equal to the last bit in {_rows(method.rows)}"
    allowed = "none" if method.tolerance == 0 else f"{method.tolerance:.0e}"
    return (
        f"in {_rows(method.rows)} the largest relative difference is {method.max_rel:.2g} "
        f"(allowed: {allowed})"
    )
