"""The phases of one run, in order.

- `first_look`: whether the evolver copies or rewords, and what becomes of suspects.
- `search`: the search, and the test of what it found on held-out rows.
- `bulk`: the whole set through all rounds.
- `scores`: scores and filters of the rows that were kept.
"""
