"""A matrix: settings of one config that are crossed, each combination a run of its own.

A cell is one combination. All cells are checked before the first call of the first one.

- `grid`: reads `matrix:` of a config, and makes the cells' configs.
- `names`: the cells' names, and what is shown of values that may be secret.
- `plan`: the plans of all cells, and the check that they have the same rows.
- `run`: runs the cells that are not finished, one after the other.
- `results`: a line of figures for each cell.
- `tables`: the tables that the terminal shows, before and after.
- `tracking`: the parent run in MLflow, whose children are the cells' runs.
"""
