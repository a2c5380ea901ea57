"""One experiment: checked, estimated, run phase by phase, and scored or reported anew later.

A plan is everything that can be checked without a model. A run takes a plan through its phases:
search, bulk, score and filter. Then it writes the results.

- `request`: what the user asks of `run`, `optimize` and `evolve`.
- `planning`: the config with its seeds, methods and models, all checked, and what it will cost.
- `command`: check, find a finished run, and run, for the command line and for a matrix.
- `finished`: whether a run is finished and its folder whole; what is damaged is made again.
- `runner`: opens everything that a run needs, and runs its phases in order.
- `context`: what the phases share.
- `phases`: the search, the bulk phase, scores and filters; the look at the first rewrites.
- `preview`: a few rows before and after, on the run's own ledger.
- `results`: what a run leaves at its end, from exports to the summary.
- `wiring`: the program's own settings, made from a plan.
- `scoring`: `autoevol score`.
- `in_python`: `autoevol.evolve`, a run on rows in memory.
- `program_models`: `autoevol.ledger_models`, for programs of one's own.
"""
