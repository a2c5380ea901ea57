"""The user's terminal: messages, progress, Ctrl-C.

- `arguments`: what was typed as a path, checked.
- `console`: prints results on standard output, problems on the error stream.
- `progress`: a line for each phase, with rows and tokens per second.
- `signals`: Ctrl-C and SIGTERM stop the calls of an engine.
"""
