"""Size of the .wasm file, manifest included."""

from __future__ import annotations

from _measure import save, show
from _models import CASES
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression

import sclbl


def main() -> None:
    x, y = load_breast_cancer(return_X_y=True)
    plain = LogisticRegression(max_iter=10_000).fit(x, y)
    cases = {
        "logistic regression, breast cancer": (plain, x),
        "logistic pipeline, mixed columns": CASES["logistic mixed"]()[:2],
        "forest 100x10": CASES["forest 100x10"]()[:2],
        "forest 100x10 classes": CASES["forest 100x10 classes"]()[:2],
    }
    table, results = [], {}
    for name, (model, rows) in cases.items():
        size = sclbl.compile(model, rows[:5]).size
        trees = getattr(model, "estimators_", [])
        nodes = sum(tree.tree_.node_count for tree in trees)
        limit = 9 * nodes + 8192 if nodes else 3 * 1024 if model is plain else 16 * 1024
        results[name] = {"bytes": size, "nodes": nodes, "limit": limit}
        each = f"{size / nodes:.2f}" if nodes else "-"
        table.append([name, f"{size:,}", f"{nodes:,}" if nodes else "-", each, f"{limit:,}"])
    show("Size", ["model", "bytes", "nodes", "bytes a node", "goal"], table)
    save("size", results)


if __name__ == "__main__":
    main()
