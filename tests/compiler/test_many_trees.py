"""Many ensembles in one program: each place calls walks of its own."""

from __future__ import annotations

import numpy as np
from sklearn.multioutput import MultiOutputRegressor
from sklearn.tree import DecisionTreeRegressor

import sclbl
from sclbl.compiler.emit import MOST_PLACES


def test_more_ensembles_than_places_that_a_kernel_is_specialised_for() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 3)), rng.normal(size=(60, MOST_PLACES + 2))
    model = MultiOutputRegressor(DecisionTreeRegressor(max_depth=1, random_state=0)).fit(x, y)
    np.testing.assert_array_equal(sclbl.compile(model, x[:5]).predict(x), model.predict(x))
