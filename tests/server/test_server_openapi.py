"""The OpenAPI document is valid, and its examples predict."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import jsonschema
import pandas as pd
import pytest
import requests
from sklearn.linear_model import LinearRegression

import sclbl
from sclbl.registry.local import LocalRegistry
from tests.server.conftest import Case, Served, error
from tests.server.threads import serving


def resolve(document: dict[str, Any], schema: Any) -> Any:
    """Return a schema with its references put in place."""
    if isinstance(schema, list):
        return [resolve(document, item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return resolve(document, document["components"]["schemas"][schema["$ref"].split("/")[-1]])
    return {key: resolve(document, value) for key, value in schema.items()}


def check_schemas(node: Any) -> int:
    """Check every schema in a document, and return how many there are."""
    found = 0
    if isinstance(node, dict):
        if "schema" in node:
            jsonschema.Draft202012Validator.check_schema(node["schema"])
            found += 1
        return found + sum(check_schemas(value) for value in node.values())
    if isinstance(node, list):
        return sum(check_schemas(value) for value in node)
    return 0


def test_document_is_whole(server: Served) -> None:
    document = server.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1.")
    assert set(document["info"]) >= {"title", "version"}
    assert check_schemas(document) > 20
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for path, item in document["paths"].items():
        if "$ref" in item:
            continue
        for verb, operation in item.items():
            assert verb in {"get", "put", "post", "patch", "delete"}
            assert operation["summary"]
            assert "default" in operation["responses"]
            named = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
            assert named == {part.split("}")[0] for part in path.split("{")[1:]}


def test_every_route_is_described(server: Served) -> None:
    from sclbl.server.app import ROUTES

    paths = server.get("/openapi.json").json()["paths"]
    for route in ROUTES:
        if route.path != "/openapi.json":
            verbs = {verb.lower() for verb in route.methods or ()} - {"head"}
            assert verbs <= set(paths[route.path]), route.path


def described(server: Served, ref: str) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """Return the document of a ref, its one path, and the operation there without references."""
    answer = server.get(f"/v1/deployments/{ref}/openapi.json")
    answer.raise_for_status()
    document = answer.json()
    ((path, item),) = document["paths"].items()
    assert path == f"/v1/deployments/{ref}/predict"
    return document, path, resolve(document, item["post"])


def test_examples_predict(server: Served, cases: dict[str, Case]) -> None:
    for name in cases:
        for ref in (name, f"{name}@1", f"{name}@production"):
            document, path, operation = described(server, ref)
            check_schemas(document)
            media = operation["requestBody"]["content"]["application/json"]
            (method,) = (p for p in operation["parameters"] if p["name"] == "method")
            bodies = [media["example"], media["example"]["rows"]]
            if name == "mixed":
                bodies += media["example"]["rows"]
            schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
            for body in bodies:
                jsonschema.validate(body, media["schema"])
                for each in method["schema"]["enum"]:
                    answer = server.post(path, json=body, params={"method": each})
                    answer.raise_for_status()
                    jsonschema.validate(answer.json(), schema)


def test_examples_know_categories(server: Served) -> None:
    _, _, operation = described(server, "mixed")
    example = operation["requestBody"]["content"]["application/json"]["example"]
    assert example["rows"][0]["plan"] in ("basic", "gold")


def test_links_lead_to_the_documents(server: Served, cases: dict[str, Case]) -> None:
    paths = server.get("/openapi.json").json()["paths"]
    linked = {path: item["$ref"] for path, item in paths.items() if "$ref" in item}
    assert set(linked) == {f"/v1/deployments/{name}/predict" for name in cases}
    for path, link in linked.items():
        place, _, pointer = urljoin(f"{server.url}/openapi.json", link).partition("#")
        document = requests.get(place, timeout=30).json()
        for part in pointer.lstrip("/").split("/"):
            document = document[part.replace("~1", "/").replace("~0", "~")]
        assert set(document) == {"post"}, path


def test_a_document_of_what_is_not_there(server: Served) -> None:
    assert error(server.get("/v1/deployments/nobody/openapi.json"))[:2] == (404, "not_found")
    assert error(server.get("/v1/deployments/No/openapi.json"))[:2] == (400, "invalid_ref")
    assert "only 'after'" in error(server.get("/openapi.json?page=2"))[2]


def test_pages_hold_every_deployment_once(
    tmp_path: Path, cases: dict[str, Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sclbl.server.openapi.PAGE", 2)
    with LocalRegistry(tmp_path) as registry:
        for name in "edcab":
            registry.create(name, cases["linear"].wasm, cases["linear"].spec)
        with serving(registry) as (url, _):
            found, place = [], f"{url}/openapi.json"
            for _ in range(3):
                answer = requests.get(place, timeout=30)
                document = answer.json()
                names = [
                    path.split("/")[3] for path, item in document["paths"].items() if "$ref" in item
                ]
                found.append(names)
                more = document.get("x-sclbl-next")
                assert answer.links.get("next", {}).get("url") == more
                place = urljoin(place, more or "")
    assert found == [["a", "b"], ["c", "d"], ["e"]]
    assert more is None


def test_a_damaged_program_takes_only_its_own_example(
    tmp_path: Path, cases: dict[str, Case]
) -> None:
    with LocalRegistry(tmp_path) as registry:
        for name in ("linear", "scaler"):
            registry.create(name, cases[name].wasm, cases[name].spec)
        sha256 = registry.get("linear").sha256
        (file,) = tmp_path.rglob(f"{sha256}*")
        file.chmod(0o600)
        file.write_bytes(b"damaged")
        with serving(registry) as (url, _):
            whole = requests.get(f"{url}/openapi.json", timeout=30)
            assert set(whole.json()["paths"]) >= {"/v1/deployments/linear/predict"}
            for name, has in (("linear", False), ("scaler", True)):
                answer = requests.get(f"{url}/v1/deployments/{name}/openapi.json", timeout=30)
                (item,) = answer.json()["paths"].values()
                media = item["post"]["requestBody"]["content"]["application/json"]
                assert ("example" in media) == has


def test_the_document_of_the_server_reads_no_program(
    tmp_path: Path, cases: dict[str, Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    with LocalRegistry(tmp_path) as registry:
        registry.create("linear", cases["linear"].wasm, cases["linear"].spec)

        def fail(*arguments: Any) -> bytes:
            raise AssertionError("read")

        monkeypatch.setattr(registry, "program", fail)
        monkeypatch.setattr(registry, "spec", fail)
        with serving(registry) as (url, _):
            assert requests.get(f"{url}/openapi.json", timeout=30).status_code == 200


def test_an_allowed_example_is_shown(tmp_path: Path) -> None:
    rows = pd.DataFrame({"age": [41.5, 3.0, 8.0], "n": [7, 8, 9]})
    model = LinearRegression().fit(rows, [1.0, 2.0, 3.0])
    with LocalRegistry(tmp_path) as registry:
        sclbl.upload(model, rows, name="shown", example=True, registry=registry)
        with serving(registry) as (url, _):
            document = requests.get(f"{url}/v1/deployments/shown/openapi.json", timeout=30).json()
    (item,) = document["paths"].values()
    media = item["post"]["requestBody"]["content"]["application/json"]
    assert media["example"] == {"rows": [{"age": 41.5, "n": 7}]}


def test_answers_match_their_schemas(server: Served) -> None:
    document = server.get("/openapi.json").json()
    record = server.get("/v1/deployments/numbers@1").json()
    history = server.get("/v1/deployments/numbers/aliases/production/history").json()
    refused: requests.Response = server.get("/v1/deployments/nobody")
    schemas = document["components"]["schemas"]
    jsonschema.validate(record, schemas["Deployment"])
    jsonschema.validate(history["history"][0], schemas["AliasEvent"])
    jsonschema.validate(refused.json(), schemas["Error"])
