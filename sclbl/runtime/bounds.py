"""A look at a program before wasmtime compiles it.

Compiling to machine code takes time and memory out of all proportion to the size of a hostile file:
where many branches meet, each local variable costs something at each. So what the code holds is
counted first, against limits far above what sclbl's compiler makes, and what that compiler never
makes (imports, tables, references, threads) is refused. Weights are skipped, not read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from sclbl.errors import InvalidProgramError, LimitError
from sclbl.wasm import read_leb, sections

#: The most that a program may have. What sclbl's compiler makes of a pipeline of 400 columns, each
#: with steps of its own: 2,400 functions, 480 kB of code, 24,000 branches.
LIMITS: Mapping[str, int] = {
    "types": 1_000,
    "parameters of a function": 48,
    "functions": 50_000,
    "exports": 1_000,
    "globals": 16,
    "data segments": 16,
    "bytes of code": 2 * 1024**2,
    "bytes of a function": 1024**2,
    "locals of a function": 1_000,
    "nested blocks of a function": 1_000,
    "branch targets of a table": 1_000,
    "nested loops of a function": 16,
    "branches": 200_000,
    "bytes of other sections": 1024**2,
}

#: Code above either is compiled in a process of its own. Work estimates what branches cost the
#: engine at worst: of each function, branches² times variables. Below, it takes a second or two.
MAX_CODE_HERE, MAX_WORK_HERE = 512 * 1024, 150_000_000
WORK = "work"
_NUMBERS = b"\x7f\x7e\x7d\x7c\x7b"  # i32, i64, f32, f64, v128
# Instructions that are not control flow, as many as follow each other, with what they carry.
_PLAIN = re.compile(
    rb"""(?:
      [\x00\x01\x0f\x1a\x1b\x45-\xc4]                 # without operands
    | [\x10\x20-\x24\x41\x42]N                        # calls, variables, integers
    | [\x28-\x3e]NN                                   # loads and stores
    | \x43.{4} | \x44.{8}                             # floats
    | \xfc[\x00-\x07]                                # saturating conversions
    | \xfd(?:
          [\x00-\x0b\x5c\x5d]NN | [\x54-\x5b]NN. | [\x15-\x22]. | [\x0c\x0d].{16}
        | [\x0e-\x14\x23-\x53\x5e-\x7f] | [\x80-\xff]\x01
      )
    )*+""".replace(b"N", rb"[\x80-\xff]{0,9}+[\x00-\x7f]"),
    re.DOTALL | re.VERBOSE,
)


def check(wasm: bytes) -> dict[str, int]:
    """Refuse what would cost too much to compile, and what sclbl never makes.

    Parameters
    ----------
    wasm : bytes
        The program.

    Returns
    -------
    dict of str to int
        What it has of each of `LIMITS`, and the work.

    Raises
    ------
    InvalidProgramError
        It is malformed, or holds what no program of sclbl's does.
    LimitError
        It has too much of something.
    """
    found = dict.fromkeys((*LIMITS, WORK), 0)
    last = 0
    for number, start, at, end in sections(wasm):
        if number == 0:
            _custom(wasm, at, end, found)
            continue
        reader = _READERS.get(number)
        if reader is None:
            raise _never("tables, or another section that it does not need")
        if number <= last:
            raise _malformed(f"its sections are out of order, at byte {start}")
        last = number
        reader(wasm, at, end, found)
    return found


def costly(found: Mapping[str, int]) -> bool:
    """Return whether compiling may take long, from what `check` found."""
    return found["bytes of code"] > MAX_CODE_HERE or found[WORK] > MAX_WORK_HERE


def _note(found: dict[str, int], what: str, count: int, *, more: bool = False) -> None:
    found[what] = count = max(found[what], count) if not more else found[what] + count
    if count > LIMITS[what]:
        raise LimitError(
            f"the program has {count:,} {what}; the limit is {LIMITS[what]:,}, far above what "
            "sclbl makes, so the file was altered: fetch or compile it again, or reduce the model"
        )


def _malformed(why: str) -> InvalidProgramError:
    return InvalidProgramError(
        f"the program is not a valid WebAssembly module ({why}); it is truncated or altered, "
        "so fetch or compile it again"
    )


def _never(what: str) -> InvalidProgramError:
    return InvalidProgramError(
        f"the program has {what}, which no program of sclbl's has; it was altered or made by "
        "something else, so fetch or compile it again"
    )


def _custom(wasm: bytes, at: int, end: int, found: dict[str, int]) -> None:
    size, name = read_leb(wasm, at)
    if wasm[name : name + size] != b"sclbl":
        _note(found, "bytes of other sections", end - at, more=True)


def _types(wasm: bytes, at: int, end: int, found: dict[str, int]) -> None:
    count, at = read_leb(wasm, at)
    _note(found, "types", count)
    for _ in range(count):
        if wasm[at : at + 1] != b"\x60":
            raise _never("a type that is not a function")
        taken, at = read_leb(wasm, at + 1)
        _note(found, "parameters of a function", taken)
        given, after = read_leb(wasm, at + taken)
        if given > 1:
            raise _never("a function with several results")
        if wasm[at : at + taken].strip(_NUMBERS) or wasm[after : after + given].strip(_NUMBERS):
            raise _never("a function that takes or gives references")
        at = after + given
    _whole(at, end)


def _imports(wasm: bytes, at: int, end: int, found: dict[str, int]) -> None:
    count, at = read_leb(wasm, at)
    if not count:
        return
    names = []
    for _ in range(2):
        size, at = read_leb(wasm, at)
        names.append(wasm[at : at + min(size, 80)].decode(errors="replace"))
        at += size
    raise InvalidProgramError(
        f"the program imports {'.'.join(names)}; a sclbl program imports nothing, so this is "
        "another module, or one that was altered"
    )


def _counted(what: str) -> Callable[[bytes, int, int, dict[str, int]], None]:
    """Return a reader of a section whose entries cost little: only their number is bounded."""

    def read(wasm: bytes, at: int, end: int, found: dict[str, int]) -> None:
        count, at = read_leb(wasm, at)
        _note(found, what, count)
        if end - at > 300 * (count + 1):
            raise _never(f"{what} that are {end - at:,} bytes long")

    return read


def _memory(wasm: bytes, at: int, end: int, found: dict[str, int]) -> None:
    count, at = read_leb(wasm, at)
    # Flags: bit 0 says that a maximum follows; the others are memories shared or of 64 bits.
    if count != 1 or wasm[at : at + 1] not in (b"\0", b"\1"):
        raise _never("several memories, or one that is shared or of 64 bits")


def _start(wasm: bytes, at: int, end: int, found: dict[str, int]) -> None:
    """A start function is code like any other: it runs under the limits of a call."""


def _code(wasm: bytes, at: int, end: int, found: dict[str, int]) -> None:
    _note(found, "bytes of code", end - at)
    count, at = read_leb(wasm, at)
    _note(found, "functions", count)
    for _ in range(count):
        size, at = read_leb(wasm, at)
        _note(found, "bytes of a function", size)
        if at + size > end:
            raise _malformed("a function ends after the code")
        _body(wasm, at, at + size, found)
        at += size
    _whole(at, end)


def _body(wasm: bytes, at: int, end: int, found: dict[str, int]) -> None:
    groups, at = read_leb(wasm, at)
    _note(found, "locals of a function", groups)
    local_count = found["parameters of a function"]
    for _ in range(groups):
        count, at = read_leb(wasm, at)
        local_count += count
        if wasm[at : at + 1] not in _VALUES:
            raise _never("a local variable that is a reference")
        at += 1
    _note(found, "locals of a function", local_count)
    branches = _control(wasm, at, end, found)
    _note(found, "branches", branches, more=True)
    found[WORK] += branches * branches * (local_count + 32)


def _control(wasm: bytes, at: int, end: int, found: dict[str, int]) -> int:
    """Walk the instructions of a function and return its branches: places where control flow parts
    or meets, and what the engine does by calling itself."""
    branches = 0
    loops = [0]  # for each open block, how many loops are open
    while loops:
        plain = _PLAIN.match(wasm, at, end)
        at = plain.end() if plain else at
        if at >= end:
            raise _malformed("a function ends inside an instruction")
        code = wasm[at]
        at += 1
        if code == 0x0B:
            loops.pop()
            continue
        branches += 1
        if code in _BLOCKS:
            if wasm[at : at + 1] not in _RESULTS:
                raise _never("a block that takes values or gives several")
            at += 1
            loops.append(loops[-1] + (code == 0x03))
            _note(found, "nested blocks of a function", len(loops))
            _note(found, "nested loops of a function", loops[-1])
        elif code in (0x0C, 0x0D):
            _, at = read_leb(wasm, at)
        elif code == 0x0E:
            targets, at = read_leb(wasm, at)
            _note(found, "branch targets of a table", targets)
            branches += targets
            for _ in range(targets + 1):
                _, at = read_leb(wasm, at)
        elif code in (0x3F, 0x40):  # the size of memory
            at += 1
        elif code == 0xFC and wasm[at : at + 1] in (b"\x0a", b"\x0b"):  # copy and fill
            at += 3 if wasm[at] == 0x0A else 2
        elif code != 0x05:
            raise _never(f"the instruction {wasm[at - 1 : at + 1].hex(' ')}")
    _whole(at, end)
    return branches


def _data(wasm: bytes, at: int, end: int, found: dict[str, int]) -> None:
    count, at = read_leb(wasm, at)
    _note(found, "data segments", count)
    for _ in range(count):
        if wasm[at : at + 2] != b"\x00\x41":
            raise _never("data without a constant address")
        at += 2
        _, at = read_leb(wasm, at)
        if wasm[at : at + 1] != b"\x0b":
            raise _never("data without a constant address")
        size, at = read_leb(wasm, at + 1)
        at += size
    _whole(at, end)


def _whole(at: int, end: int) -> None:
    if at != end:
        raise _malformed(f"a part ends at byte {at} where {end} was promised")


_BLOCKS = frozenset(b"\x02\x03\x04")
_VALUES = frozenset(bytes([v]) for v in _NUMBERS)
_RESULTS = _VALUES | {b"\x40"}
#: By the number of a section.
_READERS: Mapping[int, Callable[[bytes, int, int, dict[str, int]], None]] = {
    1: _types,
    2: _imports,
    3: _counted("functions"),
    5: _memory,
    6: _counted("globals"),
    7: _counted("exports"),
    8: _start,
    10: _code,
    11: _data,
}
