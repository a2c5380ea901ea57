"""`autoevol train`: a student model, fine-tuned on a set of rows.

examples: rows as prompts and completions, and which of them are used
plan: a request, checked, and what is in its folder already
student: the model before its training
trainer: one training, by TRL
trainings: all trainings of a request, with what they leave
recipes: the same training as files for another trainer
tracking: trainings in MLflow
"""
