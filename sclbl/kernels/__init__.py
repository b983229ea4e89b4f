"""Kernels in C, one file per family of operators, and what they are compiled to."""
