"""Static sites: a folder or a file with the page, the loader and the program, without a server."""

from __future__ import annotations

import base64
import functools
import hashlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

import sclbl
from sclbl.cli import main
from sclbl.deployment import Deployment
from sclbl.errors import LimitError, RegistryError, RequestError, SclblError
from sclbl.registry.local import LocalRegistry
from sclbl.web import frame
from tests.web.browser import Browser
from tests.web.test_pages import code_in, downloaded, given, row_in, shares
from tests.web.uploaded import customers, filled, opened, settled

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRegistry]:
    with opened(tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture(scope="module")
def churn(registry: LocalRegistry) -> Deployment:
    return sclbl.get("churn", registry=registry)


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, and says nothing."""

    def log_message(self, *_: object) -> None: ...


@contextmanager
def hosted(folder: Path) -> Iterator[str]:
    """Serve a folder as any static host does, with no header of ours."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("kind", ["chromium", "firefox"])
def test_a_site_predicts_in_a_folder_of_any_host(
    request: pytest.FixtureRequest, kind: str, churn: Deployment, tmp_path: Path
) -> None:
    browser: Browser = request.getfixturevalue(kind)
    assert churn.site(tmp_path / "a" / "churn") == tmp_path / "a" / "churn" / "index.html"
    with hosted(tmp_path) as url:
        page = browser.page(f"{url}/a/churn/")
        settled(page)
        filled(page, "#f1", "1234.5")
        expected = churn.predict_proba(pd.DataFrame([row_in(page)]))[0].tolist()
        assert shares(page) == expected
        assert page.said == []
        page.close()


@pytest.mark.parametrize("kind", ["chromium", "firefox"])
def test_a_single_file_predicts_from_a_disk(
    request: pytest.FixtureRequest, kind: str, churn: Deployment, tmp_path: Path
) -> None:
    browser: Browser = request.getfixturevalue(kind)
    path = churn.site(tmp_path / "churn.html", single_file=True)
    assert os.listdir(tmp_path) == ["churn.html"]
    page = browser.page(path.as_uri())
    settled(page)
    filled(page, "#f1", "1234.5")
    assert shares(page) == churn.predict_proba(pd.DataFrame([row_in(page)]))[0].tolist()
    assert page.said == []
    page.close()


def test_a_single_file_allows_its_own_scripts_by_hash_alone(
    churn: Deployment, tmp_path: Path
) -> None:
    text = churn.site(tmp_path / "one.html", single_file=True).read_text(encoding="utf-8")
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    policy = policy.replace("&#39;", "'")
    (script,) = re.findall(r'<script type="module">(.*?)</script>', text, re.DOTALL)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    for kind, part in (("script-src", script), ("style-src", style)):
        digest = base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe-inline" not in policy
    assert "'unsafe-eval'" not in policy
    (program,) = re.findall(r'<script type="text/plain" id="program">(.*?)</script>', text)
    assert base64.b64decode(program) == churn.wasm


def test_a_site_has_what_it_needs_and_nothing_of_a_server(
    churn: Deployment, tmp_path: Path
) -> None:
    index = churn.site(tmp_path)
    program = f"program-{churn.sha256[:8]}.wasm"
    assert sorted(os.listdir(tmp_path)) == sorted(
        ["index.html", "page.css", "page.js", "sclbl.js", program]
    )
    assert (tmp_path / program).read_bytes() == churn.wasm
    text = index.read_text(encoding="utf-8")
    assert "curl" not in text
    assert "All deployments" not in text
    assert not re.search(r'(?:src|href)="(?!\./|#|data:|https://example\.org)', text)


def test_the_code_of_a_site_works_as_it_stands(churn: Deployment, tmp_path: Path) -> None:
    code = code_in(churn.site(tmp_path).read_text(encoding="utf-8"))
    assert list(code) == ["JavaScript", "Python", "Command line"]
    home = {**os.environ, "SCLBL_HOME": str(tmp_path / "home")}
    home["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{home['PATH']}"
    shell = code["Command line"].replace("sclbl run", f"{sys.executable} -m sclbl run")
    (tmp_path / "own.mjs").write_text(code["JavaScript"])
    deno = str(Path(sys.executable).with_name("deno"))
    for command in (
        [sys.executable, "-c", code["Python"]],
        ["bash", "-c", shell],
        [deno, "run", "--quiet", "--no-lock", "--allow-read", "own.mjs"],
    ):
        done = subprocess.run(command, cwd=tmp_path, env=home, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert re.search(r"left|stayed", done.stdout)


def test_a_site_is_replaced_and_nothing_else(
    churn: Deployment, registry: LocalRegistry, tmp_path: Path
) -> None:
    linear = sclbl.get("linear", registry=registry)
    folder = tmp_path / "site"
    churn.site(folder)
    linear.site(folder)
    names = os.listdir(folder)
    assert f"program-{linear.sha256[:8]}.wasm" in names
    assert f"program-{churn.sha256[:8]}.wasm" not in names
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(RegistryError, match=r"holds 'notes\.txt', which is not of a site"):
        churn.site(folder)
    with pytest.raises(RegistryError, match=r"holds 'notes\.txt'"):
        churn.site(folder, single_file=True)
    assert sorted(os.listdir(folder)) == sorted([*names, "notes.txt"])
    other = tmp_path / "other"
    other.mkdir()
    (other / "index.html").write_text("<!doctype html><title>mine</title>")
    for single in (False, True):
        with pytest.raises(RegistryError, match="was not written by sclbl"):
            churn.site(other, single_file=single)
    with pytest.raises(RegistryError, match="was not written by sclbl"):
        churn.site(other / "index.html", single_file=True)
    assert "mine" in (other / "index.html").read_text()
    with pytest.raises(RegistryError, match="is a file"):
        churn.site(other / "index.html")
    assert churn.site(folder / "again.html", single_file=True).name == "again.html"
    assert churn.site(folder / "again.html", single_file=True).name == "again.html"


def test_a_site_that_was_written_half_is_written_again(
    churn: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Path] = []

    def full(path: Path, content: bytes) -> int:
        if len(written) == at:
            raise OSError(28, "No space left on device")
        written.append(path)
        return write(path, content)

    write = Path.write_bytes
    whole = sorted(os.listdir(churn.site(tmp_path / "whole").parent))
    for at in range(len(whole) + 1):
        folder = tmp_path / str(at)
        folder.mkdir()
        written.clear()
        with monkeypatch.context() as patched:
            patched.setattr(Path, "write_bytes", full)
            with pytest.raises(OSError, match="No space"):
                churn.site(folder)
        # What a kill leaves beside.
        (folder / f".page.js.{at:016x}.part").touch()
        assert sorted(os.listdir(churn.site(folder).parent)) == whole


WRITTEN = {
    "truths": (lambda x: x[:, 0] > 0, "a,b\n1,0\n-1,3\n"),
    "floats": (lambda x: np.where(x[:, 0] > 0, 1.0, 2.0), "a,b\n1,0\n-1,3\n"),
    "small": (lambda x: x[:, 0] * 1e-9, "a,b\n1,0\n-0,3\n٣,1e5\n１.５,\u20031\x85\n1e30,2\n"),  # noqa: RUF001
    "whole": (lambda x: x[:, 0], "0,1\n1,0\n0,-0\n-0,0\n"),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_table_is_written_as_the_command_line_writes_it(
    chromium: Browser, registry: LocalRegistry, tmp_path: Path, name: str
) -> None:
    target, text = WRITTEN[name]
    x = np.random.default_rng(3).integers(-4, 4, (40, 2)).astype(float)
    y = target(x)
    frame = x if name == "whole" else pd.DataFrame(x, columns=["a", "b"])
    maker = LinearRegression if y.dtype == float and len(set(y)) > 2 else LogisticRegression
    model = maker().fit(frame, y)
    method = "predict" if maker is LinearRegression else "predict_proba"
    deployment = sclbl.upload(model, frame[:4], name=f"written-{name}", registry=registry)
    path = tmp_path / "rows.csv"
    path.write_text(text, encoding="utf-8", newline="")
    program = deployment.save(tmp_path / "program.wasm")
    expected = subprocess.run(
        [sys.executable, "-m", "sclbl", "run", program, path, "--method", method],
        capture_output=True, text=True, check=True, encoding="utf-8",
    )  # fmt: skip
    page = chromium.page(deployment.site(tmp_path / "site.html", single_file=True).as_uri())
    settled(page)
    if method != "predict":
        page.drive("await page.select('#method', given)", method)
        settled(page)
    assert "predicted in" in given(page, path)
    lines, wanted = downloaded(page, tmp_path).split("\n"), expected.stdout.split("\n")
    width = wanted[0].count(",") + 1
    assert [",".join(line.split(",")[-width:]) for line in lines] == wanted
    page.close()


def test_a_table_has_no_two_columns_of_one_name(
    chromium: Browser, churn: Deployment, tmp_path: Path
) -> None:
    page = chromium.page(churn.site(tmp_path / "site.html", single_file=True).as_uri())
    settled(page)
    path = tmp_path / "rows.csv"
    customers()[:3].assign(predict="x", predict_2="y").to_csv(path, index=False)
    assert "3 rows predicted" in given(page, path)
    header = downloaded(page, tmp_path).splitlines()[0].split(",")
    assert header[-3:] == ["predict", "predict_2", "predict_3"]
    page.close()


def test_what_has_no_site(registry: LocalRegistry, churn: Deployment, tmp_path: Path) -> None:
    kept = sclbl.get("kept", registry=registry)
    for call in (lambda: kept.site(tmp_path / "x"), kept.page):
        with pytest.raises(RegistryError, match=r"kept@1 is marked server-only.*remove the tag"):
            call()
    with pytest.raises(RequestError, match="there is no widget 'globe'; take one of form"):
        churn.site(tmp_path / "x", widget="globe")
    for wrong in ({"top": float("nan")}, {"labels": {1, 2}}):
        with pytest.raises(RequestError, match="the widget's options are not JSON"):
            churn.site(tmp_path / "x", widget="canvas", options=wrong)
    assert os.listdir(tmp_path) == []


def test_the_command(
    registry: LocalRegistry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(["--registry", registry.location, "site", *arguments])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out + said.err

    folder = str(tmp_path / "site")
    assert run("churn@1", folder) == (0, f"{folder}/index.html\n")
    assert run("churn@1", f"{folder}.html", "--single-file") == (0, f"{folder}.html\n")
    for arguments, said in (
        (("nobody", folder), "nobody"),
        (("churn", folder, "--widget", "globe"), "there is no widget 'globe'"),
        (("churn", folder, "--options", "{"), "--options is not JSON"),
        (("churn", folder, "--options", "[]"), "--options is no JSON object"),
    ):
        code, text = run(*arguments)
        assert code == 1
        assert text.startswith("error: ")
        assert said in text


def test_a_notebook_shows_the_page(
    chromium: Browser, churn: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = churn.page(height=700)
    assert repr(shown) == "Page(ref='churn@2', height=700)"
    (tmp_path / "notebook.html").write_text(f"<!doctype html>{shown._repr_html_()}")
    page = chromium.page((tmp_path / "notebook.html").as_uri())
    page.drive(
        """
        const inside = await (await page.waitForSelector("iframe")).contentFrame();
        await inside.waitForSelector(".share");
        """
    )
    assert page.said == []
    page.close()
    monkeypatch.setattr(frame, "MOST", 1000)
    with pytest.raises(LimitError, match=r"write it to a folder with `deployment\.site\(path\)`"):
        churn.page()


def test_a_site_begins_with_a_row_that_the_program_takes(
    registry: LocalRegistry, tmp_path: Path
) -> None:
    frame = customers().drop(columns="income")
    assert isinstance(frame, pd.DataFrame)
    for name in ("power", "sentiment"):
        code = code_in(
            sclbl.get(name, registry=registry).site(tmp_path / name).read_text(encoding="utf-8")
        )
        done = subprocess.run(
            [sys.executable, "-c", code["Python"]],
            cwd=tmp_path / name,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    assert issubclass(RegistryError, SclblError)
