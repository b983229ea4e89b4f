"""What the documentation says is there, and what is there is documented."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import typer

import sclbl
from sclbl import errors
from sclbl.cli import app
from sclbl.ops import table
from sclbl.registry.local import LocalRegistry
from sclbl.server.app import ROUTES
from sclbl.server.problems import STATUS, status_of
from sclbl.strippers.statsmodels.results import RESULTS
from sclbl.strippers.table import classes
from tests.server.threads import serving

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def words(page: str) -> set[str]:
    return set(re.findall(r"[\w.]+", text(page)))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_resolve(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), f"{page.name} links to {target}"
        if anchor:
            titles = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", t).lower().replace(" ", "-") for t in titles}
            assert anchor in slugs, f"{page.name} links to {target}"


def test_every_page_is_reachable_from_the_readme() -> None:
    linked = {target.partition("#")[0] for target in LINK.findall(text("README.md"))}
    assert {f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md")} <= linked


def test_public_names_are_documented() -> None:
    documented = words("docs/python.md")
    missing = [n for n in sclbl.__all__ if f"sclbl.{n}" not in documented and n != "__version__"]
    assert not missing


def test_public_methods_are_documented() -> None:
    documented = words("docs/python.md")
    for cls, name in ((sclbl.Program, "program"), (sclbl.Deployment, "deployment")):
        public = [m for m in vars(cls) if not m.startswith("_")]
        missing = [m for m in public if f"{name}.{m}" not in documented]
        assert public
        assert not missing, cls


def test_error_classes_are_documented() -> None:
    documented = words("docs/python.md")
    classes = [c.__name__ for c in vars(errors).values() if isinstance(c, type)]
    missing = [c for c in classes if issubclass(getattr(errors, c), errors.SclblError)]
    assert len(missing) > 20
    assert not [c for c in missing if c not in documented]


def test_supported_classes_are_documented() -> None:
    documented = words("docs/models.md")
    # Results of statsmodels are known by the model that was fitted, not by their own class.
    known = {name for name, stripper in classes().items() if stripper is not RESULTS}
    assert not [k for k in known if k.rpartition(".")[2] not in documented]


def test_documented_scikit_learn_classes_are_supported() -> None:
    section = text("docs/models.md").partition("## scikit-learn")[2].partition("\n## ")[0]
    rows = [line.split("|")[2] for line in section.splitlines() if line.startswith("| ")][1:]
    named = {name.strip() for row in rows for name in row.split(",")}
    assert named == {k.rpartition(".")[2] for k in classes() if k.startswith("sklearn.")}


def test_commands_and_options_are_documented() -> None:
    page = text("docs/cli.md")
    group = typer.main.get_command(app)
    commands = group.commands  # type: ignore[attr-defined]  # the group of commands that it is
    assert len(commands) > 10
    for name, command in commands.items():
        assert f"`sclbl {name}" in page, name
        for option in command.params:
            longest = max((o.partition("/")[0] for o in option.opts), key=len)
            if longest.startswith("--") and longest != "--help":
                assert f"{longest}" in page, f"{name} {longest}"


def test_the_table_of_operators_is_that_of_the_records() -> None:
    page = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    assert page == table.markdown(), "run: python -m sclbl.ops.table docs/operators.md"


def test_routes_are_documented() -> None:
    page = text("docs/rest.md")
    for route in ROUTES:
        for method in (route.methods or set()) - {"HEAD"}:
            assert f"`{method} {route.path}`" in page


def test_statuses_are_documented() -> None:
    page = text("docs/rest.md")
    table = dict(re.findall(r"^\| (\d{3}) \| (.+) \|$", page, re.MULTILINE))
    assert table
    for cls in STATUS:
        if cls is errors.RemoteError:
            continue  # raised by the client about the server
        assert f"`{cls.code}`" in table[str(status_of(cls("x")))], cls


def test_make_targets_of_the_readme_exist() -> None:
    makefile = text("Makefile")
    targets = re.findall(r"^make ([\w-]+)", text("README.md") + text("CONTRIBUTING.md"), re.M)
    assert {"demo", "test", "bench"} <= set(targets)
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.M), target


def test_quick_start_of_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SCLBL_HOME", str(tmp_path))
    monkeypatch.delenv("SCLBL_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", text("README.md"), re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(blocks[0], "README.md", "exec"), names)
    assert capsys.readouterr().out.strip()
    wasm = (tmp_path / "tumours.wasm").read_bytes()
    model, x = names["model"], names["X"]
    again = sclbl.load(wasm).predict(x)
    assert (again == model.predict(x)).all()  # type: ignore[attr-defined]  # names are untyped


def test_the_curl_of_the_readme_predicts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is pasted after the README's own upload answers what its model predicts."""
    monkeypatch.setenv("SCLBL_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SCLBL_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    page = text("README.md")
    names: dict[str, Any] = {}
    exec(
        compile(re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0], "README.md", "exec"), names
    )
    (command,) = re.findall(r"```console\n(curl .*?)```", page, re.DOTALL)
    row = json.loads(re.findall(r"-d '(.*?)'", command, re.DOTALL)[0])
    with LocalRegistry(tmp_path / "home") as registry, serving(registry) as (url, _):
        pasted = command.replace("localhost:8000", url.partition("//")[2])
        done = subprocess.run(["bash", "-c", pasted], capture_output=True, check=True)
    expected = names["model"].predict_proba(pd.DataFrame([row]))
    assert np.allclose(json.loads(done.stdout)["results"], expected, rtol=1e-12, atol=0)


def test_the_repository_speaks_of_the_product_alone() -> None:
    hosts = re.compile(r"(?i)--(extra-)?index-url|files\.pythonhosted|registry\.npmjs")
    for path in (
        *PAGES,
        *ROOT.glob("requirements*.txt"),
        ROOT / "Makefile",
        ROOT / "pyproject.toml",
    ):
        assert not hosts.search(path.read_text(encoding="utf-8")), path
