"""A judge model by itself, and how well rules and judges agree with rows that people labelled.

labelled: rows with a reader's verdict, read from JSONL and checked
own_exam: an exam of the judge made of such rows
metric_check: precision, recall and other agreement of every rule set with the labels
judge_check: a judge's answers to the judge rules, row by row
session: models opened for one command, with ledger, progress and Ctrl-C
"""
