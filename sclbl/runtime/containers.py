"""Results in the containers that a call asks for: sparse matrices and DataFrames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sclbl.result_frames import in_frame, index_of
from sclbl.rows import Blocks
from sclbl.rows.numbering import numbered_from
from sclbl.runtime.module import Module
from sclbl.runtime.outputs import as_given, finish
from sclbl.signature import Output

#: Bytes of dense results that become sparse at a time.
SLICE_BYTES = 8 * 1024 * 1024


def in_container(
    module: Module, method: str, rows: Any, wanted: str, parameters: Mapping[str, Any]
) -> Any:
    """Run a method with one plain result, and return that in a container of the model's.

    Parameters
    ----------
    module : Module
        The program.
    method : str
        One of its methods.
    rows : object
        What `sclbl.rows.Encoder.encode` takes.
    wanted : str
        One of the `containers` of its output.
    parameters : mapping
        Values of the call.
    """
    output = module.signature.outputs[method]
    blocks = module.encoder.encode(rows, empty=output.empty, parameters=parameters)
    if wanted == "sparse":
        return _sparse(module, method, output, blocks)
    found = finish(output, _dense(module, method, blocks))
    return found if wanted == "dense" else in_frame(output, wanted, found, index_of(rows))


def _dense(module: Module, method: str, blocks: Blocks) -> np.ndarray:
    if not blocks.beside:
        return module.call(method, blocks)
    (found,) = module.general(method, blocks)
    return np.asarray(found)


def _sparse(module: Module, method: str, output: Output, blocks: Blocks) -> Any:
    """Return a sparse matrix, made of a few rows at a time: never is all of it dense."""
    from scipy import sparse

    size = max(1, SLICE_BYTES // (output.width * 8))
    parts = []
    for first in range(0, max(blocks.rows, 1), size):
        part = blocks.part(first, min(first + size, blocks.rows))
        with numbered_from(first):
            dense = finish(output, _dense(module, method, part))
        parts.append(sparse.csr_matrix(dense))
    return as_given(output, parts[0] if len(parts) == 1 else sparse.vstack(parts, format="csr"))
