"""Python's regular expressions as automata: `compile_pattern`."""

from sclbl.strippers.patterns.automaton import Automaton, compile_pattern

__all__ = ["Automaton", "compile_pattern"]
