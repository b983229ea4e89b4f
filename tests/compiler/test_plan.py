"""Buffers that share memory: none that is alive is written over, and little is wasted."""

from __future__ import annotations

import numpy as np
import pytest

from sclbl.compiler.plan import Lifetime, Plan, Step, lifetimes, plan


def check(buffers: list[Lifetime]) -> Plan:
    """Check a plan against every pair of buffers."""
    found = plan(buffers)
    assert found.offsets.keys() == {b.name for b in buffers}
    places = [(b, found.offsets[b.name], found.offsets[b.name] + b.size) for b in buffers]
    for k, (b, start, end) in enumerate(places):
        assert start % 16 == 0
        assert 0 <= start <= end <= found.size
        for other, other_start, other_end in places[:k]:
            if b.first <= other.last and other.first <= b.last:
                assert end <= other_start or other_end <= start
    peak = max(
        (sum(b.size for b in buffers if b.first <= t <= b.last) for t in times(buffers)), default=0
    )
    assert peak <= found.alive <= peak + 16 * len(buffers)
    return found


def times(buffers: list[Lifetime]) -> range:
    return range(max((b.last for b in buffers), default=-1) + 1)


def random_graph(seed: int) -> list[Lifetime]:
    """Nodes that read some of what came before, mostly of late, with sizes of many magnitudes."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 60))
    spread = rng.choice([0.1, 1.0, 2.5])
    steps: list[Step] = []
    sizes: dict[str, int] = {}
    aliases: dict[str, str] = {}
    for k in range(count):
        made = [f"t{k}"] + [f"s{k}_{j}" for j in range(int(rng.integers(0, 3)) // 2)]
        back = rng.geometric(rng.choice([0.7, 0.2]), size=int(rng.integers(1, 4)))
        reads = [f"t{k - int(b)}" for b in back if k - int(b) >= 0]
        if reads and rng.random() < 0.15:
            aliases[f"t{k}"] = reads[0]
            steps.append(Step((), (reads[0],)))
            continue
        sizes |= {name: int(np.exp(rng.normal(8, spread))) for name in made}
        steps.append(Step(made, reads))
    kept = [f"t{count - 1}", *(f"t{k}" for k in rng.integers(0, count, 2))]
    return lifetimes(steps, sizes, aliases, kept)


@pytest.mark.parametrize("start", range(0, 300, 50))
def test_random_graphs(start: int) -> None:
    ratios = []
    for seed in range(start, start + 50):
        found = check(random_graph(seed))
        ratios.append(found.size / found.alive if found.alive else 1.0)
    assert max(ratios) <= 1.3
    assert np.mean(ratios) <= 1.03


def test_a_chain_needs_two_buffers() -> None:
    names = [f"t{k}" for k in range(20)]
    reads = [(), *((name,) for name in names)]
    steps = [Step((name,), read) for name, read in zip(names, reads, strict=False)]
    buffers = lifetimes(steps, dict.fromkeys(names, 4096), kept=[names[-1]])
    assert check(buffers).size == 2 * 4096


def test_when_buffers_are_alive() -> None:
    steps = [
        Step(("a",), ("numeric",)),
        Step(("b", "scratch"), ("a",)),
        Step((), ("b",)),
        Step(("d",), ("c", "a")),
        Step(("e",), ("d",)),
    ]
    sizes = {"a": 8, "b": 80, "scratch": 800, "d": 8, "e": 8}
    aliases = {"c": "again", "again": "b"}
    assert lifetimes(steps, sizes, aliases, ["e", "numeric", "c"]) == [
        Lifetime("a", 8, 0, 3),
        Lifetime("b", 80, 1, 5),
        Lifetime("scratch", 800, 1, 1),
        Lifetime("d", 8, 3, 4),
        Lifetime("e", 8, 4, 5),
    ]
    # What is kept is there at the end, whatever its name.
    assert lifetimes(steps, sizes, aliases, ["again"])[1].last == len(steps)


def test_a_small_buffer_goes_into_the_smallest_gap() -> None:
    buffers = [
        Lifetime("wide", 2048, 0, 2),
        Lifetime("wall", 1024, 0, 9),
        Lifetime("narrow", 512, 0, 2),
        Lifetime("other wall", 256, 0, 9),
        Lifetime("late", 112, 3, 9),
    ]
    found = check(buffers)
    assert found.offsets["late"] == found.offsets["narrow"]
    assert found.size == found.alive


def test_the_same_buffers_give_the_same_plan() -> None:
    buffers = random_graph(7)
    assert plan(buffers) == plan(list(buffers))


def test_nothing_and_empty_buffers() -> None:
    assert check([]).size == 0
    assert check([Lifetime("a", 0, 0, 3), Lifetime("b", 1, 0, 1)]).size == 16


def test_thousands_of_buffers() -> None:
    rng = np.random.default_rng(0)
    first = rng.integers(0, 3000, 3000)
    buffers = [
        Lifetime(f"b{k}", int(rng.integers(1, 5000)), int(at), int(at + rng.integers(0, 5)))
        for k, at in enumerate(first)
    ]
    found = plan(buffers)
    assert found.size <= 1.3 * found.alive
