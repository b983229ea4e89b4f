"""Text of which pandas infers the dtype: what is missing there depends on the rows of a call.

With ``set_output(transform="pandas")`` a transformer makes a DataFrame of its array of objects.
pandas 3 makes a column ``str`` where it holds a text, and then None and pandas.NA in it are NaN;
in a call whose rows hold no text there, they stay what they are.
"""

from __future__ import annotations

from typing import Any

from sclbl.errors import UnsupportedModelError
from sclbl.strippers.columns import Cell


def makes_pandas(model: Any) -> bool:
    """Return whether `set_output` makes a scikit-learn transformer result in pandas DataFrames."""
    import sklearn

    own = getattr(model, "_sklearn_output_config", {}).get("transform")
    return bool((own or sklearn.get_config()["transform_output"]) == "pandas")


def require_steady(model: Any, cell: Cell, label: str) -> None:
    """Refuse to tell the missing values of such a column apart.

    Raises
    ------
    UnsupportedModelError
        Where they depend on the other rows of a call.
    """
    if cell.inferred:
        raise UnsupportedModelError(
            f"{type(model).__name__} looks for missing values in {label}, in which a step before "
            "it leaves None: with set_output(transform='pandas') pandas makes NaN of None in "
            "calls whose rows hold text there, and keeps it in others, so the model's answer for a "
            "row depends on the rows beside it; use set_output(transform='default') and fit it "
            "again, or fill every missing value (missing_values=pandas.NA)"
        )
