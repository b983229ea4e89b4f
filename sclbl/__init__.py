"""Deploy fitted estimators as small, verified WebAssembly programs.

``import sclbl`` loads nothing but this file: each name below is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sclbl import errors as errors
    from sclbl.api import command as command
    from sclbl.api import compile as compile
    from sclbl.api import delete as delete
    from sclbl.api import deployments as deployments
    from sclbl.api import edit as edit
    from sclbl.api import get as get
    from sclbl.api import history as history
    from sclbl.api import load as load
    from sclbl.api import login as login
    from sclbl.api import logout as logout
    from sclbl.api import promote as promote
    from sclbl.api import register as register
    from sclbl.api import rollback as rollback
    from sclbl.api import strip as strip
    from sclbl.api import traced as traced
    from sclbl.api import upload as upload
    from sclbl.api import versions as versions
    from sclbl.coefficients import Coefficients as Coefficients
    from sclbl.deployment import Deployment as Deployment
    from sclbl.errors import SclblError as SclblError
    from sclbl.program import Program as Program
    from sclbl.spec import Spec as Spec

__version__ = "0.1.0"

#: Where each public name lives.
_HOMES = {
    "Coefficients": "sclbl.coefficients",
    "Deployment": "sclbl.deployment",
    "Program": "sclbl.program",
    "SclblError": "sclbl.errors",
    "Spec": "sclbl.spec",
    "command": "sclbl.api",
    "compile": "sclbl.api",
    "delete": "sclbl.api",
    "deployments": "sclbl.api",
    "edit": "sclbl.api",
    "get": "sclbl.api",
    "history": "sclbl.api",
    "load": "sclbl.api",
    "login": "sclbl.api",
    "logout": "sclbl.api",
    "promote": "sclbl.api",
    "register": "sclbl.api",
    "rollback": "sclbl.api",
    "strip": "sclbl.api",
    "traced": "sclbl.api",
    "upload": "sclbl.api",
    "versions": "sclbl.api",
}

__all__ = ["__version__", "errors", *_HOMES]


def __getattr__(name: str) -> Any:
    if name == "errors":
        return import_module("sclbl.errors")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'sclbl' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
