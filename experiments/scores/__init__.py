"""Scores and filters of a finished set: what rows are worth, by row and by round.

target: what to score (a run's folder or a file of rows), checked
scoring: every score of a config, one after the other; the models and files that they need
results: what a score returns, and all scores of a set collected
stored: the files `scores.json` and `scores.jsonl`, written and read
files: rows and benchmark texts from files; figures back into `evolved.jsonl`
set_scores: length, lexical, neighbours, overlap: scores of a whole round, without a model
row_scores: growth, confidence, quality, keywords: scores of single rows, without a model
ifd: IFD and IC-IFD by a causal language model
reward: rewards by a reward model
entailment: whether two texts contradict each other, by a model of natural language inference
causal_lm: a causal language model's log-probabilities of tokens
embedding: texts to vectors, and the index for nearest neighbours
filtering: filters of a finished set, which mark rows and keep them in the file
"""
