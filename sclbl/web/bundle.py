"""Join readable JavaScript modules into one file and minify it.

The loader's source is the modules in ``loader/``; what servers, sites, wheels and the npm package
hold is one small file made from them. This file imports nothing of the package, so that the build
hook can load it by its path before the package exists.

Usage: ``python -m sclbl.web.bundle`` makes what is out of date; ``python -m sclbl.web.bundle npm
DIR`` writes the npm package.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOADER = HERE / "loader"
PAGE = HERE / "page"
#: What stands in place of a page's form, by name.
WIDGETS = ("canvas", "image", "text")
#: What the npm package has beside the loader itself.
BESIDE = ("sclbl.d.ts", "package.json", "README.md")

_IMPORT = re.compile(r'^import \{([^{}]*)\} from "\./([\w-]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async function|function|class|const|let)\b)", re.MULTILINE)
_EXPORTS = re.compile(r"^export \{([^{}]*)\};\n", re.MULTILINE)
_TOP = re.compile(
    r"^(?:export )?(?:async function\*?|function\*?|class|const|let) (\w+)", re.MULTILINE
)
_SEVERAL = re.compile(r"^(?:export )?(?:const|let) [\[{]([\w, ]+)[\]}]", re.MULTILINE)
_OTHER = re.compile(r"^(?:import\b|export\b).*", re.MULTILINE)

#: Declarations, which are all written alike once they were checked, because that is smaller.
_CONST = re.compile(r"^( *|.*\bfor \()const ", re.MULTILINE)

TYPES = {"js": "application/javascript", "css": "text/css", "html": "text/html"}


class BundleError(RuntimeError):
    """Sources that cannot be joined; the message says which and why."""


def _names(listed: str) -> list[str]:
    """Return the names in the braces of an import or an export."""
    return [name for name in (n.strip() for n in listed.split(",")) if name]


def joined(entry: Path) -> str:
    """Return one ES module that does what an entry and all that it imports do.

    Each module imports with ``import { a, b } from "./x.js";``, without other names, and exports
    declarations (``export function a``) or, at its end, a list (``export { a, b };``). Names at the
    top of modules are unique over all of them, because they share one scope afterwards.

    Parameters
    ----------
    entry : Path
        The module whose exports stay.

    Returns
    -------
    str
        The module, its imports before what uses them.

    Raises
    ------
    BundleError
        Another form of import or export, modules that import each other in a circle, a name that
        two modules declare or that a module does not export.
    """
    order: list[Path] = []
    _visit(entry, [], order)
    owners: dict[str, str] = {}
    exported: dict[str, list[str]] = {}
    parts = []
    for path in order:
        text = path.read_text(encoding="utf-8")
        for listed, source in _IMPORT.findall(text):
            unknown = [n for n in _names(listed) if n not in exported[source]]
            if unknown:
                raise BundleError(
                    f"{path.name} imports {unknown[0]!r}, which {source} does not export"
                )
        for name in _declared(text):
            if name in owners:
                raise BundleError(f"both {owners[name]} and {path.name} declare {name!r}")
            owners[name] = path.name
        exported[path.name] = _exports(text)
        body = _EXPORTS.sub("", _EXPORT.sub("", _IMPORT.sub("", text)))
        if found := _OTHER.search(body):
            raise BundleError(f"{path.name} has a line that cannot be joined: {found[0]!r}")
        parts.append(body)
    names = ", ".join(exported[entry.name])
    missing = [n for n in exported[entry.name] if n not in owners]
    if missing:
        raise BundleError(f"{entry.name} exports {missing[0]!r}, which no module declares")
    # In a function of their own even the names at the top of modules can be shortened.
    body = _CONST.sub(r"\1let ", "\n".join(parts))
    body = "\n".join([body, f"return {{ {names} }};"])
    return f"const {{ {names} }} = (() => {{\n{body}\n}})();\nexport {{ {names} }};\n"


def _declared(text: str) -> list[str]:
    """Return the names that a text declares at its top."""
    return _TOP.findall(text) + [n for listed in _SEVERAL.findall(text) for n in _names(listed)]


def _exports(text: str) -> list[str]:
    """Return the names that a module exports."""
    names = [n for line in text.splitlines() if line.startswith("export ") for n in _declared(line)]
    return names + [n for listed in _EXPORTS.findall(text) for n in _names(listed)]


def _visit(path: Path, above: list[Path], order: list[Path]) -> None:
    """Append a module to the order, after those that it imports."""
    if path in above:
        circle = " → ".join(p.name for p in (*above[above.index(path) :], path))
        raise BundleError(f"modules import each other in a circle: {circle}")
    if path in order:
        return
    if not path.is_file():
        raise BundleError(
            f"{above[-1].name if above else 'nothing'} imports {path}, which is missing"
        )
    for _, source in _IMPORT.findall(path.read_text(encoding="utf-8")):
        _visit(path.parent / source, [*above, path], order)
    order.append(path)


def minified(text: str, kind: str) -> str:
    """Return JavaScript (``js``), CSS (``css``) or HTML (``html``) without what is for readers.

    Raises
    ------
    BundleError
        The minifier is missing, or cannot read the text.
    """
    try:
        import minify
    except ImportError:
        raise BundleError(
            "the minifier is missing; install tdewolff-minify to make the files of pages"
        ) from None
    try:
        return str(minify.string(TYPES[kind], text))
    except minify.MinifyError as error:
        raise BundleError(f"the minifier cannot read the {kind}: {error}") from error


def made(target: Path, sources: Iterable[Path], make: Callable[[], str]) -> bytes:
    """Return a file that is made from others, and make it where they are not as they were.

    Where none of the sources is there (an installed package), the file is taken as it is.

    Parameters
    ----------
    target : Path
        The file; what it was made of stands beside it, with the ending ``.by``.
    sources : iterable of Path
        What it is made of.
    make : callable
        Gives the file's text.

    Raises
    ------
    BundleError
        The sources cannot be made into it, or neither they nor the file are there.
    """
    present = [path for path in sources if path.is_file()]
    note = target.with_suffix(f"{target.suffix}.by")
    if not present:
        if not target.is_file():
            raise BundleError(f"{target} is missing: this installation of sclbl is incomplete")
        return target.read_bytes()
    digest = hashlib.sha256()
    for path in (*sorted(present), Path(__file__)):
        digest.update(f"{path.name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    origin = digest.hexdigest()
    # By what they hold: the times of files say nothing in a copied tree.
    if target.is_file() and note.is_file() and note.read_text(encoding="utf-8") == origin:
        return target.read_bytes()
    content = make().encode()
    _replace(target, content)
    # After what was made: a build that is killed between the two is done again.
    _replace(note, origin.encode())
    return content


def _replace(target: Path, content: bytes) -> None:
    """Write a file in one step."""
    handle, part = tempfile.mkstemp(dir=target.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(part, 0o644)
        os.replace(part, target)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def loader() -> bytes:
    """Return the loader, ``sclbl.js``: one minified ES module without dependencies."""
    entry = LOADER / "sclbl.js"
    return made(HERE / "sclbl.js", LOADER.glob("*.js"), lambda: minified(joined(entry), "js"))


def weight(content: bytes) -> int:
    """Return the bytes of a file as it travels: compressed by gzip, at its strongest."""
    return len(gzip.compress(content, 9, mtime=0))


def npm(folder: Path, version: str) -> None:
    """Write the npm package into a folder, from the same files that the Python package holds."""
    folder.mkdir(parents=True, exist_ok=True)
    about = json.loads((LOADER / "package.json").read_text(encoding="utf-8"))
    files: Mapping[str, bytes] = {
        "sclbl.js": loader(),
        **{name: (LOADER / name).read_bytes() for name in BESIDE},
        "package.json": json.dumps({**about, "version": version}, indent=2).encode() + b"\n",
    }
    for name, content in files.items():
        _replace(folder / name, content)


def page_script() -> bytes:
    """Return ``page.js``, the script of a page: it imports the loader and a widget beside it."""
    begin = "start(load, (name) => import(`./${name}.js`));"
    return made(
        HERE / "page.js",
        PAGE.glob("*.js"),
        lambda: minified(
            f'import {{ load }} from "./sclbl.js";\n{_inner(PAGE / "main.js")}{begin}', "js"
        ),
    )


def page_style() -> bytes:
    """Return ``page.css``, the style of every page and widget."""
    sources = [PAGE / "page.css", PAGE / "widgets" / "widgets.css"]
    return made(
        HERE / "page.css",
        sources,
        lambda: minified("\n".join(p.read_text(encoding="utf-8") for p in sources), "css"),
    )


def widget(name: str) -> bytes:
    """Return the module of a widget."""
    folder = PAGE / "widgets"
    return made(
        HERE / f"{name}.js",
        folder.glob("*.js"),
        lambda: minified(joined(folder / f"{name}.js"), "js"),
    )


def single(name: str | None) -> bytes:
    """Return the script of a page that is a single file: the loader, the page's and a widget."""
    sources = [*LOADER.glob("*.js"), *PAGE.glob("*.js"), *(PAGE / "widgets").glob("*.js")]
    return made(
        HERE / f"single-{name or 'form'}.js",
        sources,
        lambda: minified(_single(name), "js"),
    )


def _single(name: str | None) -> str:
    inside = _inner(PAGE / "widgets" / f"{name}.js") if name else ""
    mount = "{ mount }" if name else "{}"
    parts = (_inner(LOADER / "sclbl.js"), _inner(PAGE / "main.js"), inside)
    return f"{''.join(parts)}start(load, async () => ({mount}));"


def _inner(entry: Path) -> str:
    """Return joined modules whose exports are names of the script that they stand in."""
    return _EXPORTS.sub("", joined(entry))


def build_all() -> None:
    """Make every file of pages that is out of date."""
    loader()
    page_script()
    page_style()
    single(None)
    for name in WIDGETS:
        widget(name)
        single(name)


def main(arguments: list[str]) -> int:
    """Run the command line; return its exit code."""
    if not arguments:
        build_all()
        return 0
    if arguments[0] == "npm" and len(arguments) == 2:
        from sclbl import __version__

        npm(Path(arguments[1]), __version__)
        return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
