"""The user's terminal: messages, progress, Ctrl-C.

- `arguments`: what was typed as a path, checked.
- `console`: prints results on standard output, problems on the error stream.
- `phase_line`: the figures of a phase: rows, outcomes, time left, speed, cost.
- `progress`: the live view, or a line a minute in a pipe.
- `samples`: rows shown before and after.
- `signals`: Ctrl-C and SIGTERM stop the calls of an engine.
"""
