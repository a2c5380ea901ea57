"""The model boundary of DSPy: one LM class over the engine, which carries the draw past DSPy.

DSPy strips `rollout_id` before an engine sees the request, so the class takes it out itself and
puts it into a context variable; the engine makes it part of the ledger key and of the seed.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import dspy
from dspy.lm15 import Message, Request, Response, TextPart, Usage

from experiments.models.endpoints import fitted
from experiments.models.engine import CallResult, Engine
from experiments.models.line import Line
from experiments.models.wire import WireCall
from program.calls import report_call

_draw: ContextVar[int] = ContextVar("autoevol_draw", default=0)
_FINISH = {"length": "length"}


class RoleLM(dspy.LM):
    """A role's model as a DSPy LM; its calls go through the engine and nowhere else.

    Args:
        line: The role's line to its model.
        engine: The run's engine.
    """

    def __init__(self, line: Line, engine: Engine) -> None:
        settings = line.settings
        sampling = {"top_p": settings.top_p} if settings.top_p is not None else {}
        super().__init__(
            settings.model,
            temperature=settings.temperature,
            max_tokens=settings.max_tokens,
            cache=False,
            num_retries=0,
            engine=_Door(line, engine),
            async_engine=_AsyncDoor(line, engine),
            **sampling,
        )

    def __call__(self, prompt: Any = None, *, messages: Any = None, **kwargs: Any) -> Any:
        """Answer as `dspy.LM` does; `rollout_id` is the draw."""
        with _drawn(kwargs.pop("rollout_id", None)):
            return super().__call__(prompt, messages=messages, **kwargs)

    async def acall(self, prompt: Any = None, *, messages: Any = None, **kwargs: Any) -> Any:
        """Answer as `dspy.LM` does; `rollout_id` is the draw."""
        with _drawn(kwargs.pop("rollout_id", None)):
            return await super().acall(prompt, messages=messages, **kwargs)

    def __deepcopy__(self, memo: object) -> "RoleLM":
        """Return the LM itself: it holds connections."""
        return self


class _Door:
    """DSPy's synchronous engine."""

    def __init__(self, line: Line, engine: Engine) -> None:
        self._line = line
        self._engine = engine

    def complete(self, request: Request) -> Response:
        call = fitted(wire_call(request, _draw.get()), self._line.settings)
        return _response(request, self._engine.submit(self._line, call, _draw.get()).result())


class _AsyncDoor:
    """DSPy's asynchronous engine."""

    def __init__(self, line: Line, engine: Engine) -> None:
        self._line = line
        self._engine = engine

    async def complete(self, request: Request) -> Response:
        call = fitted(wire_call(request, _draw.get()), self._line.settings)
        future = self._engine.submit(self._line, call, _draw.get())
        return _response(request, await asyncio.wrap_future(future))


def wire_call(request: Request, draw: int) -> WireCall:
    """Return DSPy's request as a wire call; where tokens are sampled the draw is the seed."""
    config = request.config
    turns = [{"role": m.role, "content": m.text or ""} for m in request.messages]
    system = request.system if isinstance(request.system, str) else _joined(request.system)
    return WireCall(
        messages=tuple([{"role": "system", "content": system}, *turns] if system else turns),
        temperature=config.temperature,
        top_p=config.top_p,
        max_tokens=config.max_tokens,
        seed=draw if config.temperature != 0 else None,
        response_format=config.response_format,
    )


def _joined(parts: Any) -> str:
    return "".join(part.text for part in parts or ())


def _response(request: Request, result: CallResult) -> Response:
    report_call(result.record)
    reply = result.reply
    return Response(
        id=None,
        model=request.model,
        message=Message.assistant([TextPart(reply.text)]),
        finish_reason=_FINISH.get(reply.finish_reason, "stop"),
        usage=Usage(
            input_tokens=reply.tokens_in,
            output_tokens=reply.tokens_out,
            cache_read_tokens=reply.tokens_cached,
        ),
    )


@contextmanager
def _drawn(draw: int | None) -> Iterator[None]:
    token = _draw.set(draw or 0)
    try:
        yield
    finally:
        _draw.reset(token)
