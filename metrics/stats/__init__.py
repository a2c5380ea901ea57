"""Statistics for the other rooms: intervals, exact tests, agreement and summaries.

intervals: 95 % intervals of shares (Wilson), of their mean and of their difference.
paired: two methods on the same rows: wins, losses, McNemar's exact test, mean differences.
agreement: verdicts against labels: confusion table, precision, recall, F1.
means: mean, median and rank correlation of row scores.
"""
