"""``python -m sclbl``, the command line."""

from sclbl.cli import main

main()
