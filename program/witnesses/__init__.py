"""Witnesses: models that decide what no pattern can, once they have passed an exam.

A judge answers a question about a rewrite, a solver tries to do it.

- `questions`: the judge's questions, one for each of its rules, and how an answer is read.
- `judge`: the judge's rules: its exam, its votes, its opinion on a case.
- `solutions`: solutions of one task by a model, and what their results tell.
- `solver`: the solver's rules: do its solutions agree, and do they agree on the seed's answer?
- `teaching`: the rules on what a row teaches, by a weak and a strong solver, or by the judge.
- `results`: results of solutions as values.
- `exam`: rewrites with a known verdict, and who passes.
- `controls`: the twenty rewrites that made the exam until format 3.
"""
