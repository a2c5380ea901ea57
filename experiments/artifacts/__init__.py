"""A run's folder: its identity, its lock, and the files that other commands read.

- `folder`: opens the folder, new or resumed; writes methods.
- `row_files`: the files of rows, in canonical order once a run has ended.
- `summary`: what the phases have measured, as `summary.json` holds it.
- `search_record`: `steps.json`, the search as the report needs it.
- `bandit`: `bandit.json`, what a bandit knew when each round began.
- `funnel`: how many rows each rule stopped, counted from `failures.jsonl`.
- `suspects`: how many rows each rule suspects, kept or dropped.
- `labels`: `labels.jsonl`, what people marked; written by `autoevol view` alone.
- `optuna_storage`: a copy of the search's trials for optuna-dashboard.
"""
