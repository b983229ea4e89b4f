"""What pages are made of: the loader, the page's script and style, the widgets."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache

from sclbl.web import bundle

#: Widgets by name; a page without one shows a form.
WIDGETS = bundle.WIDGETS


@cache
def assets() -> Mapping[str, bytes]:
    """Return the files that pages need, by name."""
    found = {
        "sclbl.js": bundle.loader(),
        "page.js": bundle.page_script(),
        "page.css": bundle.page_style(),
    }
    return found | {f"{name}.js": bundle.widget(name) for name in bundle.WIDGETS}


@cache
def digest() -> str:
    """Return what tells these files from those of another release."""
    whole = hashlib.sha256()
    for name, content in assets().items():
        whole.update(f"{name} {len(content)} ".encode())
        whole.update(content)
    return whole.hexdigest()[:16]
