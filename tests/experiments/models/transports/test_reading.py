"""The reading of a reply: every dialect of a completion, by what it means."""

import json
from typing import Any

import pytest
from dspy.utils.exceptions import LMError, LMRateLimitError, LMServerError
from hypothesis import given, settings
from hypothesis import strategies as st

from autoevol.experiments.models.transports.errors import RowRefusedError, SettingError
from autoevol.experiments.models.transports.protocol import Request, Response
from autoevol.experiments.models.transports.replies.bodies import decoded, parsed
from autoevol.experiments.models.transports.replies.reading import read_reply
from autoevol.experiments.models.transports.secrets import NO_SECRET, Secret

TEXT = "Name three tides, and say for each which body causes it."
THOUGHT = "The user wants a harder task.\nI add a condition."
PROMPT = "Rewrite: name a tide."


def completion(
    content: Any = TEXT, finish_reason: Any = "stop", *, usage: Any = None, **message: Any
) -> dict[str, Any]:
    choice = {"message": {"content": content, **message}, "finish_reason": finish_reason}
    return {"choices": [choice], "usage": usage}


def read(body: dict[str, Any], *, prompt: str = PROMPT, secret: Secret = NO_SECRET) -> Response:
    request = Request(({"role": "user", "content": prompt},))
    return read_reply(body, request, model="m", secret=secret, seconds=0.1)


@pytest.mark.parametrize(
    "content",
    [
        f"<think>\n{THOUGHT}\n</think>\n\n{TEXT}",
        f"<think>{THOUGHT}</think>{TEXT}",
        f"\n\n<think>{THOUGHT}</think>\n{TEXT}",
        f"{THOUGHT}\n</think>\n\n{TEXT}",
        f"[THINK]{THOUGHT}[/THINK]{TEXT}",
        f"<seed:think>{THOUGHT}</seed:think>{TEXT}",
        f"◁think▷{THOUGHT}◁/think▷{TEXT}",
        f"<thinking>\n{THOUGHT}\n</thinking>\n{TEXT}",
        f"<|START_THINKING|>{THOUGHT}<|END_THINKING|>{TEXT}",
        f"<|channel>thought\n{THOUGHT}<channel|>{TEXT}",
        f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant"
        f"<|channel|>final<|message|>{TEXT}<|return|>",
        f"<|channel|>analysis<|message|>{THOUGHT}<|start|>assistant"
        f"<|channel|>final <|constrain|>text<|message|>{TEXT}",
        f"analysis{THOUGHT}assistantfinal{TEXT}",
    ],
)
def test_thinking_inside_the_text_is_kept_apart(content: str) -> None:
    reply = read(completion(content))
    assert (reply.text, reply.thinking) == (TEXT, THOUGHT)


@pytest.mark.parametrize(
    "message",
    [
        {"reasoning_content": THOUGHT},
        {"reasoning": THOUGHT},
        {"reasoning": THOUGHT, "reasoning_details": [{"type": "text", "text": THOUGHT}]},
        {"thinking_blocks": [{"type": "thinking", "thinking": THOUGHT, "signature": "x"}]},
        {"content": [{"type": "thinking", "thinking": THOUGHT}, {"type": "text", "text": TEXT}]},
        {
            "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}]},
                {"type": "text", "text": TEXT},
            ]
        },
    ],
)
def test_thinking_beside_the_text_is_kept_apart(message: dict[str, Any]) -> None:
    reply = read(completion(message.pop("content", TEXT), **message))
    assert (reply.text, reply.thinking) == (TEXT, THOUGHT)


def test_empty_thinking_is_none() -> None:
    reply = read(completion(f"<think>\n\n</think>\n\n{TEXT}"))
    assert (reply.text, reply.thinking) == (TEXT, "")


def test_thinking_that_the_limit_cut_off_leaves_no_text_and_says_what_helps() -> None:
    for content in (f"<think>\n{THOUGHT}", f"<|channel|>analysis<|message|>{THOUGHT}"):
        reply = read(completion(content, "length"))
        assert (reply.text, reply.thinking) == ("", THOUGHT)
        assert "raise max_tokens" in reply.problem


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        (PROMPT, "Explain why models write `</think>` behind their thoughts."),
        (PROMPT, 'What do the tags "<think>" and "</think>" mean in a reply?'),
        ("What does <think> do?", "<think> and </think> enclose a model's thoughts. Say why."),
        ("Answer in the fields <thinking> and <result>.", "<thinking>\na\n</thinking>\n<result>b"),
        (PROMPT, "Analysis of tides: assistant, final answer, what do the words mean?"),
    ],
)
def test_a_text_about_thinking_tags_stays_whole(prompt: str, text: str) -> None:
    reply = read(completion(text), prompt=prompt)
    assert (reply.text, reply.thinking) == (text, "")


@pytest.mark.parametrize("end", ["</s>", "<|eot_id|>", "<end_of_turn>", "<|im_end|>\n", "<turn|>"])
@pytest.mark.parametrize("begin", ["", "assistant\n\n", "<|im_start|>assistant\n", "<s>"])
def test_tokens_of_the_template_are_taken_off_the_ends(begin: str, end: str) -> None:
    assert read(completion(f"{begin}{TEXT}{end}")).text == TEXT


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("What does <|endoftext|> do?", "Name the token of GPT-2 that ends a text: <|endoftext|>"),
        (PROMPT, "The price was <s>10</s>"),
        (PROMPT, "Explain what <|im_end|> and <|im_start|> do, with an example."),
        (PROMPT, "assistant professors write more: say why."),
    ],
)
def test_a_text_about_tokens_stays_whole(prompt: str, text: str) -> None:
    assert read(completion(text), prompt=prompt).text == text


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        *((word, "length") for word in ("length", "max_tokens", "MAX_TOKENS", "model_length")),
        *((word, "length") for word in ("max_output_tokens", "FinishReason.MAX_TOKENS")),
        *((word, "filter") for word in ("content_filter", "SAFETY", "RECITATION", "refusal")),
        ("PROHIBITED_CONTENT", "filter"),
        *((word, "stop") for word in ("stop", None, "eos", "end_turn", "STOP", "eos_token")),
        ("tool_calls", "tool"),
    ],
)
def test_a_finish_reason_counts_by_its_meaning(word: str | None, meaning: str) -> None:
    assert read(completion(TEXT, word)).finish_reason == meaning


def test_a_refusal_and_a_filter_leave_no_text_and_say_why() -> None:
    refused = read(completion(None, refusal="I cannot help with that."))
    filtered = read(completion("Half of a", "SAFETY"))
    assert (refused.text, refused.finish_reason) == ("", "filter")
    assert "I cannot help" in refused.problem
    assert (filtered.text, filtered.finish_reason) == ("", "filter")
    assert "SAFETY" in filtered.problem
    assert "Half of a" in filtered.problem


def test_a_tool_call_is_no_text_and_is_shown() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "rewrite", "arguments": "{}"}}
    reply = read(completion(None, "tool_calls", tool_calls=[call]))
    assert reply.text == ""
    assert "rewrite" in reply.problem


def test_other_forms_of_content_are_read() -> None:
    parts = [{"type": "text", "text": "Name three "}, {"type": "output_text", "text": "tides."}]
    assert read(completion(parts)).text == "Name three tides."
    legacy = {"choices": [{"text": TEXT, "finish_reason": "stop"}]}
    assert read(legacy).text == TEXT


@pytest.mark.parametrize("text", ["", "\u200b\u200b\ufeff", "</s>", "<|im_end|>"])
def test_a_text_of_nothing_visible_is_empty(text: str) -> None:
    assert read(completion(text)).text == ""


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": {"message": "no", "code": 401}}, SettingError),
        ({"error": {"message": "slow down", "code": 429}}, LMRateLimitError),
        ({"error": {"message": "oops", "code": 502}}, LMServerError),
        ({"error": {"message": "oops", "code": "rate_limit_exceeded"}}, LMRateLimitError),
        ({"error": {"message": "oops", "type": "overloaded_error"}}, LMServerError),
        ({"error": "oops"}, LMServerError),
        ({"object": "error", "message": "no", "code": 401}, SettingError),
        ({"error": {"message": "flagged by moderation", "code": 403}}, RowRefusedError),
        ({"choices": [{"error": {"code": 502, "message": "upstream"}}]}, LMServerError),
        ({"choices": [{"finish_reason": "error", "message": {"content": "par"}}]}, LMServerError),
        ({"choices": []}, LMServerError),
        ({"choices": None}, LMServerError),
        ({"choices": [7]}, LMServerError),
        ({"choices": [{"message": {"content": 7}}]}, LMServerError),
        ({}, LMServerError),
    ],
)
def test_an_error_with_status_200_counts_as_its_own_status(
    body: dict[str, Any], kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        read(body)


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ({"prompt_tokens": 40.0, "completion_tokens": "30"}, (40, 30)),
        ({"input_tokens": 40, "output_tokens": 30}, (40, 30)),
    ],
)
def test_odd_counts_are_read(usage: dict[str, Any], counts: tuple[int, int]) -> None:
    reply = read(completion(usage=usage))
    assert (reply.tokens_in, reply.tokens_out, reply.is_estimated) == (*counts, False)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        "none",
        {"prompt_tokens": None, "completion_tokens": None, "prompt_tokens_details": None},
        {"prompt_tokens": -5, "completion_tokens": 2**70},
        {"prompt_tokens": True, "completion_tokens": "many"},
        {"prompt_tokens": 0, "completion_tokens": 0},
    ],
)
def test_missing_counts_are_estimated_and_marked(usage: Any) -> None:
    reply = read(completion(usage=usage))
    assert reply.is_estimated
    assert reply.tokens_in == pytest.approx(len(PROMPT) / 4, abs=1)
    assert reply.tokens_out == pytest.approx(len(TEXT) / 4, abs=1)


def test_the_key_is_concealed_in_a_reply_also_in_base64() -> None:
    import base64

    key = "sk-canary-0123456789"
    hidden = [base64.b64encode(f"{'x' * n}{key}yz".encode()).decode() for n in range(3)]
    text = f"Your key is {key}, or {', '.join(hidden)}."
    reply = read(completion(text, reasoning=text), secret=Secret(key))
    for part in (reply.text, reply.thinking):
        assert key not in part
        assert part.count("[key]") == 4
    short = read(completion("a is a letter"), secret=Secret("a"))
    assert short.text == "a is a letter"


def test_an_event_stream_that_nobody_asked_for_is_joined() -> None:
    pieces: list[dict[str, Any]] = [{"delta": {"content": f"{word} "}} for word in TEXT.split()]
    pieces.append({"delta": {}, "finish_reason": "stop"})
    events: list[dict[str, Any]] = [{"choices": [{"index": 0, **piece}]} for piece in pieces]
    events.append({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 6}})
    body = "".join(f"data: {json.dumps(event)}\r\n\r\n" for event in events) + "data: [DONE]\n\n"
    reply = read(dict(parsed(f": comment\n\n{body}")))
    assert (reply.text.strip(), reply.tokens_in, reply.tokens_out) == (TEXT, 5, 6)


@pytest.mark.parametrize(
    ("data", "content_type", "text"),
    [
        ("café".encode(), "application/json", "café"),
        ("café".encode("utf-8-sig"), "application/json", "café"),
        ("café".encode("latin-1"), "application/json; charset=iso-8859-1", "café"),
        ("카페".encode("cp949"), 'text/json; charset="cp949"', "카페"),
        (b"caf\xff", "application/json; charset=nonsense", "caf\ufffd"),
    ],
)
def test_a_body_is_read_in_its_charset(data: bytes, content_type: str, text: str) -> None:
    assert decoded(data, content_type) == text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = ("choices", "error", "message", "content", "text", "usage", "finish_reason", "delta")
BODIES = st.dictionaries(
    st.sampled_from(NAMES),
    JSON | st.lists(st.dictionaries(st.sampled_from(NAMES), JSON), max_size=2),
    max_size=5,
)


@settings(max_examples=300, deadline=None)
@given(BODIES)
def test_any_body_is_a_reply_or_an_error_of_the_call(body: dict[str, Any]) -> None:
    try:
        reply = read(body)
    except LMError:
        return
    assert isinstance(reply.text, str)


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(), max_size=60))
def test_no_control_character_comes_through(text: str) -> None:
    reply = read(completion(text))
    assert not any((ord(c) < 32 and c not in "\t\n\r") or 127 <= ord(c) < 160 for c in reply.text)
    reply.text.encode("utf-8")
