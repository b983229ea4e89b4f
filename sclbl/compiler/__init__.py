"""From a spec to a program: one WebAssembly module with no imports."""

from __future__ import annotations

import hashlib
from collections import Counter, OrderedDict
from collections.abc import Sequence
from typing import Any

from sclbl import manifest
from sclbl.compiler import llvm
from sclbl.compiler.assembly import Assembly
from sclbl.compiler.fuse import fuse
from sclbl.compiler.fuse_rows import fuse_rows
from sclbl.compiler.fuse_trees import fuse_trees
from sclbl.compiler.linker import link
from sclbl.compiler.object import parse
from sclbl.compiler.resident import complete
from sclbl.compiler.simplify import simplify
from sclbl.errors import SpecError
from sclbl.ops import find
from sclbl.ops.infer import infer_values
from sclbl.signature_check import MAX_COUNTED, is_method
from sclbl.spec import Spec

#: SHA-256 of what this process compiled, the oldest first. Nothing else is ever put there.
_made: OrderedDict[bytes, None] = OrderedDict()
REMEMBERED = 4096


def compiled_here(wasm: bytes) -> bool:
    """Return whether `compile_spec` gave these very bytes, lately and in this process."""
    return hashlib.sha256(wasm).digest() in _made


def compile_spec(spec: Spec) -> bytes:
    """Compile a spec.

    Parameters
    ----------
    spec : Spec
        What to compile.

    Returns
    -------
    bytes
        The program, its manifest inside (without a fidelity report). The same spec gives the same
        bytes.

    Raises
    ------
    SpecError
        Where the spec uses an operator or a size that the compiler does not know.
    CompileError
        Where LLVM or the linker fails: a defect of sclbl.
    """
    emitter, binary, exports, start = assemble(spec)
    program = link(
        complete(parse(binary), exports.values()),
        emitter.weights,
        emitter.reserved(),
        emitter.aliases,
        exports,
        start,
        "sclbl_error",
    )
    wasm = manifest.attach(program, describe(spec))
    _made[hashlib.sha256(wasm).digest()] = None
    while len(_made) > REMEMBERED:
        _made.popitem(last=False)
    return wasm


def assemble(
    spec: Spec, more: str = "", also: Sequence[str] = ()
) -> tuple[Assembly, bytes, dict[str, str], str | None]:
    """Return the object of a spec, not yet linked.

    Parameters
    ----------
    spec : Spec
        What to compile.
    more : str
        LLVM assembly of functions that call its methods.
    also : sequence of str
        Those of them that are called from elsewhere.

    Returns
    -------
    Assembly, bytes, dict, str or None
        What it was made by, the object, the symbols of what programs export, and of what runs at
        their start.

    Raises
    ------
    SpecError, CompileError
        See `compile_spec`.
    """
    width = len(spec.signature.columns)
    if spec.signature.layout == "array" and width > MAX_COUNTED:
        raise SpecError(
            f"the model takes {width:,} columns; sclbl takes at most {MAX_COUNTED:,} without names"
        )
    inputs, nodes, constants = spec.graph.inputs, spec.graph.nodes, spec.graph.constants
    if infer_values(inputs, nodes, constants, deep=False) != dict(spec.graph.values):
        raise SpecError("the graph's values are not those that its operators give")
    graph = fuse_rows(fuse_trees(fuse(simplify(spec.graph))))
    results = {m: [n for n, _ in spec.signature.results(m)] for m in spec.signature.outputs}
    if [v.name for v in graph.outputs] != [name for names in results.values() for name in names]:
        raise SpecError("the graph's outputs are not those of the signature")
    for method in results:
        if not is_method(method):
            raise SpecError(f"a method cannot be called {method[:80]!r}; rename the output")
    emitter = Assembly(graph, spec.signature)
    for index, node in enumerate(graph.nodes):
        op = find(node.op)
        emitter.begin(index)
        op.lower(emitter, node)
    place = {name: index for index, node in enumerate(graph.nodes) for name in node.outputs}
    methods = {
        method: [place[n.outputs[0]] for n in graph.upstream(names)]
        for method, names in results.items()
    }
    code = emitter.assembly(methods) + more
    uses = Counter(index for nodes in methods.values() for index in nodes)
    shared = frozenset(f"node_{index}" for index, count in uses.items() if count > 1)
    shared |= frozenset(emitter.separate) | emitter.frequent
    exports = {"alloc": "abi_alloc", "reset": "abi_reset"}
    exports |= {method: f"method_{method}" for method in results}
    start = "program_start" if emitter.has_start else None
    # What resident kernels call, and what the host does.
    keep = [f"method_{method}" for method in results] + ["program_tile"]
    keep += [start] if start else []
    keep += also
    binary = llvm.build(code, emitter.stems, keep, shared, emitter.calls)
    return emitter, binary, exports, start


def describe(spec: Spec) -> dict[str, Any]:
    """Return the manifest of a spec's program, without a report."""
    return {
        "abi": manifest.ABI,
        "signature": spec.signature.to_json(),
        "numeric_dtype": spec.signature.numeric_dtype,
        "source": {"model": spec.source.model, "libraries": dict(spec.source.libraries)},
        "spec": spec.sha256,
        "compiler": f"llvm {llvm.version()}",
    }
