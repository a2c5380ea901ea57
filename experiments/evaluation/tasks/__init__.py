"""Questions, and what is right.

items: questions of a task, and what became of each
benchmark_files: published benchmarks, read from pinned wheels
benchmarks: their questions as items
own_tasks: files of the user's: checks, answers to read, open questions
grading: answers held against what is right
catalogue: all tasks by name
"""
