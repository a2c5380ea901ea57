"""`autoevol evaluate`: what a model can do, question by question, with intervals.

tasks/: published benchmarks and the user's files as questions, and their grading
model: what a model has to be able to do
weights: a model in this process, a LoRA adapter included
endpoint: a model behind an address
request: the command's arguments, checked, and what its folder holds
evaluating: all tasks of a request; what is finished is not done again
harness: tasks of lm-evaluation-harness
results: figures with intervals, two evaluations in pairs
report: an evaluation with all its figures
tracking: an evaluation in MLflow
"""
