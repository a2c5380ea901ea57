"""`autoevol study`: which data teaches a student more, with intervals.

plan: a study's file, checked: tasks, arms, what they cost
runs: runs that the study makes for its arms
choice: the methods of a search as arms, and the one that teaches most
leaks: rows that share words with a question
cells: equal parts of the arms, each of which is trained on
work: trainings and evaluations; what is finished is not done again
figures: means and paired differences over questions and training seeds
proxies: what is cheap to measure of an arm, against what it taught
pictures: figures with their intervals, and the learning curve
results: `study.json`, `study.html` and the table
tracking: the study in MLflow: study > arm > trainings and evaluations
"""
