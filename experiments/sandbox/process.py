"""A sandbox of CPython processes: one for each run of code, with all its calls."""

import asyncio
import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from autoevol.experiments.sandbox.errors import SandboxError
from autoevol.program.sandbox import DEFAULT_LIMITS, Call, CallResult, Ending, Limits

_CHILD = (Path(__file__).parent / "child.py").read_text(encoding="utf-8")
_BUSY, _START_S = 3, 10
"""A process may take so many times its seconds of computing, on a busy machine, and its start."""
_ENVELOPE_BYTES = 65_536  # around the values of a job's results
_COMPLAINT_BYTES = 4096
_CODE_BYTES = 1_000_000
_READY = b"ready"


@dataclass(frozen=True, slots=True)
class Command:
    """How a process is started.

    Attributes:
        prefix: What confines it, with its arguments; the interpreter follows.
        interpreter: Path of Python as the process sees it.
        confined: Whether the process gives up system calls too.
        hint: What helps where it does not start; "" if nothing is known.
    """

    prefix: Sequence[str]
    interpreter: str
    confined: bool
    hint: str = ""


class ProcessSandbox:
    """Runs code in a process a time, under limits of CPU time, memory and output.

    Args:
        name: For messages.
        command: How a process is started.
        processes: At work at the same time.
    """

    def __init__(self, name: str, command: Command, processes: int) -> None:
        self.name, self._command = name, command
        self._turns = threading.Semaphore(processes)

    def close(self) -> None:
        """Do nothing: no process outlives its run."""

    async def run(
        self, code: str, calls: Sequence[Call], limits: Limits = DEFAULT_LIMITS
    ) -> list[CallResult]:
        """See `Sandbox`.

        Raises:
            SandboxError: The process could not be started.
        """
        if len(code) > _CODE_BYTES:
            return [CallResult("error", message="the code is too long")] * len(calls)
        mark = secrets.token_hex(16)
        job = {
            "mark": mark,
            "code": code,
            "calls": [asdict(call) for call in calls],
            "confined": self._command.confined,
            **asdict(limits),
        }
        text = json.dumps(job).encode()
        return await asyncio.to_thread(self._results, text, len(calls), limits, mark.encode())

    run_as_is = run

    def _results(self, job: bytes, count: int, limits: Limits, mark: bytes) -> list[CallResult]:
        with self._turns, self._started() as process:
            work = _Work(process, limits)
            lines = work.lines(job)
        if lines[:1] != [_READY] and work.ending != "timeout":
            raise SandboxError(f"{self.name} does not start: {work.complaint}{self._command.hint}")
        own = [line.removeprefix(mark) for line in lines[1:] if line.startswith(mark)]
        results = [_result(line) for line in own[:count]]
        message = {"timeout": f"more than {limits.seconds:g} s", "crash": "the process ended"}
        rest = CallResult(work.ending, message=message.get(work.ending, "too much output"))
        return [*results, *[rest] * (count - len(results))]

    def _started(self) -> "subprocess.Popen[bytes]":
        command = [*self._command.prefix, self._command.interpreter, "-I", "-S", "-B", "-c", _CHILD]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=pipe, env={}, start_new_session=True
        )


class _Work:
    """One process at work.

    Attributes:
        ending: How it ended, for the calls that it left out.
        complaint: What it said where it did not start.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", limits: Limits) -> None:
        self._process, self._limits = process, limits
        self._started = time.monotonic()
        self.ending: Ending = "crash"
        self.complaint = ""

    def lines(self, job: bytes) -> list[bytes]:
        """Hand over the job and return the whole lines that the process wrote."""
        most = _BUSY * self._limits.seconds + _START_S
        timer = threading.Timer(most, self._kill)
        timer.daemon = True
        timer.start()
        try:
            return self._read(job)
        finally:
            timer.cancel()
            self._kill()

    def _read(self, job: bytes) -> list[bytes]:
        stdin, stdout, stderr = self._streams()
        # A process that ended before it read the job has said why on the other stream.
        with contextlib.suppress(BrokenPipeError):
            stdin.write(job)
        with contextlib.suppress(BrokenPipeError):
            stdin.close()
        most = self._limits.output_bytes + _ENVELOPE_BYTES
        text: bytes = stdout.read(most + 1)
        # A process that used up its CPU time has taken as much time; its status may be lost.
        if len(text) > most:
            self.ending = "output"
        elif time.monotonic() - self._started >= self._limits.seconds:
            self.ending = "timeout"
        self._kill()
        self.complaint = stderr.read(_COMPLAINT_BYTES).decode(errors="replace").strip()
        return text.split(b"\n")[:-1]  # a last line without its end is no result

    def _streams(self) -> tuple[Any, Any, Any]:
        return self._process.stdin, self._process.stdout, self._process.stderr

    def _kill(self) -> None:
        """Kill the process and what it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)


def _result(line: bytes) -> CallResult:
    """Return the result in a line; the code may have written it, so it is read with care."""
    try:
        fields = json.loads(line)
        ending = fields["ending"]
        message = str(fields.get("message", "")).encode(errors="replace").decode()
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return CallResult("error", message="the process wrote no result")
    if ending == "value":
        return CallResult("value", fields.get("value"))
    return CallResult("memory" if ending == "memory" else "error", message=message)


def interpreter() -> str:
    """Return the path of this Python, without its virtual environment."""
    base = getattr(sys, "_base_executable", None) or sys.executable
    return str(Path(base).resolve())
