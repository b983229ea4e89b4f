"""The OpenAPI document is valid, and its examples predict."""

from __future__ import annotations

from typing import Any

import jsonschema
import requests

from tests.server.conftest import Case, Served


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
        for verb, operation in item.items():
            assert verb in {"get", "put", "post", "delete"}
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


def test_examples_predict(server: Served, cases: dict[str, Case]) -> None:
    document = server.get("/openapi.json").json()
    for name in cases:
        path = f"/v1/deployments/{name}/predict"
        operation = resolve(document, document["paths"][path]["post"])
        media = operation["requestBody"]["content"]["application/json"]
        jsonschema.validate(media["example"], media["schema"])
        answer = server.post(path, json=media["example"])
        answer.raise_for_status()
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema.validate(answer.json(), schema)
        (method,) = (p for p in operation["parameters"] if p["name"] == "method")
        for each in method["schema"]["enum"]:
            answer = server.post(path, json=media["example"], params={"method": each})
            answer.raise_for_status()
            jsonschema.validate(answer.json(), schema)


def test_examples_know_categories(server: Served) -> None:
    paths = server.get("/openapi.json").json()["paths"]
    body = paths["/v1/deployments/mixed/predict"]["post"]["requestBody"]
    example = body["content"]["application/json"]["example"]
    assert example["rows"][0]["plan"] in ("basic", "gold")


def test_answers_match_their_schemas(server: Served) -> None:
    document = server.get("/openapi.json").json()
    record = server.get("/v1/deployments/numbers@1").json()
    history = server.get("/v1/deployments/numbers/aliases/production/history").json()
    refused: requests.Response = server.get("/v1/deployments/nobody")
    schemas = document["components"]["schemas"]
    jsonschema.validate(record, schemas["Deployment"])
    jsonschema.validate(history["history"][0], schemas["AliasEvent"])
    jsonschema.validate(refused.json(), schemas["Error"])
