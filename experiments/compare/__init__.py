"""`autoevol compare`: finished runs side by side, and a judge model between two sets.

sides: the sets that are compared, and which of their rows make a pair
request: the command's arguments, checked; the folder that a comparison is written to
judged: a judge's verdicts on pairs, and their figures
runs: what the folders of finished runs hold, and which scores may be compared
shared_seeds: counts and losses on the seeds that runs share
shared_rows: what became of a few of those, side by side
tables: tables of runs: rows, costs, rules, differences of scores
figures: pictures of runs and of a judge's verdicts
page: `compare.html` and `comparison.json`
tracking: the comparison in MLflow, and links to the UI
"""
