"""The pages of a server, in a real browser: what they show is what Python predicts."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import requests

import sclbl
from sclbl.errors import InputError
from sclbl.registry.local import LocalRegistry
from sclbl.server.pages import POLICY
from sclbl.web import bundle
from sclbl.web.assets import assets, digest
from tests.server.threads import TOKEN, serving
from tests.web.browser import Browser, Page
from tests.web.uploaded import customers, filled, opened, settled

pytestmark = pytest.mark.browser

#: Bytes of a page's script and style as they travel.
MOST = 12 * 1024
ROW = {"age": 70.0, "income": 39019.77, "plan": "gold", "city": "Breda"}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRegistry]:
    with opened(tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture(scope="module")
def url(registry: LocalRegistry) -> Iterator[str]:
    with serving(registry) as (url, _):
        yield url


@pytest.fixture
def churn(chromium: Browser, url: str) -> Iterator[Page]:
    page = chromium.page(f"{url}/d/churn")
    settled(page)
    yield page
    assert page.said == []
    page.close()


def shares(page: Page) -> list[float]:
    """Return the probabilities in the bars, with all their digits."""
    texts = page.evaluate("[...document.querySelectorAll('.share')].map((s) => s.dataset.value)")
    return [float(text) for text in texts]


def exact(page: Page) -> float:
    """Return the number in the answer, with all its digits."""
    return float(page.evaluate("document.querySelector('[data-exact]').dataset.exact"))


def row_in(page: Page) -> dict[str, Any]:
    """Return the row that the form shows."""
    age, income, plan, city = page.evaluate(
        "['f0', 'f1', 'f2', 'f3'].map((id) => document.getElementById(id).value)"
    )
    gone = page.evaluate("document.getElementById('f1m').checked")
    return {
        "age": float(age),
        "income": None if gone else float(income),
        "plan": plan.strip('"'),
        "city": city.strip('"'),
    }


# ------------------------------------------------------------------ the form


def test_the_page_predicts_what_python_predicts(churn: Page, registry: LocalRegistry) -> None:
    program = sclbl.load("churn", registry=registry)
    for field, value in (("#f0", "70"), ("#f1", "39019.77"), ("#f2", '"gold"'), ("#f0", "20.5")):
        answer = filled(churn, field, value)
        row = pd.DataFrame([row_in(churn)])
        assert answer.splitlines()[0] == program.predict(row)[0]
        assert shares(churn) == program.predict_proba(row)[0].tolist()
    filled(churn, "#f1m", "on")
    row = pd.DataFrame([row_in(churn)])
    assert np.isnan(row["income"].astype(float)[0])
    assert shares(churn) == program.predict_proba(row)[0].tolist()
    where = churn.evaluate("document.getElementById('where').innerText")
    assert where.startswith("Computed here, in this page, in ")
    assert program.sha256[:16] in where


def test_other_methods(churn: Page, registry: LocalRegistry) -> None:
    program = sclbl.load("churn", registry=registry)
    churn.drive("await page.select('#method', 'decision_function')")
    settled(churn)
    assert exact(churn) == program.decision_function(pd.DataFrame([row_in(churn)]))[0]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("#f0", "forty", "“forty” is not a number"),
        ("#f0", "1,5", "“1,5” is not a number; write decimals with a point"),
        ("#f0", "€ 40", "“€ 40” is not a number; write the number alone, without its unit"),
        ("#f0", "", "fill this in, or mark it as missing"),
        ("#f0", "inf", "column 'age' is infinite"),
        ("#f0", "1e400", "column 'age' is infinite"),
    ],
)
def test_what_is_refused_is_said_at_its_field_and_no_number_stands(
    churn: Page, field: str, value: str, said: str
) -> None:
    answer = filled(churn, field, value)
    assert answer == "No prediction: see the field that is marked."
    assert churn.evaluate("document.getElementById('where').innerText") == ""
    assert said in churn.evaluate("document.getElementById('e0').innerText")
    assert churn.evaluate("document.getElementById('f0').getAttribute('aria-invalid')") == "true"
    described = churn.evaluate("document.getElementById('f0').getAttribute('aria-describedby')")
    assert "e0" in described.split()
    assert filled(churn, field, "50").splitlines()[0] in ("left", "stayed")
    assert churn.evaluate("document.getElementById('e0').innerText") == ""
    assert not churn.evaluate("document.getElementById('f0').hasAttribute('aria-invalid')")


def test_what_the_program_refuses_always_is_not_offered(churn: Page) -> None:
    churn.drive("await page.waitForFunction(() => !document.querySelector('#f2 [value=other]'))")
    offered = "[...document.querySelectorAll('.missing')].map((m) => m.hidden)"
    churn.drive(f"await page.waitForFunction(() => {offered}.join() === 'true,false,true,false')")
    assert churn.evaluate("Boolean(document.querySelector('#f3 [value=other]'))")


def test_another_category(churn: Page, registry: LocalRegistry) -> None:
    program = sclbl.load("churn", registry=registry)
    filled(churn, "#f3", "other")
    filled(churn, "#f3o", "Zwolle")
    row = pd.DataFrame([{**row_in(churn), "city": "Zwolle"}])
    assert shares(churn) == program.predict_proba(row)[0].tolist()


def test_a_slider_and_its_field_are_one(churn: Page) -> None:
    churn.run(
        """
        const slider = document.querySelector(".slider");
        slider.value = "33";
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        """
    )
    settled(churn)
    assert churn.evaluate("document.getElementById('f0').value") == "33"


def test_a_form_works_with_the_keyboard_alone(churn: Page) -> None:
    churn.drive("await page.focus('#f0'); await page.keyboard.press('Tab')")
    assert churn.evaluate("document.activeElement.className") == "slider"
    churn.drive("await page.focus('#f1'); await page.keyboard.type('1')")
    settled(churn)
    churn.drive("await page.focus('#f2'); await page.keyboard.press('ArrowDown')")
    assert settled(churn).splitlines()[0] in ("left", "stayed")


def test_numbers_of_other_models(chromium: Browser, url: str, registry: LocalRegistry) -> None:
    page = chromium.page(f"{url}/d/linear")
    settled(page)
    filled(page, "#f0", "-0.1")
    filled(page, "#f2", "1e-3")
    expected = sclbl.load("linear", registry=registry).predict([[-0.1, 1.0, 1e-3]])[0]
    assert exact(page) == expected
    page.goto(f"{url}/d/sentiment")
    settled(page)
    assert page.evaluate("document.getElementById('f0').tagName") == "TEXTAREA"
    filled(page, "#f0", "a very good\nfilm")
    program = sclbl.load("sentiment", registry=registry)
    assert shares(page) == program.predict_proba(["a very good\nfilm"])[0].tolist()
    page.goto(f"{url}/d/power")
    settled(page)
    filled(page, "#f1", "-1")
    assert "is outside of the range" in page.evaluate("document.getElementById('e1').innerText")
    assert page.evaluate("document.getElementById('h1').innerText") == "more than 0"
    page.close()


def test_values_of_a_call_and_lists(chromium: Browser, url: str, registry: LocalRegistry) -> None:
    page = chromium.page(f"{url}/d/near")
    settled(page)
    for field in ("#f0", "#f1", "#f2"):
        filled(page, field, "0.25")
    page.drive("await page.select('#method', 'radius_neighbors')")
    settled(page)
    program = sclbl.load("near", registry=registry)
    for given, radius in (("", 3.0), ("0.75", 0.75), ("1", 1.0)):
        filled(page, "#f3", given)
        found = page.evaluate(
            "[...document.querySelectorAll('.values')]"
            ".map((list) => [...list.querySelectorAll('dd')].map((dd) => Number(dd.innerText)))"
        )
        expected = program.radius_neighbors([[0.25] * 3], radius=radius)
        assert found == [part[0].tolist() for part in expected]
    filled(page, "#f3", "far")
    assert "not a number" in page.evaluate("document.getElementById('e3').innerText")
    assert page.evaluate("document.querySelectorAll('.values').length") == 0
    page.close()


def test_rows_that_are_no_table(chromium: Browser, url: str, registry: LocalRegistry) -> None:
    page = chromium.page(f"{url}/d/features")
    settled(page)
    filled(page, "#f0", '{"age": 1.5, "city": "Breda"}')
    program = sclbl.load("features", registry=registry)
    expected = program.predict_proba([{"age": 1.5, "city": "Breda"}])[0].tolist()
    assert shares(page) == expected
    for text in ("{", '{"age": "x", "age": []}', "[1]", "7"):
        assert filled(page, "#f0", text) == "No prediction: see the field that is marked."
        assert page.evaluate("document.getElementById('e0').innerText")
    assert page.evaluate("document.getElementById('file')") is None
    page.close()


def test_whole_numbers_are_never_rounded(
    chromium: Browser, url: str, registry: LocalRegistry, tmp_path: Path
) -> None:
    page = chromium.page(f"{url}/d/counts")
    settled(page)
    program = sclbl.load("counts", registry=registry)
    filled(page, "#f0", "9007199254740992")
    assert exact(page) == program.predict([2**53])[0]
    # A number of JavaScript would be the one before it.
    assert filled(page, "#f0", "9007199254740993").startswith("No prediction")
    with pytest.raises(InputError) as raised:
        program.predict([2**53 + 1])
    said = page.evaluate("document.getElementById('e0').innerText")
    assert "9007199254740993" in said
    assert "9007199254740993" in str(raised.value)
    path = tmp_path / "rows.csv"
    path.write_text("n\n9007199254740993\n")
    assert "9007199254740993" in given(page, path)
    page.close()


def test_the_server_predicts_what_stays_there(
    chromium: Browser, url: str, registry: LocalRegistry
) -> None:
    page = chromium.page(f"{url}/d/kept")
    settled(page)
    filled(page, "#f0", "0.1")
    expected = sclbl.load("kept", registry=registry).predict([[0.1, 1.0, 1.0]])[0]
    assert exact(page) == expected
    where = page.evaluate("document.getElementById('where').innerText")
    assert re.match(r"Computed by the server \(.*server-only\), in ", where)
    page.close()


def test_a_tag_chooses_a_widget(chromium: Browser, url: str, registry: LocalRegistry) -> None:
    registry.edit("sentiment", tags={"widget": "text"})
    try:
        page = chromium.page(f"{url}/d/sentiment")
        page.drive("await page.waitForSelector('#widget textarea, #widget input')")
        assert page.evaluate("document.getElementById('form')") is None
        assert page.said == []
        registry.edit("sentiment", tags={"widget": "globe"})
        page.goto(f"{url}/d/sentiment")
        settled(page)
        assert "there is no widget" in page.evaluate("document.querySelector('.note').innerText")
        page.close()
    finally:
        registry.edit("sentiment", tags={"widget": None})


def test_firefox_predicts_the_same(firefox: Browser, url: str, registry: LocalRegistry) -> None:
    page = firefox.page(f"{url}/d/churn@1")
    settled(page)
    filled(page, "#f1", "12345.678")
    row = pd.DataFrame([row_in(page)])
    expected = sclbl.load("churn@1", registry=registry).predict_proba(row)[0].tolist()
    assert shares(page) == expected
    assert page.said == []
    page.close()


# ----------------------------------------------------------------- the batch


def given(page: Page, path: Path) -> str:
    """Give a file to the batch, and return what is said when it is done."""
    page.drive("await (await page.$('#file')).uploadFile(given)", str(path))
    page.drive(
        "await page.waitForFunction(() => {"
        " const text = document.getElementById('progress-text').innerText;"
        " return /predicted in|kept/.test(text) })"
    )
    return str(page.evaluate("document.getElementById('progress-text').innerText"))


def test_a_table_comes_back_with_its_predictions(
    churn: Page, registry: LocalRegistry, tmp_path: Path
) -> None:
    frame = pd.concat([customers()] * 12, ignore_index=True)
    frame["note"] = [f'"{k}", said\r\nshe = {k}' for k in range(len(frame))]
    frame = frame[["note", "city", "plan", "income", "age"]]
    path = tmp_path / "rows.csv"
    text = frame.to_csv(index=False, lineterminator="\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    churn.drive("await page.select('#method', 'predict_proba')")
    settled(churn)
    assert given(churn, path).startswith("1,440 rows predicted in ")
    found = downloaded(churn, tmp_path)
    original, *_ = csv.reader(io.StringIO(text, newline=""))
    header, *rows = csv.reader(io.StringIO(found, newline=""))
    assert header == [*original, "predict_proba_left", "predict_proba_stayed"]
    assert [row[:5] for row in rows] == list(csv.reader(io.StringIO(text, newline="")))[1:]
    expected = sclbl.load("churn", registry=registry).predict_proba(frame)
    assert [[float(v) for v in row[5:]] for row in rows] == expected.tolist()


def downloaded(page: Page, folder: Path) -> str:
    """Save what the page offers, as a click does, and return it."""
    page.drive(
        """
        const session = await page.createCDPSession();
        await session.send("Browser.setDownloadBehavior", {
          behavior: "allow", downloadPath: given, eventsEnabled: true });
        const done = new Promise((resolve) => session.on("Browser.downloadProgress",
          (event) => event.state === "completed" && resolve()));
        await page.click("#save");
        await done;
        """,
        str(folder),
    )
    (path,) = folder.glob("rows-*.csv")
    return path.read_bytes().decode()


HEADER = "age,income,plan,city\n"
FAULTS = {
    "age;income;plan;city\n40;1;gold;Breda\n": "separated by semicolons",
    "": "The file is empty",
    HEADER: "a header and no rows",
    "age,plan,city\n40,gold,Breda\n": "The header lacks “income”",
    f"age,{HEADER}": "more than one column “age”",
    HEADER + "40,1,gold,Breda\n41,x,gold,Breda\n": "Row 1 (line 3), column “income”: “x” is not",
    HEADER + '40,1,gold,"Bre\nda"\n41,1,gold\n': "Row 1 (line 4) has 3 fields",
    HEADER + "40,1,gold,Breda\n" * 600 + "41,1,bronze,Breda\n": "Row 600 (line 602), column 'plan'",
    HEADER + '40,1,gold,"Breda\n': "ends within double quotes",
    HEADER + '40,1,gold,"Breda"x\n': "follows a closing double quote",
    "\n" + HEADER + "40,1,gold,Breda\n": "The file is empty",
    "sep=,\n" + HEADER: "The first line of this file is “sep=,”, which only spreadsheets read",
    HEADER + "40\ufeff,1,gold,Breda\n": "is not a number",
}


@pytest.mark.parametrize("text", FAULTS, ids=range(len(FAULTS)))
def test_a_table_that_is_refused(churn: Page, text: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(text, newline="")
    said = given(churn, path)
    assert FAULTS[text] in said
    assert said.endswith("Nothing was kept.")
    assert churn.evaluate("document.getElementById('save').hidden")


def test_a_table_that_was_mended_is_read_again(churn: Page, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(HEADER + "40,x,gold,Breda\n")
    choose = """
        const [chooser] = await Promise.all([page.waitForFileChooser(), page.click("#file")]);
        await chooser.accept([given]);
        await page.waitForFunction(() =>
          /predicted in|kept/.test(document.getElementById("progress-text").innerText));
    """
    said = "document.getElementById('progress-text').innerText"
    churn.drive(choose, str(path))
    assert "“x” is not a number" in churn.evaluate(said)
    path.write_text(HEADER + "40,1,gold,Breda\n")
    churn.drive(choose, str(path))
    churn.drive("await page.waitForFunction(() => /1 row predicted/.test(document.body.innerText))")


def test_a_table_that_is_no_text(churn: Page, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes("age,income,plan,city\n40,1,gold,é\n".encode("latin-1"))
    assert "not UTF-8" in given(churn, path)


def test_a_table_can_be_stopped(churn: Page, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(HEADER + "40,1,gold,Breda\n" * 400_000)
    churn.drive("await (await page.$('#file')).uploadFile(given)", str(path))
    churn.drive("await page.waitForSelector('#stop', { visible: true }); await page.click('#stop')")
    churn.drive(
        "await page.waitForFunction(() => "
        "document.getElementById('progress-text').innerText === 'Stopped. Nothing was kept.')"
    )
    assert churn.evaluate("document.getElementById('save').hidden")


# ------------------------------------------------------------------ the code


def code_in(html: str) -> dict[str, str]:
    """Return the code on a page, by language."""
    section = html.partition('id="code-title"')[2]
    found = re.findall(r"<h3>([\w ]+)</h3>.*?<code id=\"code\d\">(.*?)</code>", section, re.DOTALL)
    return {language: unescape(text) for language, text in found}


@pytest.mark.parametrize(
    "ref", ["churn@1", "linear", "sentiment", "features", "near", "kept", "whole", "two"]
)
def test_the_code_on_a_page_works_as_it_stands(
    url: str, registry: LocalRegistry, ref: str, tmp_path: Path
) -> None:
    code = code_in(requests.get(f"{url}/d/{ref}", timeout=30).text)
    assert list(code) == ["curl", "Python", "JavaScript"]
    record = registry.get(ref)
    told = subprocess.run(["bash", "-c", code["curl"]], capture_output=True, check=True, text=True)
    (result,) = json.loads(told.stdout)["results"]
    script = tmp_path / "script.py"
    script.write_text(code["Python"])
    environment = {**os.environ, "SCLBL_HOME": str(tmp_path)}
    python = subprocess.run(
        [sys.executable, script], capture_output=True, check=True, text=True, env=environment
    )
    module = tmp_path / "script.mjs"
    module.write_text(code["JavaScript"])
    deno = Path(sys.executable).with_name("deno")
    ran = subprocess.run(
        [deno, "run", "--quiet", "--no-lock", "--allow-net", "--allow-import", module],
        capture_output=True,
        text=True,
        env={**environment, "DENO_DIR": str(tmp_path / "deno"), "NO_COLOR": "1"},
    )
    assert ran.returncode == 0, ran.stderr
    assert record.methods
    for said in (python.stdout, ran.stdout):
        if isinstance(result, str):
            assert said.strip().strip("[] \n'\"") == result
            continue
        # NumPy prints eight digits.
        numbers = [float(n) for n in re.findall(r"-?\d+(?:\.\d*)?(?:e[+-]?\d+)?", said)]
        assert np.allclose(numbers, np.ravel(result), rtol=1e-6)


# ------------------------------------------------------------ without scripts


def test_headers_of_every_page(url: str) -> None:
    for path, status in (("/", 200), ("/d/churn", 200), ("/login", 200), ("/d/nobody", 404)):
        answer = requests.get(url + path, headers={"accept": "text/html"}, timeout=30)
        assert answer.status_code == status
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        # Nothing inline, but data.
        assert (
            re.findall(r"<script(?! type=\"application/json\"| type=\"module\" src)", answer.text)
            == []
        )
        assert "style=" not in answer.text
        assert "<style" not in answer.text


def test_what_is_not_there_is_a_page_with_its_status(url: str, registry: LocalRegistry) -> None:
    record = registry.get("linear")
    sclbl.upload(sclbl.load("linear", registry=registry), name="gone", registry=registry)
    registry.delete("gone@1")
    for ref, status, said in (
        ("nobody", 404, "nobody"),
        ("churn@99", 404, "churn has no version 99"),
        ("gone@1", 410, "was deleted on"),
        ("No Name", 400, "No Name"),
    ):
        answer = requests.get(f"{url}/d/{ref}", headers={"accept": "text/html"}, timeout=30)
        assert answer.status_code == status, ref
        assert "<!doctype html>" in answer.text
        assert said in answer.text
        plain = requests.get(f"{url}/d/{ref}", headers={"accept": "application/json"}, timeout=30)
        assert plain.status_code == status
        assert plain.json()["error"]["message"]
    assert record.ref == "linear@1"


def test_programs_that_take_json_alone_find_what_they_found_before(url: str) -> None:
    answer = requests.get(f"{url}/", headers={"accept": "application/json"}, timeout=30)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"
    version = requests.get(
        f"{url}/v1/deployments/churn", headers={"accept": "text/html"}, timeout=30
    )
    assert version.json()["ref"] == "churn@2"


def test_assets_are_kept_and_checked(url: str) -> None:
    for name in ("sclbl.js", "page.js", "page.css"):
        fixed = requests.get(f"{url}/assets/{digest()}/{name}", timeout=30)
        assert fixed.content == assets()[name]
        assert fixed.headers["cache-control"] == "public, max-age=31536000, immutable"
        loose = requests.get(f"{url}/assets/{name}", timeout=30)
        assert loose.headers["cache-control"] == "no-cache"
        known = {"if-none-match": loose.headers["etag"]}
        assert requests.get(f"{url}/assets/{name}", headers=known, timeout=30).status_code == 304
        other = requests.get(f"{url}/assets/0000/{name}", timeout=30)
        assert other.status_code == 404
    assert requests.get(f"{url}/assets/page.py", timeout=30).status_code == 404


def test_pages_are_light() -> None:
    assert bundle.weight(bundle.page_script()) + bundle.weight(bundle.page_style()) <= MOST


def test_the_list_is_searched_and_comes_in_parts(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from sclbl.server import pages

    def names(query: str) -> list[str]:
        html = requests.get(f"{url}/{query}", timeout=30).text
        return re.findall(r'<a href="d/([^"]+)"><bdi>', html)

    everything = names("")
    assert everything == sorted(everything)
    assert {"churn", "features", "kept", "linear", "power", "sentiment"} <= set(everything)
    assert names("?q=CHU") == ["churn"]
    assert names("?q=%3Cscript%3E") == []
    monkeypatch.setattr(pages, "LISTED", 2)
    first = requests.get(f"{url}/?q=e", timeout=30).text
    wanted = [name for name in everything if "e" in name]
    assert names("?q=e") == wanted[:2]
    (rest,) = re.findall(r'rel="next" href="(\?[^"]+)"', first)
    assert names(rest.replace("&amp;", "&")) == wanted[2:4]


def test_the_page_says_what_the_registry_says(url: str, registry: LocalRegistry) -> None:
    html = requests.get(f"{url}/d/churn@production", timeout=30).text
    record = registry.get("churn@1")
    assert record.sha256 in html
    assert "<h3>Churn</h3>" in html
    assert '<a href="https://example.org/handbook" rel="noopener noreferrer nofollow">' in html
    assert "It predicts the same." in html
    assert "equal to the last bit in" in html
    assert 'href="./churn@2"' in html
    assert 'href="./churn@beta"' in html
    assert re.search(r"<dt><bdi>auc</bdi></dt><dd>0.87</dd>", html)


# ---------------------------------------------------------------- server-only


def test_a_program_that_stays_on_its_server(url: str, registry: LocalRegistry) -> None:
    record = registry.get("kept")
    token = {"authorization": f"Bearer {TOKEN}"}
    for path in (f"/v1/programs/{record.sha256}.wasm", f"/v1/specs/{record.spec_sha256}.onnx"):
        refused = requests.get(url + path, timeout=30)
        assert refused.status_code == 403
        assert refused.json()["error"]["code"] == "server_only"
        given = requests.get(url + path, headers=token, timeout=30)
        assert given.status_code == 200
        assert given.headers["cache-control"] == "private, no-cache"
    html = requests.get(f"{url}/d/kept", timeout=30).text
    assert "Its program stays on the server" in html
    assert ".wasm" not in html


def test_what_another_version_gives_everyone_is_given(url: str, registry: LocalRegistry) -> None:
    program = sclbl.load("kept", registry=registry)
    path = f"{url}/v1/programs/{program.sha256}.wasm"
    assert requests.get(path, timeout=30).status_code == 403
    sclbl.upload(program, name="free", registry=registry)
    assert requests.get(path, timeout=30).status_code == 200
    registry.delete("free")
    assert requests.get(path, timeout=30).status_code == 403
