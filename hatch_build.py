"""Build hook: compile the kernels to bitcode, and join the loader, before anything is packed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class MadeFilesHook(BuildHookInterface):  # type: ignore[type-arg]  # generic over a private class
    """Runs ``sclbl/kernels/build.py`` and ``sclbl/web/bundle.py``, which say how files are made."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make what is out of date; a source distribution carries what it is made of instead."""
        if self.target_name != "wheel":
            return
        package = Path(self.root) / "sclbl"
        kernels = _loaded(package / "kernels" / "build.py")
        if not kernels.build_all(package / "kernels"):
            raise RuntimeError(f"no kernels (*.c) in {package}: the source tree is incomplete")
        _loaded(package / "web" / "bundle.py").build_all()


def _loaded(path: Path) -> ModuleType:
    """Return a module by its path: the package does not exist yet."""
    spec = importlib.util.spec_from_file_location(f"sclbl_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise RuntimeError(f"{path} is missing: the source tree is incomplete")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
