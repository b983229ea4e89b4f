"""Train the model that the hosts run, and write its program, its command and some rows.

    python train.py FOLDER

The model has a column of numbers with missing values, one of integers, and one of text; it refuses
a city that it does not know.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import sclbl

folder = Path(sys.argv[1])
rng = np.random.default_rng(0)
rows = pd.DataFrame(
    {
        "age": rng.normal(40, 12, 300),
        "visits": rng.integers(0, 20, 300),
        "city": rng.choice(["Breda", "Tilburg", "'s-Hertogenbosch", "Zürich", None], 300),
    }
).astype({"city": object})
rows.loc[::9, "age"] = np.nan
stays = np.where(rows["age"].fillna(40) + 2 * rows["visits"] > 55, "stays", "goes")
model = make_pipeline(
    make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), ["age", "visits"]),
        (OneHotEncoder(), ["city"]),
    ),
    LogisticRegression(),
).fit(rows, stays)

program = sclbl.compile(model, rows[:5])
program.save(folder / "churn.wasm")
(folder / "churn-command.wasm").write_bytes(sclbl.command(program))
# An empty field is a missing value.
rows[:50].to_csv(folder / "rows.tsv", sep="\t", index=False)
rows[:50].to_csv(folder / "rows.csv", index=False)
rows[:3].assign(city=["Breda", "Atlantis", "Zürich"]).to_csv(
    folder / "refused.tsv", sep="\t", index=False
)
