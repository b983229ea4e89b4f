"""The design matrix that a model's formula makes of raw rows.

A formula was read once, when the model was fitted: by patsy, or by formulaic, whichever statsmodels
used. What is written here comes from the specification that the engine left on the model: which
columns which term has, how categories are coded, and what stateful transforms learned. The
expressions of its factors are evaluated by the engine's own evaluator, with stand-ins for the
columns (`sclbl.strippers.tracing`), so Python's and NumPy's rules are those of the fit.
"""
