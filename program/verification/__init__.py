"""Verification: constraints that code checks, and what the checks say of responses.

checks: a check of one response, by kind or by code of its own.
checking: checks run over responses in a sandbox, strictly and loosely.
"""
