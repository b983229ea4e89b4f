"""How readable modules become one small file, and where that file is packed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import sclbl
from sclbl.web import bundle
from sclbl.web.bundle import BundleError

NODE = Path(sys.executable).with_name("node")
NPM = Path(sys.executable).with_name("npm")


def written(folder: Path, **modules: str) -> Path:
    """Write modules and return the one that is called `entry`."""
    for name, text in modules.items():
        (folder / f"{name}.js").write_text(text)
    return folder / "entry.js"


@pytest.mark.browser
def test_joined_modules_do_what_they_did_apart(tmp_path: Path) -> None:
    entry = written(
        tmp_path,
        entry='import { b } from "./b.js";\nimport { C } from "./c.js";\n'
        "const text = `export ${b()}`;\nconst where = () => import.meta.url;\n"
        "export const run = () => [text, new C().x, typeof where()];\nexport { where };\n",
        b='import { C } from "./c.js";\nexport function b() {\n  return new C().x + 1;\n}\n',
        c="const [one, two] = [1, 41];\nexport class C {\n  x = one * two;\n}\n",
    )
    joined = bundle.joined(entry)
    (tmp_path / "one.mjs").write_text(joined)
    (tmp_path / "small.mjs").write_text(bundle.minified(joined, "js"))
    (tmp_path / "package.json").write_text('{"type": "module"}')
    for name in ("entry.js", "one.mjs", "small.mjs"):
        code = (
            f"import * as m from './{name}'; console.log(JSON.stringify([m.run(), Object.keys(m)]))"
        )
        done = subprocess.run(
            [NODE, "--input-type=module", "-e", code], cwd=tmp_path, capture_output=True, text=True
        )
        expected = [["export 42", 41, "string"], ["run", "where"]]
        assert json.loads(done.stdout) == expected, done.stderr


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        ({"entry": 'import { a } from "./a.js";\n', "a": "const a = 1;\n"}, "which a.js does not"),
        ({"entry": 'import { a } from "./a.js";\n'}, "a.js, which is missing"),
        ({"entry": 'import { a as b } from "./a.js";\n', "a": "export const a = 1;\n"}, "a as b"),
        ({"entry": 'import a from "./a.js";\n', "a": ""}, "cannot be joined: 'import a from"),
        ({"entry": "export default 3;\n"}, "cannot be joined: 'export default 3;'"),
        ({"entry": "export { x };\n"}, "exports 'x', which no module declares"),
        (
            {
                "entry": 'import { a } from "./a.js";\nconst one = 1;\n',
                "a": "export const a = 1;\nfunction one() {}\n",
            },
            "both a.js and entry.js declare 'one'",
        ),
        (
            {
                "entry": 'import { a } from "./a.js";\nexport const b = 1;\n',
                "a": 'import { b } from "./entry.js";\nexport const a = 1;\n',
            },
            "in a circle: entry.js → a.js → entry.js",
        ),
    ],
)
def test_what_cannot_be_joined_is_refused(
    tmp_path: Path, modules: dict[str, str], message: str
) -> None:
    with pytest.raises(BundleError, match=r".") as refused:
        bundle.joined(written(tmp_path, **modules))
    assert message in str(refused.value)


def test_what_is_no_javascript_is_refused() -> None:
    with pytest.raises(BundleError, match="the minifier cannot read the js"):
        bundle.minified("const = 3", "js")


def test_a_made_file_follows_its_sources(tmp_path: Path) -> None:
    target, source = tmp_path / "out.js", tmp_path / "in.js"
    source.write_text("1")
    made: list[str] = []

    def make() -> str:
        made.append(source.read_text())
        return made[-1]

    assert bundle.made(target, [source], make) == b"1"
    assert bundle.made(target, [source], make) == b"1"
    assert made == ["1"]
    source.write_text("2")
    assert bundle.made(target, [source], make) == b"2"
    target.unlink()
    assert bundle.made(target, [source], make) == b"2"
    assert made == ["1", "2", "2"]
    source.unlink()
    # Installed, there are no sources.
    assert bundle.made(target, [source], make) == b"2"
    target.unlink()
    with pytest.raises(BundleError, match="this installation of sclbl is incomplete"):
        bundle.made(target, [source], make)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.js.by"]


def test_the_loader_needs_nothing_and_runs_nothing_at_import() -> None:
    text = bundle.loader().decode()
    assert "import{" not in text
    assert "import(" not in text
    assert "window" not in text
    assert text.endswith("export{load,SclblError}")


@pytest.mark.browser
def test_the_npm_package_installs_and_loads(tmp_path: Path) -> None:
    package, project = tmp_path / "package", tmp_path / "project"
    done = subprocess.run(
        [sys.executable, "-m", "sclbl.web.bundle", "npm", str(package)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    quiet = ["--offline", "--no-audit", "--no-fund", "--loglevel=error", f"--cache={tmp_path}/npm"]
    packed = subprocess.run(
        [NPM, "pack", "--json", *quiet], cwd=package, capture_output=True, text=True
    )
    (about,) = json.loads(packed.stdout)
    assert about["version"] == sclbl.__version__
    files = {file["path"] for file in about["files"]}
    assert files == {"sclbl.js", "sclbl.d.ts", "package.json", "README.md"}
    project.mkdir()
    (project / "package.json").write_text('{"type": "module"}')
    archive = package / about["filename"]
    done = subprocess.run(
        [NPM, "install", *quiet, str(archive)], cwd=project, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    code = "import { load, SclblError } from 'sclbl'; console.log(typeof load, SclblError.name)"
    (project / "index.js").write_text(code)
    done = subprocess.run([NODE, "index.js"], cwd=project, capture_output=True, text=True)
    assert done.stdout.startswith("function "), done.stderr


def test_the_command_line_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert bundle.main(["other"]) == 2
    assert "python -m sclbl.web.bundle npm" in capsys.readouterr().err
    assert bundle.main([]) == 0
