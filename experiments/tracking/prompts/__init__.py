"""MLflow's Prompt Registry: the methods of runs in it, and prompts of others that we improve.

- `registry`: every accepted method of a run is a version of one prompt, linked to the run.
- `loading`: methods read back, from the registry or a file.
- `optimizer`: our search behind `mlflow.genai.optimize_prompts`. `progress`: what that logs.
"""
