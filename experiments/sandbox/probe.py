"""Whether a sandbox confines: it is asked for what it must refuse, before it is used."""

import contextlib
import os
import secrets
import socket
import tempfile
from collections.abc import Iterator
from typing import Any, Protocol

from autoevol.experiments.sandbox.errors import SandboxError
from autoevol.program.sandbox import Call, CallResult, Limits, Sandbox

_LIMITS = Limits(seconds=5.0, memory_mib=256)
_MUCH_MIB = 1024

_PROBES = {
    "a file": "def evaluate(path, variable, port):\n    return open(path).read()",
    "the environment": (
        "def evaluate(path, variable, port):\n    import os\n    return os.environ[variable]"
    ),
    "the network": (
        "def evaluate(path, variable, port):\n    import socket\n"
        "    return bool(socket.create_connection(('127.0.0.1', port), 2))"
    ),
    "a process": (
        "def evaluate(path, variable, port):\n    import os\n    child = os.fork()\n"
        "    return child or os._exit(0)"
    ),
    "memory": (
        f"def evaluate(path, variable, port):\n    return len('a' * ({_MUCH_MIB} << 20)) > 0"
    ),
}


class Probed(Sandbox, Protocol):
    """A sandbox that can be asked without regard to what its dialect of Python lacks."""

    name: str

    async def run_as_is(self, code: str, calls: Any, limits: Limits = ...) -> list[CallResult]:
        """Run code as it is; see `Sandbox.run`."""
        ...

    def close(self) -> None:
        """End what it started."""
        ...


async def check(sandbox: Probed) -> None:
    """Return if the sandbox refuses files, environment, network, processes and memory.

    Raises:
        SandboxError: It gives one of them away, or does not run at all.
    """
    with _secrets() as arguments:
        works = await sandbox.run_as_is("def evaluate(*_):\n    return True", [_call(arguments)])
        if works[0].value is not True:
            raise SandboxError(f"{sandbox.name} does not run: {works[0].message}")
        for name, code in _PROBES.items():
            [result] = await sandbox.run_as_is(code, [_call(arguments)], _LIMITS)
            if result.ending == "value":
                raise SandboxError(f"{sandbox.name} does not confine: code gets {name}")


def _call(arguments: tuple[str, str, int]) -> Call:
    return Call("evaluate", arguments)


@contextlib.contextmanager
def _secrets() -> Iterator[tuple[str, str, int]]:
    """Yield a file, a variable and a port of this machine, none of which code must get at."""
    variable = f"AUTOEVOL_PROBE_{secrets.token_hex(8).upper()}"
    os.environ[variable] = "seen"
    try:
        with (
            tempfile.NamedTemporaryFile("w", suffix=".txt") as file,
            socket.create_server(("127.0.0.1", 0)) as server,
        ):
            file.write("seen")
            file.flush()
            yield file.name, variable, server.getsockname()[1]
    finally:
        del os.environ[variable]
