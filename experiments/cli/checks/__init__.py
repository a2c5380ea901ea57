"""Commands that check something against what is known.

check: `check`, responses against their checks
metric_check: `metric-check`, rule sets against labelled rows
judge_check: `judge-check`, a model against the exam
verify: `verify`, verified data from queries and constraints
"""
