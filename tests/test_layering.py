"""Who may import whom: each stage knows nothing of the stages after it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "sclbl"

#: What a module or package must not import, lazily or not.
FORBIDDEN = {
    "sclbl.ops": {
        "sclbl.compiler", "sclbl.strippers", "sclbl.runtime", "sclbl.program", "sclbl.fidelity",
        "sclbl.onnx_format", "sclbl.registry", "sclbl.server", "sclbl.api", "sclbl.pipeline",
    },
    "sclbl.manifest": {
        "sclbl.compiler", "sclbl.strippers", "sclbl.runtime", "sclbl.registry", "sclbl.server",
    },
    "sclbl.strippers": {
        "sclbl.compiler", "sclbl.runtime", "sclbl.program", "sclbl.fidelity", "sclbl.registry",
        "sclbl.server", "sclbl.api", "sclbl.pipeline",
    },
    "sclbl.compiler": {
        "sclbl.strippers", "sclbl.runtime", "sclbl.program", "sclbl.fidelity", "sclbl.registry",
        "sclbl.server", "sclbl.api", "sclbl.pipeline",
    },
    "sclbl.runtime": {
        "sclbl.compiler", "sclbl.strippers", "sclbl.fidelity", "sclbl.registry", "sclbl.server",
        "sclbl.api", "sclbl.pipeline", "llvmlite",
    },
    "sclbl.fidelity": {"sclbl.registry", "sclbl.server", "sclbl.api", "sclbl.pipeline"},
    "sclbl.onnx_format": {
        "sclbl.compiler", "sclbl.runtime", "sclbl.program", "sclbl.fidelity", "sclbl.registry",
        "sclbl.server", "sclbl.api", "sclbl.pipeline",
    },
    "sclbl.program": {"sclbl.compiler", "sclbl.strippers", "sclbl.registry", "sclbl.server"},
    "sclbl.registry": {
        "sclbl.compiler", "sclbl.strippers", "sclbl.runtime", "sclbl.program", "sclbl.fidelity",
        "sclbl.server", "sclbl.api", "sclbl.pipeline",
    },
    "sclbl.server": {"sclbl.strippers", "sclbl.compiler", "sclbl.api", "sclbl.pipeline"},
}  # fmt: skip

#: What the modules at the bottom import of sclbl, and nothing else.
BOTTOM: dict[str, set[str]] = {
    "sclbl.errors": set(),
    "sclbl.shapes": set(),
    "sclbl.frame": set(),
    "sclbl.signature": {"sclbl.frame", "sclbl.shapes"},
    "sclbl.signature_check": {"sclbl.frame", "sclbl.shapes", "sclbl.signature"},
    "sclbl.coefficients": {"sclbl.errors"},
    "sclbl.spec": {"sclbl.coefficients", "sclbl.shapes", "sclbl.signature"},
}

#: Libraries that belong to one place, which turns their errors into ours.
OWNERS = {
    "wasmtime": "sclbl.runtime",
    "llvmlite": "sclbl.compiler",
    "sqlalchemy": "sclbl.registry",
    "alembic": "sclbl.registry",
    "sqlite3": "sclbl.registry",
    "starlette": "sclbl.server",
    "uvicorn": "sclbl.server",
    "httptools": "sclbl.server",
    "jinja2": "sclbl.web",
    "requests": "sclbl.registry",
    "onnx": "sclbl.onnx_format",
    "rich": "sclbl.progress sclbl.cli sclbl.commands",
    "typer": "sclbl.cli sclbl.commands",
}

#: What loading a pickle needs; no model is ever sent, stored or loaded as one.
UNPICKLERS = {"pickle", "cPickle", "_pickle", "joblib", "cloudpickle", "dill", "shelve", "marshal"}

#: What `import sclbl` and looking at it must not load.
HEAVY = {
    "numpy", "scipy", "sklearn", "pandas", "polars", "pyarrow", "statsmodels", "xgboost", "onnx",
    "llvmlite", "wasmtime", "sqlalchemy", "alembic", "starlette", "uvicorn", "requests", "rich",
    "typer", "msgspec", "platformdirs", "IPython",
}  # fmt: skip


def module_of(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


@cache
def imports(path: Path) -> tuple[tuple[int, str], ...]:
    """Return line and full name of everything that a file imports, save for type checkers."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    ignored = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if node in ignored:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            yield node.lineno, str(node.module)
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif (
            isinstance(node, ast.Call)
            and ast.unparse(node.func).endswith("import_module")
            and isinstance(node.args[0], ast.Constant)
        ):
            yield node.lineno, str(node.args[0].value)


FILES = sorted(PACKAGE.rglob("*.py"))


def test_files_are_found() -> None:
    modules = {module_of(path) for path in FILES}
    assert {"sclbl", "sclbl.errors", "sclbl.registry", "sclbl.registry.local"} <= modules
    for place in (*FORBIDDEN, *BOTTOM):
        assert place in modules, f"{place} is gone; correct the rule"


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_imports_keep_to_their_layer(path: Path) -> None:
    module = module_of(path)
    wrong = []
    for line, name in imports(path):
        allowed = BOTTOM.get(module, {"sclbl"})
        if within(name, "sclbl") and not any(within(name, a) for a in allowed):
            wrong.append(f"{path}:{line}: {module} must not import {name}")
        for place, forbidden in FORBIDDEN.items():
            if within(module, place) and any(within(name, f) for f in forbidden):
                wrong.append(f"{path}:{line}: {place} must not import {name}")
        for library, owners in OWNERS.items():
            if within(name, library) and not any(within(module, o) for o in owners.split()):
                wrong.append(f"{path}:{line}: only {owners} imports {library}")
        if name.partition(".")[0] in UNPICKLERS:
            wrong.append(f"{path}:{line}: nothing unpickles")
    assert wrong == []


def graph() -> dict[str, set[str]]:
    """Return which modules of sclbl each of them imports, lazily or not."""
    modules = {module_of(path) for path in FILES}
    found: dict[str, set[str]] = {}
    for path in FILES:
        names = {name for _, name in imports(path)}
        # "from package import module" names both; a package is meant where no module is.
        wanted = {n for n in names if n in modules}
        parents = {n for n in wanted if any(m != n and within(m, n) for m in wanted)}
        only = {str(node) for node in names - wanted}
        meant = {n for n in parents if any(o.rpartition(".")[0] == n for o in only)}
        found[module_of(path)] = (wanted - parents) | meant - {module_of(path)}
    return found


def reached(start: str, found: dict[str, set[str]]) -> dict[str, list[str]]:
    """Return every module that one leads to, each with the way there."""
    ways: dict[str, list[str]] = {start: [start]}
    todo = [start]
    while todo:
        at = todo.pop()
        for name in sorted(found[at] - ways.keys()):
            ways[name] = [*ways[at], name]
            todo.append(name)
    return ways


def test_no_module_leads_back_to_itself() -> None:
    found = graph()
    circles = []
    for module in found:
        for first in sorted(found[module] - {module}):
            ways = reached(first, found)
            if module in ways:
                circles.append(" -> ".join([module, *ways[module]]))
    assert circles == []


#: Where no way of imports leads, however long: what runs programs never reaches what makes them.
NEVER = {
    "sclbl.strippers": {"sclbl.compiler", "sclbl.runtime", "sclbl.registry", "sclbl.server"},
    "sclbl.server.app": {"sclbl.strippers"},
    "sclbl.runtime": {"sclbl.compiler", "sclbl.strippers", "sclbl.onnx_format"},
    "sclbl.ops": {"sclbl.compiler", "sclbl.strippers", "sclbl.onnx_format", "sclbl.runtime"},
    "sclbl.rows": {"sclbl.compiler", "sclbl.strippers", "sclbl.runtime", "sclbl.registry"},
}


@pytest.mark.parametrize("place", NEVER)
def test_no_way_of_imports_leads_there(place: str) -> None:
    found = graph()
    wrong = [
        " -> ".join(way)
        for module in found
        if within(module, place)
        for name, way in reached(module, found).items()
        if any(within(name, forbidden) for forbidden in NEVER[place])
    ]
    assert wrong == []


def loaded_by(code: str) -> set[str]:
    """Return the names of the modules that are loaded after running `code`."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return set(done.stdout.split())


def test_import_is_light() -> None:
    loaded = loaded_by("import sclbl; sclbl.errors.SclblError; sclbl.__version__; dir(sclbl)")
    assert "sclbl.errors" in loaded
    assert HEAVY & loaded == set()
    assert {name for name in loaded if within(name, "sclbl")} == {"sclbl", "sclbl.errors"}


def test_looking_at_a_registry_loads_no_compiler_and_no_runtime(tmp_path: Path) -> None:
    code = f"import sclbl; assert sclbl.deployments(registry={str(tmp_path)!r}) == []"
    loaded = loaded_by(code)
    assert "sqlalchemy" in loaded
    assert {"llvmlite", "wasmtime", "sklearn", "pandas", "onnx", "sclbl.compiler"} & loaded == set()


def test_running_loads_no_compiler_and_no_stripper() -> None:
    loaded = loaded_by("import sclbl.program, sclbl.runtime")
    assert "sclbl.runtime" in loaded
    heavy = {"llvmlite", "sklearn", "pandas", "onnx", "sqlalchemy", "sclbl.compiler"}
    assert heavy & loaded == set()
    assert "sclbl.strippers" not in loaded


def test_serving_loads_no_compiler_and_no_stripper() -> None:
    loaded = loaded_by("import sclbl.server.app")
    assert "starlette" in loaded
    heavy = {"llvmlite", "sklearn", "statsmodels", "xgboost", "scipy", "sclbl.strippers"}
    assert heavy & loaded == set()


def test_verifying_without_the_model_loads_no_scipy() -> None:
    loaded = loaded_by("import sclbl.fidelity.against_spec")
    assert "sclbl.reference" in loaded
    assert "scipy" not in loaded
