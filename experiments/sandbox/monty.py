"""The default sandbox: Monty, a Python interpreter in Rust, in processes of its own.

It has no file, environment, network or process to give away. It needs no root and no daemon.
"""

import asyncio
import json
import os
import re
import time
from collections.abc import Sequence
from typing import Any

from autoevol.experiments.sandbox.dialect import (
    PRELUDE,
    Program,
    UnsupportedError,
    for_monty,
    is_doubtful,
)
from autoevol.experiments.sandbox.regex import UnsupportedPatternError, rust_pattern
from autoevol.program.sandbox import DEFAULT_LIMITS, Call, CallResult, Ending, Limits

_KILLED_AFTER_S = 1.0
"""Seconds beyond the limit, before a process is killed that does not stop by its own clock."""

_MOST_PATTERNS = 5_000
"""Patterns of a run that this process translates, each in a fraction of a millisecond."""

_LAST: frozenset[Ending] = frozenset({"timeout", "memory", "output", "crash"})
"""Endings after which no further call is made."""


class MontySandbox:
    """Runs code in a pool of Monty's processes; code that Monty lacks something for is unsupported.

    Args:
        processes: At work at the same time; None: as many as there are cores.

    Raises:
        ImportError: Monty is not installed.
        FileNotFoundError: Its program is not.
    """

    name = "monty"

    def __init__(self, processes: int | None = None) -> None:
        import pydantic_monty

        self._pool = pydantic_monty.Monty(
            min_processes=0,
            max_processes=processes or os.cpu_count() or 1,
            feed_duration_limit_grace=_KILLED_AFTER_S,
        )
        self._pool.__enter__()

    def close(self) -> None:
        """End the processes."""
        self._pool.__exit__(None, None, None)

    async def run(
        self, code: str, calls: Sequence[Call], limits: Limits = DEFAULT_LIMITS
    ) -> list[CallResult]:
        """See `Sandbox`."""
        try:
            program = for_monty(code)
        except UnsupportedError as error:
            return [CallResult("unsupported", message=str(error))] * len(calls)
        except (SyntaxError, ValueError) as error:
            return [CallResult("error", message=f"{type(error).__name__}: {error}")] * len(calls)
        return await asyncio.to_thread(self._results, program, calls, limits)

    async def run_as_is(
        self, code: str, calls: Sequence[Call], limits: Limits = DEFAULT_LIMITS
    ) -> list[CallResult]:
        """Run code without the checks and changes of `run`: Monty alone has to refuse."""
        program = Program(f"{PRELUDE}\n{code}", is_early=False)
        return await asyncio.to_thread(self._results, program, calls, limits)

    def _results(self, program: Program, calls: Sequence[Call], limits: Limits) -> list[CallResult]:
        bounds: Any = {
            "max_feed_duration_secs": limits.seconds,
            "max_memory": limits.memory_mib << 20,
            "max_total_sleep_secs": 0.0,
            "max_suspensions": _MOST_PATTERNS,
        }
        with self._pool.checkout(limits=bounds, assert_message_annotations=False) as session:
            feeder = _Feeder(session, limits, program)
            defined = feeder.feed(program.source, {})
            if defined.ending != "value":
                return [defined] * len(calls)
            return [feeder.call(call) for call in calls]


class _Feeder:
    """Makes calls in one session, until a limit is used up."""

    def __init__(self, session: Any, limits: Limits, program: Program) -> None:
        self._session, self._limits, self._program = session, limits, program
        self._until = time.monotonic() + limits.seconds
        self._printed = _Printed(limits.output_bytes)
        self._last: CallResult | None = None

    def call(self, call: Call) -> CallResult:
        """Return the result of a call; after the last one, that one's."""
        if self._last is None and time.monotonic() > self._until:
            self._last = CallResult("timeout", message=f"more than {self._limits.seconds:g} s")
        if self._last is not None:
            return self._last
        inputs = {"_monty_arguments": list(call.arguments), "_monty_options": dict(call.options)}
        result = self.feed(f"_monty_as_json({call.function})", inputs)
        if result.ending in _LAST:
            self._last = result
        return result

    def feed(self, code: str, inputs: dict[str, Any]) -> CallResult:
        """Return what a piece of code comes to."""
        import pydantic_monty

        try:
            value = self._session.feed_run(
                code, inputs=inputs, print_callback=self._printed, external_lookup=_HOST
            )
        except pydantic_monty.MontyCrashedError as error:
            return CallResult("timeout" if error.timed_out else "crash", message=str(error))
        except pydantic_monty.MontyError as error:
            return self._printed.excess() or _failure(str(error), self._program)
        # A session whose process was ended.
        except RuntimeError as error:
            return CallResult("crash", message=str(error))
        # An argument that Monty does not take, as text with half a surrogate.
        except (ValueError, TypeError) as error:
            return CallResult("unsupported", message=f"{type(error).__name__}: {error}")
        return _result(value, self._limits.output_bytes)


def _translated(pattern: object, flags: object) -> list[object]:
    """Return a pattern for Monty; the only function of this process that code can call."""
    if not (isinstance(pattern, str) and isinstance(flags, int)):
        raise NotImplementedError("a pattern that is no text")
    try:
        return list(rust_pattern(pattern, flags))
    except UnsupportedPatternError as error:
        raise NotImplementedError(str(error)) from error


_HOST = {"_rust_pattern": _translated}


class _Printed:
    """Discards what code prints, up to a limit."""

    def __init__(self, limit: int) -> None:
        self._limit, self._size = limit, 0

    def __call__(self, stream: str, text: str) -> None:
        self._size += len(text)
        if self._size > self._limit:
            raise OverflowError

    def excess(self) -> CallResult | None:
        """Return the end of code that printed too much."""
        if self._size <= self._limit:
            return None
        return CallResult("output", message=f"printed more than {self._limit:,} bytes")


def _result(text: Any, limit: int) -> CallResult:
    """Return the value in a reply; definitions have none."""
    if text is None:
        return CallResult("value")
    if not isinstance(text, str):
        return CallResult("error", message="no reply")  # the code redefined what makes it
    if len(text) > limit:
        return CallResult("output", message=f"returned more than {limit:,} bytes")
    try:
        return CallResult("value", json.loads(text))
    except (ValueError, RecursionError) as error:
        return CallResult("error", message=f"no JSON value: {error}")


def _failure(message: str, program: Program) -> CallResult:
    name = message.partition(":")[0].rpartition(".")[2]
    ending: Ending = "error"
    is_limit = "limit exceeded" in message or "was terminated" in message
    if is_limit and name in ("TimeoutError", "MemoryError"):
        ending = "timeout" if name == "TimeoutError" else "memory"
    elif program.is_early or (
        is_doubtful(name, message) and not _is_unbound(name, message, program)
    ):
        ending = "unsupported"
    return CallResult(ending, message=message)


def _is_unbound(name: str, message: str, program: Program) -> bool:
    match = re.search(r"name '(\w+)' is not defined", message)
    return name == "NameError" and match is not None and match[1] in program.unbound
