"""The DSPy program and its optimiser. It sees no file, network, tracker or terminal.

It takes plain arguments and hands finished records to listeners.

- `evolution`: one row through evolve, F, respond, F; the bulk phase; F.
- `witnesses`: judges and solvers that decide what no pattern can, and their exam.
- `scoring`: scores of rows by a model: ratings, tags, solving, pairwise comparison.
- `search`: the search for a better method: the paper's loop, and DSPy's own optimisers.
- `records`: the frozen records that all of these exchange.
- `listeners`: the callables that receive records as a run proceeds.
- `roles`: models by role, and a call of one of them.
- `adapter`: prompts and replies: a plain chat for one output, typed adapters for several.
- `calls`: the record of a model call, and its collection.
- `draws`: draw numbers, which tell the replies to one prompt apart.
- `row_ids`: ids of evolved rows, which no two rows share.
- `blocks`: work on items in blocks, a bounded number at a time.
- `errors`: this project's errors, by who must act.
- `lm_errors`: DSPy's model errors, by what they mean for a row.
"""
