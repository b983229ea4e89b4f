"""The first `sclbl.upload` of a process: from the import to the deployment, and where it goes."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _measure import duration, save, show
from _models import logistic_mixed

TIMES = 10
#: What a breakdown tells apart: calls of these functions, as (module, name in it).
PARTS = {
    "strip": ("sclbl.strippers", "strip"),
    "compile": ("sclbl.compiler", "compile_spec"),
    "verify": ("sclbl.fidelity", "verify"),
    "write the spec": ("sclbl.onnx_format", "write"),
    "open the registry": ("sclbl.registry.local", "LocalRegistry.__init__"),
    "record": ("sclbl.registry.local", "LocalRegistry.create"),
}


def measure() -> dict[str, float]:
    """Upload once in this process, the model's library loaded, and return wall and CPU seconds."""
    model, frame, _ = logistic_mixed()
    with tempfile.TemporaryDirectory() as folder:
        begin, spent = time.perf_counter(), time.process_time()
        import sclbl

        sclbl.upload(model, frame[:5], name="first", registry=folder)
        return {"wall": time.perf_counter() - begin, "cpu": time.process_time() - spent}


def profiled() -> dict[str, float]:
    """Upload once under a profiler; return the share of each part and of loading each library."""
    import cProfile
    import pstats

    model, frame, _ = logistic_mixed()
    with tempfile.TemporaryDirectory() as folder:
        profile = cProfile.Profile()
        profile.enable()
        import sclbl

        sclbl.upload(model, frame[:5], name="first", registry=folder)
        profile.disable()
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]  # typeshed hides it
    whole = max(cumulative for _, _, _, cumulative, _ in stats.values())
    shares = {}
    for (file, _, function), (_, _, _, cumulative, _) in stats.items():
        place = Path(file)
        if function == "<module>" and place.name == "__init__.py":
            library = place.parent.name
            top = place.parent.parent.name == "site-packages"
            if top or library == "binding":
                key = f"load {library.replace('binding', 'llvmlite')}"
                shares[key] = max(shares.get(key, 0.0), cumulative / whole)
        for part, (module, name) in PARTS.items():
            home = module.replace(".", "/")
            if function == name.rpartition(".")[2] and (
                file.endswith((f"{home}.py", f"{home}/__init__.py"))
            ):
                shares[part] = cumulative / whole
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def _run(what: str) -> dict[str, float]:
    command = [sys.executable, str(Path(__file__).resolve()), what]
    # As on a user's machine, where Python keeps what it compiled of every library.
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    _run("measure")  # writes that bytecode
    found = [_run("measure") for _ in range(TIMES)]
    rows = []
    for what in ("wall", "cpu"):
        times = sorted(run[what] for run in found)
        rows.append([what, *map(duration, (times[0], statistics.median(times), times[-1]))])
    show("first upload in a fresh process", ["seconds", "least", "median", "most"], rows)
    shares = _run("profiled")
    parts = [[part, f"{share:.0%}"] for part, share in shares.items() if share >= 0.01]
    show("where it goes (parts include what they load)", ["part", "share"], parts)
    save("first_upload", {"times": found, "shares": shares})


if __name__ == "__main__":
    if len(sys.argv) == 2:
        print(json.dumps({"measure": measure, "profiled": profiled}[sys.argv[1]]()))
    else:
        main()
