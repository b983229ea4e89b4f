"""A program against the model that it was made from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from sclbl.errors import (
    DeadlineError,
    FidelityError,
    InputError,
    LimitError,
    UnsupportedModelError,
)
from sclbl.fidelity import blame, tails
from sclbl.fidelity.accept import accepted_rows, noise_of, rule_of
from sclbl.fidelity.compare import compare, flatten, typical_size
from sclbl.fidelity.containers import Maker
from sclbl.fidelity.donors import as_chosen
from sclbl.fidelity.frames import MOST, difference, libraries
from sclbl.fidelity.near import settled
from sclbl.fidelity.overflow import overflowing
from sclbl.fidelity.rounding import lost_in_rounding
from sclbl.fidelity.rows import BASE, Sample, each_alone, from_blocks, generate
from sclbl.fidelity.several import compare_parts, described, parts_of
from sclbl.program import Program
from sclbl.report import MethodReport, Report
from sclbl.rows import encode
from sclbl.rows.containers import open_source
from sclbl.signature import Signature
from sclbl.spec import Spec

#: Most rows of those that the program refuses that are tried with the model, one by one.
PROBES = 8
#: Most rows of those that no container of the example's types holds: each is made of all columns.
MISFITS = 64
SHOWN = 12
#: Rows that both are asked about at a time where the results of all are more than memory holds.
FEW = 16
#: What `sclbl.strippers.example.call` raises where the model refuses its rows.
REFUSALS = (InputError, UnsupportedModelError)


def verify_against_model(
    model: Any,
    spec: Spec,
    wasm: bytes,
    example_input: Any,
    verify_on: Any,
    tolerance: float | None,
) -> Report:
    """Compare a program with a model; see `sclbl.fidelity.verify`."""
    return Check(model, spec, wasm, tolerance).run(example_input, verify_on)


class Check:
    """One comparison of a program with its model."""

    def __init__(self, model: Any, spec: Spec, wasm: bytes, tolerance: float | None) -> None:
        from sclbl.strippers import dispatch, example

        stripper = dispatch.find(model)

        def call(method: str, rows: Any) -> Any:
            count = _count(rows)
            if not spec.source.alone or not count:
                result = example.call(model, stripper, method, rows)
                return list(result.arrays) if result.is_list else result.arrays[0]
            each = [example.call(model, stripper, method, rows[i : i + 1]) for i in range(count)]
            parts = [np.concatenate(p) for p in zip(*(r.arrays for r in each), strict=True)]
            return parts if each[0].is_list else parts[0]

        def as_given(rows: Any) -> Any:
            return example.as_rows(example.needed_columns(model, rows), spec.signature)

        def call_itself(method: str, rows: Any, **parameters: Any) -> Any:
            return example.call_itself(model, stripper, method, rows, **parameters)

        self.model = model
        self.call_itself: Callable[..., Any] = call_itself
        self.call: Callable[[str, Any], Any] = call
        self.as_given: Callable[[Any], Any] = as_given
        self.spec = spec
        self.program = Program(wasm)
        self.tolerance = tolerance
        self.rules = {m: rule_of(spec, m, tolerance) for m in spec.methods}
        self.reports = {m: MethodReport(m, 0, self.rules[m].tolerance) for m in spec.methods}
        self.tried = 0
        self.refusals = 0
        self.alone = 0
        self.frames: list[str] = []

    def run(self, example_input: Any, verify_on: Any) -> Report:
        spec = self.spec
        example = self.as_given(example_input)
        base = from_blocks(encode(example, spec.signature))
        maker = Maker(example, spec.signature, example_input)
        rows = generate(spec, base, maker.holds_text).join(each_alone(spec, base))
        accepted, refused = accepted_rows(self.program, rows.blocks(spec.signature.numeric_dtype))
        good = rows.take(np.flatnonzero(accepted))
        fits = self.compare_made(maker, good, min(len(base), BASE))
        self.compare_made(maker, good.take(np.flatnonzero(~fits)), 0, widened=True)
        self.compare_frames(maker.make(good.take(np.arange(min(len(good), MOST))))[0])
        self.probe(maker, rows, refused)
        if verify_on is not None:
            self.compare_given(verify_on)
        return self.report()

    def report(self, worst: str = "") -> Report:
        return Report(
            against=self.spec.source.model,
            rows=self.tried,
            refusals=self.refusals,
            ok=not worst,
            methods=tuple(self.reports.values()),
            worst=worst,
            sequential=self.spec.source.has_jobs,
            alone=self.alone,
            frames=", ".join(self.frames),
        )

    def fail(self, worst: str, advice: str) -> None:
        report = self.report(worst)
        advice = blame.of_code(self.model, advice)
        raise FidelityError(
            f"the program of {self.spec.source.model} does not predict what the model predicts: "
            f"{worst}. {advice}",
            report,
        )

    # ------------------------------------------------------- rows of both

    def compare_made(
        self, maker: Maker, rows: Sample, given: int, widened: bool = False
    ) -> np.ndarray:
        """Compare on rows made here, of which the first are those given; return which fit.

        No row that was made counts whose sums leave the range of floats, or in which a number is
        little but rounding: libraries differ there.
        """
        container, fits = maker.make(rows, widened)
        if not fits.any():
            return fits
        before = self.tried, dict(self.reports)
        try:
            self.compare(container, sizes_from=given, as_given=not widened)
        except FidelityError:
            fitting = rows.take(np.flatnonzero(fits))
            lost = overflowing(self.spec, fitting) | lost_in_rounding(self.spec, fitting)
            lost[:given] = False
            if not lost.any():
                raise
            self.tried, self.reports = before
            container, _ = maker.make(fitting.take(np.flatnonzero(~lost)), widened)
            self.compare(container, sizes_from=given, as_given=not widened)
        return fits

    def compare(self, rows: Any, sizes_from: int = 0, as_given: bool = True) -> None:
        """Compare all methods on rows that the program accepts.

        The first rows, `sizes_from` of them, are the example's: they say how large each output
        typically is. Where the rows have not the example's dtypes, `as_given` is False, and the
        results' dtypes may be others too.
        """
        self.tried += _count(rows)
        breach: tuple[float, str, Callable[[], str]] | None = None
        for method, output in self.spec.signature.outputs.items():
            if not output.is_plain or output.parameters:
                self.compare_any(method, rows)
                continue
            options = {"output": "dense"} if output.matrix else {}
            ours = self.program.run(method, rows, **options)
            try:
                theirs = self.call(method, rows)
            except REFUSALS as error:
                self.accepted_by_program_only(method, rows, error)
                continue
            self.check_shape(method, ours, theirs, with_dtype=as_given)
            ours = as_chosen(self.spec, method, rows, ours)
            theirs = tails.settled(self.spec, method, rows, ours, theirs)
            a, b = flatten(ours), flatten(theirs)
            if sizes_from:
                sizes = typical_size(b[:sizes_from])
                self.rules[method] = replace(self.rules[method], typical=sizes)
            noise = None
            if self.tolerance is None:
                noise = noise_of(self.program, self.spec, method, rows)
            self.reports[method], worst = compare(
                self.reports[method], output, a, b, self.rules[method], noise
            )
            if worst is not None and worst.excess > 1 and (not breach or worst.excess > breach[0]):
                where = f", output {worst.column}" if a.shape[1] > 1 else ""
                breach = (
                    worst.excess,
                    f"{method}{where}: the program gives {_plain(worst.ours)}, the model "
                    f"{_plain(worst.theirs)} (relative error {worst.error:.3g}, allowed "
                    f"{self.rules[method].tolerance:.3g}) for {shown(rows, worst.row)}",
                    partial(
                        blame.of_result,
                        self.call,
                        self.model,
                        method,
                        rows,
                        b,
                        worst,
                        self.rules[method],
                    ),
                )
        if breach is not None:
            self.fail(breach[1], f"{breach[2]()}; nothing was recorded")

    def compare_frames(self, rows: Any) -> None:
        """Compare what is offered in DataFrames with what `set_output` makes of the model's."""
        if not _count(rows):
            return
        for method, output in self.spec.signature.outputs.items():
            for library in libraries(rows, output):
                some = rows[:1] if self.spec.source.alone else rows
                rule = self.rules[method]
                worst = difference(self.model, self.program, method, library, some, rule)
                if worst:
                    self.fail(
                        f"{method} as a DataFrame of {library}: {worst}",
                        blame.of_replaced(self.model, method) or blame.DEFECT,
                    )
                self.frames.append(library)

    def compare_any(self, method: str, rows: Any) -> None:
        """Compare a method whose results are several or ragged, or that takes values of a call."""
        for values in values_of_call(self.spec.signature, method):
            for first, part, ours in self.results(method, rows, values):
                self.compare_call(method, part, values, ours, first)

    def results(
        self, method: str, rows: Any, values: Mapping[str, Any]
    ) -> Iterator[tuple[int, Any, Any]]:
        """Yield where some rows begin, these rows, and what the program gives for them.

        They are all rows, or few where the results of all are more than its memory holds.
        """
        outputs = [output for _, output in self.spec.signature.results(method)]
        sparse = any(output.ragged == "sparse" for output in outputs)
        options = {**values, **({"output": "sparse"} if sparse else {})}
        first, count = 0, _count(rows)
        size = count
        while True:
            part = rows if size == count else rows[first : first + size]
            try:
                ours = self.program.run(method, part, **options)
            except LimitError as error:
                if size <= 1 or isinstance(error, DeadlineError):
                    raise
                size = min(FEW, size // 2)
                continue
            yield first, part, ours
            first += size
            if first >= count:
                return

    def compare_call(
        self, method: str, rows: Any, values: Mapping[str, Any], ours: Any, first: int
    ) -> None:
        """Compare what the program gives with what the model does; rows count from `first`."""
        outputs = [output for _, output in self.spec.signature.results(method)]
        try:
            theirs = self.call_itself(method, rows, **values)
        except REFUSALS as error:
            self.accepted_by_program_only(method, rows, error)
            return
        found, wanted = described(outputs, ours), described(outputs, theirs)
        if found != wanted:
            self.fail(
                f"{method} gives {', '.join(found)}, the model {', '.join(wanted)}",
                blame.of_replaced(self.model, method) or blame.DEFECT,
            )
        theirs = settled(self.spec, method, rows, ours, theirs)
        report = self.reports[method]
        report = replace(report, rows=report.rows + _count(rows))
        self.reports[method], worst = compare_parts(
            report, self.rules[method], parts_of(outputs, ours), parts_of(outputs, theirs)
        )
        if worst is not None:
            called = "".join(f", {k}={v!r}" for k, v in values.items())
            self.fail(
                f"{method}{called}: the program gives {_plain(worst.ours)}, the model "
                f"{_plain(worst.theirs)} in row {first + worst.row}",
                f"{blame.DEFECT}; nothing was recorded",
            )

    def check_shape(self, method: str, ours: Any, theirs: Any, with_dtype: bool) -> None:
        """Compare what the results are, before what they hold."""
        found, wanted = ([_described(r, with_dtype) for r in _listed(v)] for v in (ours, theirs))
        if found != wanted:
            self.fail(
                f"{method} gives {', '.join(found)}, the model {', '.join(wanted)}",
                blame.of_replaced(self.model, method) or blame.DEFECT,
            )

    def accepted_by_program_only(self, method: str, rows: Any, error: Exception) -> None:
        """Find a row that the model refuses and the program does not, and fail."""
        low, high = 0, len(rows)
        while high - low > 1:
            middle = (low + high) // 2
            if self.model_refuses(method, rows[low:middle]):
                high = middle
            else:
                low = middle
        self.fail(
            f"{method}: the model refuses {shown(rows, low)} ({error.__cause__ or error}), and "
            "the program does not",
            blame.of_refusal(self.call, self.model, method, rows[low : low + 1], error),
        )

    def model_refuses(self, method: str, rows: Any) -> bool:
        try:
            self.call(method, rows)
        except REFUSALS:
            return True
        return False

    # ------------------------------------------------------- refused rows

    def probe(self, maker: Maker, rows: Sample, refused: dict[int, tuple[str, InputError]]) -> None:
        """Try a few of the rows that the program refuses with the model, of each sort."""
        sorts: set[tuple[object, ...]] = set()
        misfits = 0
        for row, (method, error) in refused.items():
            if len(sorts) >= PROBES or misfits >= MISFITS:
                break
            sort = (type(error), error.column, method)
            if sort in sorts:
                continue
            one = rows.take(np.array([row]))
            container, fits = maker.make(one)
            if not fits.all():
                container, fits = maker.make(one, widened=True)
            if not fits.all():
                misfits += 1
                continue
            sorts.add(sort)
            if not self.refused(error, method, container):
                self.fail(
                    f"{method}: the program refuses {shown(container, 0)} ({error}), and the "
                    "model does not",
                    blame.of_replaced(self.model, method) or blame.DEFECT,
                )

    def refused(self, error: InputError, method: str, rows: Any) -> bool:
        """Count a row that the program refuses; return whether it may refuse it."""
        self.tried += 1
        if self.model_refuses(method, rows):
            self.refusals += 1
            return True
        stricter = self.is_stricter(error)
        self.alone += stricter
        return stricter

    def is_stricter(self, error: InputError) -> bool:
        """Return whether a program refuses what the model, or one inside it, only seems to take."""
        return isinstance(error, self.spec.source.refuses_more)

    def compare_given(self, given: Any) -> None:
        """Compare on the rows of `verify_on`."""
        try:
            open_source(given)  # what is no rows at all is told before anything is made of it
            rows = self.as_given(given)
            encode(rows, self.spec.signature)
        except InputError as error:
            raise type(error)(
                f"verify_on is not what the model takes: {error}",
                row=error.row,
                column=error.column,
            ) from error
        method = self.spec.methods[0]
        try:
            for method in self.spec.methods:
                for _ in self.results(method, rows, {}):
                    pass
        except InputError as error:
            if not self.refused(error, method, rows):
                self.fail(
                    f"{method}: the program refuses a row of verify_on ({error}), and the model "
                    "does not",
                    blame.of_replaced(self.model, method) or blame.DEFECT,
                )
            return
        self.compare(rows)


def values_of_call(signature: Signature, method: str) -> list[dict[str, Any]]:
    """Return values of a call to try: the defaults, and others around each of them."""
    found: list[dict[str, Any]] = [{}]
    for given in signature.parameters:
        if given.name not in signature.outputs[method].parameters:
            continue
        usual = given.default or 0
        tried: list[Any] = [usual, 0 * usual, 2 * usual, -usual]
        if given.dtype in ("float64", "float32"):
            tried += [usual / 3, np.inf]
        if given.dtype == "bool":
            tried = [True, False]
        found += [{given.name: value} for value in tried]
    return found


def _count(rows: Any) -> int:
    return int(rows.shape[0]) if hasattr(rows, "shape") else len(rows)


def _listed(returned: Any) -> list[Any]:
    return list(returned) if isinstance(returned, list) else [returned]


def _described(result: Any, with_dtype: bool) -> str:
    array = np.asarray(result)
    if not with_dtype:
        return f"an array {list(array.shape)}"
    kind = {"U": "text", "O": "objects"}.get(array.dtype.kind, array.dtype.name)
    return f"{kind}{list(array.shape)}"


def _plain(value: Any) -> str:
    return repr(value.item() if isinstance(value, np.generic) else value)


def shown(rows: Any, row: int) -> str:
    """Return one row in words, its first `SHOWN` columns."""
    if isinstance(rows, list):
        return f"the row {rows[row]!r:.300}"
    if hasattr(rows, "tocsr"):
        one = rows.tocsr()[[row]]
        pairs = list(zip(one.indices.tolist(), one.data.tolist(), strict=True))[:SHOWN]
        return f"the row ({', '.join(f'{k}: {v!r}' for k, v in pairs)})"
    if hasattr(rows, "columns"):
        names = [str(c) for c in rows.columns]
        line = rows.iloc[row].tolist() if hasattr(rows, "iloc") else list(rows.row(row))
        cells = [f"{n}={_plain(v)}" for n, v in zip(names, line, strict=True)]
    else:
        cells = [_plain(v) for v in np.asarray(rows)[row].tolist()]
    more = f", … ({len(cells)} columns)" if len(cells) > SHOWN else ""
    return f"the row ({', '.join(cells[:SHOWN])}{more})"
