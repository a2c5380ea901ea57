"""The formats of instruction data, each a way from its records to rows and back.

A row is a plain dictionary with the keys of `program.records.Row`. A format is independent of its
file: JSON Lines, a JSON list, a table, CSV and Parquet all hold records.
"""
