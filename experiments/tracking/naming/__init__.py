"""What things are called in MLflow.

- `safe`: names that MLflow takes. `metrics`: those of metrics, and which figures are metrics.
- `runs`: names of runs, which tell two runs of one config apart.
"""
