"""Runs: everything that touches a file, a network, a model provider, MLflow or a terminal.

From the highest floor to the lowest; a room imports lower rooms only.

- `cli`: one module a command; errors become exit codes.
- `matrix`: settings crossed; each combination is a run.
- `run`: one experiment: plan, estimate, phases, results.
- `compare`: finished runs side by side; two sets before a judge.
- `tracking`: MLflow. `report`: pages, tables and pictures. `judging`: a judge or F by itself.
- `scores`: scores of a finished set, and filters. `export`: rows for trainers, disk and hub.
- `artifacts`: a run's folder, its format and its files. `data`: seeds, data tools, `formats`.
- `config`: the YAML. `terminal`: console, progress, signals.
- `models`: the model boundary: calls with retries, limits, ledger and budget.
- `files`: records from files and the hub; files that appear complete or not at all.

`configs` holds the shipped experiments, one YAML file each.
"""
