"""Checks: constraints of responses that code decides.

check: a check, as a row carries it: a shipped kind with options, or code of a model
checking: checks run over responses in a sandbox, strictly and loosely
"""
