"""A program as a WASI command: its methods, and around them what reads rows and writes results.

What is around them is C like the kernels (`kernels/command*.c`), objects that are linked as they
are. All that they know of a model is a block of tables, which the caller writes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sclbl.compiler import assemble
from sclbl.compiler.linker import Import, Reserved, Weights, link
from sclbl.compiler.object import parse
from sclbl.compiler.resident import complete
from sclbl.kernels.build import COMMAND
from sclbl.manifest import COMMAND_SECTION
from sclbl.spec import Spec
from sclbl.wasm import encode_leb

#: The functions of WASI (preview 1) that a command calls, and how many addresses and numbers each
#: takes; all but the last give one.
WASI = "wasi_snapshot_preview1"
HOSTS = {"fd_read": 4, "fd_write": 4, "args_get": 2, "args_sizes_get": 2, "proc_exit": 1}
#: Bytes of the state that the files share; `chunk` in command.h.
SHARED = 64


def compile_command(spec: Spec, methods: Sequence[str], tables: bytes, about: bytes) -> bytes:
    """Compile a spec to a command.

    Parameters
    ----------
    spec : Spec
        What to compile.
    methods : sequence of str
        Those that the command calls, by their position here.
    tables : bytes
        What the command knows of the model, as kernels/command.h reads it.
    about : bytes
        The content of its custom section.

    Returns
    -------
    bytes
        A module that imports WASI's functions alone and exports ``memory`` and ``_start``.

    Raises
    ------
    SpecError, CompileError
        See `sclbl.compiler.compile_spec`.
    """
    emitter, binary, _, start = assemble(spec, _calls(methods), [CALL])
    exports = {"_start": "command_start"}
    obj = complete(parse(binary), exports.values(), COMMAND, list(HOSTS))
    imports = []
    for name, count in HOSTS.items():
        result = b"\x00" if name == "proc_exit" else b"\x01\x7f"
        kind = bytes([0x60, count]) + b"\x7f" * count + result
        if kind not in obj.types:
            obj.types.append(kind)
        imports.append(Import(WASI, name, obj.types.index(kind)))
    written = Weights("command_tables", np.frombuffer(tables, dtype=np.uint8))
    command = link(
        obj,
        [*emitter.weights, written],
        [*emitter.reserved(), Reserved("the_chunk", SHARED)],
        emitter.aliases,
        exports,
        start,
        None,
        imports,
    )
    section = COMMAND_SECTION.encode()
    content = encode_leb(len(section)) + section + about
    return command + b"\0" + encode_leb(len(content)) + content


#: The function that calls a method by its number.
CALL = "command_call"


def _calls(methods: Sequence[str]) -> str:
    targets = " ".join(f"i32 {k}, label %call{k}" for k in range(1, len(methods)))
    lines = [
        f"define i32 @{CALL}(i32 %method, i32 %rows, ptr %inputs, ptr %outputs) {{",
        f"  switch i32 %method, label %call0 [{targets}]",
    ]
    for k, method in enumerate(methods):
        lines += [
            f"call{k}:",
            f"  %code{k} = call i32 @method_{method}(i32 %rows, ptr %inputs, ptr %outputs)",
            f"  ret i32 %code{k}",
        ]
    return "\n".join([*lines, "}", ""])
