"""What a refusal's words mean: providers say the same thing with many statuses.

Pure functions of the body's text. Each is about one meaning, and knows the phrases of the
providers and servers that litellm reaches.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_CONTEXT = re.compile(
    r"context|too many (?:input )?tokens|(?:prompt|input|message)s? (?:is |are )?too (?:long|large)"
    r"|prompt tokens|input length|string too long",
    re.IGNORECASE,
)
_EXCEEDED = re.compile(r"exceed|maximum|too (?:long|many|large)|larger than|limit", re.IGNORECASE)
_LIMIT = re.compile(r"(?:context (?:length|window|size)|maximum)\D{0,40}?(\d{3,})", re.IGNORECASE)
_PROMPT = re.compile(
    r"(\d+)\s*(?:tokens?\s*)?(?:in|from) (?:the |your )?(?:messages|prompt|input)"
    r"|(\d+) (?:input|prompt) tokens|(?:prompt|input)[^.\d]{0,30}?(\d+) tokens",
    re.IGNORECASE,
)
_SUM = re.compile(r"(\d+)\s*\+\s*\d+\s*>\s*(\d+)")
"""Anthropic's: prompt + max_tokens > context."""

_MOST_OF_CONTEXT = 0.9
"""Share of the context that a prompt may fill, and still leave room for a reply."""

_REPLY_ROOM = re.compile(
    r"max(?:_new|_completion|_output)?_tokens|in the completion|output tokens|completion tokens",
    re.IGNORECASE,
)

_MODERATED = re.compile(
    r"content[_ -]?(?:filter|policy|management|moderation)|moderation|flagged|responsible ?ai"
    r"|prohibited[_ ]content|inappropriate content|data_inspection_failed|usage polic"
    r"|safety (?:system|filter|setting|polic|reason)|violat\w+ .{0,40}polic"
    r"|sensitive (?:content|words)|\bblocked\b.{0,60}(?:content|safety|policy|prompt)|guardrail",
    re.IGNORECASE,
)
_CREDIT = re.compile(
    r"insufficient[_ ](?:quota|balance|credit|funds)|(?:credit|account) balance|out of credits?"
    r"|payment required|more credits|exceeded your current quota|billing|arrear|no credits?\b",
    re.IGNORECASE,
)
_BUSY = re.compile(
    r"\b(?:is|are|currently|too|server|service) (?:very )?(?:busy|overloaded)|overloaded"
    r"|try (?:again|later)|temporar(?:y|ily)|\bat capacity|model is (?:still )?loading|starting up",
    re.IGNORECASE,
)
_KEY = re.compile(
    r"api[ _-]?key|unauthori[sz]ed|authenticat|credential|access token|forbidden|permission"
    r"|not (?:allowed|authorized) to|access denied|subscription",
    re.IGNORECASE,
)
_MODEL = re.compile(
    r"\bmodel\b.{0,120}?(?:not (?:found|exist|available|supported|deployed|served)"
    r"|does ?n[o']t exist|unknown|no longer|deprecated|decommissioned|pull)"
    r"|(?:no such|unknown|invalid|unrecognized) model|no endpoints? found"
    r"|deployment .{0,60}not exist",
    re.IGNORECASE | re.DOTALL,
)
_SYSTEM = re.compile(
    r"roles? must alternate|system (?:role|message|prompt|instruction)s?.{0,40}"
    r"(?:not|unsupported|n't)"
    r"|(?:not|n't|unsupported).{0,30}system (?:role|message|prompt|instruction)"
    r"|developer instruction.{0,30}not|only user and assistant|first message must be.{0,20}user",
    re.IGNORECASE,
)
_STREAM = re.compile(
    r"only (?:supports?|available (?:in|with)).{0,20}stream"
    r"|stream(?:ing)? (?:mode )?(?:is )?required"
    r"|(?:set|use|enable) .{0,10}stream|must (?:be )?stream|non-?stream\w* .{0,30}not",
    re.IGNORECASE,
)

_SETTINGS = (
    *("max_completion_tokens", "max_tokens", "temperature", "top_p", "seed", "response_format"),
    *("stream_options", "top_logprobs", "logprobs", "top_k", "min_p", "reasoning_effort"),
    *("frequency_penalty", "presence_penalty", "logit_bias", "enable_thinking"),
    *("chat_template_kwargs", "repetition_penalty"),
)
"""Settings that a request may hold, by names that are no ordinary words."""

_UNSUPPORTED = re.compile(
    r"unsupported|not[ _-](?:be )?support|n[o']t support|not[ _-]?(?:permitted|allowed|accepted)"
    r"|unrecogni[sz]ed|unknown|unexpected|extra[ _]|only the default|cannot (?:both )?be|deprecated"
    r"|incompatible|not compatible|not available|no longer",
    re.IGNORECASE,
)
_OUT_OF_RANGE = re.compile(
    r"must be|should be|less than|greater than|at (?:most|least)|between|range"
    r"|too (?:large|small|big)|invalid|minimum|maximum",
    re.IGNORECASE,
)
_REPLACEMENT = re.compile(
    r"use [`'\"]?(max_completion_tokens|max_tokens)[`'\"]? instead", re.IGNORECASE
)
_WAIT = re.compile(
    r"(?:retry[_ -]?(?:delay|after)[\"'\s:]+|(?:try again|retry) (?:in|after) )"
    r"(\d+(?:\.\d+)?)\s*(m?s)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A setting that an endpoint refuses.

    Attributes:
        setting: Its name as it is sent; "system_role": the system turn, "stream": a reply in one
            piece.
        can_drop: It is refused as such; otherwise its value is.
        replacement: The name that the endpoint takes; "": none.
    """

    setting: str
    can_drop: bool
    replacement: str = ""


def is_too_long(text: str) -> bool:
    """Tell whether the context is too small for the request."""
    return bool(_CONTEXT.search(text) and _EXCEEDED.search(text))


def leaves_no_room(text: str) -> bool:
    """Tell whether it is `max_tokens` for which the context is too small, and not the prompt."""
    # Some room for a reply has to be left, or the row is too long for every setting.
    if total := _SUM.search(text):
        return int(total[1]) < _MOST_OF_CONTEXT * int(total[2])
    limit, prompt = _LIMIT.search(text), _PROMPT.search(text)
    if limit and prompt:
        return int(next(filter(None, prompt.groups()))) < _MOST_OF_CONTEXT * int(limit[1])
    return bool(_REPLY_ROOM.search(text)) and "too large" in text


def is_moderated(text: str) -> bool:
    """Tell whether a content filter refuses the text."""
    return bool(_MODERATED.search(text))


def is_about_credit(text: str) -> bool:
    """Tell whether the account has run out of credit."""
    return bool(_CREDIT.search(text))


def is_busy(text: str) -> bool:
    """Tell whether the server has no capacity at present."""
    return bool(_BUSY.search(text))


def is_about_key(text: str) -> bool:
    """Tell whether the key is refused, or what it permits."""
    return bool(_KEY.search(text))


def is_about_model(text: str) -> bool:
    """Tell whether the endpoint does not have the model."""
    return bool(_MODEL.search(text))


def retry_seconds(text: str) -> float | None:
    """Return the wait that a body names, in seconds; None: it names none."""
    match = _WAIT.search(text)
    if not match:
        return None
    return float(match[1]) / (1000 if (match[2] or "").lower() == "ms" else 1)


def setting_refused(text: str) -> Refusal | None:
    """Return the setting that a refusal is about; None: it is about none."""
    if _SYSTEM.search(text):
        return Refusal("system_role", can_drop=False)
    if _STREAM.search(text):
        return Refusal("stream", can_drop=True)
    setting = _named_setting(text)
    if setting is None:
        return None
    replacement = _REPLACEMENT.search(text)
    name = replacement[1].lower() if replacement else ""
    if _UNSUPPORTED.search(text) or name:
        return Refusal(setting, can_drop=True, replacement="" if name == setting else name)
    return Refusal(setting, can_drop=False) if _OUT_OF_RANGE.search(text) else None


def _named_setting(text: str) -> str | None:
    """Return the setting that a body names: in a field for it, else in its words."""
    for name in _parameters(text):
        if name in _SETTINGS:
            return name
    match = re.search(rf"(?<![\w-])({'|'.join(_SETTINGS)})(?![\w-])", text)
    return match[1] if match else None


def message_in(text: str) -> str:
    """Return the message of an error's body; "": it has none, or is no JSON."""
    body = _object(text)
    error = body.get("error", body)
    message = error.get("message") if isinstance(error, Mapping) else error
    return message if isinstance(message, str) else ""


def _object(text: str) -> Mapping[str, Any]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, Mapping) else {}


def _parameters(text: str) -> Iterator[str]:
    """Yield the parameters that an error names: OpenAI's `param`, pydantic's `loc`."""
    body = _object(text)
    error = body.get("error")
    param = error.get("param") if isinstance(error, Mapping) else None
    if isinstance(param, str):
        yield param.rsplit(".", 1)[-1]
    details = body.get("detail")
    for detail in details if isinstance(details, list) else ():
        loc = detail.get("loc") if isinstance(detail, Mapping) else None
        if isinstance(loc, list) and loc:
            yield str(loc[-1])
