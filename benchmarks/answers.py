"""What a chat request gets: the scripted world's text, or a fault."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from autoevol.experiments.models.transports.scripted import SCRIPTS, world
from benchmarks.caps import Cap, cap_of
from benchmarks.settings import FAULT_STATUS, FAULTS, Settings

DROPPED = 0
"""The status of a connection that is closed without a reply."""

CHARACTERS_PER_TOKEN = 4

WORDS = (
    "river mountain harbour village market ancient narrow golden quiet distant bridge forest "
    "measure compare explain describe arrange collect consider examine winter summer morning "
    "evening letter number colour shadow engine garden kitchen museum station teacher farmer "
    "sailor doctor painter simple heavy gentle bright hollow several without between against "
    "towards during because although meanwhile therefore however instead perhaps"
).split()
"""What texts are drawn from."""
_COMPLETION = (
    '{"id":"chatcmpl-0","object":"chat.completion","created":1,"model":"world","choices":[{"index":'
    '0,"message":{"role":"assistant","content":%s},"finish_reason":"%s"}],"usage":{"prompt_tokens":'
    '%d,"completion_tokens":%d,"total_tokens":%d,"prompt_tokens_details":{"cached_tokens":%d}}}'
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply that is due after a while.

    Attributes:
        status: `DROPPED`: the connection is closed instead.
        delay: Seconds from the request to the reply.
        is_good: A sound reply, not a fault.
        retry_after: Seconds in the header; None: no header.
    """

    status: int
    body: bytes = b""
    delay: float = 0.0
    is_good: bool = False
    retry_after: float | None = None


class Endpoint:
    """Answers chat requests as its settings say.

    Args:
        settings: To start with.
        start: The loop's time when the server was started.
    """

    def __init__(self, settings: Settings, start: float) -> None:
        self._start = start
        self._take(settings)
        self.reset(start)

    def change(self, settings: Settings, now: float) -> None:
        """Take other settings; draws and cap start anew only where theirs have changed."""
        before = self.settings
        self._take(settings)
        if settings.seed != before.seed:
            self._draws = random.Random(settings.seed)
        if (settings.cap, settings.cap_kind) != (before.cap, before.cap_kind):
            self._cap = self._new_cap(now)

    def reset(self, now: float) -> None:
        """Start draws, cap and the numbers of requests anew."""
        self._draws = random.Random(self.settings.seed)
        self._cap = self._new_cap(now)
        self._count = 0

    def answer(self, body: bytes, now: float) -> Answer:
        """Return what the request that arrives at `now` gets."""
        number, self._count = self._count, self._count + 1
        if self._cap is not None and not self._cap.admits(now):
            return self._refusal(429, 0.0, "above the cap")
        delay = self._delay(number)
        try:
            asked = json.loads(body)
            last = _last_user_turn(asked)
        except (ValueError, LookupError, TypeError, StopIteration) as error:
            return self._refusal(400, delay, f"no chat request: {error!r}")
        return self._told(last, delay) or self._drawn(asked, delay)

    def _take(self, settings: Settings) -> None:
        self.settings = settings
        self._bounds = list(accumulate(getattr(settings, name) for name in FAULTS))
        self._hangs = frozenset(settings.hangs)

    def _new_cap(self, now: float) -> Cap | None:
        settings = self.settings
        return cap_of(settings.cap_kind, settings.cap, start=self._start, now=now)

    def _delay(self, number: int) -> float:
        settings = self.settings
        jitter = self._draws.random() * settings.jitter if settings.jitter else 0.0
        return settings.latency + jitter + (settings.hang_s if number in self._hangs else 0.0)

    def _told(self, last: str, delay: float) -> Answer | None:
        """Return the error that the settings name for this request, whatever is drawn."""
        settings = self.settings
        if settings.status is not None and settings.status != 200:
            return self._refusal(settings.status, delay, "as set")
        if settings.poison and settings.poison in last:
            return self._refusal(500, delay, "the server failed on this request")
        if settings.too_long and settings.too_long in last:
            said = "This model's maximum context length is 4096 tokens. Your messages are longer."
            return self._refusal(400, delay, said, code="context_length_exceeded")
        if settings.refused and settings.refused in last:
            return self._refusal(400, delay, "the request is refused", code="invalid_value")
        return None

    def _drawn(self, asked: Mapping[str, Any], delay: float) -> Answer:
        drawn = self._draws.random()
        if drawn >= self._bounds[-1]:
            return Answer(200, self._completion(asked), delay, is_good=True)
        fault = next(
            name for name, bound in zip(FAULTS, self._bounds, strict=True) if drawn < bound
        )
        if fault in FAULT_STATUS:
            return self._refusal(FAULT_STATUS[fault], delay, fault.replace("_", " "))
        if fault == "dropped":
            return Answer(DROPPED, delay=delay)
        return Answer(200, self._spoiled(fault, asked), delay)

    def _spoiled(self, fault: str, asked: Mapping[str, Any]) -> bytes:
        if fault == "malformed":
            return b"[]"
        if fault == "wrong_shape":
            return b'{"choices": []}'
        if fault == "torn":
            whole = self._completion(asked)
            return whole[: len(whole) // 2]
        text = self._text(asked) if fault == "cut" else ""
        return _completion(asked, text[: len(text) // 2], "length" if text else "stop")

    def _completion(self, asked: Mapping[str, Any]) -> bytes:
        return _completion(asked, self._text(asked), "stop")

    def _text(self, asked: Mapping[str, Any]) -> str:
        same_seed = self.settings.same_seed
        seed = asked.get("seed") or 0 if same_seed is None else same_seed
        script = SCRIPTS.get(asked["model"], world)
        text = script(asked["messages"], seed)
        missing = (self.settings.size or 0) - len(text)
        return f"{text} {_padding(text, missing)}" if missing > 0 else text

    def _refusal(self, status: int, delay: float, said: str, code: str | None = None) -> Answer:
        kind = "invalid_request_error" if status == 400 else "error"
        error = {"message": said, "type": kind, "param": None, "code": code}
        wait = self.settings.retry_after if status in (429, 503) else None
        body = json.dumps({"error": error}).encode()
        return Answer(status, body, delay, retry_after=wait)


def _last_user_turn(asked: Mapping[str, Any]) -> str:
    turns = asked["messages"]
    if not all(isinstance(turn["content"], str) for turn in turns):
        raise TypeError("every content must be text")
    last: str = next(turn["content"] for turn in reversed(turns) if turn["role"] == "user")
    return last


def _completion(asked: Mapping[str, Any], text: str, finish_reason: str) -> bytes:
    sizes = [len(message["content"]) // CHARACTERS_PER_TOKEN for message in asked["messages"]]
    tokens_in, tokens_out = sum(sizes), len(text) // CHARACTERS_PER_TOKEN
    usage = (tokens_in, tokens_out, tokens_in + tokens_out, sum(sizes[:-1]))
    return (_COMPLETION % (json.dumps(text), finish_reason, *usage)).encode()


def _padding(text: str, size: int) -> str:
    """Return about `size` characters of words, the same for the same text."""
    count = size // 8 + 1
    return " ".join(random.Random(text).choices(WORDS, k=count))
