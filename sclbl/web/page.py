"""The page of a version: its docs, a form that predicts in the page, code to copy, its reports."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from html import escape
from typing import TYPE_CHECKING, Any

from sclbl.errors import RequestError
from sclbl.manifest import read_signature
from sclbl.methods import default_method
from sclbl.printable import printable
from sclbl.registry.base import CHECKED, STATED, Record
from sclbl.report import Report
from sclbl.signature import Signature
from sclbl.view import describe_inputs
from sclbl.web.assets import WIDGETS
from sclbl.web.calls import Code
from sclbl.web.fields import fields, stated_in
from sclbl.web.known import Known
from sclbl.web.words import in_words

if TYPE_CHECKING:
    from jinja2 import Environment

#: The tag of a version that its program leaves its server only for who has the token.
SERVER_ONLY = "server-only"
#: The tags that name a widget and its options (JSON).
WIDGET, OPTIONS = "widget", "widget-options"
#: Characters of a text of others that are shown; versions that are listed.
SHOWN, VERSIONS = 300, 100
#: Characters of docs that are formatted, longer ones stand as they were written; cells of tables.
FORMATTED, CELLS = 32 * 1024, 20_000
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page stands, and what it finds there.

    Parameters
    ----------
    assets : str
        The folder of the page's script and style, relative to the page, with a slash at its end.
    program : str or None
        The URL of the program; None where the page holds it, or may not have it.
    deployment : str or None
        The URL of the version on its server, where there is one.
    codes : sequence of Code
        How the version is called from there.
    index : str or None
        Where all deployments are listed.
    private : bool
        Whether the page was asked for with a token.
    server : str or None
        The URL of the server as it stands in the codes.
    """

    assets: str
    program: str | None
    deployment: str | None = None
    codes: Sequence[Code] = ()
    index: str | None = None
    private: bool = False
    server: str | None = None


@dataclass(frozen=True, slots=True)
class Inlined:
    """What a page of one file holds: script, style and program (base64), and their policy."""

    script: str
    style: str
    program: str
    policy: str


@dataclass(frozen=True, slots=True)
class Widget:
    """What stands in place of the form.

    Parameters
    ----------
    name : str
        One of `sclbl.web.assets.WIDGETS`.
    options : mapping
        What it is told.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


def widget_of(
    record: Record, name: str | None = None, options: Mapping[str, Any] | None = None
) -> Widget | None:
    """Return the widget of a version; None where it has a form.

    Parameters
    ----------
    record : Record
        The version. Its tag ``widget`` names one, and ``widget-options`` holds options as JSON.
    name : str, optional
        Another one than the tag names; ``form`` for none.
    options : mapping, optional
        Options beside those of the tag.

    Raises
    ------
    RequestError
        There is no such widget, or the options are not JSON.
    """
    wanted = record.tags.get(WIDGET, "form") if name is None else name
    if wanted == "form":
        return None
    if wanted not in WIDGETS:
        raise RequestError(
            f"there is no widget {wanted[:80]!r}; take one of form, {', '.join(WIDGETS)}"
        )
    try:
        said = json.loads(record.tags.get(OPTIONS, "{}"))
    except (ValueError, RecursionError) as error:
        raise RequestError(
            f"the tag {OPTIONS} of {record.ref} is not JSON ({error}); edit it"
        ) from None
    if not isinstance(said, dict):
        raise RequestError(f"the tag {OPTIONS} of {record.ref} is no JSON object; edit it")
    found = {**said, **(options or {})}
    try:
        json.dumps(found, allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        raise RequestError(f"the widget's options are not JSON ({error}); edit them") from None
    return Widget(wanted, found)


def render(
    record: Record,
    place: Place,
    *,
    widget: Widget | None = None,
    known: Known | None = None,
    example: Any = None,
    versions: Sequence[Record] = (),
    inlined: Inlined | None = None,
    notes: Sequence[str] = (),
    mark: str = "",
) -> str:
    """Return the page of a version as HTML.

    Parameters
    ----------
    record : Record
        The version.
    place : Place
        Where the page stands.
    widget : Widget, optional
        What stands in place of the form.
    known : Known, optional
        What its spec knows of its columns.
    example : object, optional
        A row that the form begins with, as JSON data.
    versions : sequence of Record
        All live versions of the deployment.
    inlined : Inlined, optional
        What the page holds, where it is a single file.
    notes : sequence of str
        What the reader is told above the form.
    mark : str
        HTML in the page's head, by which it is known again.
    """
    signature = read_signature(record.manifest)
    stated, wrong = stated_in(record.tags)
    form = fields(signature, known, example, stated)
    method = default_method(record.methods)
    data = {
        "title": record.ref,
        "ref": record.ref,
        "sha256": record.sha256,
        "size": record.size,
        "program": place.program,
        "deployment": place.deployment,
        "server": place.server,
        "widget": widget and widget.name,
        "options": dict(widget.options) if widget else {},
        "form": [f.to_json() for f in form],
        "method": method,
    }
    return _template(
        "deployment.html",
        record=record,
        place=place,
        docs=_docs(record.docs),
        form=form,
        method=method,
        data=_embedded(data),
        widget=widget,
        batch=_batch(signature),
        table=[f for f in form if f.role == "column"],
        size=_size(record.size),
        libraries=record.manifest.get("source", {}).get("libraries", {}),
        inputs=_takes(signature),
        reports=_reports(record),
        versions=list(reversed(versions))[:VERSIONS],
        count=len(versions),
        inlined=inlined,
        mark=mark,
        notes=[*notes, *filter(None, (wrong,))],
        server_only=SERVER_ONLY in record.tags,
    )


def render_index(
    records: Sequence[Record],
    *,
    query: str,
    after: str | None,
    total: int,
    private: bool,
    assets: str,
) -> str:
    """Return a part of the list of deployments as HTML; `after` is where the next part begins."""
    return _template(
        "index.html",
        records=records,
        query=query,
        after=after,
        total=total,
        private=private,
        assets=assets,
    )


def render_message(
    title: str, message: str, *, assets: str, up: str, again: str | None = None
) -> str:
    """Return a page that says what went wrong; with `again` it opens that page at once."""
    return _template(
        "message.html", title=title, message=message, assets=assets, up=up, again=again
    )


def render_login(target: str, message: str = "", *, assets: str, up: str) -> str:
    """Return the page that asks for the token, and leads to `target` then."""
    return _template("login.html", target=target, message=message, assets=assets, up=up)


def _template(name: str, **values: Any) -> str:
    return _environment().get_template(name).render(values)


def _batch(signature: Signature) -> bool:
    """Return whether rows of a CSV are what the model takes."""
    cells = bool(signature.columns) and signature.shape is None
    return cells and not signature.beside and not signature.one_row


def _takes(signature: Signature) -> str:
    """Return what a signature takes, in words."""
    if signature.shape is None:
        return describe_inputs(signature)
    sizes = " by ".join(f"{size:,}" for size in signature.shape)
    rows = "one array" if signature.one_row else "arrays"
    return f"{rows} of {signature.columns[0].kind}, {sizes}"


def _reports(record: Record) -> list[tuple[str, Any]]:
    reports = ((STATED, record.report), (CHECKED, record.checked))
    return [(title, in_words(Report.from_json(r))) for title, r in reports if r is not None]


@lru_cache(maxsize=32)
def _docs(docs: str) -> str:
    """Return docs as HTML, in which nothing runs and nothing is fetched."""
    if not docs:
        return ""
    if len(docs) > FORMATTED:
        return f"<pre>{escape(docs)}</pre>"
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark", {"html": False}).enable("strikethrough")
    # The cells that rows of a table lack are made up: a few letters may ask for millions.
    lines = docs.splitlines()
    if len(lines) * max(line.count("|") for line in lines) <= CELLS:
        markdown.enable("table")
    # An image would be fetched from wherever the text says, by everyone who looks.
    markdown.disable("image")
    markdown.validateLink = _is_safe  # type: ignore[method-assign]
    tokens = markdown.parse(docs)
    above: list[int] = []
    for token in tokens:
        if token.type == "heading_open":
            # Below the page's own titles, and without steps in between that are left out.
            level = int(token.tag[1])
            above = [*(other for other in above if other < level), level]
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(len(above) + 2, 6)}"
        for part in token.children or ():
            if part.type == "link_open":
                part.attrSet("rel", "noopener noreferrer nofollow")
    return str(markdown.renderer.render(tokens, markdown.options, {}))


def _is_safe(url: str) -> bool:
    """Return whether a link is one of HTTP, of mail, or relative."""
    scheme, colon, _ = url.strip().partition(":")
    relative = not colon or any(mark in scheme for mark in "/?#")
    return relative or scheme.lower() in ("http", "https", "mailto")


def _embedded(data: Any) -> str:
    """Return JSON that can stand in a script: nothing in it ends or begins one."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text


def _size(size: int) -> str:
    if size < 1000:
        return f"{size} bytes"
    return f"{size / 1000:,.1f} kB" if size < _MEGABYTE else f"{size / _MEGABYTE:,.1f} MB"


def _shown(text: object, most: int = SHOWN) -> str:
    """Return text of others as a page shows it: cut, without marks that turn lines around."""
    said = printable(str(text))
    return said if len(said) <= most else f"{said[:most]}…"


def _number(value: float) -> str:
    return f"{value:.6g}" if math.isfinite(value) else str(value)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("sclbl.web", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"shown": _shown, "number": _number, "json": json.dumps}
    return made
