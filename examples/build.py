"""Build the sites of the examples, and a page that leads to them.

Usage: ``python -m examples.build build/sites``.
"""

from __future__ import annotations

import argparse
import html
from collections.abc import Callable
from pathlib import Path

import sclbl
from examples.cifar10 import build as cifar10
from examples.digits import build as digits
from examples.houses import build as houses
from examples.sentiment import build as sentiment

SITES: dict[str, tuple[str, Callable[[Path], sclbl.Program]]] = {
    "digits": ("Draw a digit, and a convolution network reads it", digits.build),
    "sentiment": ("Type a sentence, and see what each word does", sentiment.build),
    "houses": ("Fill in a house, and read its price", houses.build),
    "cifar10": ("Drop a photo, and a residual network names it", cifar10.build),
}
PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'self'">
<title>Models in pages</title>
<link rel="stylesheet" href="digits/page.css">
</head>
<body>
<main class="wide">
<h1>Models in pages</h1>
<p>Each page holds a model that was compiled to WebAssembly, and predicts on your own machine.</p>
<ul class="deployments">
{links}
</ul>
</main>
</body>
</html>
"""


def build(directory: Path) -> dict[str, sclbl.Program]:
    """Write every site into a folder of its own, and return the programs by name."""
    directory.mkdir(parents=True, exist_ok=True)
    programs = {name: make(directory / name) for name, (_, make) in SITES.items()}
    links = "\n".join(
        f'<li><a href="{name}/index.html">{html.escape(title)}</a></li>'
        for name, (title, _) in SITES.items()
    )
    (directory / "index.html").write_text(PAGE.format(links=links), encoding="utf-8")
    return programs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("directory", type=Path)
    directory = parser.parse_args().directory
    for name, program in build(directory).items():
        files = [f for f in (directory / name).rglob("*") if f.is_file()]
        whole = sum(f.stat().st_size for f in files)
        print(f"{directory / name}: {whole:,} bytes, of which the program {program.size:,}")


if __name__ == "__main__":
    main()
