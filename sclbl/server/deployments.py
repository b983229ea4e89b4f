"""Deployments, versions and aliases: list, show, edit, promote, roll back, delete."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sclbl.errors import ConflictError, RequestError
from sclbl.registry.refs import parse_ref
from sclbl.server.bodies import Bounded
from sclbl.server.context import json_response, reading, record_json, writing
from sclbl.server.upload import aside, once

SMALL_BODY = 64 * 1024
#: What is written about a version may be long; the registry bounds each part of it.
EDIT_BODY = 32 * 1024 * 1024


class Promotion(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a promotion."""

    ref: str


class EditBody(msgspec.Struct, forbid_unknown_fields=True):
    """The body of an edit, a merge patch: what is left out stays, and null removes."""

    docs: str | msgspec.UnsetType | None = msgspec.UNSET
    tags: dict[str, str | None] | msgspec.UnsetType = msgspec.UNSET
    metrics: dict[str, float | None] | msgspec.UnsetType = msgspec.UNSET


async def list_deployments(request: Request) -> Response:
    """Return the newest live version of each deployment."""
    context = reading(request)
    records = await context.ask(context.registry.deployments)
    return json_response({"deployments": [record_json(r) for r in records]})


async def show(request: Request) -> Response:
    """Return the version that a ref names."""
    context = reading(request)
    record = await context.ask(context.registry.get, request.path_params["ref"])
    return json_response(record_json(record))


async def list_versions(request: Request) -> Response:
    """Return the live versions of one deployment, oldest first."""
    context = reading(request)
    records = await context.ask(context.registry.versions, request.path_params["name"])
    return json_response({"versions": [record_json(r) for r in records]})


async def history(request: Request) -> Response:
    """Return what an alias has named, oldest first."""
    context = reading(request)
    name, alias = request.path_params["name"], request.path_params["alias"]
    events = await context.ask(context.registry.history, name, alias)
    return json_response({"history": [e.to_json() for e in events]})


async def promote(request: Request) -> Response:
    """Make an alias name a version."""
    context = writing(request)
    name, alias = request.path_params["name"], request.path_params["alias"]
    body = await Bounded(request, "the promotion", SMALL_BODY, context.settings).read()
    try:
        ref = msgspec.json.decode(body, type=Promotion).ref
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(
            f'the body of a promotion must be {{"ref": "{name}@VERSION"}}: {error}'
        ) from None
    if parse_ref(ref).name != name:
        raise ConflictError(
            f"{ref} is not a version of {name}; an alias names versions of its own deployment"
        )
    record = await context.ask(context.registry.promote, ref, alias)
    context.predictor.forget()
    return json_response(record_json(record))


async def rollback(request: Request) -> Response:
    """Make an alias name the version it named before."""
    context = writing(request)
    name, alias = request.path_params["name"], request.path_params["alias"]
    record = await context.ask(context.registry.rollback, name, alias)
    context.predictor.forget()
    return json_response(record_json(record))


def _read_edit(body: bytes) -> EditBody:
    try:
        change = msgspec.json.decode(body, type=EditBody)
        json.loads(body, object_pairs_hook=once)
    except (ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise RequestError(
            'the body of an edit must be {"docs": text, "tags": {key: text}, "metrics": {key: '
            f"number}}}}, each of them if wanted, with null for what is removed: {error}"
        ) from None
    return change


async def edit(request: Request) -> Response:
    """Change the docs, tags or metrics of a version."""
    context = writing(request)
    body = await Bounded(request, "the edit", EDIT_BODY, context.settings).read()
    change = await aside(_read_edit, body)
    given: dict[str, Any] = {
        key: getattr(change, key)
        for key in EditBody.__struct_fields__
        if getattr(change, key) is not msgspec.UNSET
    }
    if given.get("docs", "") is None:
        given["docs"] = ""
    record = await context.ask(context.registry.edit, request.path_params["ref"], **given)
    context.predictor.forget()
    return json_response(record_json(record))


async def delete(request: Request) -> Response:
    """Delete a version or a whole deployment."""
    context = writing(request)
    await context.ask(context.registry.delete, request.path_params["ref"])
    context.predictor.forget()
    return Response(status_code=204)


ROUTES = [
    Route("/v1/deployments", list_deployments, methods=["GET"]),
    Route("/v1/deployments/{ref}", show, methods=["GET"]),
    Route("/v1/deployments/{ref}", edit, methods=["PATCH"]),
    Route("/v1/deployments/{ref}", delete, methods=["DELETE"]),
    Route("/v1/deployments/{name}/versions", list_versions, methods=["GET"]),
    Route("/v1/deployments/{name}/aliases/{alias}", promote, methods=["PUT"]),
    Route("/v1/deployments/{name}/aliases/{alias}/history", history, methods=["GET"]),
    Route("/v1/deployments/{name}/aliases/{alias}/rollback", rollback, methods=["POST"]),
]
