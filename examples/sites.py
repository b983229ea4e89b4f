"""Compile a model and write its site: what the four examples share."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sclbl


def write(
    name: str,
    model: Any,
    example: Any,
    directory: Path,
    *,
    docs: str,
    widget: str | None = None,
    options: Mapping[str, Any] | None = None,
    form: Mapping[str, Mapping[str, Any]] | None = None,
    methods: list[str] | None = None,
    verify_on: Any = None,
) -> sclbl.Program:
    """Compile and verify a model in a registry of its own, and write its page into a folder.

    Parameters
    ----------
    name : str
        What the page is called.
    model : object
        A fitted model, or the bytes of an ONNX file.
    example : object
        Rows as the model takes them; None where the file says it all.
    directory : Path
        Where the site goes.
    docs : str
        Markdown at the top of the page.
    widget : str, optional
        What stands in place of a form.
    options : mapping, optional
        What the widget is told.
    form : mapping, optional
        What the form says of columns, by their name.
    methods : list of str, optional
        The methods to compile; all of them where left out.
    verify_on : object, optional
        More rows that program and model are compared on.

    Returns
    -------
    Program
        What the page runs.
    """
    tags = {}
    if widget is not None:
        tags = {"widget": widget, "widget-options": json.dumps(options or {}, ensure_ascii=False)}
    if form is not None:
        tags["form"] = json.dumps(form, ensure_ascii=False)
    with tempfile.TemporaryDirectory(prefix="sclbl-example-") as registry:
        deployment = sclbl.upload(
            model,
            example,
            name=name,
            docs=docs,
            tags=tags,
            methods=methods,
            verify_on=verify_on,
            registry=registry,
        )
        deployment.site(directory)
        return sclbl.Program.from_bytes(deployment.wasm)
