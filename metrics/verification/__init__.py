"""Verification: what checks and tests of answers amount to; nothing is run here.

loose: forms of a response that a loose check takes, too.
"""
