"""What ``import sclbl`` offers: adding, renaming or losing a name must be on purpose."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import sclbl
from sclbl import api, errors

ROOT = Path(__file__).parents[1]

VERBS = {
    "command": "(program)",
    "compile": "(model, example_input=None, *, methods=None, verify_on=None, tolerance=None, "
    "example=False)",
    "delete": "(ref, *, registry=None)",
    "deployments": "(*, registry=None)",
    "edit": "(ref, *, docs=None, tags=None, metrics=None, registry=None)",
    "get": "(ref, *, registry=None)",
    "history": "(name, alias, *, registry=None)",
    "load": "(source, *, registry=None)",
    "login": "(url, token)",
    "logout": "()",
    "promote": "(ref, alias, *, registry=None)",
    "register": "(cls, stripper=None)",
    "rollback": "(name, alias, *, registry=None)",
    "strip": "(model, example_input, *, methods=None)",
    "traced": "(*methods)",
    "upload": "(model, example_input=None, *, name=None, methods=None, alias=None, docs=None, "
    "tags=None, metrics=None, verify_on=None, tolerance=None, example=False, "
    "registry=None)",
    "versions": "(name, *, registry=None)",
}
CLASSES = {"Coefficients", "Deployment", "Program", "SclblError", "Spec"}

#: The codes that a server sends: a client of another version relies on them.
CODES = {
    "error", "model", "not_fitted", "unsupported_model", "unsupported_method", "spec", "compile",
    "fidelity", "input", "columns", "dtype", "shape", "parameter", "missing_value",
    "infinite_value", "unknown_category", "out_of_reach", "program", "invalid_program", "limit",
    "registry", "invalid_name", "invalid_ref", "not_found", "deleted", "conflict", "corrupted",
    "remote", "unreachable", "authentication", "request",
}  # fmt: skip


def test_names() -> None:
    assert set(sclbl.__all__) == {*VERBS, *CLASSES, "__version__", "errors"}
    assert dir(sclbl) == sorted(sclbl.__all__)


@pytest.mark.parametrize("name", sorted(sclbl.__all__))
def test_every_name_is_there(name: str) -> None:
    assert getattr(sclbl, name) is not None
    assert getattr(sclbl, name) is getattr(sclbl, name)


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse((ROOT / "sclbl" / "__init__.py").read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {a.asname for n in block.body if isinstance(n, ast.ImportFrom) for a in n.names}
    assert seen | {"__version__"} == set(sclbl.__all__)


@pytest.mark.parametrize(("name", "expected"), VERBS.items(), ids=list(VERBS))
def test_signatures(name: str, expected: str) -> None:
    found = inspect.signature(getattr(api, name))
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in found.parameters.values()]
    assert str(inspect.Signature(bare)) == expected
    assert inspect.getdoc(getattr(api, name)), "a verb has a docstring"


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="module 'sclbl' has no attribute 'uplaod'"):
        sclbl.uplaod  # noqa: B018  # looking it up is the test


def test_star_import_in_a_new_process() -> None:
    code = "from sclbl import *; print(upload.__name__, errors.SclblError.code)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["upload", "error"]


def test_version_is_that_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert sclbl.__version__ == project["version"]


def test_error_codes_are_stable_and_unique() -> None:
    classes = [
        cls
        for cls in vars(errors).values()
        if isinstance(cls, type) and issubclass(cls, errors.SclblError)
    ]
    assert len({cls.code for cls in classes}) == len(classes)
    assert {cls.code for cls in classes} >= CODES
    for cls in classes:
        assert errors.by_code(cls.code) is cls
        assert cls.__doc__
    assert errors.by_code("from a newer server") is errors.SclblError
