"""Kernels in C, one file per family of operators, and their bitcode."""
