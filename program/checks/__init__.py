"""Checks: constraints of responses that code decides.

check: a check, as a row carries it: a shipped kind with options, or code of a model
constraining: constraints added to a row, with their checks
checking: checks run over responses in a sandbox, strictly and loosely
testing: answers to programming tasks, held against tests that were written apart from them
"""
