"""The command line: a module for each command or family of commands, and nothing else.

A module imports what its command needs when the command is called, so that every `--help` answers
at once.

app: the table of commands; which exit code an error becomes
run: `run`, `optimize`, `evolve`
data: `convert`, `merge`, `seeds`, `equalise`
score: `score`
compare: `compare`
report: `report`
export: `export`
methods: `methods list`, `methods show`
models: `models list`, `models pull`, `models check`
checks: `check`, `verify`, `metric-check`, `judge-check`
training: `train`
ui: `ui`
tables: the tables of `run` and `score`: plan, summary, scores
"""
