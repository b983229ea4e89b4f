"""The module that comes out: no imports, the documented exports, the same bytes every time."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import wasmtime

from sclbl import compiler, manifest
from sclbl.compiler import compile_spec, linker, llvm, prune
from sclbl.compiler.linker import Reserved, Weights, encode_sleb, link
from sclbl.compiler.object import parse, read_sleb
from sclbl.compiler.resident import complete
from sclbl.errors import CompileError, InvalidProgramError
from sclbl.program import Program
from sclbl.signature import Column, Signature
from sclbl.spec import Spec
from sclbl.strippers.graph import Builder
from sclbl.wasm import encode_leb, read_leb, sections
from tests.compiler.compiled import builder, make_spec
from tests.compiler.random_trees import ensemble

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("afresh")


def mixed_spec() -> Spec:
    """A spec with numbers, text, constants of all kinds, trees, and several methods."""
    columns = (Column("größe", "float64"), Column("plan", "text"), Column("n", "integer"))
    build = Builder(Signature(columns, "table"))
    table = build.table()
    x = build.refuse(table.select([0, 2]).matrix(), nan=True)
    code = build.lookup(table.select([1]).text(), ["free", "paid", "日本"])
    wide = build.concat([x, build.cast(code, "float64")])
    trees = ensemble(np.random.default_rng(0), [20, 7, 0, 3], 3, outputs=2)
    sums = build.trees(wide, trees)
    proba = build.softmax(build.add(sums, build.matmul(wide, np.arange(6.0).reshape(3, 2))))
    methods = {
        "predict_proba": proba,
        "predict": build.labels(build.argmax(proba), [("no", "ja")]),
        "decision_function": sums,
        "apply": build.tree_leaves(wide, trees),
    }
    return make_spec(build, methods)


@cache
def mixed() -> bytes:
    return compile_spec(mixed_spec())


def simple_spec(weights: np.ndarray) -> Spec:
    build = builder(len(weights))
    return make_spec(build, {"predict": build.matmul(build.table().matrix(), weights)})


class Seen:
    """What went into LLVM and what came out, for one spec."""

    def __init__(self, spec: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
        real_build, real_link = llvm.build, linker.link

        def build(code: str, *rest: object, **more: object) -> bytes:
            self.code = code
            self.object = real_build(code, *rest, **more)  # type: ignore[arg-type]
            return self.object

        def seen_link(*args: object) -> bytes:
            self.link_arguments = args
            return real_link(*args)  # type: ignore[arg-type]

        with monkeypatch.context() as patched:
            patched.setattr(llvm, "build", build)
            patched.setattr(compiler, "link", seen_link)
            self.wasm = compile_spec(spec)


def test_the_module_is_valid_and_imports_nothing() -> None:
    module = wasmtime.Module(wasmtime.Engine(), mixed())
    assert list(module.imports) == []
    numbers = [number for number, *_ in sections(mixed())]
    assert 2 not in numbers
    # In the order that the specification asks for, the manifest last.
    assert numbers == [*sorted(set(numbers) - {0}), 0]


def test_the_exports_are_those_of_the_interface() -> None:
    """docs/abi.md, "It exports"."""
    module = wasmtime.Module(wasmtime.Engine(), mixed())
    found = {e.name: e.type for e in module.exports}
    memory = found.pop("memory")
    assert isinstance(memory, wasmtime.MemoryType)
    assert not memory.is_64
    error = found.pop("error")
    assert isinstance(error, wasmtime.GlobalType)
    assert (str(error.content), error.mutable) == ("i32", False)
    types = {
        name: (tuple(map(str, t.params)), tuple(map(str, t.results))) for name, t in found.items()
    }
    method = (("i32",) * 3, ("i32",))
    assert types == {
        "alloc": (("i32",), ("i32",)),
        "reset": ((), ()),
        **dict.fromkeys(("predict_proba", "predict", "decision_function", "apply"), method),
    }


def test_the_module_needs_no_newer_feature() -> None:
    """docs/abi.md: MVP plus SIMD, bulk memory, sign extension and saturating conversion."""
    config = wasmtime.Config()
    for feature in (
        *("exceptions", "function_references", "gc", "memory64", "multi_memory", "multi_value"),
        *("relaxed_simd", "tail_call", "threads", "wide_arithmetic"),
    ):
        if hasattr(wasmtime.Config, f"wasm_{feature}"):
            setattr(config, f"wasm_{feature}", False)
    wasmtime.Module(wasmtime.Engine(config), mixed())


def test_the_table_of_the_interface_names_every_export() -> None:
    text = (ROOT / "docs" / "abi.md").read_text()
    assert set(re.findall(r"^\| `(\w+)` \|", text.split("## Manifest")[0], re.M)) >= {
        *("memory", "alloc", "reset", "error"),
        *("bool", "label", "text"),
    }


def test_compiling_twice_gives_the_same_bytes() -> None:
    assert compile_spec(mixed_spec()) == mixed()
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: compile_spec(mixed_spec()), range(4))) == {mixed()}


def test_other_processes_give_the_same_bytes() -> None:
    script = (
        "import hashlib; from tests.compiler.test_linker import mixed; "
        "print(hashlib.sha256(mixed()).hexdigest())"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("1", "4242")
    ]
    found = {process.communicate(timeout=120)[0].strip() for process in running}
    assert found == {hashlib.sha256(mixed()).hexdigest()}


def test_weights_do_not_pass_through_llvm(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = np.random.default_rng(1).normal(size=(400, 300))
    seen = Seen(simple_spec(weights), monkeypatch)
    assert len(seen.code) < 20_000
    assert len(seen.object) < 20_000
    assert weights[:2].tobytes() not in seen.object
    assert seen.wasm.count(weights.tobytes()) == 1
    assert len(seen.wasm) < weights.nbytes + 5_000


def test_equal_weights_stand_once_in_the_file() -> None:
    build = builder(40)
    x, weights = build.table().matrix(), np.random.default_rng(2).normal(size=(40, 40))
    once = build.matmul(x, weights)
    wasm = compile_spec(make_spec(build, {"predict": build.matmul(once, weights.copy())}))
    assert wasm.count(weights.tobytes()) == 1


def test_a_program_without_weights() -> None:
    build = builder(2)
    x = build.table().matrix()
    program = Program(compile_spec(make_spec(build, {"transform": build.unary("Neg", x)})))
    np.testing.assert_array_equal(program.transform([[1.0, 2.0]]), [[-1.0, -2.0]])


# -------------------------------------------------------------------------- manifest


def test_the_manifest() -> None:
    spec = mixed_spec()
    read = manifest.read(mixed())
    assert set(read) == {"abi", "signature", "numeric_dtype", "source", "spec", "compiler", "code"}
    assert read["abi"] == 2
    assert Signature.from_json(read["signature"]) == spec.signature
    assert read["numeric_dtype"] == "float64"
    assert read["source"] == {"model": "tests.Graph", "libraries": {}}
    assert read["spec"] == spec.sha256
    assert read["compiler"] == f"llvm {llvm.version()}"
    # The section stands last, under its name, as UTF-8 JSON.
    *_, (number, _, start, end) = sections(mixed())
    assert number == 0
    assert end == len(mixed())
    assert mixed()[start : start + 6] == b"\x05sclbl"
    assert json.loads(mixed()[start + 6 : end].decode()) == read
    assert "größe".encode() in mixed()


def test_another_manifest_leaves_the_code_alone() -> None:
    changed = manifest.attach(mixed(), {**manifest.read(mixed()), "report": {"rows": 7}})
    assert manifest.read(changed)["report"] == {"rows": 7}
    assert manifest.code(changed) == manifest.code(mixed())
    assert manifest.code_sha256(changed) == manifest.code_sha256(mixed())
    assert manifest.attach(changed, manifest.read(mixed())) == mixed()
    wasmtime.Module(wasmtime.Engine(), changed)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "manifest is not JSON"),
        (b"\xff\xfe", "manifest is not JSON"),
        (b"[" * 100_000, "manifest is not JSON"),
        (b"[1]", "names no ABI version"),
        (b'{"abi":"1"}', "names no ABI version"),
        (b'{"abi":1}', "has ABI 1, this sclbl runs ABI 2; install a matching sclbl"),
    ],
)
def test_manifests_that_are_refused(content: bytes, message: str) -> None:
    body = b"\x05sclbl" + content
    wasm = manifest.code(mixed()) + b"\0" + encode_leb(len(body)) + body
    with pytest.raises(InvalidProgramError, match=message):
        manifest.read(wasm)


# ------------------------------------------------------------------------- addresses


def signed_numbers() -> Iterator[int]:
    for power in range(33):
        for near in (-1, 0, 1):
            yield (1 << power) + near
            yield near - (1 << power)


def test_signed_leb() -> None:
    for number in signed_numbers():
        raw = encode_sleb(number)
        assert read_sleb(raw + b"\x80", 0) == (number, len(raw))
        assert len(raw) == 1 or not -64 <= number < 64


def test_unsigned_leb() -> None:
    for number in (n for n in signed_numbers() if 0 <= n < 1 << 32):
        raw = encode_leb(number)
        assert read_leb(raw + b"\x80", 0) == (number, len(raw))
    for cut in (b"", b"\x80", b"\x80" * 5, b"\xff" * 9):
        with pytest.raises(InvalidProgramError, match="ends inside a number"):
            read_leb(cut, 0)


def test_addresses_beyond_two_gigabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses are signed in the file; memory that is not touched costs nothing."""
    weights = np.array([[1.0, 2.0], [3.0, 4.0]])
    seen = Seen(spec := simple_spec(weights), monkeypatch)
    obj, table, reserved, *rest = seen.link_arguments
    big = Reserved("big", (1 << 31) + 4096)
    far = link(obj, table, [big, *reserved], *rest)  # type: ignore[misc, arg-type]
    program = Program(manifest.attach(far, compiler.describe(spec)))
    np.testing.assert_array_equal(program.predict([[1.0, 1.0], [0.0, 1.0]]), [[4, 6], [3, 4]])
    instance = program.module.session().instance
    assert instance._error_at > 1 << 31
    assert instance.alloc(16) > 1 << 31


def test_a_program_that_needs_more_memory_than_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Seen(simple_spec(np.ones((2, 2))), monkeypatch)
    obj, table, reserved, *rest = seen.link_arguments
    with pytest.raises(CompileError, match=r"would need 4,\d{3},\d{3},\d{3} bytes of memory"):
        link(obj, table, [Reserved("big", (1 << 32) - 65536), *reserved], *rest)  # type: ignore[misc, arg-type]


def test_a_symbol_that_nothing_defines(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Seen(simple_spec(np.ones((2, 2))), monkeypatch)
    obj, table, reserved, *rest = seen.link_arguments
    assert isinstance(table, list)
    missing = [Weights("other", w.array) for w in table]
    with pytest.raises(CompileError, match="data symbol w0 is not defined: a defect of sclbl"):
        link(obj, missing, reserved, *rest)  # type: ignore[arg-type]


def test_code_that_llvm_refuses() -> None:
    with pytest.raises(CompileError, match="LLVM refused the generated code: "):
        llvm.build("define i32 @f() { ret i64 1 }", [], ["f"])


def test_a_kernel_that_does_not_exist() -> None:
    code = (
        "declare void @abi_nothing()\ndefine void @f() {\n  call void @abi_nothing()\n  ret void\n}"
    )
    with pytest.raises(CompileError, match="kernel abi_nothing is not defined: a defect of sclbl"):
        complete(parse(llvm.build(code, ["abi"], ["f"])), ["f"])
    with pytest.raises(CompileError, match="there is no kernel 'nothing'"):
        llvm.build(code, ["nothing"], ["f"])


def negated(op: str) -> Spec:
    build = builder(2)
    return make_spec(build, {"predict": build.node(op, [build.table().matrix()])})


def test_the_same_bytes_from_kernels_read_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left of a file of kernels for one program is not what another one gets of it."""
    specs = [negated("Neg"), negated("Abs")]
    alone = []
    for spec in specs:
        monkeypatch.setattr(prune, "_files", {})
        alone.append(compile_spec(spec))
    assert [compile_spec(spec) for spec in (*specs, *specs)] == [*alone, *alone]
