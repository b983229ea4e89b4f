"""Install what tests of pages need beside Python packages.

These are two browsers, JavaScriptCore, and the npm packages of the lock beside this file.
Debian's packages are installed where this is root; elsewhere what is missing is said.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
#: Each program, and the Debian packages of which the first known one brings it.
PROGRAMS = {
    "chromium": ("chromium",),
    "firefox": ("firefox-esr",),
    "jsc": ("libjavascriptcoregtk-4.0-bin", "libjavascriptcoregtk-4.1-bin"),
}
#: Debian's packages are fetched anew where a mirror did not answer.
APT = ("apt-get", "-qq", "-o", "Acquire::Retries=3")


def main() -> int:
    """Install what is missing; return 1 where something cannot be."""
    return browsers() or packages()


def browsers() -> int:
    """Install the browsers."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if not missing:
        return 0
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        wanted = " ".join(PROGRAMS[name][0] for name in missing)
        print(
            f"the tests need {', '.join(missing)}: install them, on Debian as root with "
            f"`apt-get install {wanted}`",
            file=sys.stderr,
        )
        return 1
    run(*APT, "update")
    known = [next(p for p in PROGRAMS[name] if is_known(p)) for name in missing]
    run(*APT, "install", "-y", "--no-install-recommends", *known)
    return 0


def is_known(package: str) -> bool:
    """Return whether Debian's lists have a package."""
    return subprocess.run(["apt-cache", "show", package], capture_output=True).returncode == 0


def packages() -> int:
    """Install the npm packages of the lock, where they are not those already."""
    lock, made = HERE / "package-lock.json", HERE / "node_modules" / ".made"
    if made.is_file() and made.read_bytes() == lock.read_bytes():
        return 0
    npm = Path(sys.executable).with_name("npm")
    # No script of a package runs: one would fetch a browser of its own.
    run(str(npm), "ci", "--ignore-scripts", "--silent", cwd=HERE)
    made.write_bytes(lock.read_bytes())
    return 0


def run(*command: str, cwd: Path | None = None) -> None:
    """Run a command, without questions."""
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, check=True, cwd=cwd, env=quiet, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
