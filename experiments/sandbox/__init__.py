"""Sandboxes for code that a model or a file wrote.

Monty is the default; bubblewrap runs what Monty does not support. `program.sandbox` has the
protocol. Each is checked before its first use: it must refuse files, the environment, the network,
processes and memory.
"""

from autoevol.experiments.sandbox.errors import SandboxError
from autoevol.experiments.sandbox.opening import SandboxChain, SandboxName, open_sandbox

__all__ = ["SandboxChain", "SandboxError", "SandboxName", "open_sandbox"]
