"""What a sandbox raises for itself; what code does in it is a result."""

from autoevol.program.errors import ConfigError


class SandboxError(ConfigError):
    """A sandbox is not there, does not start, or does not confine."""

    def __init__(self, problem: str) -> None:
        super().__init__("sandbox", problem)
