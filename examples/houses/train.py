"""Fit house prices: splines of area and rooms, the garden as a category, ridge regression.

    python -m examples.houses.train

Every fifth house of `houses.csv` is kept for the test. An area or a number of rooms of 0 stands for
a value that nobody wrote down, and becomes a missing one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, SplineTransformer

HOUSES = Path(__file__).with_name("houses.csv")
#: The size of the yard, as the form asks for it.
GARDENS = ["none", "up to 150 m²", "150 to 400 m²", "above 400 m²"]


def read() -> tuple[pd.DataFrame, pd.Series]:
    """Return the houses as the form describes them, and their prices."""
    table = pd.read_csv(HOUSES).drop_duplicates(ignore_index=True)
    garden = pd.cut(table["yard"], [-1, 0, 150, 400, np.inf], labels=GARDENS)
    houses = pd.DataFrame(
        {
            "area": table["area"].where(table["area"] > 0),
            "rooms": table["rooms"].where(table["rooms"] > 0),
            "garden": garden.astype(str),
        }
    )
    return houses, table["price"]


def pipeline() -> TransformedTargetRegressor:
    """Return the pipeline, not yet fitted.

    Splines say nothing beyond the houses that they were fitted on, so such a house is refused.
    """
    numbers = make_pipeline(
        SimpleImputer(strategy="median"), SplineTransformer(4, extrapolation="error")
    )
    gardens = make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(categories=[GARDENS])
    )
    columns = make_column_transformer((numbers, ["area", "rooms"]), (gardens, ["garden"]))
    # People compare prices by ratio: the regression is of their logarithm.
    return TransformedTargetRegressor(
        make_pipeline(columns, Ridge(1.0)), func=np.log, inverse_func=np.exp
    )


def train() -> tuple[TransformedTargetRegressor, pd.DataFrame, pd.Series]:
    """Return the fitted pipeline, and houses that it has not seen with their prices."""
    houses, prices = read()
    held = np.arange(len(houses)) % 5 == 4
    return pipeline().fit(houses[~held], prices[~held]), houses[held], prices[held]


def error(model: TransformedTargetRegressor, houses: pd.DataFrame, prices: pd.Series) -> str:
    """Return how far the prices of houses are off, in words."""
    off, refused = [], 0
    for row, price in enumerate(prices):
        try:
            off.append(abs(model.predict(houses[row : row + 1])[0] / price - 1))
        except ValueError:  # beyond the houses that it was fitted on
            refused += 1
    half, most = np.quantile(off, [0.5, 0.9])
    return (
        f"of {len(houses)} houses it prices {len(off)}, half of them within {half:.0%} and "
        f"nine of ten within {most:.0%}; it refuses {refused} that lie beyond what it was "
        "fitted on"
    )


if __name__ == "__main__":
    print(error(*train()))
