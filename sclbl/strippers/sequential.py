"""Ask a model sequentially.

A forest with ``n_jobs`` adds its trees in the order in which joblib's threads finish, so its last
digits differ from call to call. Within `one_by_one`, every `joblib.Parallel` of this thread runs
its tasks one after another, at any depth: pipelines, one-vs-rest, boosting's ``init``. joblib keeps
that setting for each thread, so no model is changed, ``n_jobs`` included, and other threads that
use the same model meanwhile go on as they did.

The number of threads of OpenMP and BLAS is left alone: it belongs to the whole process, and setting
it back can undo what another thread set meanwhile. HistGradientBoosting and XGBoost give each
thread rows of its own, and add the trees of a row in order; a product's digits are within the
tolerance whatever BLAS does.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext


def one_by_one() -> AbstractContextManager[object]:
    """Return a context in which joblib runs nothing in parallel for this thread."""
    # A model that calls joblib has imported it, and so has every estimator of scikit-learn.
    joblib = sys.modules.get("joblib")
    if joblib is None:
        return nullcontext()
    # joblib before 1.3 has the older name only.
    configure = getattr(joblib, "parallel_config", None) or joblib.parallel_backend
    context: AbstractContextManager[object] = configure(backend="sequential", n_jobs=1)
    return context
