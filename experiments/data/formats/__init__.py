"""The formats of instruction data: for each a reader of its records and a writer of rows.

A row is a plain dictionary with the keys of `program.records.Row`. A format does not depend on the
type of its file: JSON Lines, a JSON list, a table, CSV and Parquet all hold records.

catalogue: the table of all formats; which one a record is in. A new format is added here
rows: our own format, and what readers and writers of all formats share
alpaca: `alpaca`, `llama_factory`, `self_instruct`
chat: `sharegpt`, `messages`, `trl`
joonavel: `koevol`, `auto_evol`
conversation: a row as messages, and messages as a row
source: a file of any format, read as rows
target: rows written to a file of any format
parquet: rows as a table with fixed columns
"""
