"""Constraints that code can check, by hand: each function takes a response and options.

A file is self-contained, so that its source is a program for a sandbox, in Python as Monty runs it.
An empty response keeps no constraint.
"""
