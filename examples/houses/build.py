"""Fit and compile house prices, and write their site."""

from __future__ import annotations

from pathlib import Path

import sclbl
from examples.houses.train import error, train
from examples.sites import write

DOCS = """\
What is a house worth? Fill in what you know of it, mark what you do not, and read the price in
euros.

Ridge regression of the logarithm of the price, on splines of area and rooms and on the size of the
garden, fitted on four fifths of 406 houses; {error}. Data: Scailable's tutorials, 2020.
"""
FORM = {
    "area": {"label": "Living area (m²)", "example": 120},
    "rooms": {"label": "Rooms", "step": 1, "example": 5},
    "garden": {"label": "Garden", "example": "up to 150 m²"},
}


def build(directory: Path) -> sclbl.Program:
    """Write the site into a folder, and return its program."""
    model, houses, prices = train()
    docs = DOCS.format(error=error(model, houses, prices))
    return write("houses", model, houses[:5], directory, docs=docs, form=FORM, verify_on=houses)
