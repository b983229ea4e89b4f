"""The HTML view of a deployment, for notebooks; and columns in words."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from sclbl.example import in_python
from sclbl.json_calls import names_of
from sclbl.manifest import read_signature
from sclbl.methods import default_method
from sclbl.missing import kind_of
from sclbl.registry.base import CHECKED, STATED, Record
from sclbl.settings import home
from sclbl.signature import TABLE, Input, Signature

if TYPE_CHECKING:
    from sclbl.report import Report

#: How many columns, tags or metrics are listed; the rest is counted.
LISTED = 12
#: A longer example row is not spelled out in a call.
SPELLED = 400

#: Python that makes the first row of an input a list of rows for JSON.
_IN_JSON = {
    "features": "list({}[:1])",
    "list": "[list(row) for row in {}[:1]]",
    "sparse": "{}[:1].toarray().tolist()",
    "tensor": "{}[:1].tolist()",
}

_CELL = "text-align:left;vertical-align:top;white-space:pre-wrap"
_CODE = "margin:0;padding:4px 0;white-space:pre-wrap;text-align:left"


def deployment_html(record: Record, report: Report | None, location: str) -> str:
    """Return a view of one version: its docs, facts, how it compares, and how it is called.

    Text in it is escaped, and docs are rendered as Markdown without HTML or images.

    Parameters
    ----------
    record : Record
        The version.
    report : Report or None
        Its fidelity report.
    location : str
        Where its registry is.
    """
    aliases = f" ({escape(', '.join(record.aliases))})" if record.aliases else ""
    parts = [
        f"<h4>{escape(record.ref)}{aliases}</h4>",
        _docs(record.docs),
        _facts(record),
        "" if report is None else f"<p><b>{STATED}</b></p>{_comparison(report)}",
        "" if record.checked is None else f"<p><b>{CHECKED}</b></p>{_checked(record.checked)}",
        _calls(record, location),
    ]
    return f"<div>{''.join(parts)}</div>"


def _docs(docs: str) -> str:
    if not docs:
        return ""
    from markdown_it import MarkdownIt

    # An image would be fetched from wherever the text says, by everyone who looks.
    return str(MarkdownIt("js-default").disable("image").render(docs))


def _facts(record: Record) -> str:
    link = "" if record.url is None else _link(record.url)
    rows = {
        "model": escape(record.model),
        "methods": escape(", ".join(record.methods)),
        "inputs": escape(describe_inputs(read_signature(record.manifest))),
        "tags": escape(_pairs(record.tags)),
        "metrics": escape(_pairs({key: f"{value:.6g}" for key, value in record.metrics.items()})),
        "size": f"{record.size:,} bytes",
        "SHA-256": escape(record.sha256),
        "created": f"{record.created_at:%Y-%m-%d %H:%M:%S} UTC",
        "served at": link,
    }
    body = "".join(
        f'<tr><th style="{_CELL}">{key}</th><td style="{_CELL}">{value}</td></tr>'
        for key, value in rows.items()
        if value
    )
    return f"<table><tbody>{body}</tbody></table>"


def _link(url: str) -> str:
    shown = escape(url)
    described = escape(f"{url}/openapi.json")
    # The URL is the client's own, which it checked to be one of HTTP.
    return (
        f'<a href="{shown}" target="_blank" rel="noopener">{shown}</a> '
        f'(<a href="{described}" target="_blank" rel="noopener">OpenAPI</a>)'
    )


def _checked(data: Mapping[str, Any]) -> str:
    from sclbl.report import Report

    return _comparison(Report.from_json(data))


def _comparison(report: Report) -> str:
    verdict = "predicts the same" if report.ok else "does NOT predict the same"
    refused = f", of which both refuse {report.refusals:,}" if report.refusals else ""
    if report.alone:
        refused += f", and the program alone refuses {report.alone:,}"
    titles = (
        "method",
        "rows",
        "largest relative error",
        "labels that differ",
        "difference allowed",
    )
    cells = [
        (
            method.method,
            f"{method.rows:,}",
            f"{method.max_rel:.2g}",
            f"{method.flips:,}",
            "none" if method.tolerance == 0 else f"relative error {method.tolerance:.0e}",
        )
        for method in report.methods
    ]
    text = f"Compared with {report.against} on {report.rows:,} rows{refused}: {verdict}."
    worst = f"<p>{escape(report.worst)}</p>" if report.worst else ""
    head = "".join(f'<th style="{_CELL}">{title}</th>' for title in titles)
    body = "".join(f"<tr>{_cells(row)}</tr>" for row in cells)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<p>{escape(text)}</p>{worst}{table}"


def _cells(values: Iterable[str]) -> str:
    return "".join(f'<td style="{_CELL}">{escape(value)}</td>' for value in values)


def _calls(record: Record, location: str) -> str:
    python, shell = calls(record, location)
    return (
        f'<p>Call it from Python:</p><pre style="{_CODE}">{escape(python)}</pre>'
        f'<p>and over HTTP:</p><pre style="{_CODE}">{escape(shell)}</pre>'
    )


def calls(record: Record, location: str) -> tuple[str, str]:
    """Return how a version is called in Python and with curl, to be pasted.

    The row is the version's example where it has one that is not too long. Else it is the first
    one of ``X``, which the reader has.

    Parameters
    ----------
    record : Record
        The version.
    location : str
        Where its registry is: a path or a URL.
    """
    path = f"/v1/deployments/{record.ref}"
    server = "http://localhost:8000" if record.url is None else record.url.removesuffix(path)
    # Where this process finds the registry by its environment, a terminal elsewhere would not.
    named = record.url is not None or "SCLBL_HOME" in os.environ or location != str(home())
    where = f", registry={location!r}" if named else ""
    body = json.dumps(record.example, ensure_ascii=False)
    short = record.example is not None and len(body) <= SPELLED
    table = record.signature.get("layout") == "table"
    signature = Signature.from_json(record.signature)
    row = _rows(signature)
    if short:
        own = in_python(record.example, signature)
        row = spelled(own if table else [own])
    method = default_method(record.methods)
    imports = "import pandas\nimport sclbl" if "pandas.NA" in row else "import sclbl"
    python = f"{imports}\nsclbl.get({record.ref!r}{where}).{method}({row})"
    lines = []
    if record.url is None:
        option = f"--registry {shlex.quote(location)} " if named else ""
        lines.append(f"sclbl {option}serve   # in another terminal")
    if not short:
        # By default pandas rounds to ten digits.
        write = 'X[:1].to_json("row.json", orient="records", double_precision=15)'
        if not table or signature.beside:
            write = f'pathlib.Path("row.json").write_text(json.dumps({_first_row(signature)}))'
        lines.append(f"# in Python: {write}")
    data = "@row.json" if not short else shlex.quote(body if table else f"[{body}]")
    lines.append(
        f"curl -s {shlex.quote(f'{server}{path}/predict')} \\\n"
        f"  -H 'content-type: application/json' -d {data}"
    )
    return python, "\n".join(lines)


def _rows(signature: Signature) -> str:
    """Return how rows are called that the reader has: one name, or one for each input."""
    names = names_of(signature)
    if len(names) == 1:
        return "X"
    return "{" + ", ".join(f"{name!r}: {name}" for name in names) + "}"


def _first_row(signature: Signature) -> str:
    """Return the Python that makes the body of a prediction of the first row."""
    names = names_of(signature)
    if len(names) == 1:
        kind = signature.beside[0].kind if signature.beside else "tensor"
        return _IN_JSON[kind].format("X")
    parts = [(g.name, _IN_JSON[g.kind].format(g.name)) for g in signature.beside]
    if signature.columns:
        as_text = '{}[:1].to_dict("records")' if signature.layout == "table" else "{}[:1].tolist()"
        parts.insert(0, (TABLE, as_text.format(TABLE)))
    listed = ", ".join(f'"{name}": {part}' for name, part in parts)
    return f'{{"inputs": {{{listed}}}}}'


def spelled(value: Any) -> str:
    """Return Python's text of an example row, missing values included."""
    kind = kind_of(value)
    if kind is not None:
        return {"none": "None", "nan": "float('nan')", "na": "pandas.NA"}[kind]
    if isinstance(value, dict):
        cells = ", ".join(f"{name!r}: {spelled(cell)}" for name, cell in value.items())
        return f"{{{cells}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(spelled, value))}]"
    return repr(value)


def describe_inputs(signature: Signature) -> str:
    """Return what a signature takes in words: columns by name and kind, at most a dozen; other
    inputs; values of the call with their defaults."""
    parts = [_columns(signature)] if signature.columns else []
    return "; ".join([*parts, *map(describe_input, signature.inputs)])


def describe_input(given: Input) -> str:
    """Return an input beside the table in words."""
    sizes = " by ".join(f"{size:,}" for size in given.shape)
    return {
        "features": f"{given.name}: objects of names and values of {given.dtype}",
        "list": f"{given.name}: lists of {given.dtype}",
        "sparse": f"{given.name}: sparse rows of {sizes} columns of {given.dtype}",
        "tensor": f"{given.name}: {given.dtype} of shape ({sizes})",
        "parameter": f"{given.name} = {given.default} ({given.dtype}, of the whole call)",
    }[given.kind]


def _columns(signature: Signature) -> str:
    columns = signature.columns
    kinds = {column.kind for column in columns}
    if signature.layout == "array" and len(kinds) == 1:
        return f"{len(columns)} column{'s' * (len(columns) > 1)} of {columns[0].kind}"
    listed = [f"{signature.label_of(i)}: {c.kind}" for i, c in enumerate(columns[:LISTED])]
    return ", ".join(listed) + _more(len(columns))


def _pairs(entries: Mapping[str, Any]) -> str:
    listed = [f"{key}: {value}" for key, value in list(entries.items())[:LISTED]]
    return ", ".join(listed) + _more(len(entries))


def _more(count: int) -> str:
    return f", … ({count} in all)" if count > LISTED else ""
