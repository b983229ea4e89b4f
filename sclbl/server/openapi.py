"""``GET /openapi.json``: the interface; and for each deployment a document of its own.

The first is made of names alone, a page of them at a time, and links to the others, so that it
costs the same however large the programs are.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import sclbl
from sclbl.errors import RequestError
from sclbl.json_calls import names_of
from sclbl.methods import default_method
from sclbl.registry.base import Record
from sclbl.server.context import Context, context_of, json_response, reading
from sclbl.server.examples import example_body, examples_of
from sclbl.server.payload import CSV, NDJSON
from sclbl.server.schemas import Json, body_schema, result_schema
from sclbl.signature import Signature

#: Deployments that one document links to.
PAGE = 100


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(description: str, schema: Json) -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _path(name: str, description: str) -> Json:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string"},
    }


REF = _path("ref", "`churn` (its newest version), `churn@3` or `churn@production`")
NAME = _path("name", "a deployment's name")
ALIAS = _path("alias", "a movable name for a version, such as `production`")
ID = _path("id", "what an upload was answered")
SHA256 = _path("sha256", "64 lower-case hex digits")
METHOD: Json = {
    "name": "method",
    "in": "query",
    "description": "a method of the program; predict by default, else transform",
    "schema": {"type": "string"},
}
KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "makes repeating safe: the same key returns the version made first",
    "schema": {"type": "string", "maxLength": 128},
}
WRITE: list[Json] = [{"token": []}]


def _operation(summary: str, answers: Json, *parameters: Json, **more: Any) -> Json:
    answers = {**answers, "default": _answer("an error", _ref("Error"))}
    operation: Json = {"summary": summary, "responses": answers, **more}
    if parameters:
        operation["parameters"] = list(parameters)
    return operation


def _file(media_type: str) -> Json:
    return {"description": "the file", "content": {media_type: {}}}


def _body(content: Json) -> Json:
    return {"required": True, "content": content}


def _predict_body(
    schema: Json, example: Any = None, others: Sequence[str] = ("application/x-ndjson", "text/csv")
) -> Json:
    media: Json = {"schema": schema}
    if example is not None:
        media["example"] = example
    text = {"schema": {"type": "string"}}
    return _body({"application/json": media, **dict.fromkeys(others, text)})


def _any_body() -> Json:
    """Return the schema of a body of which the model is not known."""
    rows: Json = {"type": "array", "items": {}}
    more = {"parameters": {"type": "object", "description": "values of the whole call, by name"}}
    inputs = {"type": "object", "additionalProperties": rows}
    return {
        "anyOf": [
            {"type": "object", "properties": {"rows": rows, **more}, "required": ["rows"]},
            {"type": "object", "properties": {"inputs": inputs, **more}, "required": ["inputs"]},
            rows,
            {},
        ]
    }


def _static_paths() -> dict[str, Json]:
    record, records = _ref("Deployment"), {"type": "array", "items": _ref("Deployment")}
    events = {"type": "array", "items": _ref("AliasEvent")}
    alias = "/v1/deployments/{name}/aliases/{alias}"
    form = {
        "type": "object",
        "required": ["spec", "details"],
        "properties": {
            "spec": {
                "type": "string",
                "contentMediaType": "application/zlib",
                "description": "an ONNX file, compressed with zlib",
            },
            "details": _ref("Details"),
        },
    }
    pending = _object(
        id={"type": "string"},
        name={"type": "string"},
        sha256={"type": "string"},
        size={"type": "integer"},
        expires_at={"type": "string", "format": "date-time"},
        url={"type": "string", "description": "relative to the server"},
    )
    confirmation = {
        "type": "object",
        "required": ["sha256"],
        "additionalProperties": False,
        "properties": {"sha256": {"type": "string"}, "stated": {"type": "object"}},
    }
    promotion = {
        "type": "object",
        "required": ["ref"],
        "properties": {"ref": {"type": "string"}},
    }
    return {
        "/healthz": {
            "get": _operation(
                "Whether the server works", {"200": _answer("it does", {"type": "object"})}
            )
        },
        "/v1/whoami": {
            "get": _operation(
                "Whether the token is right", {"200": _answer("it is", {"type": "object"})}
            )
        },
        "/v1/deployments": {
            "get": _operation(
                "List deployments, each with its newest version",
                {"200": _answer("the deployments", _object(deployments=records))},
            )
        },
        "/v1/deployments/{ref}": {
            "get": _operation("Show a version", {"200": _answer("the version", record)}, REF),
            "patch": _operation(
                "Edit the docs, tags or metrics of a version",
                {"200": _answer("the version", record)},
                REF,
                security=WRITE,
                requestBody=_body({"application/json": {"schema": _ref("Edit")}}),
            ),
            "delete": _operation(
                "Delete a version or a whole deployment",
                {"204": {"description": "deleted"}},
                REF,
                security=WRITE,
            ),
        },
        "/v1/deployments/{name}/versions": {
            "get": _operation(
                "List the versions of a deployment",
                {"200": _answer("oldest first", _object(versions=records))},
                NAME,
            ),
            "post": _operation(
                "Upload a spec, whose program becomes the next version",
                {
                    "201": _answer("the new version", record),
                    "202": _answer("other bytes, to be confirmed", _object(pending=pending)),
                },
                NAME,
                KEY,
                security=WRITE,
                requestBody=_body({"multipart/form-data": {"schema": form}}),
            ),
        },
        "/v1/pending/{id}.wasm": {
            "get": _operation(
                "Download a program that waits to be confirmed",
                {"200": _file("application/wasm")},
                ID,
                security=WRITE,
            )
        },
        "/v1/pending/{id}": {
            "post": _operation(
                "Confirm a program that waits",
                {"201": _answer("the new version", record)},
                ID,
                security=WRITE,
                requestBody=_body({"application/json": {"schema": confirmation}}),
            ),
            "delete": _operation(
                "Forget a program that waits",
                {"204": {"description": "forgotten"}},
                ID,
                security=WRITE,
            ),
        },
        alias: {
            "put": _operation(
                "Promote: make an alias name a version",
                {"200": _answer("the version", record)},
                NAME,
                ALIAS,
                security=WRITE,
                requestBody=_body({"application/json": {"schema": promotion}}),
            )
        },
        f"{alias}/rollback": {
            "post": _operation(
                "Make an alias name the version it named before",
                {"200": _answer("the version", record)},
                NAME,
                ALIAS,
                security=WRITE,
            )
        },
        f"{alias}/history": {
            "get": _operation(
                "What an alias has named",
                {"200": _answer("oldest first", _object(history=events))},
                NAME,
                ALIAS,
            )
        },
        "/v1/deployments/{ref}/predict": {
            "post": _operation(
                "Predict rows",
                {"200": _answer("one result a row", _prediction({}))},
                REF,
                METHOD,
                requestBody=_predict_body(_any_body()),
            )
        },
        "/v1/deployments/{ref}/openapi.json": {
            "get": _operation(
                "Describe one version: its inputs, methods and results, with an example",
                {"200": _answer("an OpenAPI document", {"type": "object"})},
                REF,
            )
        },
        "/v1/programs/{sha256}.wasm": {
            "get": _operation("A program", {"200": _file("application/wasm")}, SHA256)
        },
        "/v1/specs/{sha256}.onnx": {
            "get": _operation("A spec", {"200": _file("application/octet-stream")}, SHA256)
        },
    }


def _object(**properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _prediction(result: Json) -> Json:
    text = {"type": "string"}
    return _object(
        ref=text,
        name=text,
        version={"type": "integer"},
        sha256=text,
        method=text,
        results={"type": "array", "items": result},
    )


SCHEMAS: dict[str, Json] = {
    "Error": _object(
        error={
            "type": "object",
            "required": ["code", "message", "row", "column"],
            "properties": {
                "code": {"type": "string", "description": "stable, for programs"},
                "message": {"type": "string", "description": "what failed and what to do"},
                "row": {"type": ["integer", "null"], "description": "from 0"},
                "column": {"type": ["string", "null"]},
                "input": {"type": "string", "description": "which of several inputs it is of"},
                "shell": {"type": "string", "description": "the message for a terminal"},
            },
        }
    ),
    "Deployment": _object(
        name={"type": "string"},
        version={"type": "integer"},
        ref={"type": "string"},
        sha256={"type": "string"},
        spec_sha256={"type": "string"},
        size={"type": "integer"},
        created_at={"type": "string", "format": "date-time"},
        docs={"type": "string"},
        tags={"type": "object", "additionalProperties": {"type": "string"}},
        metrics={"type": "object", "additionalProperties": {"type": "number"}},
        aliases={"type": "array", "items": {"type": "string"}},
        manifest={"type": "object"},
        url={"type": "string", "description": "relative to the server"},
        checked={"type": ["object", "null"], "description": "program against spec"},
    ),
    "AliasEvent": _object(
        alias={"type": "string"},
        version={"type": ["integer", "null"]},
        at={"type": "string", "format": "date-time"},
        action={"enum": ["promote", "rollback", "delete"]},
    ),
    "Edit": {
        "type": "object",
        "additionalProperties": False,
        "description": "a merge patch: what is left out stays, and null removes",
        "properties": {
            "docs": {"type": ["string", "null"]},
            "tags": {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
            "metrics": {"type": "object", "additionalProperties": {"type": ["number", "null"]}},
        },
    },
    "Details": {
        "type": "object",
        "required": ["sha256", "spec_sha256"],
        "additionalProperties": False,
        "properties": {
            "sha256": {"type": "string", "description": "of the program that was verified"},
            "spec_sha256": {"type": "string", "description": "of the ONNX file"},
            "stated": {"type": "object", "description": "entries of the manifest: the report"},
            "alias": {"type": ["string", "null"]},
            "docs": {"type": ["string", "null"]},
            "tags": {"type": ["object", "null"], "additionalProperties": {"type": "string"}},
            "metrics": {"type": ["object", "null"], "additionalProperties": {"type": "number"}},
        },
    },
}


def _texts(signature: Signature) -> tuple[str, ...]:
    """Return the media types, beside JSON, that hold what a program takes."""
    if len(names_of(signature)) > 1:
        return ()
    return (NDJSON,) if signature.beside else (NDJSON, CSV)


def _deployment_path(ref: str, record: Record, example: Any) -> Json:
    signature = Signature.from_json(record.signature)
    methods = tuple(signature.outputs)
    default = default_method(methods)
    method = {**METHOD, "schema": {"type": "string", "enum": list(methods), "default": default}}
    results: Json = {"anyOf": [result_schema(signature.outputs[m]) for m in methods]}
    model = record.model.rpartition(".")[2]
    return {
        "post": _operation(
            f"Predict with {record.ref} ({model})",
            {"200": _answer("one result a row", _prediction(results))},
            method,
            tags=[record.name],
            description=record.docs,
            requestBody=_predict_body(
                body_schema(signature), example_body(signature, example), _texts(signature)
            ),
        )
    }


def _document(context: Context, title: str, paths: Json, **more: Any) -> Json:
    read: list[Json] = [{"token": []}] if context.guard.private else []
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": sclbl.__version__},
        "security": read,
        **more,
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _link(name: str) -> Json:
    """Return a path that is described in the deployment's own document, relative to this one."""
    pointer = f"/v1/deployments/{name}/predict".replace("~", "~0").replace("/", "~1")
    return {"$ref": f"v1/deployments/{name}/openapi.json#/paths/{pointer}"}


async def _names(request: Request) -> list[str]:
    """Return the names of all deployments; read again only after a change of the registry."""
    context, state = context_of(request), request.app.state
    # Before the names: a change in between makes the next request read them again.
    revision = await context.ask(context.registry.revision)
    known: tuple[int | None, list[str]] = getattr(state, "names", (None, []))
    if revision is None or revision != known[0]:
        records = await context.ask(context.registry.deployments)
        known = state.names = (revision, [record.name for record in records])
    return known[1]


async def openapi(request: Request) -> Response:
    """Return the OpenAPI document of the server, with links to those of one page of deployments."""
    context = reading(request)
    after = request.query_params.get("after", "")
    unknown = [key for key in request.query_params if key != "after"]
    if unknown:
        raise RequestError(f"{unknown[0]!r} is not a parameter here; there is only 'after'")
    paths = _static_paths()
    names = await _names(request)
    first = bisect_right(names, after)
    page = names[first : first + PAGE]
    for name in page:
        paths[f"/v1/deployments/{name}/predict"] = _link(name)
    headers = {"cache-control": "no-cache"}
    more: Json = {}
    if first + PAGE < len(names):
        there = f"openapi.json?after={page[-1]}"
        headers["link"] = f'<{there}>; rel="next"'
        more["x-sclbl-next"] = there
    return json_response(_document(context, "sclbl", paths, **more), headers=headers)


async def deployment_openapi(request: Request) -> Response:
    """Return the OpenAPI document of one deployment: its predict, with an example of its rows."""
    context = reading(request)
    ref = request.path_params["ref"]
    record = await context.ask(context.registry.get, ref)
    example = await examples_of(request).of(record)
    paths = {f"/v1/deployments/{ref}/predict": _deployment_path(ref, record, example)}
    # Relative to this document, so that it holds behind a prefix too.
    servers = [{"url": "../../.."}]
    document = _document(context, record.ref, paths, servers=servers)
    return json_response(document, headers={"cache-control": "no-cache"})


ROUTES = [
    Route("/openapi.json", openapi, methods=["GET"]),
    Route("/v1/deployments/{ref}/openapi.json", deployment_openapi, methods=["GET"]),
]
