"""Code that a model or a file wrote is run by a sandbox, which the experiments hand in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Ending = Literal["value", "error", "timeout", "memory", "output", "crash", "unsupported"]
"""How a call ended. `unsupported`: this sandbox cannot tell what Python would do."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What code may use, all calls of one `Sandbox.run` together.

    Attributes:
        seconds: Of computing.
        memory_mib: Of memory, in MiB.
        output_bytes: Of printed text and returned values.
    """

    seconds: float = 5.0
    memory_mib: int = 512
    output_bytes: int = 1_000_000


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function that the code defines.

    Attributes:
        function: Its name.
        arguments: JSON values, by position.
        options: JSON values, by name.
    """

    function: str
    arguments: Sequence[Any] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what is no name: it becomes part of a program."""
        if not self.function.isidentifier():
            raise ValueError(f"{self.function!r} is no name of a function")


@dataclass(frozen=True, slots=True)
class CallResult:
    """What became of a call.

    Attributes:
        ending: See `Ending`.
        value: A JSON value; None unless `ending` is "value".
        message: Type and text of the error, or the limit that ended the call; "" for a value.
    """

    ending: Ending
    value: Any = None
    message: str = ""


class Sandbox(Protocol):
    """Runs code that may be hostile; it never raises for what the code does."""

    async def run(
        self, code: str, calls: Sequence[Call], limits: Limits = DEFAULT_LIMITS
    ) -> list[CallResult]:
        """Define the code's functions and make the calls in order.

        Args:
            code: Python source; what it prints is discarded.
            calls: They share the code's global names.
            limits: Once one is used up, the calls that are left end with it.

        Returns:
            One result a call, in their order.
        """
        ...
