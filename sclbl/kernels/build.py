"""Compile the kernels from C to LLVM bitcode or to objects, and find those again.

The flags live here alone: the wheel's build hook, the Makefile and editable installs all come
through `compile_kernel`. This file imports nothing but the standard library, so that the build
hook can load it by its path before the package exists.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).resolve().parent

#: Files whose kernels stand in programs as they are: objects, not bitcode.
RESIDENT = frozenset({"abi", "program", "refuse"})
#: Files of what stands around a program where it is a command: objects too.
COMMAND = frozenset(
    {
        "command",
        "command_cells",
        "command_csv",
        "command_decimal",
        "command_json",
        "command_letters",
        "command_memory",
        "command_names",
        "command_results",
        "command_say",
    }
)

#: No FP contraction, or results would leave IEEE 754.
FLAGS = (
    "-target",
    "wasm32-freestanding",
    "-mcpu=generic+simd128+bulk_memory",
    "-fno-sanitize=all",
    "-ffp-contract=off",
    "-fomit-frame-pointer",
    "-g0",
    "-fno-builtin",
    "-std=c11",
    "-Wall",
    "-Werror",
    "-c",
)
#: Clang's own passes stay off: the compiler of programs specialises a kernel for its constant
#: shapes first and optimises afterwards.
BITCODE = ("-O2", "-Xclang", "-disable-llvm-passes", "-emit-llvm")
OBJECT = ("-Os", "-fno-unroll-loops")


def sources(folder: Path = HERE) -> list[Path]:
    """Return the kernels' C files, in order of their names."""
    return sorted(folder.glob("*.c"))


def mathematics(folder: Path = HERE) -> list[str]:
    """Return the flags that put every header of scalar functions before a kernel file.

    So that a new function is a header and the line that uses it.
    """
    return [part for h in sorted(folder.glob("scalar_*.h")) for part in ("-include", h.name)]


def made_of(source: Path) -> Path:
    """Return the file that a C file is compiled to, beside it."""
    return source.with_suffix(".o" if source.stem in RESIDENT | COMMAND else ".bc")


def compile_kernel(source: Path) -> Path:
    """Compile one C file to bitcode, or to an object, beside it.

    The compiler runs inside the folder and sees a bare file name, so what it makes holds no path
    and is the same wherever it is built.

    Parameters
    ----------
    source : Path
        A ``.c`` file.

    Returns
    -------
    Path
        The ``.bc`` or ``.o`` file, replaced in one step.

    Raises
    ------
    RuntimeError
        Where the C compiler (``ziglang``) refuses the file; its messages are included.
    """
    target, origin = made_of(source), _origin(source)
    kind = OBJECT if source.stem in RESIDENT | COMMAND else BITCODE
    with tempfile.TemporaryDirectory(prefix="sclbl-kernel-") as scratch:
        made = Path(scratch) / target.name
        flags = (*FLAGS, *kind, *mathematics(source.parent))
        command = [sys.executable, "-m", "ziglang", "cc", *flags, source.name, "-o", str(made)]
        # A cache of its own: the shared one may be read-only where packages are built.
        caches = {"ZIG_LOCAL_CACHE_DIR": scratch, "ZIG_GLOBAL_CACHE_DIR": scratch}
        done = subprocess.run(
            command, cwd=source.parent, env=os.environ | caches, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise RuntimeError(f"compiling {source.name} failed:\n{done.stderr.strip()}")
        # The scratch folder may be on another file system, where a rename is not possible.
        handle, beside = tempfile.mkstemp(dir=target.parent, suffix=f"{target.suffix}.part")
        with os.fdopen(handle, "wb") as part:
            part.write(made.read_bytes())
        os.chmod(beside, 0o644)
        os.replace(beside, target)
    # After what was made: a build that is killed between the two is done again.
    _note(source).write_text(f"{compiler_version() or ''}\n{origin}\n")
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


def _note(source: Path) -> Path:
    """Return the file beside it that says which compiler made a kernel, and of what."""
    return source.with_suffix(".by")


def _origin(source: Path) -> str:
    """Return the hash of all that a kernel is made of."""
    shared = _shared(source.parent, _times(source.parent))
    return hashlib.sha256(shared + source.read_bytes()).hexdigest()


@functools.lru_cache(maxsize=1)
def _shared(folder: Path, times: tuple[object, ...]) -> bytes:
    """Return the hash of what all kernels are made of, while the files of a folder stay."""
    digest = hashlib.sha256()
    for path in (*sorted(folder.glob("*.h")), Path(__file__)):
        digest.update(f"{path.name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.digest()


def is_stale(source: Path) -> bool:
    """Tell whether what a kernel was compiled to is missing, or made of something else.

    Sources are compared by what they hold: the times of files say nothing in a copied tree. Two
    environments can share one source tree (the newest and the oldest dependencies do in continuous
    integration), and each compiles with its own release. Without a compiler, another one's is good.
    """
    try:
        compiler, origin = _note(source).read_text().splitlines()
    except (FileNotFoundError, ValueError):
        return True
    if not made_of(source).exists() or origin != _origin(source):
        return True
    return compiler_version() not in (None, compiler)


def build_all(folder: Path = HERE) -> list[Path]:
    """Compile every kernel that is out of date and return the files of all."""
    return [compile_kernel(s) if is_stale(s) else made_of(s) for s in sources(folder)]


#: What kernels were compiled to, by stem, while their files stay as they were.
_read: dict[str, bytes] = {}
_state: tuple[object, ...] | None = None


def kernels(stems: Iterable[str]) -> dict[str, bytes]:
    """Return what kernel files were compiled to: bitcode, or an object of a resident one.

    In an editable install a kernel whose source is another than that is compiled again.

    Parameters
    ----------
    stems : iterable of str
        Names of C files without their ending.

    Returns
    -------
    dict of str to bytes
        For wasm32, by stem.

    Raises
    ------
    CompileError
        Where a kernel does not exist, or has to be compiled and cannot be.
    """
    global _state
    now = _times(HERE)
    if now != _state:
        _read.clear()
    found = {stem: _read.get(stem) or _made(stem) for stem in stems}
    if now != _state:
        now = _times(HERE)  # with what was compiled
    _read.update(found)
    _state = now
    return found


def _times(folder: Path) -> tuple[object, ...]:
    """Return what changes where a file of the kernels does."""
    with os.scandir(folder) as entries:
        stats = [(e.name, e.stat()) for e in entries if not e.is_dir()]
    return (folder, *sorted((name, s.st_mtime_ns, s.st_size) for name, s in stats))


def _made(stem: str) -> bytes:
    from sclbl.errors import CompileError

    source = HERE / f"{stem}.c"
    target = made_of(source)
    if source.exists() and is_stale(source):
        if importlib.util.find_spec("ziglang") is None:
            raise CompileError(
                f"the kernel {stem!r} is not compiled, or was from another {source.name}; "
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
