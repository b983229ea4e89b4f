"""scikit-learn: one module for each of its public modules that has strippers."""
