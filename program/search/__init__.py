"""The search for a better evolving method: the paper's loop with statistical safeguards.

optimizer: the loop, and `AutoEvolInstruct`, which runs it on the evolver; start reading here.
subject: what a search improves; the evolver as one.
programs: any DSPy program as another: `AutoEvol`.
settings: the hyper-parameters, and the paper's own values of them.
candidates: a step's candidates: mini-batch, parent, operator, and the guard against copies.
policy: which operator, parent and temperature to try next, by Optuna.
operators: the ways to make a proposal from a method.
proposer: the optimizer model's calls for them, and the checks of its replies.
racing: candidates on the dev rows, and when one is stopped early.
acceptance: when a candidate takes the incumbent's place.
archive: the measured methods by rank, duplicates, and the proposals that failed.
confirmation: the best methods once more, on fresh rows.
teleprompters: GEPA, MIPROv2 and DSPy's other optimisers in place of the loop.
scoreboard: what those optimisers see: a program, a metric, and a budget of calls.
"""
