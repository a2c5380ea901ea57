"""A real `dspy.LM` over an engine that is a function: DSPy's own cache, draws and retries apply."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dspy
from dspy.lm15 import Message, Request, Response, TextPart, Usage


class CountingEngine:
    """Answers by a function, and counts the calls that reach it: those that no cache answered."""

    def __init__(self, reply: Callable[[str, str], str]) -> None:
        self.reply, self.calls = reply, 0

    def __deepcopy__(self, memo: object) -> "CountingEngine":
        """Return the engine itself."""
        return self

    def complete(self, request: Request) -> Response:
        """Return one reply."""
        self.calls += 1
        parts = request.system or ()
        system = parts if isinstance(parts, str) else "".join(part.text for part in parts)
        user = "\n".join(message.text or "" for message in request.messages)
        return Response(
            id=None,
            model=request.model,
            message=Message.assistant([TextPart(self.reply(system, user))]),
            finish_reason="stop",
            usage=Usage(input_tokens=1, output_tokens=1),
        )


class _Async:
    def __init__(self, engine: CountingEngine) -> None:
        self._engine = engine

    def __deepcopy__(self, memo: object) -> "_Async":
        return self

    async def complete(self, request: Request) -> Response:
        return self._engine.complete(request)


def counting_lm(reply: Callable[[str, str], str], **kwargs: Any) -> tuple[dspy.LM, CountingEngine]:
    """Return a cached model and its engine."""
    engine = CountingEngine(reply)
    lm = dspy.LM("fake/model", engine=engine, async_engine=_Async(engine), **kwargs)
    return lm, engine


@contextmanager
def own_cache(folder: Path) -> Iterator[None]:
    """Give DSPy an empty cache in the block."""
    usual = dspy.cache
    dspy.configure_cache(disk_cache_dir=str(folder), enable_disk_cache=False)
    try:
        yield
    finally:
        dspy.cache = usual
