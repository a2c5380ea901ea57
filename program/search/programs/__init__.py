"""The search for any DSPy program: one or more predictors, and a metric of the user's own.

compiler: `AutoEvol`, the optimiser; start reading here.
subject: a program as the subject of a search.
state: the instructions and demonstrations of all predictors, as a method.
running: a program on one example: its draws, its trace, and what an error means.
examples: train, dev, fresh and held-out examples as rows, with their checks.
metric: what a user's metric returns, as a score with feedback.
diagnosis: what the first measurement shows that no instruction will mend.
progress: what is logged of a search where nobody else listens.
operators: how a proposal is made, where that differs from the evolver's.
"""
