"""LLVM in process: kernels and generated code in, a relocatable WebAssembly object out.

With `sclbl.compiler.attributes` and `sclbl.compiler.prune` the only module that imports llvmlite.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any

import llvmlite.binding as llvm

from sclbl.compiler import attributes, prune
from sclbl.compiler.calls import Call, check_calls
from sclbl.compiler.resident import check_resident
from sclbl.errors import CompileError
from sclbl.kernels.build import RESIDENT

TRIPLE = "wasm32-unknown-unknown"
#: The features that every engine in use has had since 2021.
FEATURES = "+simd128,+bulk-memory,+sign-ext,+nontrapping-fptoint,+mutable-globals"
#: LLVM refuses bitcode of a newer version than itself.
OLDEST_LLVM = 20

_lock = threading.Lock()
_machine: Any = None


def _target_machine() -> Any:
    global _machine
    if _machine is None:
        if llvm.llvm_version_info[0] < OLDEST_LLVM:
            found = ".".join(map(str, llvm.llvm_version_info))
            raise CompileError(
                f"llvmlite carries LLVM {found}, which cannot read sclbl's kernels; "
                "install llvmlite 0.46 or newer"
            )
        llvm.initialize_all_targets()
        llvm.initialize_all_asmprinters()
        _machine = llvm.Target.from_triple(TRIPLE).create_target_machine(
            cpu="generic", features=FEATURES, opt=2, reloc="static", codemodel="default"
        )
    return _machine


def version() -> str:
    """Return the version of LLVM that compiles programs."""
    return ".".join(map(str, llvm.llvm_version_info))


def build(
    code: str,
    stems: Iterable[str],
    exports: Iterable[str],
    shared: frozenset[str] = frozenset(),
    calls: Mapping[Call, str] | None = None,
) -> bytes:
    """Compile generated code together with kernels.

    Parameters
    ----------
    code : str
        LLVM assembly.
    stems : iterable of str
        Kernel files to link, by stem. Calls of resident ones stay calls.
    exports : iterable of str
        Functions that stay visible; everything else becomes internal and is inlined or dropped.
    shared : frozenset of str
        Functions that several others call, kept once.
    calls : mapping of Call to str, optional
        How the code calls kernels, and on whose behalf: held to what the kernels take.

    Returns
    -------
    bytes
        The object file.

    Raises
    ------
    CompileError
        Where LLVM refuses the code, or a call is not what its kernel takes.
    """
    keep = set(exports)
    # LLVM's context is shared by the process and is not thread safe.
    with _lock:
        machine = _target_machine()
        try:
            module = llvm.parse_assembly(code)
            module.verify()
            options = llvm.create_pipeline_tuning_options(speed_level=2)
            options.loop_unrolling = False
            options.loop_interleaving = False
            passes = llvm.create_pass_builder(machine, options)
            check_resident(calls or {})
            for stem, kernels in prune.kernels(module, set(stems) - RESIDENT, keep, passes):
                check_calls(stem, kernels, calls or {})
                module.link_in(kernels)
            prune.internalize(module, keep)
            # Drop what nothing calls before it costs time.
            prune.drop_unused(module, passes)
            wanted = {
                f.name: _attributes(f, keep, shared)
                for f in module.functions
                if not f.is_declaration
            }
            module = attributes.give(module, wanted)
            passes.getModulePassManager().run(module, passes)
            return bytes(machine.emit_object(module))
        except RuntimeError as error:
            raise CompileError(f"LLVM refused the generated code: {error}") from error


def _attributes(function: Any, keep: set[str], shared: frozenset[str]) -> tuple[str, ...]:
    name = function.name
    if name in keep:
        return ("optsize",)
    if name in shared:
        return ("noinline", "optsize")
    if not _is_kernel(name):
        return ("optsize",)
    # What C says is to stand once: the inner loops of large kernels.
    apart = b"noinline" in b" ".join(function.attributes).split()
    return ("optsize",) if apart else ("alwaysinline", "optsize")


_GENERATED = ("node_", "walk_", "same_", "tile_", "method_", "program_", "abi_")


def _is_kernel(name: str) -> bool:
    return not name.startswith(_GENERATED) and not name.startswith("sclbl_")
