"""The DSPy program and its optimiser."""
