"""A judge model by itself, and how well rules and judges agree with rows that people labelled.

labelled: rows with a reader's verdict, read from JSONL and checked
own_exam: an exam of the judge made of such rows
metric_check: precision, recall and other agreement of every rule set with the labels
metric_tables: the same as tables for the terminal
exam: a judge's or a solver's exam, for the command `judge-check`
witnessed: what a judge and a solver say of labelled rows
session: models opened for one command, with ledger, progress and Ctrl-C
"""
