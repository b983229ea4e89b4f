"""How a version is called in Python, JavaScript and over HTTP: code that works as it stands."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sclbl.example import in_python
from sclbl.json_calls import names_of
from sclbl.methods import default_method
from sclbl.registry.base import Record
from sclbl.signature import TABLE, Input, Signature
from sclbl.view import spelled


@dataclass(frozen=True, slots=True)
class Code:
    """A piece of code to copy.

    Parameters
    ----------
    language : str
        What it is called above the code.
    text : str
        The code.
    """

    language: str
    text: str


def _written(value: Any) -> Any:
    """Return data with whole numbers as people write them: 70 for 70.0."""
    if isinstance(value, dict):
        return {key: _written(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_written(part) for part in value]
    whole = isinstance(value, float) and value.is_integer() and 0 < abs(value) < 2**53
    return int(value) if whole else value


def of_server(
    record: Record, example: Any, server: str, *, private: bool, only: bool = False
) -> tuple[Code, ...]:
    """Return the code that calls a version on a server.

    Parameters
    ----------
    record : Record
        The version.
    example : object
        A row as JSON data, or the row of each input by its name; None where there is none.
    server : str
        The server's URL.
    private : bool
        Whether reads need the token; the code takes it from ``SCLBL_TOKEN``.
    only : bool
        Whether the program stays on the server, so that Python asks it too.
    """
    signature, method = Signature.from_json(record.signature), default_method(record.methods)
    example = _written(example)
    url = f"{server}/v1/deployments/{record.ref}"
    body = json.dumps(_body(signature, example), ensure_ascii=False)
    token = ' \\\n  -H "authorization: Bearer $SCLBL_TOKEN"' if private else ""
    curl = (
        f"curl -s {shlex.quote(f'{url}/predict?method={method}')}{token} \\\n"
        f"  -H 'content-type: application/json' \\\n  -d {shlex.quote(body)}"
    )
    login = f'sclbl.login({server!r}, os.environ["SCLBL_TOKEN"])\n' if private else ""
    if only:
        python = _asking(f"{url}/predict?method={method}", _body(signature, example), private)
        return (
            Code("curl", curl),
            Code("Python", python),
            _script(url, server, record, example, private),
        )
    where = "" if private else f", registry={server!r}"
    python = _python(
        signature,
        example,
        method,
        f"sclbl.get({record.ref!r}{where})",
        login,
        "os" if private else "",
    )
    return (
        Code("curl", curl),
        Code("Python", python),
        _script(url, server, record, example, private),
    )


def _script(url: str, server: str, record: Record, example: Any, private: bool) -> Code:
    signature, method = Signature.from_json(record.signature), default_method(record.methods)
    options = ", { token }" if private else ""
    given = 'const token = prompt("Token");\n' if private else ""
    script = (
        f'import {{ load }} from "{server}/assets/sclbl.js";\n\n{given}'
        f"const model = await load({json.dumps(url)}{options});\n"
        f"{_run(method, signature, example)}"
    )
    return Code("JavaScript", script)


def _asking(url: str, body: Any, private: bool) -> str:
    """Return Python that asks a server over HTTP."""
    token = 'headers = {"Authorization": f"Bearer {os.environ[\'SCLBL_TOKEN\']}"}\n'
    more = ", headers=headers" if private else ""
    return (
        f"{'import os' + chr(10) if private else ''}import requests\n\n{token if private else ''}"
        f"answer = requests.post({url!r}, json={spelled(body)}{more}, timeout=60)\n"
        'print(answer.json()["results"])'
    )


def of_file(record: Record, example: Any, program: str) -> tuple[Code, ...]:
    """Return the code that calls a program that lies beside a page, by its file's name."""
    signature, method = Signature.from_json(record.signature), default_method(record.methods)
    example = _written(example)
    script = (
        'import { load } from "./sclbl.js";\n\n'
        f"const model = await load(new URL({json.dumps(f'./{program}')}, import.meta.url));\n"
        f"{_run(method, signature, example)}"
    )
    python = _python(signature, example, method, f"sclbl.load({f'./{program}'!r})")
    shell = f"sclbl run ./{shlex.quote(program)} - --from json --method {shlex.quote(method)}"
    body = shlex.quote(json.dumps(_body(signature, example), ensure_ascii=False))
    return (
        Code("JavaScript", script),
        Code("Python", python),
        Code("Command line", f"echo {body} \\\n  | {shell}"),
    )


def _body(signature: Signature, example: Any) -> Any:
    names = names_of(signature)
    if len(names) == 1:
        return {"rows": [] if example is None else [example]}
    return {"inputs": {name: [] if example is None else [example[name]] for name in names}}


def _run(method: str, signature: Signature, example: Any) -> str:
    names = names_of(signature)
    rows: Any = [] if example is None else [example]
    if len(names) > 1:
        rows = {name: [] if example is None else [example[name]] for name in names}
    text = json.dumps(rows, ensure_ascii=False)
    return (
        f"const {{ values }} = await model.run({json.dumps(method)}, {text});\nconsole.log(values);"
    )


def _python(
    signature: Signature, example: Any, method: str, opened: str, before: str = "", more: str = ""
) -> str:
    rows = _python_rows(signature, example)
    imports = [name for name in ("numpy", "pandas", "scipy.sparse") if f"{name}." in rows]
    lines = "".join(f"import {name}\n" for name in (*filter(None, (more,)), *imports, "sclbl"))
    named = method.isidentifier() and not method.startswith("_")
    call = f"program.{method}({rows})" if named else f"program.run({method!r}, {rows})"
    return f"{lines}\n{before}program = {opened}\nprint({call})"


def _python_rows(signature: Signature, example: Any) -> str:
    if example is None:
        return "rows"
    names = names_of(signature)
    each: Mapping[str, Any] = {names[0]: example} if len(names) == 1 else example
    given = {i.name: i for i in signature.beside}
    texts = {
        name: _table(signature, row) if name == TABLE else _input(given[name], row)
        for name, row in each.items()
    }
    if len(names) == 1:
        return texts[names[0]]
    return "{" + ", ".join(f"{name!r}: {text}" for name, text in texts.items()) + "}"


def _table(signature: Signature, row: Any) -> str:
    if signature.shape is not None:
        return f"numpy.array([{spelled(row)}])"
    return f"[{spelled(in_python(row, signature))}]"


def _input(given: Input, row: Any) -> str:
    if given.kind == "tensor":
        return f"numpy.array([{spelled(row)}], dtype={given.dtype!r})"
    if given.kind == "sparse" and isinstance(row, dict):
        pairs = f"{row['values']!r}, ([0] * {len(row['columns'])}, {row['columns']!r})"
        return f"scipy.sparse.csr_array(({pairs}), shape=(1, {given.width}))"
    return f"[{spelled(row)}]"
