"""The user's terminal: messages, progress, Ctrl-C.

- `console`: prints results on standard output, problems on the error stream.
- `progress`: a line for each phase, with rows and tokens per second.
- `signals`: Ctrl-C and SIGTERM stop the calls of an engine.
"""
