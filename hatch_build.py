"""Build hook: compile the kernels to bitcode before anything is packed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class KernelBuildHook(BuildHookInterface):  # type: ignore[type-arg]  # generic over a private class
    """Runs ``sclbl/kernels/build.py``, which holds the compiler's flags."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile what is out of date; a source distribution carries the C files instead."""
        if self.target_name != "wheel":
            return
        path = Path(self.root) / "sclbl" / "kernels" / "build.py"
        spec = importlib.util.spec_from_file_location("sclbl_kernels_build", path)
        if spec is None or spec.loader is None:
            raise RuntimeError(f"{path} is missing: the source tree is incomplete")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        if not module.build_all(path.parent):
            raise RuntimeError(f"no kernels (*.c) in {path.parent}: the source tree is incomplete")
