"""A page in a frame, for notebooks."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

from sclbl.errors import LimitError

#: Characters of the largest page that a notebook is given: it stores them with its cells.
MOST = 16 * 1024 * 1024


@dataclass(frozen=True)
class Page:
    """A page that shows itself in a notebook, apart from the notebook's own.

    Parameters
    ----------
    ref : str
        The version that it is of.
    html : str
        The page.
    height : int
        Of its frame, in pixels.
    """

    ref: str
    html: str = field(repr=False)
    height: int = 900

    def __post_init__(self) -> None:
        if len(self.html) > MOST:
            raise LimitError(
                f"the page of {self.ref} has {len(self.html):,} characters, and a notebook is "
                f"given {MOST:,} at most; write it to a folder with `deployment.site(path)`"
            )

    def _repr_html_(self) -> str:
        # Without an origin of its own: it runs, and reaches nothing of the notebook.
        return (
            f'<iframe title="{escape(self.ref)}" sandbox="allow-scripts allow-downloads" '
            f'srcdoc="{escape(self.html)}" width="100%" height="{int(self.height)}" '
            'style="border:0" loading="lazy"></iframe>'
        )
