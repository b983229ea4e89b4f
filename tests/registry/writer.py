"""A process that writes to a registry: ``python writer.py PATH NAME START COUNT ALIAS``.

It prints a line for each version that `create` confirmed, and the time to be killed is the
parent's choice.
"""

from __future__ import annotations

import sys

from sclbl.registry.local import LocalRegistry
from sclbl.registry.metadata import About
from tests.registry.programs import make_program


def main(path: str, name: str, start: str, count: str, alias: str) -> None:
    registry = LocalRegistry(path)
    print("ready", flush=True)
    for number in range(int(start), int(start) + int(count)):
        record = registry.record(About(name, alias or None), *make_program(number), None)
        print(record.version, record.sha256, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
