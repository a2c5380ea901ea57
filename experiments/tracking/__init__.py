"""MLflow, which no other room imports: what a run records there, and where it is to be seen.

Everything is looked up before it is written, so a resumed run adds nothing twice.

- `config`: `mlflow.yaml`, our settings file.
- `run`: a run as it is recorded, from opening to end: steps, scores, rows, summary, best method.
- `parent`: the parent run of an experiment, its params and its data set.
- `candidates`: a child run for each candidate method.
- `store`: finding runs, and logging only what is missing.
- `tables`: rows for the tables of MLflow's UI.
- `links`: addresses of pages of MLflow's UI.
"""
