"""The evolution of rows: one row through its stages, a whole set through its rounds, and F.

- `evolver`: the DSPy program: a predictor that evolves, and a frozen responder.
- `attempt`: one attempt at one row, and the length at which a row stops evolving.
- `rewriting`: the evolve stage: an instruction, the turns of a conversation, an input.
- `answering`: the respond stage: attempts, samples, conversations.
- `pipeline`: a block of attempts through both stages; died and refused calls.
- `generator`: the bulk phase: rounds, and the attempts of each rewrite.
- `choice`: which method of a round a row gets.
- `pool`: which rows the next round evolves.
- `accounts`: counts by round and by method.
- `evaluation`: a method's failure rate on rows, and its trajectories on a mini-batch.
- `failure`: F: pure rules first, then witnesses.
- `best_answer`: a judge's choice among answers.
"""
