"""Predictions of methods that take more than a table, or give more than one plain result.

Rows are encoded, run and written a part at a time, so that others have their turn in between.
"""

from __future__ import annotations

import time

import msgspec

from sclbl import json_results
from sclbl.errors import LimitError, MediaTypeError
from sclbl.json_calls import Call, form_of, names_of
from sclbl.rows.numbering import numbered_from
from sclbl.runtime.engine import check_time
from sclbl.runtime.method import check_options, general_results
from sclbl.server import large
from sclbl.server.limits import Settings, too_many_bytes, too_many_values
from sclbl.server.payload import CSV, JSON, NDJSON, READERS, too_many
from sclbl.server.programs import Target
from sclbl.signature import TABLE, Signature

#: Rows, and items in them, that are run at a time. Fewer rows where a result is a list, which may
#: be much longer than its row, so that the memory of an answer that is too large is never taken.
PART_ROWS, PART_ITEMS, LIST_ROWS = 512, 16 * 1024, 32
#: Values that are encoded at a time.
SLICE_VALUES = 4 * 1024

_ENCODER = msgspec.json.Encoder()


def read(body: bytes, media: str, signature: Signature, limit: int) -> Call:
    """Return what a body asks for.

    Raises
    ------
    MediaTypeError
        The media type does not hold such rows.
    InputError, RequestError, LimitError
        The body cannot be read, or holds too much.
    """
    names = names_of(signature)
    if media != JSON and (len(names) > 1 or (media == CSV and signature.beside)):
        raise MediaTypeError(
            f"{media} does not hold what the model takes; as {JSON}, {form_of(signature)}"
        )
    if media == JSON:
        call = large.read_call(body, signature, limit)
    elif media == CSV:
        call = Call({TABLE: READERS[CSV](body, signature, limit)})
    else:
        call = Call({names[0]: large.read_lines(body, limit)})
    if call.count > limit:
        raise too_many(limit)
    return call


def answer(
    target: Target, body: bytes, media: str, accept: str, settings: Settings
) -> tuple[list[bytes], int]:
    """Predict, in this thread, and return the answer in pieces and the number of its rows.

    Raises
    ------
    InputError, RequestError, LimitError
        The body cannot be read, the program refuses its rows, or they take too much.
    """
    module, method = target.program.module, target.method
    signature = module.signature
    call = read(body, media, signature, settings.rows)
    check_options(signature, method, None, call.parameters)
    plain = sum(o.width for _, o in signature.results(method) if o.ragged is None)
    if call.count * plain > settings.answer_values:
        raise too_many_values(call.count, call.count * plain, settings.answer_values)
    parts: list[bytes] = []
    values = size = 0
    lists = any(o.ragged == "list" for _, o in signature.results(method))
    fixed = len(signature.columns) + sum(i.width for i in signature.beside if i.kind == "tensor")
    most = max(1, min(LIST_ROWS if lists else PART_ROWS, PART_ITEMS // max(fixed, 1)))
    for first, rows in call.parts(most, PART_ITEMS):
        check_time()
        with numbered_from(first):
            found = general_results(module, method, rows, call.parameters)
        values += json_results.count_values(found)
        if values > settings.answer_values:
            raise LimitError(
                f"the answer for {call.count:,} rows has more than {settings.answer_values:,} "
                "values, which is the most that this server gives in one answer; send fewer rows"
            )
        for some in json_results.in_slices(found, SLICE_VALUES):
            check_time()
            if accept == NDJSON:
                parts.append(_ENCODER.encode_lines(some))
            else:
                before = b"," if parts else target.prefix + b"["
                parts.append(before + _ENCODER.encode(some)[1:-1])
            size += len(parts[-1])
            if size > settings.answer_bytes:
                raise too_many_bytes(settings.answer_bytes)
            if len(parts) > 1:
                time.sleep(large.BREATH)
    if accept != NDJSON:
        parts.append(b"]}" if parts else target.prefix + b"[]}")
    return parts, call.count
