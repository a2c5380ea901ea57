"""MLflow, which no other room imports: what a run records there, and where it is to be seen.

A run reports events to a journal in its folder. A thread of the tracker logs them, beside the
calls; `autoevol track` logs them later. Everything is looked up before it is written, so nothing is
added twice.

- `config`: `mlflow.yaml`, our settings file.
- `run`: a run as it is tracked, from opening to end: what it does becomes events.
- `events`: the events, and the journal. `background`: the thread.
- `recorder`: logs the events; `parent` those of the run itself, `candidates` those of its children.
- `traces`: which calls are traced, and how they are logged.
- `again`: runs that are over, logged from their folders; scores that are added later.
- `store`: finding runs, and logging only what is missing. `database`: a store that is a file.
- `naming`: names of metrics and runs, and what MLflow takes. `tables`: rows for its tables.
- `links`: addresses of pages of MLflow's UI.
"""
