"""Responses against their checks (`autoevol check`), and verified data (`autoevol verify`).

response_checks: a file's rows, and what their checks say of their responses
figures: strict and loose accuracy, of rows, of checks and by kind, with intervals
planning: the section `verify`, checked, and its calls; verified_run: the nine stages
results: the files of a verified set, and its tables; pictures: its pictures; page: its page
tracking: both in MLflow
"""
