"""Fitted object → spec: `strip`, over one literal table of strippers, one file a family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sclbl.errors import (
    InputError,
    ModelError,
    SpecError,
    UnsupportedMethodError,
    UnsupportedModelError,
)

if TYPE_CHECKING:
    from sclbl.signature import Input, Output, Signature
    from sclbl.spec import Graph, Provenance, Spec
    from sclbl.strippers.base import Stripper
    from sclbl.strippers.columns import Table, Wire
    from sclbl.strippers.example import Result
    from sclbl.strippers.graph import Builder

__all__ = ["strip"]


def strip(model: Any, example_input: Any, *, methods: Sequence[str] | None = None) -> Spec:
    """Reduce a fitted object to what inference needs.

    Parameters
    ----------
    model : object
        A fitted estimator, results object or booster.
    example_input : array, DataFrame, Series, dict of columns, list
        One row or more, with the columns the model was fitted on. It fixes names, dtypes and order
        of the columns.
    methods : sequence of str, optional
        What the spec offers; everything that the model offers by default.

    Returns
    -------
    Spec
        Graph, signature, source, and what was kept and dropped.

    Raises
    ------
    NotFittedError
        Where the model was not fitted.
    UnsupportedModelError
        Where its class, or an option of it, has no exact equivalent.
    UnsupportedMethodError
        Where it lacks a requested method.
    ColumnError
        Where the example's columns are not the model's.
    InputError
        Where the example is not rows, or the model itself refuses them.
    """
    from sclbl.rows import infer as signatures
    from sclbl.strippers import beside, dispatch, example

    dispatch.find(model)
    wanted = _wanted(model, dispatch.methods(model), methods)
    backwards = dispatch.is_backwards(model, wanted)
    given = beside.input_of(model, example_input)
    if given is not None:
        return _strip_beside(model, example_input, given, wanted)
    if not backwards:
        example_input = example.needed_columns(model, example_input)
    signature = signatures.infer(example_input)
    if not backwards:
        example.check_columns(model, signature)
    try:
        return _strip(model, example_input, signature, wanted)
    except UnsupportedModelError as error:
        undecided = signatures.undecided(example_input)
        if not undecided:
            raise
        of_numbers = error
    # The model knows what the example does not show: whether these columns hold text.
    try:
        return _strip(model, example_input, signatures.as_text(signature, undecided), wanted)
    except (ModelError, InputError) as error:
        if str(error) == str(of_numbers):
            raise of_numbers from None
        labels = [signature.label_of(i) for i in undecided]
        plural = "columns" if len(labels) > 1 else "column"
        raise InputError(
            f"{plural} {', '.join(map(repr, labels[:10]))} {'are' if len(labels) > 1 else 'is'} "
            "missing in every row of example_input; include a row with a value. Taken for "
            f"numbers: {of_numbers}. Taken for text: {error}",
            column=labels[0],
        ) from of_numbers


def _strip(model: Any, example_input: Any, signature: Signature, wanted: Sequence[str]) -> Spec:
    """Return the spec of a model for an example whose columns have these kinds."""
    from sclbl.rows import infer as signatures
    from sclbl.strippers import dispatch, example
    from sclbl.strippers.graph import Builder
    from sclbl.strippers.promotion import dtypes_of

    stripper = dispatch.find(model)
    rows = example.as_rows(example_input, signature)
    names = None if dispatch.is_backwards(model, wanted) else dispatch.fitted_names(model)
    if names is not None and signature.layout == "array":
        signature = signatures.named(signature, names, dispatch.qualified_name(type(model)))

    build = Builder(signature, dtypes_of(rows, signature))
    build.objects = example.object_columns(rows)
    results = dispatch.apply(model, build.table(), build, frozenset(wanted))
    wires = {m: _wires(model, m, results[m]) for m in wanted}
    signature = replace(signature, columns=build.columns_of_rows())
    rows = example.as_rows(example_input, signature)
    outputs = _outputs(model, stripper, {m: results[m] for m in wanted}, rows, build)
    graph = build.finish({n: build.stored(w) for n, w in _by_output(wires).items()})
    for method, output in outputs.items():
        if output.dtype == "object" and output.storage != "text" and output.is_plain:
            _pass_objects(results[method], build)
    signature = replace(
        signature,
        columns=build.columns_of_rows(),
        outputs=outputs,
        inputs=build.signature.inputs,
    )
    return _spec(model, build, graph, signature)


def _strip_beside(model: Any, example_input: Any, given: Input, wanted: Sequence[str]) -> Spec:
    """Return the spec of a model that takes one input that is no table."""
    from sclbl.rows import encode
    from sclbl.signature import Signature
    from sclbl.strippers import beside, dispatch

    rows = beside.rows_of(given, example_input)
    encode(rows, Signature((), "array", {}, inputs=(given,)))
    build, results = beside.write(model, given, wanted)
    wires = {m: _wires(model, m, results[m]) for m in wanted}
    outputs = _outputs(model, dispatch.find(model), results, rows, build)
    graph = build.finish(_by_output(wires))
    signature = replace(build.signature, outputs=outputs)
    return _spec(model, build, graph, signature)


def _outputs(
    model: Any, stripper: Stripper, results: Mapping[str, Any], rows: Any, build: Builder
) -> dict[str, Output]:
    """Return what each method gives, as the model itself gives it for the example."""
    from sclbl.strippers import beside, example, frames

    outputs = {}
    for m, returned in results.items():
        made = _wires(model, m, returned)
        parameters = build.parameters_of(made)
        if len(made) == 1 and beside.is_plain(made[0]):
            result = example.call(model, stripper, m, rows)
            empty = example.gives_empty(model, stripper, m, rows, result)
            described = replace(_output(model, m, made[0], result), empty=empty)
            if m == "transform":
                kept = frames.kept(returned)
                single = any(c.kind == "float32" for c in build.signature.columns)
                several = single and any(hasattr(part, "steps") for _, part in build.visited)
                described = frames.offered(
                    model, stripper, rows, result, described, kept, several=several
                )
                build.warnings += frames.said(model, described)
            outputs[m] = replace(described, parameters=parameters)
        else:
            given = example.call_itself(model, stripper, m, rows)
            described = beside.outputs_of(model, m, made, given, parameters)
            empty = beside.gives_empty(model, stripper, m, rows, given)
            outputs[m] = replace(described, empty=empty)
    return outputs


def _by_output(wires: Mapping[str, tuple[Wire, ...]]) -> dict[str, Wire]:
    """Return wires by the names of the graph's outputs (`Signature.results`)."""
    return {
        f"{m}.{k}" if k else m: wire for m, made in wires.items() for k, wire in enumerate(made)
    }


def _spec(model: Any, build: Builder, graph: Graph, signature: Signature) -> Spec:
    from sclbl.spec import Spec
    from sclbl.strippers import dispatch
    from sclbl.strippers.contents import dropped, kept

    return Spec(
        graph=graph,
        signature=signature,
        source=_source(model, build),
        kept=kept(graph),
        dropped=dropped(build.visited, graph),
        warnings=tuple(dict.fromkeys(build.warnings)),
        coefficients=dispatch.find(model).coefficients(model),
    )


def _wanted(model: Any, offered: tuple[str, ...], methods: Sequence[str] | None) -> tuple[str, ...]:
    from sclbl.strippers import dispatch

    if methods is None:
        return offered
    names = (methods,) if isinstance(methods, str) else tuple(dict.fromkeys(methods))
    every = (*offered, *(m for m in dispatch.optional(model) if m not in offered))
    if not names:
        raise UnsupportedMethodError(
            f"no method was asked for; {dispatch.qualified_name(type(model))} offers "
            f"{', '.join(every)}"
        )
    dispatch.check_offered(model, names, every)
    return names


def _wires(model: Any, method: str, result: Any) -> tuple[Wire, ...]:
    """Return the results of a method, one after the other."""
    return result if isinstance(result, tuple) else (_wire(model, method, result),)


def _wire(model: Any, method: str, result: Wire | Table) -> Wire:
    from sclbl.strippers.columns import Table
    from sclbl.strippers.dispatch import qualified_name

    if not isinstance(result, Table):
        return result
    kinds = {cell.kind == "text" for cell in result.cells}
    if kinds == {True, False}:
        raise UnsupportedModelError(
            f"{qualified_name(type(model))}.{method} results in text and numbers side by side, "
            "which one array of a program cannot hold; encode or drop the text columns"
        )
    if not kinds:
        raise UnsupportedModelError(
            f"{qualified_name(type(model))}.{method} results in no columns at all"
        )
    return result.text() if kinds == {True} else result.results()


def _pass_objects(result: Wire | Table, build: Builder) -> None:
    """Note that missing objects leave the model as they came, for which a program has NaN."""
    from sclbl.strippers.columns import Table

    if isinstance(result, Table):
        for cell in result.cells:
            build.take(cell, ("nan",))


def _output(model: Any, method: str, wire: Wire, result: Result) -> Output:
    from sclbl.signature import Output, stored_as
    from sclbl.strippers import dispatch

    name = f"{dispatch.qualified_name(type(model))}.{method}"
    width = sum(result.widths)
    if width != wire.width:
        raise SpecError(
            f"{name} returns {width} columns and its graph {wire.width}: a defect of the stripper "
            "of this class; please report it with the model's parameters"
        )
    names = None
    if method == "transform":
        names = dispatch.names_out(model, (None,))
    ndim = max(a.ndim for a in result.arrays)
    # Several numbers for each of several things, such as the leaves of trees of each stage.
    shape = result.arrays[0].shape[1:] if ndim > 2 else None
    return Output(
        storage=stored_as(wire.dtype),
        dtype=result.dtype,
        width=width,
        ndim=ndim,
        labels=wire.labels,
        splits=result.widths if result.is_list else None,
        names=names if names is not None and len(names) == width else None,
        shape=shape,
        matrix=result.matrix,
    )


def _source(model: Any, build: Builder) -> Provenance:
    import importlib.metadata

    from sclbl.spec import Provenance
    from sclbl.strippers.dispatch import find, qualified_name

    parts = [part for _, part in build.visited]
    distributions = {"sklearn": ("scikit-learn",), "xgboost": ("xgboost", "xgboost-cpu")}
    versions = {}
    refused = [e for part in parts for e in find(part).refuses_more]
    refused += sorted(build.refuses_more, key=lambda e: e.__name__)
    for library in (*sorted(_libraries(parts)), "numpy"):
        for distribution in distributions.get(library, (library,)):
            try:
                versions[library] = importlib.metadata.version(distribution)
            except importlib.metadata.PackageNotFoundError:
                continue
            break
    return Provenance(
        model=qualified_name(type(model)),
        libraries=versions,
        models=tuple(dict.fromkeys(qualified_name(type(part)) for part in parts)),
        has_jobs=any(getattr(part, "n_jobs", None) not in (None, 1) for part in parts),
        refuses_more=tuple(dict.fromkeys(refused)),
        alone=any(find(part).alone for part in parts),
    )


def _libraries(parts: Sequence[Any]) -> set[str]:
    """Return the libraries of the models that were written."""
    classes = {cls for part in parts for cls in type(part).__mro__}
    found = {cls.__module__.partition(".")[0] for cls in classes}
    return found.difference({"builtins", "typing", "abc"})
