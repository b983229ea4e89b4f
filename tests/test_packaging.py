"""What is packed, and that it is the same wherever it is built."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

import sclbl
from sclbl.errors import CompileError
from sclbl.kernels import build

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
#: What a package is called when it is installed, where that is not how it is imported.
DISTRIBUTIONS = {"google": "protobuf", "markdown_it": "markdown-it-py"}
#: The user's own libraries: used where they are, never required.
USERS_OWN = {
    "pandas",
    "polars",
    "pyarrow",
    "sklearn",
    "statsmodels",
    "xgboost",
    "patsy",
    "formulaic",
}
#: What the kernels are compiled to.
BUILT = ("*.bc", "*.o", "*.by")
#: What runs processes, makes the files of pages or shows itself in a notebook finds these where
#: they are.
PRESENT_WHEN_USED = {"IPython", "minify", "scipy", "ziglang"}


def compiled(stem: str) -> bytes:
    """Return what a kernel file was compiled to."""
    return build.kernels([stem])[stem]


def packed(kind: str, source: Path, target: Path) -> Path:
    """Build a wheel or source distribution with the packages that are installed here."""
    code = f"import hatchling.build as b; print(b.build_{kind}({str(target)!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return target / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source tree without anything built."""
    copy = tmp_path_factory.mktemp("source") / "sclbl"
    skipped = shutil.ignore_patterns(*BUILT, "__pycache__", ".*", "results", "dist", "node_modules")
    shutil.copytree(ROOT, copy, ignore=skipped)
    return copy


@pytest.fixture(scope="module")
def wheel(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(packed("wheel", tree, tmp_path_factory.mktemp("wheel")))


def test_wheel_is_pure_and_carries_compiled_kernels_only(wheel: zipfile.ZipFile) -> None:
    assert wheel.filename is not None
    assert wheel.filename.endswith("-py3-none-any.whl")
    names = wheel.namelist()
    kernels = {Path(n).stem for n in names if n.endswith((".bc", ".o"))}
    assert kernels == {s.stem for s in build.sources()}
    assert kernels
    assert not [n for n in names if n.endswith((".c", ".h", ".by"))]
    assert "sclbl/py.typed" in names
    assert not [n for n in names if not n.startswith(("sclbl/", "sclbl-"))]


def test_compiled_kernels_do_not_depend_on_the_place(wheel: zipfile.ZipFile, tree: Path) -> None:
    for source in build.sources():
        there = wheel.read(f"sclbl/kernels/{build.made_of(source).name}")
        assert there == compiled(source.stem), source.name
        for place in (str(tree), str(ROOT)):
            assert place.encode() not in there


def test_source_distribution_carries_c_and_builds(tree: Path, tmp_path: Path) -> None:
    archive = packed("sdist", tree, tmp_path)
    with tarfile.open(archive) as tar:
        names = tar.getnames()
        tar.extractall(tmp_path / "out", filter="data")
    assert [n for n in names if n.endswith(".c")]
    assert not [n for n in names if n.endswith((".bc", ".o", ".by"))]
    (source,) = (tmp_path / "out").iterdir()
    made = packed("wheel", source, tmp_path)
    built = {Path(n).suffix for n in zipfile.ZipFile(made).namelist()}
    assert built >= {".bc", ".o"}


def test_a_changed_kernel_is_compiled_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "HERE", tmp_path)
    source = tmp_path / "k.c"
    source.write_text("int f(int x) { return x + 1; }\n")
    first = compiled("k")
    assert first == compiled("k")
    source.write_text("int f(int x) { return x + 2; }\n")
    assert build.is_stale(source)
    assert compiled("k") != first
    assert not build.is_stale(source)


def test_a_kernel_of_other_sources_is_compiled_again_whatever_their_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "HERE", tmp_path)
    source, header = tmp_path / "k.c", tmp_path / "k.h"
    source.write_text('#include "k.h"\nint f(int x) { return x + K; }\n')
    header.write_text("#define K 1\n")
    first = compiled("k")
    os.utime(source)
    assert not build.is_stale(source)
    header.write_text("#define K 2\n")
    os.utime(header, (0, 0))
    assert build.is_stale(source)
    assert compiled("k") != first


def test_a_kernel_of_another_compiler_is_compiled_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "HERE", tmp_path)
    source = tmp_path / "k.c"
    source.write_text("int f(int x) { return x + 1; }\n")
    compiled("k")
    (tmp_path / "k.bc").write_bytes(b"of another release")
    assert compiled("k") == b"of another release"
    with monkeypatch.context() as other:
        other.setattr(build, "compiler_version", lambda: "0.0.1")
        assert build.is_stale(source)
        other.setattr(build, "compiler_version", lambda: None)
        assert not build.is_stale(source)
    note = (tmp_path / "k.by").read_text()
    (tmp_path / "k.by").write_text(f"0.0.1\n{note.splitlines()[1]}\n")
    assert compiled("k") != b"of another release"
    (tmp_path / "k.by").unlink()
    assert build.is_stale(source)


def test_a_kernel_that_cannot_be_compiled_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "HERE", tmp_path)
    (tmp_path / "k.c").write_text("int f(int x) { return y; }\n")
    with pytest.raises(CompileError, match=r"compiling k\.c failed:(.|\n)*undeclared identifier"):
        compiled("k")
    with pytest.raises(CompileError, match="there is no kernel 'none'; this installation of sclbl"):
        compiled("none")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        CompileError, match=r"the kernel 'k' is not compiled, or was from another k\.c;"
    ):
        compiled("k")


def test_versions_agree() -> None:
    assert sclbl.__version__ == PROJECT["project"]["version"] == metadata.version("sclbl")


def names_of(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=! ]", r)[0].lower().replace("_", "-") for r in requirements}


def test_imports_are_declared() -> None:
    declared = names_of(PROJECT["project"]["dependencies"])
    for path in (ROOT / "sclbl").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                modules = [node.module]
            for module in modules:
                top = module.partition(".")[0]
                if top in sys.stdlib_module_names or top in {"sclbl", *USERS_OWN}:
                    continue
                if top in PRESENT_WHEN_USED:
                    continue
                assert DISTRIBUTIONS.get(top, top).lower() in declared, f"{path.name}: {module}"


@pytest.mark.parametrize("name", ["requirements-dev.txt", "requirements-oldest.txt"])
def test_locks_pin_every_dependency_with_hashes(name: str) -> None:
    lock = (ROOT / name).read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==", lock, re.M))
    project = PROJECT["project"]
    wanted = names_of(project["dependencies"]) | names_of(project["optional-dependencies"]["dev"])
    assert wanted <= {p.lower() for p in pinned}
    assert len(re.findall(r"--hash=sha256:", lock)) > len(pinned)


def test_the_oldest_lock_has_the_oldest_of_each_direct_dependency() -> None:
    lock = (ROOT / "requirements-oldest.txt").read_text(encoding="utf-8")
    pinned: dict[str, str] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^ ;]+)", lock, re.M):
        pinned.setdefault(name.lower(), version)  # a newer Python may need a newer one, below it
    project = PROJECT["project"]
    for requirement in project["dependencies"] + project["optional-dependencies"]["dev"]:
        (name,), floor = names_of([requirement]), re.search(r">=([0-9.]+)", requirement)
        assert floor is not None, f"{requirement} has no floor"
        # The first release at or above the floor: the same, but for a patch release never made.
        given, found = (v.split(".")[:2] for v in (floor[1], pinned[name]))
        assert found[: len(given)] == given, f"{requirement}: {pinned[name]} is tested"
