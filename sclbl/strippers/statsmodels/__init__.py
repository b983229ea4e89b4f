"""statsmodels: one module for each of its public packages that has strippers."""
