"""The HTML view of a deployment, for notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from sclbl.registry.base import Record
from sclbl.spec import Signature

#: How many columns, tags or metrics are listed; the rest is counted.
LISTED = 12


def deployment_html(record: Record, report: object | None) -> str:
    """Return a table about one version; every text in it is escaped.

    Parameters
    ----------
    record : Record
        The version.
    report : object or None
        Its fidelity report, shown as it prints.
    """
    rows = {
        "model": record.model,
        "methods": ", ".join(record.methods),
        "inputs": describe_inputs(Signature.from_json(record.signature)),
        "size": f"{record.size:,} bytes",
        "SHA-256": record.sha256,
        "created": f"{record.created_at:%Y-%m-%d %H:%M:%S} UTC",
        "aliases": ", ".join(record.aliases),
        "url": record.url or "",
        "docs": record.docs,
        "tags": _pairs(record.tags),
        "metrics": _pairs({key: f"{value:.6g}" for key, value in record.metrics.items()}),
        "fidelity": "" if report is None else str(report),
    }
    style = "text-align:left;vertical-align:top;white-space:pre-wrap"
    body = "".join(
        f'<tr><th style="{style}">{escape(key)}</th><td style="{style}">{escape(value)}</td></tr>'
        for key, value in rows.items()
        if value
    )
    return f"<table><caption><b>{escape(record.ref)}</b></caption><tbody>{body}</tbody></table>"


def describe_inputs(signature: Signature) -> str:
    """Return the columns of a signature in words: names and kinds, at most a dozen."""
    columns = signature.columns
    kinds = {column.kind for column in columns}
    if signature.layout == "array" and len(kinds) == 1:
        return f"{len(columns)} columns of {columns[0].kind}"
    listed = [f"{signature.label_of(i)}: {c.kind}" for i, c in enumerate(columns[:LISTED])]
    return ", ".join(listed) + _more(len(columns))


def _pairs(entries: Mapping[str, Any]) -> str:
    listed = [f"{key}: {value}" for key, value in list(entries.items())[:LISTED]]
    return ", ".join(listed) + _more(len(entries))


def _more(count: int) -> str:
    return f", … ({count} in all)" if count > LISTED else ""
