"""Compile the kernels from C to LLVM bitcode, and find the bitcode again.

The flags live here alone: the wheel's build hook, the Makefile and editable installs all come
through `compile_kernel`. This file imports nothing but the standard library, so that the build
hook can load it by its path before the package exists.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent

#: Clang's own passes stay off: the compiler of programs specialises a kernel for its constant
#: shapes first and optimises afterwards. No FP contraction, or results would leave IEEE 754.
FLAGS = (
    "-target",
    "wasm32-freestanding",
    "-mcpu=generic+simd128+bulk_memory",
    "-O2",
    "-Xclang",
    "-disable-llvm-passes",
    "-fno-sanitize=all",
    "-ffp-contract=off",
    "-fomit-frame-pointer",
    "-g0",
    "-fno-builtin",
    "-std=c11",
    "-Wall",
    "-Werror",
    "-emit-llvm",
    "-c",
)


def sources(folder: Path = HERE) -> list[Path]:
    """Return the kernels' C files, in order of their names."""
    return sorted(folder.glob("*.c"))


def mathematics(folder: Path = HERE) -> list[str]:
    """Return the flags that put every header of scalar functions before a kernel file.

    So that a new function is a header and the line that uses it.
    """
    return [part for h in sorted(folder.glob("scalar_*.h")) for part in ("-include", h.name)]


def compile_kernel(source: Path) -> Path:
    """Compile one C file to the bitcode file beside it.

    The compiler runs inside the folder and sees a bare file name, so the bitcode holds no path and
    is the same wherever it is built.

    Parameters
    ----------
    source : Path
        A ``.c`` file.

    Returns
    -------
    Path
        The ``.bc`` file, replaced in one step.

    Raises
    ------
    RuntimeError
        Where the C compiler (``ziglang``) refuses the file; its messages are included.
    """
    target = source.with_suffix(".bc")
    with tempfile.TemporaryDirectory(prefix="sclbl-kernel-") as scratch:
        made = Path(scratch) / target.name
        flags = (*FLAGS, *mathematics(source.parent))
        command = [sys.executable, "-m", "ziglang", "cc", *flags, source.name, "-o", str(made)]
        # A cache of its own: the shared one may be read-only where packages are built.
        caches = {"ZIG_LOCAL_CACHE_DIR": scratch, "ZIG_GLOBAL_CACHE_DIR": scratch}
        done = subprocess.run(
            command, cwd=source.parent, env=os.environ | caches, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise RuntimeError(f"compiling {source.name} failed:\n{done.stderr.strip()}")
        # The scratch folder may be on another file system, where a rename is not possible.
        handle, beside = tempfile.mkstemp(dir=target.parent, suffix=".bc.part")
        with os.fdopen(handle, "wb") as part:
            part.write(made.read_bytes())
        os.chmod(beside, 0o644)
        os.replace(beside, target)
    # After the bitcode: a build that is killed between the two is done again.
    _maker(source).write_text(compiler_version() or "")
    return target


@functools.cache
def compiler_version() -> str | None:
    """Return the version of the C compiler in this environment, None where there is none."""
    found = importlib.util.find_spec("ziglang")
    if found is None or found.origin is None:
        return None
    # From the name of the folder: importlib.metadata takes 40 ms to load.
    beside = Path(found.origin).parents[1].glob("ziglang-*.dist-info")
    return next((p.name.removesuffix(".dist-info") for p in beside), found.origin)


def _maker(source: Path) -> Path:
    """Return the file beside the bitcode that names the compiler that made it."""
    return source.with_suffix(".bc.by")


def is_stale(source: Path) -> bool:
    """Tell whether a kernel's bitcode is missing, older than its sources, or another compiler's.

    Two environments can share one source tree (the newest and the oldest dependencies do in
    continuous integration), and each compiles with its own release. Without a compiler, bitcode
    that is newer than its sources is good.
    """
    target = source.with_suffix(".bc")
    if not target.exists():
        return True
    compiler = compiler_version()
    if compiler is not None:
        try:
            if _maker(source).read_text() != compiler:
                return True
        except FileNotFoundError:
            return True
    made = target.stat().st_mtime_ns
    inputs = (source, *source.parent.glob("*.h"), Path(__file__))
    return any(i.stat().st_mtime_ns > made for i in inputs)


def build_all(folder: Path = HERE) -> list[Path]:
    """Compile every kernel that is out of date and return the bitcode files of all."""
    return [compile_kernel(s) if is_stale(s) else s.with_suffix(".bc") for s in sources(folder)]


def bitcode(stem: str) -> bytes:
    """Return the bitcode of one kernel file.

    In an editable install a kernel whose source is newer than its bitcode is compiled again.

    Parameters
    ----------
    stem : str
        Name of the C file without its ending.

    Returns
    -------
    bytes
        LLVM bitcode for wasm32.

    Raises
    ------
    CompileError
        Where the kernel does not exist, or has to be compiled and cannot be.
    """
    from sclbl.errors import CompileError

    source, target = HERE / f"{stem}.c", HERE / f"{stem}.bc"
    if source.exists() and is_stale(source):
        if importlib.util.find_spec("ziglang") is None:
            raise CompileError(
                f"the bitcode of kernel {stem!r} is missing or older than {source.name}; "
                "install ziglang, or install sclbl again, to build it"
            )
        try:
            compile_kernel(source)
        except RuntimeError as error:
            raise CompileError(str(error)) from error
    if not target.exists():
        raise CompileError(f"there is no kernel {stem!r}; this installation of sclbl is incomplete")
    return target.read_bytes()


if __name__ == "__main__":
    for path in build_all():
        print(path.name)
