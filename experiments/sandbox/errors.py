"""What a sandbox raises for itself; what code does in it is a result."""

from autoevol.program.errors import AutoEvolError


class SandboxError(AutoEvolError):
    """A sandbox is not there, does not start, or does not confine."""
