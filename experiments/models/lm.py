"""The model boundary of DSPy: one LM class over the engine, which carries the draw past DSPy.

DSPy's own cache, retries and worker threads are not used: the engine does their work. `rollout_id`
is the draw: it becomes part of the ledger key, and the seed where tokens are sampled.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import dspy
from dspy.utils.callback import with_callbacks
from pydantic import BaseModel

from autoevol.experiments.models.client import RoleClient
from autoevol.experiments.models.engine import Engine
from autoevol.experiments.models.transports.protocol import Message, Request
from autoevol.program.calls import CallRecord, report_call
from autoevol.program.draws import draw_number

_NOT_SENT = ("cache", "rollout_id", "n")
"""Settings of DSPy's that the engine handles itself."""


class RoleLM(dspy.LM):
    """A role's model as a DSPy LM; its calls go through the engine and nowhere else.

    Args:
        client: Of the role.
        engine: The run's engine.
    """

    def __init__(self, client: RoleClient, engine: Engine) -> None:
        settings = client.settings
        sampling = {"top_p": settings.top_p} if settings.top_p is not None else {}
        super().__init__(
            settings.model,
            temperature=settings.temperature,
            max_tokens=settings.max_tokens,
            cache=False,
            num_retries=0,
            engine=_UnusedEngine(),
            **sampling,
        )
        self._client = client
        self._run_engine = engine

    @with_callbacks
    def __call__(self, prompt: Any = None, *, messages: Any = None, **kwargs: Any) -> list[str]:
        """Return the replies, `n` of them (by default one).

        Raises:
            RuntimeError: Called on the engine's own thread; use `acall` there.
        """
        futures = [
            self._run_engine.submit(self._client, request, draw)
            for request, draw in self._requests(prompt, messages, kwargs)
        ]
        return self._report([future.result() for future in futures], prompt, messages, kwargs)

    @with_callbacks
    async def acall(self, prompt: Any = None, *, messages: Any = None, **kwargs: Any) -> list[str]:
        """Return the replies, `n` of them (by default one)."""
        records = [
            await self._run_engine.answer(self._client, request, draw)
            for request, draw in self._requests(prompt, messages, kwargs)
        ]
        return self._report(records, prompt, messages, kwargs)

    def __deepcopy__(self, memo: object) -> "RoleLM":
        """Return the LM itself: it holds connections."""
        return self

    def copy(self, **kwargs: Any) -> "RoleLM":
        """Return an LM of the same client with other settings, as DSPy's optimisers need it."""
        twin: RoleLM = self.__copy__()
        draw = kwargs.pop("rollout_id", None)
        twin.kwargs = {**self.kwargs, **kwargs, **({"rollout_id": draw} if draw else {})}
        twin.history = []
        return twin

    def _requests(
        self, prompt: Any, messages: Any, kwargs: Mapping[str, Any]
    ) -> list[tuple[Request, int]]:
        merged = {**self.kwargs, **kwargs}
        draw = merged.get("rollout_id") or 0
        # The first reply has the call's own draw, so that a call with n=1 keeps its ledger key.
        draws = [draw, *(draw_number("n", draw, k) for k in range(1, merged.get("n") or 1))]
        turns = messages or [{"role": "user", "content": prompt}]
        settings = {name: value for name, value in merged.items() if name not in _NOT_SENT}
        return [(to_request(turns, d, settings), d) for d in draws]

    def _report(
        self, records: Sequence[CallRecord], prompt: Any, messages: Any, kwargs: Mapping[str, Any]
    ) -> list[str]:
        """Report the calls to AutoEvol, DSPy's usage tracker and its history; return the texts."""
        texts = [record.text for record in records]
        tracker = dspy.settings.usage_tracker
        for record in records:
            report_call(record)
            if tracker:
                tracker.add_usage(self.model, _usage(record))
        if not dspy.settings.disable_history:
            self.update_history(self._entry(records, prompt, messages, kwargs))
        return texts

    def _entry(
        self, records: Sequence[CallRecord], prompt: Any, messages: Any, kwargs: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {
            "prompt": prompt,
            "messages": messages,
            "kwargs": dict(kwargs),
            "response": records,
            "outputs": [record.text for record in records],
            "usage": _usage(*records),
            "cost": sum(record.cost_usd or 0.0 for record in records),
            "timestamp": datetime.now(UTC).isoformat(),
            "uuid": uuid.uuid4().hex,
            "model": self.model,
            "response_model": records[0].model,
            "model_type": "chat",
        }


class _UnusedEngine:
    """Fills the place of DSPy's own engine, so that DSPy builds none; it is never called."""

    def complete(self, request: object) -> object:
        raise TypeError("this model takes a prompt or messages, not lm15 requests")


def to_request(messages: Sequence[Any], draw: int, settings: Mapping[str, Any]) -> Request:
    """Return DSPy's messages and settings as a request; the draw is the seed where it matters.

    Raises:
        TypeError: A setting or a kind of content is unknown here.
    """
    others = {**settings}
    # DSPy's name for the limit of OpenAI's reasoning models.
    limit = others.pop("max_completion_tokens", None)
    if limit is not None:
        others["max_tokens"] = limit
    temperature, form = others.pop("temperature", None), others.pop("response_format", None)
    return Request(
        messages=tuple(_turn(message) for message in messages),
        temperature=temperature,
        seed=draw if temperature != 0 else None,
        response_format=_json_schema(form) if isinstance(form, type) else form,
        **others,
    )


def _turn(message: Mapping[str, Any]) -> Message:
    content = message["content"]
    if not isinstance(content, str):
        raise TypeError("this model takes text only")
    return {"role": message["role"], "content": content}


def _json_schema(form: type[BaseModel]) -> dict[str, Any]:
    """Return a schema that DSPy made as OpenAI's `response_format`."""
    schema = {"name": form.__name__, "schema": form.model_json_schema(), "strict": True}
    return {"type": "json_schema", "json_schema": schema}


def _usage(*records: CallRecord) -> dict[str, int]:
    tokens_in = sum(record.tokens_in for record in records)
    tokens_out = sum(record.tokens_out for record in records)
    return {
        "prompt_tokens": tokens_in,
        "completion_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
    }
