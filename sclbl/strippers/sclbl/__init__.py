"""sclbl's own models: tables of coefficients."""
