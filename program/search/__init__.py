"""The search for a better evolving method: the paper's loop with statistical safeguards.

optimizer: `AutoEvolInstruct`, the loop itself; start reading here.
settings: the hyper-parameters, and the paper's own values of them.
candidates: a step's candidates: mini-batch, parent, and operator.
policy: which operator, parent and temperature to try next, by Optuna.
operators: the ways to make a proposal from a method.
proposer: the optimizer model's calls for them, and the checks of its replies.
safeguards: a sentence against each kind of failure, for the operator of that name.
racing: candidates on the dev rows, and when one is stopped early.
acceptance: when a candidate takes the incumbent's place.
archive: the measured methods by rank, duplicates, and the proposals that failed.
confirmation: the best methods once more, on fresh rows.
teleprompters: GEPA, MIPROv2 and DSPy's other optimisers in place of the loop.
scoreboard: what those optimisers see: a program, a metric, and a budget of calls.
"""
