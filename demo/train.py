"""Train a pipeline on the Palmer penguins: numbers, text, and missing values in both."""

from __future__ import annotations

import pandas as pd
from palmerpenguins import load_penguins
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

NUMBERS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
TEXT = ["island", "sex"]


def train() -> tuple[Pipeline, pd.DataFrame, pd.Series]:
    """Return the fitted pipeline, and rows that it has not seen with their species."""
    penguins = load_penguins()
    # Two birds in the held-out rows keep their missing values: the demo predicts them too.
    x_train, x_test, y_train, y_test = train_test_split(
        penguins[NUMBERS + TEXT], penguins["species"], test_size=0.25, random_state=4
    )
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), NUMBERS),
        (
            make_pipeline(
                SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
            ),
            TEXT,
        ),
    )
    forest = RandomForestClassifier(n_estimators=100, min_samples_leaf=4, random_state=0)
    return make_pipeline(columns, forest).fit(x_train, y_train), x_test, y_test


if __name__ == "__main__":
    model, rows, species = train()
    print(f"{model.score(rows, species):.3f} of {len(rows)} unseen penguins are named correctly")
    print(f"missing values in these rows: {int(rows.isna().sum().sum())}")
