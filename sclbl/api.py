"""The public verbs. Each is a few calls into the stages; none holds logic of its own.

``registry`` in each verb is a `Registry`, a directory or a server's URL; by default the server of
``SCLBL_URL`` or of the last `login`, else the local registry of this user.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sclbl.deployment import Deployment
from sclbl.registry import AliasEvent, Registry, connect

if TYPE_CHECKING:
    from sclbl.program import Program
    from sclbl.spec import Spec
    from sclbl.strippers.base import Stripper

Where = Registry | str | os.PathLike[str] | None


def upload(
    model: Any,
    example_input: Any = None,
    *,
    name: str | None = None,
    methods: Sequence[str] | None = None,
    alias: str | None = None,
    docs: str | None = None,
    tags: Mapping[str, str] | None = None,
    metrics: Mapping[str, float] | None = None,
    verify_on: Any = None,
    tolerance: float | None = None,
    example: bool = False,
    registry: Where = None,
) -> Deployment:
    """Compile a fitted model, prove that the program predicts the same, and record it.

    Parameters
    ----------
    model : object
        A fitted estimator, results object or booster; the path or the bytes of an ONNX file, or of
        an XGBoost booster's own file; a verified `Program`, or a `Spec`.
    example_input : array, DataFrame, Series, dict of columns, list
        One row or more of what the model predicts from; fixes names, dtypes and shapes. Not needed
        for a `Program`, a `Spec` or an ONNX file.
    name : str, optional
        The deployment; by default after the model's class (``logistic-regression``). A name that
        exists gets a new version.
    methods : sequence of str, optional
        What the program offers; everything that the model offers by default.
    alias : str, optional
        An alias to move to the new version, ``production`` for example.
    docs, tags, metrics : optional
        Text, text by name and finite numbers by name, kept with the version.
    verify_on : like `example_input`, optional
        More rows to verify on.
    tolerance : float, optional
        Largest relative error to accept, in place of the model family's own.
    example : bool, default False
        Keep the first row of `example_input` in the program, as an example of how it is called.
        Everyone who can read the program or its deployment sees it.
    registry : Registry, path or URL, optional
        Where to; see the module.

    Returns
    -------
    Deployment
        The new version.

    Warns
    -----
    ColumnsWarning
        The new version takes other columns than the one before it.

    Raises
    ------
    InvalidNameError, RegistryError
        Before any work: `name`, `alias`, `docs`, `tags` or `metrics` is not well formed.
    ModelError
        The model cannot become a program: unfitted, unsupported, without such a method.
    InputError
        `example_input` or `verify_on` is not what the model takes.
    FidelityError
        The program does not predict what the model predicts; nothing is recorded.
    RemoteError
        The server cannot be reached or does not take the token.
    """
    import uuid
    from concurrent.futures import ThreadPoolExecutor
    from importlib import import_module

    from sclbl import progress, recompile
    from sclbl.pipeline import STEPS, build, default_name, verified_spec, verifier
    from sclbl.registry import columns, metadata, refs

    name = refs.check_name(default_name(model) if name is None else name)
    if alias is not None:
        refs.check_alias(alias)
    docs, tags = metadata.check_docs(docs), metadata.check_tags(tags)
    metrics = metadata.check_metrics(metrics)
    with (
        progress.shown(f"upload {name}", STEPS + 1) as shown,
        # Loading what records takes a third of a first upload; beside LLVM at work it costs little.
        ThreadPoolExecutor(1, thread_name_prefix="sclbl-registry") as beside,
    ):
        opening = beside.submit(connect, registry)
        beside.submit(import_module, "sclbl.onnx_format.writer")

        def step(what: str) -> None:
            if opening.done():
                opening.result()  # a registry that does not open ends the work here
            shown(what)

        program = build(model, example_input, methods, verify_on, tolerance, step, example=example)
        spec = verified_spec(program)
        step("record")
        where = opening.result()
        before = columns.newest(where, name)
        record = where.create(
            name,
            program.wasm,
            recompile.write(spec),
            alias=alias,
            docs=docs,
            tags=tags,
            metrics=metrics,
            request_id=uuid.uuid4().hex,
            verify=verifier(model, spec, example_input, verify_on, tolerance),
        )
    columns.warn_of_others(before, record)
    # The registry may have compiled other bytes, and then verified those.
    return Deployment(record, where, program if record.sha256 == program.sha256 else None)


def compile(
    model: Any,
    example_input: Any = None,
    *,
    methods: Sequence[str] | None = None,
    verify_on: Any = None,
    tolerance: float | None = None,
    example: bool = False,
) -> Program:
    """Compile a fitted model and prove that the program predicts the same; record nothing.

    Parameters and errors are those of `upload`.

    Returns
    -------
    Program
        With its fidelity report inside.
    """
    from sclbl import progress
    from sclbl.pipeline import STEPS, build

    with progress.shown("compile", STEPS) as step:
        return build(model, example_input, methods, verify_on, tolerance, step, example=example)


def command(program: Program | Deployment) -> bytes:
    """Return a program as a WASI command: rows on stdin, predictions on stdout.

    It is a file of its own, for hosts that run WASI (preview 1); registries do not take it.

    Parameters
    ----------
    program : Program or Deployment
        A program of tables, from `compile` or from `load` of a ref, or a version in a registry.

    Returns
    -------
    bytes
        The command, which writes what ``sclbl run`` writes.

    Raises
    ------
    SpecError
        The program came without its spec, takes more than a table, or returns what is none.
    """
    from sclbl.wasi import command

    return command(program)


def strip(model: Any, example_input: Any, *, methods: Sequence[str] | None = None) -> Spec:
    """Reduce a fitted model to what inference needs; see `sclbl.strippers.strip`."""
    from sclbl.strippers import strip as strip_model

    return strip_model(model, example_input, methods=methods)


def load(source: str | os.PathLike[str] | bytes, *, registry: Where = None) -> Program:
    """Return a program from a file, from bytes or from a registry.

    Parameters
    ----------
    source : path, bytes or ref
        Text is a path where it ends in ``.wasm`` or holds a slash, else a ref.
    registry : Registry, path or URL, optional
        Where a ref is looked up; see the module.

    Raises
    ------
    InvalidProgramError
        The bytes are not a program.
    ProgramError
        The file cannot be read.
    InvalidRefError, NotFoundError, DeletedError
        The ref is not one, or names nothing.
    """
    from sclbl.program import Program

    if isinstance(source, (bytes, bytearray, memoryview)):
        return Program.from_bytes(bytes(source))
    if isinstance(source, os.PathLike) or _is_path(source):
        return Program.from_bytes(_read(source))
    where = connect(registry)
    record = where.get(source)
    return Program.from_bytes(where.program(record), where.spec(record))


def deployments(*, registry: Where = None) -> list[Deployment]:
    """Return the newest version of each deployment, ordered by name."""
    where = connect(registry)
    return [Deployment(record, where) for record in where.deployments()]


def versions(name: str, *, registry: Where = None) -> list[Deployment]:
    """Return the live versions of one deployment, oldest first; see `Registry.versions`."""
    where = connect(registry)
    return [Deployment(record, where) for record in where.versions(name)]


def get(ref: str, *, registry: Where = None) -> Deployment:
    """Return what ``churn``, ``churn@3`` or ``churn@production`` names; see `Registry.get`."""
    where = connect(registry)
    return Deployment(where.get(ref), where)


def delete(ref: str, *, registry: Where = None) -> None:
    """Delete a version (``churn@3``) or a whole deployment (``churn``); see `Registry.delete`."""
    connect(registry).delete(ref)


def edit(
    ref: str,
    *,
    docs: str | None = None,
    tags: Mapping[str, str | None] | None = None,
    metrics: Mapping[str, float | None] | None = None,
    registry: Where = None,
) -> Deployment:
    """Change what is written about a version, and return it; see `Registry.edit`.

    ``tags={"team": "crm", "draft": None}`` sets one tag and removes another.
    """
    where = connect(registry)
    return Deployment(where.edit(ref, docs=docs, tags=tags, metrics=metrics), where)


def promote(ref: str, alias: str, *, registry: Where = None) -> Deployment:
    """Make an alias name the version of a ref, and return it; see `Registry.promote`."""
    where = connect(registry)
    return Deployment(where.promote(ref, alias), where)


def rollback(name: str, alias: str, *, registry: Where = None) -> Deployment:
    """Make an alias name what it named before, and return it; see `Registry.rollback`."""
    where = connect(registry)
    return Deployment(where.rollback(name, alias), where)


def history(name: str, alias: str, *, registry: Where = None) -> list[AliasEvent]:
    """Return what an alias named, oldest first; see `Registry.history`."""
    return connect(registry).history(name, alias)


def login(url: str, token: str) -> None:
    """Make the verbs act on a server from now on, in this and later processes.

    The token is checked with the server and stored in a file that only this user can read.

    Parameters
    ----------
    url : str
        The server, for example ``http://localhost:8000``.
    token : str
        What the server printed when it first started.

    Raises
    ------
    AuthenticationError
        The server does not take the token.
    ServerUnreachableError
        There is no answer.
    RegistryError
        The URL or token is not one, or cannot be stored.
    """
    from sclbl import settings
    from sclbl.registry.remote import RemoteRegistry

    found = settings.Login(settings.check_url(url), settings.check_token(token))
    with RemoteRegistry(found.url, found.token) as registry:
        registry.whoami()
    settings.store_login(found)
    if os.environ.get("SCLBL_URL"):
        warnings.warn(
            "SCLBL_URL is set and goes before this login; unset it to act on the server "
            "that you logged in to",
            stacklevel=2,
        )


def logout() -> None:
    """Forget the stored login; the verbs act on the local registry again."""
    from sclbl import settings

    settings.forget_login()


def register(cls: type, stripper: Stripper | None = None) -> None:
    """Teach sclbl a class of your own.

    Parameters
    ----------
    cls : type
        The exact class; its subclasses are registered on their own.
    stripper : Stripper, optional
        What writes its methods; by default they are followed as they stand in the class, as
        `traced` says.

    Raises
    ------
    TypeError
        Where `cls` is not a class or `stripper` is no stripper, and where the methods of a class
        that sclbl knows are to be followed.
    """
    from sclbl.strippers import dispatch

    dispatch.register(cls, traced() if stripper is None else stripper)


def traced(*methods: str) -> Stripper:
    """Return a stripper for a class whose methods are written with NumPy and pandas.

    They are called once, with stand-ins in place of rows, and what they do is written down: NumPy's
    operators and functions on whole columns, arithmetic of a DataFrame's columns, scikit-learn's
    checks, and fitted estimators inside.

    Parameters
    ----------
    *methods : str
        What is followed; by default all of predict, predict_proba, predict_log_proba,
        decision_function, transform and score_samples that the class has. ``inverse_transform`` is
        followed where it is named.
    """
    from sclbl.strippers.tracing.traced import traced as make

    return make(*methods)


def _is_path(source: str) -> bool:
    separators = {"/", os.sep, os.altsep or os.sep}
    return isinstance(source, str) and (
        source.endswith(".wasm") or any(separator in source for separator in separators)
    )


def _read(path: str | os.PathLike[str]) -> bytes:
    from sclbl.errors import ProgramError
    from sclbl.plain_file import read_file

    try:
        return read_file(path)
    except OSError as error:
        raise ProgramError(
            f"the program {os.fspath(path)!r} cannot be read: {error.strerror or error}; "
            "give the path of a .wasm file, or a ref such as 'churn@3'"
        ) from error
