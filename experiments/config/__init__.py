"""The YAML of an experiment and of `autoevol seeds`: its keys, defaults, bounds and messages.

A key that is a setting of the program is declared there, with its bounds, as a field of a frozen
dataclass; the classes here inherit it and add the keys that only a file has.

section: what all sections share; from a section to the program's settings
experiment: all sections of an experiment's file together; reads one; cuts one down for `--limit`
data: `data`, where the seeds are and how they are split
models: `models`, a model for each role
optimizer: `optimizer`, the search
evolve: `evolve` and `answer`, the bulk phase
scoring: `scores`, what is measured of the finished set, and `filters`, which of its rows stay
verify: `verify`, the stages of verified data
train: `train`, how a student is fine-tuned on the rows
seed_builder: the file of `autoevol seeds`
loading: the YAML before it is checked; `--set`
documentation: the JSON Schema, and the page of all keys
errors: from pydantic's errors to messages that name file and key
"""
