"""Static sites: the page of a version with its program and the loader, in a folder or one file."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sclbl import onnx_format
from sclbl.errors import InputError, RegistryError
from sclbl.json_calls import names_of
from sclbl.methods import default_method
from sclbl.program import Program
from sclbl.registry.base import Record
from sclbl.rows import OneNull
from sclbl.signature import Signature
from sclbl.web import bundle, page
from sclbl.web.assets import assets
from sclbl.web.calls import of_file
from sclbl.web.fields import stated_in
from sclbl.web.known import Known, known
from sclbl.web.made_up import better, plain, row_of
from sclbl.whole_file import SUFFIX, whole_file

#: By this a page that was written here is known again.
MARK = '<meta name="generator" content="sclbl site">'
_UNFINISHED = f"<!doctype html>{MARK}<title>Unfinished</title><p>This page is being written."
#: Files of a site: what another site may replace, and nothing else.
_NAMES = r"(index\.html|[a-z]+\.(js|css)|program-[0-9a-f]{8}\.wasm)"
_OURS = re.compile(rf"{_NAMES}|\.{_NAMES}\.[0-9a-f]{{16}}{re.escape(SUFFIX)}")
#: A larger spec is not read for what it knows of columns.
SPEC_BYTES = 16 * 1024 * 1024


def write(
    record: Record,
    wasm: bytes,
    spec: bytes,
    target: Path,
    *,
    widget: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Path:
    """Write the site of a version into a folder, and return its ``index.html``.

    A site that is there already is replaced: its page last, so that whoever looks meanwhile sees
    the old one or the new one.

    Parameters
    ----------
    record : Record
        The version.
    wasm, spec : bytes
        Its program, and the ONNX file of its spec.
    target : Path
        The folder.
    widget, options : optional
        What stands in place of the form, and what it is told; see `sclbl.web.page.widget_of`.

    Raises
    ------
    RegistryError
        The version is marked server-only, or the folder holds what is no site.
    RequestError
        There is no such widget.
    """
    chosen = _checked(record, widget, options)
    program = f"program-{record.sha256[:8]}.wasm"
    knowledge, example = _about(record, wasm, spec)
    place = page.Place(assets="./", program=f"./{program}", codes=of_file(record, example, program))
    text = page.render(record, place, widget=chosen, known=knowledge, example=example, mark=MARK)
    wanted = ["sclbl.js", "page.js", "page.css", *([f"{chosen.name}.js"] if chosen else [])]
    files = {name: assets()[name] for name in wanted} | {program: wasm}
    gone = _replaceable(target)
    target.mkdir(parents=True, exist_ok=True)
    # Whatever stops this half way, the folder is known as a site's, and written again.
    there = (target / "index.html").exists()
    first = {} if there else {"index.html": _UNFINISHED.encode()}
    for name, content in [*first.items(), *files.items(), ("index.html", text.encode())]:
        with whole_file(target / name) as part:
            part.write_bytes(content)
    for path in gone:
        if path.name not in files and path.name != "index.html":
            path.unlink(missing_ok=True)
    return target / "index.html"


def write_single(
    record: Record,
    wasm: bytes,
    spec: bytes,
    target: Path,
    *,
    widget: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Path:
    """Write the page of a version as one HTML file, which opens from a disk, and return its path.

    A `target` that does not end in ``.html`` is a folder, in which it is ``index.html``. Parameters
    and errors are those of `write`.
    """
    text = single(record, wasm, spec, widget=widget, options=options)
    if target.suffix.lower() == ".html":
        if target.exists():
            _require_ours(target)
        path = target
    else:
        _replaceable(target)
        path = target / "index.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
    return path


def single(
    record: Record,
    wasm: bytes,
    spec: bytes,
    *,
    widget: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> str:
    """Return the page of a version as one HTML text; parameters and errors are those of `write`."""
    chosen = _checked(record, widget, options)
    knowledge, example = _about(record, wasm, spec)
    script = (
        bundle.single(chosen.name if chosen else None).decode().replace("</script", "<\\/script")
    )
    style = assets()["page.css"].decode()
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}' 'wasm-unsafe-eval'; "
        f"style-src '{_hash(style)}'; img-src data: blob:; connect-src 'none'; "
        "form-action 'none'; base-uri 'none'"
    )
    inlined = page.Inlined(script, style, base64.b64encode(wasm).decode(), policy)
    place = page.Place(assets="./", program=None)
    return page.render(
        record,
        place,
        widget=chosen,
        known=knowledge,
        example=example,
        inlined=inlined,
        mark=MARK,
    )


def _checked(
    record: Record, widget: str | None, options: Mapping[str, Any] | None
) -> page.Widget | None:
    if page.SERVER_ONLY in record.tags:
        raise RegistryError(
            f"{record.ref} is marked {page.SERVER_ONLY}, so its program stays on its server and a "
            "site cannot hold it; show its page there, or remove the tag"
        )
    return page.widget_of(record, widget, options)


def _about(record: Record, wasm: bytes, spec: bytes) -> tuple[Known | None, Any]:
    """Return what the spec knows of columns, and a row that the program takes to begin with."""
    signature = Signature.from_json(record.signature)
    knowledge = None
    if len(spec) <= SPEC_BYTES:
        knowledge = known(signature, onnx_format.read(spec).graph)
    if record.example is not None:
        return knowledge, record.example
    ones = plain(signature)
    tries = [better(ones, signature, knowledge, stated_in(record.tags)[0]), ones]
    program = Program.from_bytes(wasm)
    for values in tries:
        row = row_of(values, signature)
        if len(names_of(signature)) > 1 or signature.beside:
            return knowledge, row
        try:
            program.run(default_method(program.methods), OneNull([row]))
        except InputError:
            continue
        return knowledge, row
    return knowledge, None


def _hash(text: str) -> str:
    """Return what a policy calls an inline script or style."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _replaceable(folder: Path) -> list[Path]:
    """Return the files of a site that a new one replaces; raise where others would be in its way.

    Raises
    ------
    RegistryError
        The folder is a file, or holds what no site does.
    """
    if not folder.exists():
        return []
    if not folder.is_dir():
        raise RegistryError(f"{folder} is a file; give the folder that the site is written to")
    found = sorted(folder.iterdir())
    foreign = [path for path in found if not path.is_file() or not _OURS.fullmatch(path.name)]
    if foreign:
        raise RegistryError(
            f"{folder} holds {foreign[0].name!r}, which is not of a site; give a folder that is "
            "empty, new, or holds a site of sclbl alone"
        )
    if any(path.suffix != SUFFIX for path in found):
        _require_ours(folder / "index.html")
    return found


def _require_ours(path: Path) -> None:
    """Raise where a page was not written here."""
    try:
        with path.open("rb") as file:
            ours = MARK.encode() in file.read(64 * 1024)
    except OSError:
        ours = False
    if not ours:
        raise RegistryError(
            f"{path} is there and was not written by sclbl; give another place, or remove it"
        )
