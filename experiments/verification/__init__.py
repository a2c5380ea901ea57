"""Responses against their checks: `autoevol check`.

response_checks: a file's rows, and what their checks say of their responses
figures: strict and loose accuracy, of rows, of checks and by kind, with intervals
tracking: the same in MLflow
"""
