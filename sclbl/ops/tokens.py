"""Texts: folded (case, accents), and taken apart into the terms that are counted.

What a character is, becomes, or belongs to stands in a node's attributes, as whatever made the
model saw it: a program knows no Unicode of its own. Other runtimes show these operators and do not
run them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from sclbl.missing import of_text
from sclbl.ops.names import name_arguments
from sclbl.ops.packed import CODE_POINTS, of_runs, two_level
from sclbl.ops.ragged import Items
from sclbl.ops.record import Array, Attrs, Emitter, Op, Operand, Typed, fail, has_inputs, tensor
from sclbl.spec import Node

_TEXT = frozenset(("text",))
#: Most words, or characters, of a term; most threads of an automaton.
MOST_OF_TERM, MOST_THREADS = 2**20, 64
SIGMA, FINAL_SIGMA, SMALL_SIGMA = "\u03a3", "\u03c2", "\u03c3"
#: Syllables of Hangul, which come apart by arithmetic.
_SYLLABLES, _COUNT, _LEADS, _VOWELS, _TRAILS = 0xAC00, 11172, 0x1100, 0x1161, 0x11A7


def _column(node: Node, xs: Sequence[Operand]) -> Operand:
    """Require one column of text."""
    has_inputs(node, xs, 1)
    x = tensor(node, xs[0], _TEXT)
    if x.ragged is not None or x.width != 1:
        raise fail(node, "takes one column of text")
    return x


def _integers(node: Node, name: str, low: int, high: int, axes: int = 1) -> Array:
    """Require an attribute that is an array of integers in a range."""
    value = node.attrs.get(name)
    if not isinstance(value, np.ndarray) or value.dtype != np.int64 or value.ndim != axes:
        raise fail(node, f"takes {name}, integers of {axes} axes")
    if value.size and not (low <= value.min() and value.max() <= high):
        raise fail(node, f"takes {name} from {low} to {high}")
    return value


def _flag(node: Node, name: str, most: int = 1) -> int:
    value = node.attrs.get(name)
    if type(value) is not int or not 0 <= value <= most:
        raise fail(node, f"takes {name}, a whole number up to {most}")
    return value


def _names(node: Node, *names: str) -> None:
    if set(node.attrs) != set(names):
        raise fail(node, f"has attributes {sorted(node.attrs)}; it takes {', '.join(names)}")


def _runs(node: Node, classes: int | None = None) -> int:
    """Require runs of code points and their classes; return how many classes there are."""
    starts = _integers(node, "starts", 0, CODE_POINTS - 1)
    kinds = _integers(node, "kinds", 0, 255)
    if starts.shape != kinds.shape or not len(starts) or starts[0] != 0:
        raise fail(node, "takes runs of characters from the first one on, each with its class")
    if (np.diff(starts) <= 0).any():
        raise fail(node, "takes runs of characters in order")
    found = int(kinds.max()) + 1
    if classes is not None and found > classes:
        raise fail(node, f"takes {classes} classes of characters")
    return found


# ------------------------------------------------------------------ case and accents


def _fold_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    x = _column(node, xs)
    _names(node, "points", "texts", "sigma", "starts", "kinds", "drop", "hangul")
    points = _integers(node, "points", 0, CODE_POINTS - 1)
    texts = node.attrs["texts"]
    if not isinstance(texts, np.ndarray) or texts.dtype != object or texts.shape != points.shape:
        raise fail(node, "takes a text for each character that becomes one")
    if (np.diff(points) <= 0).any() or any(len(str(t)) > 18 for t in texts.tolist()):
        raise fail(node, "takes characters in order, each of which becomes at most 18")
    for name in ("sigma", "drop", "hangul"):
        _flag(node, name)
    _runs(node, 3)
    return [("text", x.shape)]


def _fold(attrs: Attrs, x: Array) -> Array:
    becomes: dict[str, str] = {
        chr(p): str(t)
        for p, t in zip(attrs["points"].tolist(), attrs["texts"].tolist(), strict=True)
    }
    kinds = of_runs(attrs["starts"], attrs["kinds"])
    out = x.copy()
    for place in np.ndindex(x.shape):
        text = str(x[place])
        if of_text(text) is None:
            out[place] = "".join(_folded(attrs, becomes, kinds, text, i) for i in range(len(text)))
    return out


def _folded(attrs: Attrs, becomes: dict[str, str], kinds: Array, text: str, i: int) -> str:
    """Return what the character at `i` becomes."""
    character = text[i]
    if attrs["sigma"] and character == SIGMA:
        character = FINAL_SIGMA if _ends_a_word(kinds, text, i) else SMALL_SIGMA
    if character in becomes:
        return becomes[character]
    syllable = ord(character) - _SYLLABLES
    if attrs["hangul"] and 0 <= syllable < _COUNT:
        lead, vowel, trail = syllable // 588, syllable % 588 // 28, syllable % 28
        parts = chr(_LEADS + lead) + chr(_VOWELS + vowel)
        return parts + chr(_TRAILS + trail) if trail else parts
    return "" if attrs["drop"] and character > "\x7f" else character


def _ends_a_word(kinds: Array, text: str, i: int) -> bool:
    """Return whether a sigma has a letter with case before it, and none behind.

    Characters of class 1 are passed over; those of class 2 are such letters.
    """
    before = (kinds[ord(c)] for c in reversed(text[:i]))
    behind = (kinds[ord(c)] for c in text[i + 1 :])
    first, second = (next((k for k in side if k != 1), 0) for side in (before, behind))
    return bool(first == 2 and second != 2)


def _fold_lower(e: Emitter, node: Node) -> None:
    attrs = node.attrs
    actions: dict[int | str, int] = {}
    codes = np.zeros(CODE_POINTS, dtype=np.int64)
    ascii_bytes = np.arange(128, dtype=np.uint8)
    for point, text in zip(attrs["points"].tolist(), attrs["texts"].tolist(), strict=True):
        # One character is so far from the one that becomes it; several are written out.
        action: int | str = ord(text) - point if len(text) == 1 else str(text)
        codes[point] = actions.setdefault(action, len(actions)) + 1
        if point < 128:
            # 255: not one byte for one byte.
            ascii_bytes[point] = ord(text) if len(text) == 1 and ord(text) < 128 else 255
    words = np.zeros(max(len(actions), 1), dtype=np.uint32)
    data = bytearray()
    for action, k in actions.items():
        if isinstance(action, int):
            words[k] = action + CODE_POINTS
        else:
            raw = action.encode()
            words[k] = 2**31 | len(data) << 7 | len(raw)
            data += raw
    kinds = two_level(of_runs(attrs["starts"], attrs["kinds"]))
    e.refuse(
        "tokens_fold",
        e.output(node),
        e.pointer(node.inputs[0]),
        e.growing(),
        "i32 %m",
        e.weight(ascii_bytes, 1),
        *two_level(codes).arguments(e),
        e.weight(words, 4),
        e.weight(np.frombuffer(bytes(data) or b"\0", dtype=np.uint8), 1),
        *kinds.arguments(e),
        *(f"i32 {attrs[name]}" for name in ("sigma", "drop", "hangul")),
    )


FoldText = Op(
    "sclbl.FoldText", _fold_infer, _fold, _fold_lower, _TEXT, exact=True, role="passes",
    holds="what characters become",
)  # fmt: skip


# ------------------------------------------------------------------ words


def _range(node: Node) -> None:
    low, high = node.attrs.get("low"), node.attrs.get("high")
    if type(low) is not int or type(high) is not int or not 1 <= low <= high <= MOST_OF_TERM:
        raise fail(node, "takes the lengths of terms, low and high")


def _words_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    _column(node, xs)
    _names(
        node, "starts", "kinds", "begins", "next", "moves", "lists", "group", "threads", "without",
        "low", "high",
    )  # fmt: skip
    classes = _runs(node)
    following = _integers(node, "next", 0, 2**15, axes=2)
    states, width = following.shape
    if width <= classes or width > 257:
        raise fail(node, "takes a column for each class of characters, and one for the end")
    if int(following.max(initial=0)) >= states or not states:
        raise fail(node, "goes to states that it has not")
    _integers(node, "next", 0, states - 1, axes=2)
    if _integers(node, "begins", 0, states - 1, axes=2).shape != (width, 2):
        raise fail(node, "takes two states to begin with for each class before them")
    threads = _flag(node, "threads", MOST_THREADS)
    _flag(node, "group")
    _check_lists(node, following.shape, threads)
    without = node.attrs["without"]
    if not isinstance(without, np.ndarray) or without.dtype != object or without.ndim != 1:
        raise fail(node, "takes the words that are left out")
    _range(node)
    return [("text", (), "list")]


def _check_lists(node: Node, shape: tuple[int, ...], threads: int) -> None:
    """Require lists of moves that end, among threads that there are."""
    lists = _integers(node, "lists", -2, 2**20).tolist()
    count = lists[0] if lists else 0
    moves = _integers(node, "moves", 0, count - 1, axes=2)
    if moves.shape != shape or not 0 < count <= min(len(lists), 2**15):
        raise fail(node, "takes moves for each step")
    for place in lists[:count]:
        head = lists[place : place + 3] if count <= place else []
        if len(head) < 3 or not -2 <= head[0] < threads or not 0 <= head[2] <= threads:
            raise fail(node, "has moves of threads that it has not")
        going = lists[place + 3 : place + 3 + 2 * head[2]]
        fits = len(going) == 2 * head[2] and all(-1 <= s < threads for s in going[::2])
        if not fits or not all(0 <= n <= 3 for n in [head[1], *going[1::2]]):
            raise fail(node, "has moves of threads that it has not")


def _matches(attrs: Attrs, text: str) -> Iterator[str]:
    """Yield what the automaton finds."""
    following, moves, lists = attrs["next"].tolist(), attrs["moves"].tolist(), attrs["lists"]
    kinds = of_runs(attrs["starts"], attrs["kinds"])
    classes = [int(kinds[ord(c)]) for c in text]
    end = attrs["next"].shape[1] - 1
    at, empty = 0, 0
    while at <= len(text):
        state = int(attrs["begins"][classes[at - 1] if at else end, empty])
        threads: list[tuple[int, int, int]] = []
        found: tuple[int, int, int, int] | None = None
        for place in range(at, len(text) + 1):
            kind = classes[place] if place < len(text) else end
            move = moves[state][kind]
            if move:
                first = int(lists[move])
                source, notes, count = lists[first : first + 3].tolist()
                if source >= -1:
                    found = (*_noted(threads, source, notes, place), place)
                pairs = lists[first + 3 : first + 3 + 2 * count].reshape(-1, 2).tolist()
                if pairs:
                    threads = [_noted(threads, s, n, place) for s, n in pairs]
            state = following[state][kind]
            if state == 0:
                break
        if found is None:
            return
        start, group_start, group_end, stop = found
        if not attrs["group"]:
            yield text[start:stop]
        else:
            yield text[group_start:group_end] if 0 <= group_start <= group_end else ""
        at, empty = stop, int(start == stop)


def _noted(
    threads: list[tuple[int, int, int]], source: int, notes: int, place: int
) -> tuple[int, int, int]:
    start, first, last = (place, -1, -1) if source < 0 else threads[source]
    return start, place if notes & 1 else first, place if notes & 2 else last


def _words(attrs: Attrs, x: Array) -> Items:
    left_out = set(attrs["without"].tolist())
    rows = []
    for text in x.ravel().tolist():
        words = [w for w in _matches(attrs, text) if w not in left_out]
        rows.append(
            [
                " ".join(words[i : i + n])
                for n in range(attrs["low"], min(attrs["high"], len(words)) + 1)
                for i in range(len(words) - n + 1)
            ]
        )
    return _as_items(rows)


def _as_items(rows: list[list[str]]) -> Items:
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)])
    texts = np.empty(int(offsets[-1]), dtype=object)
    texts[:] = [term for row in rows for term in row]
    return Items(offsets, None, texts)


def _words_lower(e: Emitter, node: Node) -> None:
    attrs = node.attrs
    classes = of_runs(attrs["starts"], attrs["kinds"])
    following, moves, lists = attrs["next"], attrs["moves"], attrs["lists"]
    width = following.shape[1]
    steps = np.stack([following, moves], axis=-1).astype(np.uint16)
    e.refuse(
        "tokens_words",
        e.ragged(node),
        e.pointer(node.inputs[0]),
        e.growing(4),
        "i32 %m",
        e.weight(classes[:128].astype(np.uint8), 1),
        *two_level(classes).arguments(e),
        e.weight(steps, 4),
        e.weight(attrs["begins"].astype(np.uint16), 2),
        e.weight(lists.astype(np.int32), 4),
        e.workspace(2 * 12 * max(attrs["threads"], 1)),
        *name_arguments(e, [str(w).encode() for w in dict.fromkeys(attrs["without"].tolist())]),
        f"i32 {width}",
        f"i32 {attrs['threads']}",
        f"i32 {attrs['group']}",
        f"i32 {int(len(attrs['without']) > 0)}",
        f"i32 {attrs['low']}",
        f"i32 {attrs['high']}",
    )


Words = Op(
    "sclbl.Words", _words_infer, _words, _words_lower, _TEXT, exact=True, role="reads",
    holds="how text comes apart", ragged=True,
)  # fmt: skip


# ------------------------------------------------------------------ characters


def _characters_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    _column(node, xs)
    _names(node, "starts", "kinds", "words", "low", "high")
    _runs(node, 2)
    _flag(node, "words")
    _range(node)
    return [("text", (), "list")]


def _characters(attrs: Attrs, x: Array) -> Items:
    spaces = of_runs(attrs["starts"], attrs["kinds"])
    low, high = attrs["low"], attrs["high"]
    rows = []
    for text in x.ravel().tolist():
        parts: list[str] = []
        for space, run in _by_space(spaces, text):
            if not space:
                parts.append(run)
            elif not attrs["words"]:
                parts.append(" " if len(run) > 1 else run)
        if attrs["words"]:
            rows.append([term for part in parts for term in _of_word(f" {part} ", low, high)])
            continue
        whole = "".join(parts)
        rows.append(
            [whole[i : i + n] for n in range(low, high + 1) for i in range(len(whole) - n + 1)]
        )
    return _as_items(rows)


def _by_space(spaces: Array, text: str) -> Iterator[tuple[bool, str]]:
    """Yield runs of white space and of other characters."""
    start = 0
    for i in range(1, len(text) + 1):
        if i == len(text) or spaces[ord(text[i])] != spaces[ord(text[start])]:
            yield bool(spaces[ord(text[start])]), text[start:i]
            start = i


def _of_word(word: str, low: int, high: int) -> Iterator[str]:
    """Yield the terms of a word between blanks; one that is shorter than a term is one, once."""
    for n in range(low, high + 1):
        if n >= len(word):
            yield word
            return
        for i in range(len(word) - n + 1):
            yield word[i : i + n]


def _characters_lower(e: Emitter, node: Node) -> None:
    attrs = node.attrs
    spaces = of_runs(attrs["starts"], attrs["kinds"])
    e.refuse(
        "tokens_characters",
        e.ragged(node),
        e.pointer(node.inputs[0]),
        e.growing(4),
        "i32 %m",
        *two_level(spaces).arguments(e),
        f"i32 {attrs['words']}",
        f"i32 {attrs['low']}",
        f"i32 {attrs['high']}",
    )


Characters = Op(
    "sclbl.Characters", _characters_infer, _characters, _characters_lower, _TEXT, exact=True,
    role="reads", holds="how text comes apart", ragged=True,
)  # fmt: skip
