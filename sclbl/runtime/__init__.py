"""Running a program: the only package that knows wasmtime.

A `Module` is compiled once and shared; each thread gets a running instance of its own, so calls
from several threads run in parallel, and so do the parts of one large call. Rows go through in
chunks that stay in the cache, whatever the size of the batch.
"""

from sclbl.runtime.module import Module

__all__ = ["Module"]
