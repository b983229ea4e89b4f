"""Texts of others on pages: shown as text, whatever is in them, and the layout holds."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import sclbl
from sclbl.deployment import Deployment
from sclbl.printable import printable
from sclbl.registry.base import Record
from sclbl.registry.local import LocalRegistry
from sclbl.web import page as pages
from sclbl.web import site
from sclbl.web.calls import of_file
from sclbl.web.page import _docs
from tests.server.threads import serving
from tests.web.browser import Browser, Page
from tests.web.test_pages import given
from tests.web.test_site import hosted
from tests.web.uploaded import filled, settled

pytestmark = pytest.mark.browser

HOSTILE = (
    "<script>window.hacked = 1</script>",
    '"><img src="x" onerror="window.hacked = 1">',
    "</script><script>window.hacked = 1</script>",
    "javascript:window.hacked=1",
    "\u202eevil\u2066 \u200f\u061c",
    "<!--<script>",
    "{{ 7 * 7 }} ${7 * 7} {% x %}",
    "' onmouseover='window.hacked=1",
    "</style><svg onload=window.hacked=1>",
    "W" * 10_000,
)
DOCS = """
<script>window.hacked = 1</script>
<img src=x onerror="window.hacked = 1">
![picture](https://evil.example/pixel.png)
[script](javascript:window.hacked=1) [data](data:text/html,x) [vb](vbscript:x)
[tabs](java&#x09;script:window.hacked=1) <javascript:window.hacked=1>
[ok](https://example.org/) [mail](mailto:a@example.org) [here](../other)

| <b onclick="window.hacked=1">x</b> |
|---|
| `</script>` |

# </h1><script>window.hacked=1</script>
#### deep
"""


def hostile_frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    texts = np.array(HOSTILE, dtype=object)
    columns = {name: rng.normal(size=60) for name in HOSTILE[:-1]}
    return pd.DataFrame({**columns, HOSTILE[-1]: texts[np.arange(60) % len(texts)]})


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRegistry]:
    frame = hostile_frame()
    labels = np.array(HOSTILE, dtype=object)[np.arange(60) % 4]
    columns = make_column_transformer(
        (OneHotEncoder(), [HOSTILE[-1]]), remainder="passthrough", verbose_feature_names_out=False
    )
    model = make_pipeline(columns, LogisticRegression(max_iter=20)).fit(frame, labels)
    with LocalRegistry(tmp_path_factory.mktemp("registry")) as registry:
        sclbl.upload(
            model,
            frame[:5],
            name="hostile",
            docs=DOCS,
            tags={
                **{text[:1000]: text[:9000] for text in HOSTILE},
                "form": json.dumps({HOSTILE[0]: {"help": HOSTILE[1], "label": HOSTILE[0]}}),
                "widget": HOSTILE[1],
            },
            metrics={text[:1000]: 0.5 for text in HOSTILE},
            registry=registry,
        )
        yield registry


def stated(record: Record) -> Record:
    """Return a record whose model, libraries, methods' report and checks are hostile too."""
    manifest = dict(record.manifest)
    manifest["source"] = {"model": HOSTILE[0], "libraries": {HOSTILE[1]: HOSTILE[2]}}
    report = {
        **manifest["report"],
        "against": HOSTILE[2],
        "worst": HOSTILE[9],
        "frames": HOSTILE[1],
    }
    manifest["report"] = report
    tags = {key: value for key, value in record.tags.items() if key != "widget"}
    return replace(record, manifest=manifest, checked=report, aliases=HOSTILE[:3], tags=tags)


def watch(browser: Browser) -> Page:
    page = browser.page()
    page.drive(
        """
        page.elsewhere = [];
        page.on("request", (request) => {
          if (!/^(http:\\/\\/127\\.0\\.0\\.1|file:|data:|blob:)/.test(request.url())) {
            page.elsewhere.push(request.url());
          }
        });
        page.on("dialog", (dialog) => { page.elsewhere.push("a dialog"); dialog.dismiss(); });
        """
    )
    return page


def check(page: Page, tmp_path: Path) -> None:
    """Look at a page, its errors and its table: nothing runs and nothing sticks out."""
    settled(page)
    filled(page, "#f0", "</script><img src=x onerror=window.hacked=1>")
    path = tmp_path / "rows.csv"
    hostile_frame().assign(**{HOSTILE[0]: "<img src=x onerror=window.hacked=1>"}).to_csv(
        path, index=False
    )
    said = given(page, path)
    assert "<img src=x onerror=window.hacked=1>" in said
    filled(page, "#f0", "1e400")
    filled(page, "#f0", "0.5")
    # What has a mouse over it, and what is under the focus.
    page.run(
        """
        for (const element of document.querySelectorAll("*")) {
          for (const kind of ["mouseover", "mouseenter", "focus", "click"]) {
            if (kind !== "click" || !element.closest("a, button, label, input")) {
              element.dispatchEvent(new MouseEvent(kind));
            }
          }
        }
        """
    )
    assert page.evaluate("window.hacked === undefined")
    assert page.evaluate("document.querySelectorAll('img, svg, iframe, object').length") == 0
    inside = "#sclbl, #program, [type=module]"
    assert page.evaluate(f"document.querySelectorAll('script:not({inside})').length") == 0
    handlers = (
        "[...document.querySelectorAll('*')].flatMap((e) => [...e.attributes])"
        ".filter((a) => a.name.startsWith('on')).length"
    )
    assert page.evaluate(handlers) == 0
    links = page.evaluate("[...document.querySelectorAll('a[href]')].map((a) => a.protocol)")
    assert set(links) <= {"http:", "https:", "mailto:", "blob:", "file:"}
    for width in (360, 768, 1440):
        page.size(width, 800)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    # The last label is a category: of ten thousand letters, without making the page endless.
    assert page.evaluate("document.documentElement.scrollHeight") < 40_000
    assert page.drive("return page.elsewhere") == []


def test_nothing_runs_on_a_server(
    chromium: Browser, registry: LocalRegistry, tmp_path: Path
) -> None:
    page = watch(chromium)
    with serving(registry) as (url, _):
        page.goto(f"{url}/d/hostile")
        check(page, tmp_path)
        assert page.said == []  # not even something that the policy had to stop
        page.goto(f"{url}/?q=%22%3E%3Cscript%3Ewindow.hacked=1%3C/script%3E")
        assert page.evaluate("window.hacked === undefined")
        assert page.evaluate("document.getElementById('q').value").startswith('"><script>')
        page.goto(f"{url}/d/%3Cscript%3Ewindow.hacked=1%3C%2Fscript%3E")
        assert page.evaluate("window.hacked === undefined")
        assert "<script>" in page.evaluate("document.body.innerText")
    page.close()


@pytest.mark.parametrize("single", [False, True])
def test_nothing_runs_on_a_site_without_a_policy_of_its_host(
    chromium: Browser, registry: LocalRegistry, tmp_path: Path, single: bool
) -> None:
    record = stated(registry.get("hostile"))
    wasm, spec = registry.program(record), registry.spec(record)
    write = site.write_single if single else site.write
    write(record, wasm, spec, tmp_path / "site")
    page = watch(chromium)
    with hosted(tmp_path / "site") as url:
        page.goto(f"{url}/")
        check(page, tmp_path)
    page.close()


def test_names_are_shown_as_they_are_read(registry: LocalRegistry) -> None:
    record = stated(registry.get("hostile"))
    html = pages.render(record, pages.Place(assets="./", program="./x.wasm"))
    for text in (*HOSTILE[:3], HOSTILE[8]):
        assert text not in html
    # Marks that turn lines around are written out wherever they are shown.
    assert printable("\u202eevil") in html
    shown = html.partition('<script type="application/json"')[0]
    attributes = re.sub(r'value="[^"]*"', "", shown)
    assert "\u202e" not in attributes
    assert "W" * 400 not in re.sub(r'value="[^"]*"', "", attributes)
    data = html.partition('id="sclbl">')[2].partition("</script>")[0]
    assert "<" not in data
    assert json.loads(data)["form"][0]["name"] == HOSTILE[0]


@pytest.mark.parametrize(
    ("docs", "html"),
    [
        ("[a](javascript:x)", "<p>[a](javascript:x)</p>"),
        ("[a](JaVaScRiPt:x)", "<p>[a](JaVaScRiPt:x)</p>"),
        ("[a](data:text/html,x)", "<p>[a](data:text/html,x)</p>"),
        ("[a](file:///etc/passwd)", "<p>[a](file:///etc/passwd)</p>"),
        ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>"),
        (
            "![a](https://x/y.png)",
            '<p>!<a href="https://x/y.png" rel="noopener noreferrer nofollow">a</a></p>',
        ),
        ("[a](#b)", '<p><a href="#b" rel="noopener noreferrer nofollow">a</a></p>'),
        ("[a](../b:c)", '<p><a href="../b:c" rel="noopener noreferrer nofollow">a</a></p>'),
        ("## a\n#### b\n# c", "<h3>a</h3>\n<h4>b</h4>\n<h3>c</h3>"),
        ("###### a", "<h3>a</h3>"),
    ],
)
def test_docs_are_rendered_without_harm(docs: str, html: str) -> None:
    assert _docs(docs).strip() == html


def test_long_docs_stand_as_they_were_written() -> None:
    assert "<em>" in _docs("*a* " * 8_000)
    long = "*a* <b>\n" * 8_000
    assert _docs(long) == f"<pre>{escape(long)}</pre>"


@pytest.mark.parametrize(("columns", "rows", "made"), [(20, 500, True), (3000, 1000, False)])
def test_tables_of_docs_are_no_larger_than_they_look(columns: int, rows: int, made: bool) -> None:
    docs = "a|" * columns + "\n" + "-|" * columns + "\n" + "b\n" * rows
    assert ("<table>" in _docs(docs)) == made
    assert len(_docs(docs)) < 150_000


def test_a_name_that_objects_inherit_stands_in_code(tmp_path: Path) -> None:
    frame = pd.DataFrame({"__proto__": [1.0, 2.0, 3.0], "b\u202e": [0.5, 2.0, 4.0]})
    with LocalRegistry(tmp_path) as registry:
        model = LinearRegression().fit(frame, [1.0, 2.0, 4.0])
        deployment = sclbl.upload(model, frame, name="proto", example=True, registry=registry)
        record = registry.get("proto")
        code = {c.language: c.text for c in of_file(record, deployment.example, "program.wasm")}
        deployment.site(tmp_path / "site")
        assert '["__proto__"]: 1' in code["JavaScript"]
        for text in code.values():
            assert "\u202e" not in text
        module = tmp_path / "site" / "code.mjs"
        module.write_text(
            code["JavaScript"].replace("program.wasm", f"program-{record.sha256[:8]}.wasm")
        )
        deno = Path(sys.executable).with_name("deno")
        done = subprocess.run(
            [deno, "run", "--quiet", "--no-lock", "--allow-read", module],
            capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == pytest.approx(deployment.predict(frame[:1]).tolist())


def test_the_deployment_in_a_notebook_is_cut_off(registry: LocalRegistry) -> None:
    record = replace(stated(registry.get("hostile")), name='x" onload="window.hacked=1')
    html = Deployment(record, registry).page()._repr_html_()
    assert html.count("<") == 2
    assert html.startswith('<iframe title="x&quot; onload=&quot;')
    assert "allow-same-origin" not in html
