"""Runs: everything that touches a file, a network, a model provider, MLflow or a terminal."""
