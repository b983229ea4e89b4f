"""The same file outside of pages: Node, Deno, service workers, a function at the edge, the docs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import sclbl
from sclbl.web import bundle
from tests.web.browser import Browser
from tests.web.deployed import REF, ROWS, Deployed, deployed
from tests.web.hosting import Hosted, Reply, hosting

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

pytestmark = pytest.mark.browser

ENGINES = {
    "node": [str(BIN / "node")],
    "deno": [str(BIN / "deno"), "run", "--quiet", "--allow-net", "--allow-read", "--no-lock"],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with deployed(tmp_path_factory.mktemp("registry")) as found:
        yield found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the loader, of ES modules."""
    (tmp_path / "sclbl.js").write_bytes(bundle.loader())
    (tmp_path / "package.json").write_text('{"type": "module"}')
    return tmp_path


def output(engine: str, folder: Path, code: str) -> Any:
    """Run a module and return what it prints as JSON."""
    (folder / "main.js").write_text(code)
    done = subprocess.run(
        [*ENGINES[engine], "main.js"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        # Deno keeps its cache where it is told.
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "DENO_DIR": str(folder / "deno")},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_load_deployments_files_and_workers(
    engine: str, folder: Path, server: Deployed
) -> None:
    (folder / "churn.wasm").write_bytes(server.wasm())
    url = f"{server.url}/v1/deployments/{REF}"
    code = f"""
        import {{ readFileSync }} from "node:fs";
        import {{ load, SclblError }} from "./sclbl.js";
        const rows = {json.dumps(ROWS)};
        const here = await load("{url}");
        const there = await load("{url}", {{ where: "remote" }});
        const file = await load(readFileSync("churn.wasm"), {{ workers: 2 }});
        const x = Float64Array.from({{ length: 40000 }}, (_, i) => (i * 7919) % 101);
        const found = [];
        for (const model of [here, there, file]) {{
          const {{ values, where, ref }} = await model.predict_proba(rows);
          const {{ data }} = await model.predict_proba(x);
          found.push([values, where, ref ?? null, model.workers, data.length,
            data.reduce((sum, value) => sum + value)]);
        }}
        file.close();
        const error = await load("{server.url}/v1/deployments/none").catch((error) => error);
        found.push([error instanceof SclblError, error.code]);
        console.log(JSON.stringify(found));
    """
    here, there, file, error = output(engine, folder, code)
    right = server.expected()
    assert here[:5] == [right, "local", "churn@1", 0, 30000]
    assert there[:5] == [right, "remote", "churn@1", 0, 30000]
    assert file[:5] == [right, "local", None, 2, 30000]
    assert here[5] == there[5] == file[5]
    assert error == [True, "not_found"]


HANDLER = """
    import handler from "./worker.js";
    const env = { DEPLOYMENT: "%s", METHOD: "predict_proba" };
    const found = [];
    const ask = async (fetched) => {
      for (const body of [%s, '{"rows": [[1, 2, 3, "x"]]}', "{"]) {
        const response = await fetched({ method: "POST", body });
        const text = await response.text();
        found.push([response.status, response.status === 400 ? text : JSON.parse(text)]);
      }
      found.push((await fetched({ method: "GET" })).status);
    };
"""
SERVED = {
    "node": 'await ask((init) => handler.fetch(new Request("http://edge.example/", init), env));',
    "deno": """
        const serving = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} },
          (request) => handler.fetch(request, env));
        await ask((init) => fetch(`http://127.0.0.1:${serving.addr.port}/`, init));
        await serving.shutdown();
    """,
}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_function_at_the_edge(engine: str, folder: Path, server: Deployed) -> None:
    shutil.copy(ROOT / "examples" / "edge" / "worker.js", folder)
    start = HANDLER % (f"{server.url}/v1/deployments/{REF}", repr(json.dumps({"rows": ROWS})))
    end = "console.log(JSON.stringify(found));"
    good, refused, broken, other = output(engine, folder, start + SERVED[engine] + end)
    sha256 = server.versions[0].sha256
    assert good == [200, {"ref": "churn@1", "sha256": sha256, "results": server.expected()}]
    assert refused[0] == 422
    assert (refused[1]["error"]["code"], refused[1]["error"]["row"]) == ("dtype", 0)
    assert broken == [400, "send JSON"]
    assert other == 405


def test_a_service_worker(chromium: Browser, server: Deployed) -> None:
    """It has no workers of its own, and predicts without a page."""
    script = f"""
        import {{ load }} from "./sclbl.js";
        self.addEventListener("activate", (event) => event.waitUntil(clients.claim()));
        self.addEventListener("message", async ({{ source, data }}) => {{
          const model = await load("/v1/deployments/{REF}", {{ workers: 2 }});
          const {{ values, where }} = await model.predict_proba(data);
          source.postMessage([values, where, model.workers]);
        }});
    """
    with hosting() as host:
        server.on(host)
        host.replies["/worker.js"] = script
        page = chromium.page(host.url, alone=True)
        body = """
            await navigator.serviceWorker.register("/worker.js", { type: "module" });
            const { active } = await navigator.serviceWorker.ready;
            const said = new Promise((done) => {
              navigator.serviceWorker.onmessage = ({ data }) => done(data);
            });
            active.postMessage(given);
            return said;
        """
        assert page.run(body, ROWS) == [server.expected(), "local", 0]
        page.close()


@pytest.fixture(scope="module")
def documented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The deployment that the documentation asks: of four named columns."""
    import pandas as pd

    random = np.random.default_rng(1)
    x = pd.DataFrame(random.normal(size=(50, 4)), columns=["age", "income", "debt", "visits"])
    model = LogisticRegression().fit(x, random.integers(0, 2, 50))
    with deployed(tmp_path_factory.mktemp("documented")) as found:
        sclbl.upload(model, x[:5], name="named", registry=found.registry)
        record = found.registry.get("named")
        program = sclbl.load(found.registry.program(record.sha256))
        found.versions, found.programs = (record, record), (program, program)
        yield found


def blocks() -> list[str]:
    page = (ROOT / "docs" / "javascript.md").read_text(encoding="utf-8")
    return re.findall(r"```js\n(.*?)```", page, re.DOTALL)


def test_examples_of_the_documentation_run_in_pages(
    chromium: Browser, documented: Deployed
) -> None:
    names = documented.programs[0].signature.columns
    assert [c.name for c in names] == ["age", "income", "debt", "visits"]
    with hosting() as host:
        documented.on(host)
        page = chromium.page(host.url)
        examples = [code for code in blocks() if 'await import("./sclbl.js")' in code]
        assert len(examples) == 3
        rows, errors, batch = examples
        page.run(f"{rows}; window.found = [one, two, three, four].map(({{ values }}) => values);")
        import pandas as pd

        x = pd.DataFrame(
            [[41, 2.5, 0, 3], [29, 1.75, 0.5, 1.0]], columns=["age", "income", "debt", "visits"]
        )
        expected = documented.programs[0].predict_proba(x).tolist()
        assert page.evaluate("found") == [expected] * 4
        page.run(errors)
        page.run(batch)
        said = "\n".join(page.said)
        assert "dtype 0 age row 0, column 'age'" in said
        assert "2 20000 " in said
        page.close()


def test_the_example_of_the_documentation_for_node_runs(folder: Path, documented: Deployed) -> None:
    (example,) = [code for code in blocks() if "node:fs/promises" in code]
    (folder / "churn.wasm").write_bytes(documented.wasm())
    code = example.replace("console.log((", "console.log(JSON.stringify((").replace(
        ".values);", ".values));"
    )
    assert code != example
    found = output("node", folder, code)
    assert found == documented.programs[0].predict([[41, 2.5, 0, 3]]).tolist()


def test_hosts_are_only_those_that_the_page_names(folder: Path) -> None:
    """A relative address needs a page."""
    code = """
        import { load } from "./sclbl.js";
        const error = await load("churn.wasm").catch((error) => error);
        console.log(JSON.stringify([error.name, String(error.message)]));
    """
    name, message = output("node", folder, code)
    assert name == "TypeError"
    assert "Invalid URL" in message


def test_replies_are_plain(server: Deployed) -> None:
    """What the made-up server answers is what the real one does."""
    import requests

    with hosting() as host:
        server.on(host)
        made = host.replies[f"/v1/deployments/{REF}"]
        assert isinstance(made, Reply)
        real = requests.get(f"{server.url}/v1/deployments/{REF}", timeout=30).json()
        assert json.loads(made.content)["manifest"] == real["manifest"]
        assert set(json.loads(made.content)) == set(real)
        assert isinstance(host, Hosted)
