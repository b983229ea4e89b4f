"""``python -m sclbl.cli``."""

from sclbl.cli import main

main()
