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
from sclbl.printable import printable
from sclbl.registry.base import Record
from sclbl.signature import TABLE, Input, Signature
from sclbl.view import spelled

#: A row of more values, all alike, is written as an expression, and not in a shell.
SPELLED = 64


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


def of_server(
    record: Record, example: Any, server: str, *, private: bool, only: bool = False
) -> tuple[Code, ...]:
    """Return the code that calls a version on a server; none where there is no row to call it with.

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
    if example is None:
        return ()
    signature, method = Signature.from_json(record.signature), default_method(record.methods)
    example = _written(example)
    url = f"{server}/v1/deployments/{record.ref}"
    asked = f"{url}/predict?method={method}"
    if only:
        python = _asking(asked, _body(signature, example), private)
    elif private:
        login = f'sclbl.login({server!r}, os.environ["SCLBL_TOKEN"])\n'
        python = _python(signature, example, method, f"sclbl.get({record.ref!r})", login)
    else:
        opened = f"sclbl.get({record.ref!r}, registry={server!r})"
        python = _python(signature, example, method, opened)
    options = ", { token }" if private else ""
    given = 'const token = prompt("Token");\n' if private else ""
    script = (
        f'import {{ load }} from "{server}/assets/sclbl.js";\n\n{given}'
        f"const model = await load({json.dumps(url)}{options});\n"
        f"{_script(signature, example, method)}"
    )
    codes = (Code("Python", python), Code("JavaScript", script))
    if _is_long(example):
        return codes[1:] if only else codes
    token = ' \\\n  -H "authorization: Bearer $SCLBL_TOKEN"' if private else ""
    body = _json(_body(signature, example))
    curl = (
        f"curl -s {shlex.quote(asked)}{token} \\\n"
        f"  -H 'content-type: application/json' \\\n  -d {shlex.quote(body)}"
    )
    return Code("curl", curl), *codes


def of_file(record: Record, example: Any, program: str) -> tuple[Code, ...]:
    """Return the code that calls a program that lies beside a page, by its file's name."""
    if example is None:
        return ()
    signature, method = Signature.from_json(record.signature), default_method(record.methods)
    example = _written(example)
    script = (
        'import { load } from "./sclbl.js";\n\n'
        f"const model = await load(new URL({json.dumps(f'./{program}')}, import.meta.url));\n"
        f"{_script(signature, example, method)}"
    )
    python = _python(signature, example, method, f"sclbl.load({f'./{program}'!r})")
    codes = (Code("JavaScript", script), Code("Python", python))
    if _is_long(example):
        return codes
    shell = f"sclbl run ./{shlex.quote(program)} - --from json --method {shlex.quote(method)}"
    body = shlex.quote(_json(_body(signature, example)))
    return *codes, Code("Command line", f"printf %s {body} \\\n  | {shell}")


def _written(value: Any) -> Any:
    """Return data with whole numbers as people write them: 70 for 70.0."""
    if isinstance(value, dict):
        return {key: _written(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_written(part) for part in value]
    whole = isinstance(value, float) and value.is_integer() and 0 < abs(value) < 2**53
    return int(value) if whole else value


def _alike(value: Any) -> tuple[tuple[int, ...], Any] | None:
    """Return the shape of lists in lists, and the one value in all of them; None for others."""
    shape = []
    while isinstance(value, list) and value:
        if any(part != value[0] for part in value):
            return None
        shape.append(len(value))
        value = value[0]
    size = 1
    for length in shape:
        size *= length
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return (tuple(shape), value) if number and size > SPELLED else None


def _is_long(example: Any) -> bool:
    rows = example.values() if isinstance(example, dict) else [example]
    return any(_alike(row) is not None for row in rows)


def _each(signature: Signature, example: Any) -> Mapping[str, Any]:
    """Return the row of each input by its name."""
    names = names_of(signature)
    return {names[0]: example} if len(names) == 1 else example


def _body(signature: Signature, example: Any) -> Any:
    rows = {name: [row] for name, row in _each(signature, example).items()}
    return {"rows": next(iter(rows.values()))} if len(rows) == 1 else {"inputs": rows}


def _script(signature: Signature, example: Any, method: str) -> str:
    texts = {name: f"[{_in_script(row)}]" for name, row in _each(signature, example).items()}
    rows = next(iter(texts.values()))
    if len(texts) > 1:
        rows = "{" + ", ".join(f"{json.dumps(n)}: {text}" for n, text in texts.items()) + "}"
    # As it stands in JSON, this key would be what an object inherits from.
    rows = rows.replace('"__proto__": ', '["__proto__"]: ')
    call = f"model.run({json.dumps(method)}, {rows})"
    return f"const {{ values }} = await {call};\nconsole.log(values);"


def _json(value: Any) -> str:
    """Return JSON, in which what turns or breaks lines unseen is written as an escape."""
    return printable(json.dumps(value, ensure_ascii=False))


def _in_script(row: Any) -> str:
    found = _alike(row)
    if found is None:
        return _json(row)
    shape, value = found
    text = f"Array({shape[-1]}).fill({json.dumps(value)})"
    for size in reversed(shape[:-1]):
        text = f"Array.from({{ length: {size} }}, () => {text})"
    return text


def _asking(url: str, body: Any, private: bool) -> str:
    """Return Python that asks a server over HTTP."""
    head, more = "import requests\n\n", ""
    if private:
        head = f"import os\n{head}"
        more = ', headers={"Authorization": "Bearer " + os.environ["SCLBL_TOKEN"]}'
    return (
        f"{head}answer = requests.post({url!r}, json={spelled(body)}{more}, timeout=60)\n"
        'print(answer.json()["results"])'
    )


def _python(signature: Signature, example: Any, method: str, opened: str, before: str = "") -> str:
    given = {i.name: i for i in signature.beside}
    texts = {
        name: _table(signature, row) if name == TABLE else _input(given[name], row)
        for name, row in _each(signature, example).items()
    }
    rows = next(iter(texts.values()))
    if len(texts) > 1:
        rows = "{" + ", ".join(f"{name!r}: {text}" for name, text in texts.items()) + "}"
    known = {"numpy": rows, "os": before, "pandas": rows, "scipy.sparse": rows}
    imports = [name for name, text in known.items() if f"{name}." in text]
    lines = "".join(f"import {name}\n" for name in (*imports, "sclbl"))
    named = method.isidentifier() and not method.startswith("_")
    call = f"program.{method}({rows})" if named else f"program.run({method!r}, {rows})"
    return f"{lines}\n{before}program = {opened}\nprint({call})"


def _table(signature: Signature, row: Any) -> str:
    if signature.shape is not None:
        return _array(row, whole=signature.one_row)
    found = _alike(row)
    if found is not None:
        return f"numpy.full((1, {found[0][0]}), {found[1]!r})"
    return f"[{spelled(in_python(row, signature))}]"


def _array(row: Any, whole: bool = False, dtype: str = "") -> str:
    """Return Python that makes an array of one row; of the row itself where it is `whole`."""
    more = f", dtype={dtype!r}" if dtype else ""
    found = _alike(row)
    if found is None:
        return f"numpy.array({spelled(row if whole else [row])}{more})"
    shape = found[0] if whole else (1, *found[0])
    return f"numpy.full({shape}, {found[1]!r}{more})"


def _input(given: Input, row: Any) -> str:
    if given.kind == "tensor":
        return _array(row, dtype=given.dtype)
    if given.kind == "sparse" and isinstance(row, dict):
        pairs = f"{row['values']!r}, ([0] * {len(row['columns'])}, {row['columns']!r})"
        return f"scipy.sparse.csr_array(({pairs}), shape=(1, {given.width}))"
    return f"[{spelled(row)}]"
