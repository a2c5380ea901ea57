"""A sandbox is opened only if it is there and refuses what it must."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from autoevol.experiments.sandbox import SandboxChain, SandboxError, SandboxName, open_sandbox
from autoevol.experiments.sandbox import bubblewrap as bubblewrap_room
from autoevol.experiments.sandbox.probe import check
from autoevol.experiments.sandbox.process import Command, ProcessSandbox, interpreter
from autoevol.program.sandbox import DEFAULT_LIMITS, Call, CallResult, Limits

WORKS = "def evaluate(text):\n    return len(text) > 2"
USES_OS = "import os\ndef evaluate(text):\n    return os.sep == '/'"


def _results(name: SandboxName, code: str = WORKS, lines: list[str] | None = None) -> list[object]:
    async def run() -> list[object]:
        say = (lines if lines is not None else []).append
        async with open_sandbox(name, say=say) as sandbox:
            results = await sandbox.run(code, [Call("evaluate", ["abc"]), Call("evaluate", ["a"])])
            return [result.value for result in results]

    return asyncio.run(run())


@pytest.mark.parametrize("name", ["auto", "monty", "bwrap"])
def test_a_sandbox_runs_code(name: SandboxName) -> None:
    assert _results(name) == [True, False]


def test_what_monty_lacks_is_run_by_bubblewrap() -> None:
    assert _results("monty", USES_OS) == [None, None]
    assert _results("auto", USES_OS) == [True, True]


def test_without_bubblewrap_monty_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap_room, "_program", lambda: None)
    lines: list[str] = []
    assert _results("auto", lines=lines) == [True, False]
    assert len(lines) == 1
    assert "apt install bubblewrap" in lines[0]


def test_without_monty_bubblewrap_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydantic_monty", None)
    lines: list[str] = []
    assert _results("auto", lines=lines) == [True, False]
    assert "autoevol[verify]" in lines[0]


def test_without_any_the_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydantic_monty", None)
    monkeypatch.setattr(bubblewrap_room, "_program", lambda: None)
    with pytest.raises(SandboxError, match=r"autoevol\[verify\].*apt install bubblewrap"):
        _results("auto")


def test_bubblewrap_without_user_namespaces_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "bwrap"
    program.write_text(
        "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(bubblewrap_room, "_program", lambda: str(program))
    with pytest.raises(SandboxError, match=r"user namespaces.*sandbox: monty"):
        _results("bwrap")


def test_a_process_without_walls_is_refused() -> None:
    leaky = ProcessSandbox("leaky", Command((), interpreter(), False), 1)
    with pytest.raises(SandboxError, match="leaky does not confine: code gets a file"):
        asyncio.run(check(leaky))


def test_no_sandbox_has_to_be_allowed() -> None:
    with pytest.raises(SandboxError, match="--allow-unsandboxed"):
        _results("none")

    async def run() -> list[CallResult]:
        async with open_sandbox("none", allow_unsandboxed=True) as sandbox:
            return await sandbox.run(WORKS, [Call("evaluate", ["abc"])])

    assert asyncio.run(run())[0].value is True


class _Fixed:
    """A sandbox with one answer."""

    def __init__(self, *results: CallResult) -> None:
        self.results, self.runs = list(results), 0

    async def run(
        self, code: str, calls: Sequence[Call], limits: Limits = DEFAULT_LIMITS
    ) -> list[CallResult]:
        self.runs += 1
        return self.results


def test_all_calls_are_made_in_one_sandbox() -> None:
    first = _Fixed(CallResult("value", value=True), CallResult("unsupported"))
    second = _Fixed(CallResult("value", value=False), CallResult("value", value=False))
    chain = SandboxChain([first, second])
    results = asyncio.run(chain.run("", [Call("evaluate"), Call("evaluate")]))
    assert [result.value for result in results] == [False, False]


def test_an_error_is_not_tried_elsewhere() -> None:
    first, second = _Fixed(CallResult("error", message="ValueError: x")), _Fixed()
    assert asyncio.run(SandboxChain([first, second]).run("", [Call("evaluate")])) == first.results
    assert second.runs == 0


def test_a_name_of_a_function_is_a_name() -> None:
    with pytest.raises(ValueError, match="no name of a function"):
        Call("evaluate(1) or print")
