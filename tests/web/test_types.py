"""The loader's types, as TypeScript's compiler reads them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sclbl.web import bundle

HERE = Path(__file__).parent
NODE = Path(sys.executable).with_name("node")

pytestmark = pytest.mark.browser


def checked(folder: Path, code: str) -> str:
    """Return what TypeScript says of a file that imports the loader."""
    shutil.copy(bundle.LOADER / "sclbl.d.ts", folder)
    (folder / "example.ts").write_text(code)
    settings = {
        "strict": True,
        "noEmit": True,
        "target": "es2022",
        "module": "es2022",
        "moduleResolution": "bundler",
        "lib": ["es2022", "dom"],
        "types": [],
        "exactOptionalPropertyTypes": True,
        "noUncheckedIndexedAccess": True,
    }
    about = {"compilerOptions": settings, "files": ["example.ts", "sclbl.d.ts"]}
    (folder / "tsconfig.json").write_text(json.dumps(about))
    compiler = HERE / "node_modules" / "typescript" / "bin" / "tsc"
    done = subprocess.run(
        [NODE, compiler, "--project", folder], capture_output=True, text=True, cwd=folder
    )
    return done.stdout + done.stderr


def test_the_types_say_what_the_loader_takes(tmp_path: Path) -> None:
    assert checked(tmp_path, (HERE / "example.ts").read_text(encoding="utf-8")) == ""


def test_types_are_exact() -> None:
    text = (bundle.LOADER / "sclbl.d.ts").read_text(encoding="utf-8")
    code = "\n".join(line for line in text.splitlines() if not line.strip().startswith(("/*", "*")))
    assert " any" not in code.replace(" any;", " any")


def test_every_option_has_a_type_and_a_line_of_documentation() -> None:
    source = (bundle.LOADER / "sclbl.js").read_text(encoding="utf-8")
    listed = source.partition("const DEFAULTS = {")[2].partition("};")[0]
    options = [line.split(":")[0].strip() for line in listed.strip().splitlines()]
    types = (bundle.LOADER / "sclbl.d.ts").read_text(encoding="utf-8")
    page = (bundle.HERE.parents[1] / "docs" / "javascript.md").read_text(encoding="utf-8")
    assert len(options) == 9
    for option in options:
        assert f"  {option}?: " in types
        assert f"| `{option}` |" in page
