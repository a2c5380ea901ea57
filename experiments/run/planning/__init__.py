"""The plan of a run: all that can be checked and counted without a model.

- `plan`: the config with its seeds, methods and models, all checked.
- `methods`, `models`: its parts, found and checked.
- `notes`: what a user should know of it before the run.
- `generation`: the settings of the bulk phase.
- `estimate`: calls, tokens and cost by phase and role, as an upper bound.
- `search_calls`: rows and proposals of a search, DSPy's own optimisers included.
- `expectation`: how many of them a run of usual rows makes.
"""
