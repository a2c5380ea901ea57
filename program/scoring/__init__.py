"""Scores of rows by a model.

- `scorers`: what a scorer is; one question for a row, or one for a chain.
- `ratings`: the judge's scores by name: difficulty, complexity, tags, grade, chain.
- `solving`: difficulty by solving: pass rates of one or two solvers.
- `comparison`: two texts of one row before a judge.
"""
