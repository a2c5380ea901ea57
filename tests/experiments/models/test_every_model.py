"""Every model of the README through the whole stack, down to the bytes on a loopback wire."""

from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.models.budget import Budget
from autoevol.experiments.models.ledger import LedgerSettings
from autoevol.experiments.models.runtime import open_models
from autoevol.experiments.models.settings import REASONING_FLOOR, ModelSettings
from tests.support.loopback import Answer, ReceivedRequest, answering, openai_reply

MESSAGES = [
    {"role": "system", "content": "Rewrite."},
    {"role": "user", "content": "Why?"},
]
ANTHROPIC = {
    "id": "x",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [
        {"type": "thinking", "thinking": "Hm.", "signature": "x"},
        {"type": "text", "text": "fine"},
    ],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 11, "output_tokens": 3},
}
OLLAMA = {
    "model": "m",
    "created_at": "2026-01-01T00:00:00Z",
    "message": {"role": "assistant", "content": "fine", "thinking": "Hm."},
    "done": True,
    "done_reason": "stop",
    "prompt_eval_count": 11,
    "eval_count": 3,
}
GEMINI = {
    "candidates": [
        {
            "content": {"role": "model", "parts": [{"text": "fine"}]},
            "finishReason": "STOP",
            "index": 0,
        }
    ],
    "usageMetadata": {"promptTokenCount": 11, "candidatesTokenCount": 3, "totalTokenCount": 14},
}


def respond(request: ReceivedRequest) -> Answer:
    """Answer as the provider does whose path is asked for."""
    if request.path.endswith("/messages"):
        return 200, ANTHROPIC
    if request.path.startswith("/api/"):
        return 200, OLLAMA
    return 200, GEMINI if "generateContent" in request.path else openai_reply()


def ask(model: str, folder: Path, **options: Any) -> tuple[str, ReceivedRequest, list[str]]:
    """Ask a model once as a run would; return the reply, the request, and the notes."""
    notes: list[str] = []
    with answering(respond) as server:
        options = {"api_base": server.url, "api_key_env": "SOME_API_KEY", **options}
        settings = ModelSettings(model, role="evolver", attempts=1, **options)
        with open_models(
            {"evolver": settings},
            ledger=LedgerSettings(folder / "ledger.sqlite"),
            budget=Budget(),
            on_part=lambda *_: None,
            say=notes.append,
        ) as models:
            (text,) = models.lms["evolver"](messages=MESSAGES, rollout_id=7)
        # litellm asks Ollama about the model as well.
        chats = [r for r in server.requests if {"messages", "contents"} & set(r.body)]
        return text, chats[-1], notes


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk-some-0123456789")
    monkeypatch.setenv("AZURE_API_VERSION", "2025-04-01-preview")


@pytest.mark.parametrize(
    "model",
    [
        *("openai/gpt-4o-mini", "deepseek/deepseek-chat", "openrouter/openai/gpt-4o-mini"),
        *("hosted_vllm/m", "lm_studio/m", "openai/my-model", "azure/gpt-4o"),
        *("anthropic/claude-sonnet-4-5", "gemini/gemini-2.5-flash", "ollama_chat/m"),
    ],
)
def test_a_model_answers_and_gets_its_sampling(model: str, tmp_path: Path) -> None:
    text, request, _ = ask(model, tmp_path, temperature=0.4, max_tokens=160)
    assert text == "fine"
    sent = str(request.body)
    assert "0.4" in sent
    assert "160" in sent
    assert "Rewrite." in sent


@pytest.mark.parametrize(
    "model",
    [
        *("openai/gpt-5-mini", "openai/o3-mini", "azure/gpt-5", "openrouter/openai/gpt-5-mini"),
        *("openai/o1", "openai/o4-mini", "hosted_vllm/gpt-5-copy"),
    ],
)
@pytest.mark.parametrize(
    ("limit", "sent"), [(None, None), (160, REASONING_FLOOR), (20_000, 20_000)]
)
def test_a_reasoning_model_gets_no_sampling_and_room_to_think(
    model: str, limit: int | None, sent: int | None, tmp_path: Path
) -> None:
    text, request, notes = ask(model, tmp_path, temperature=0.4, top_p=0.9, max_tokens=limit)
    body = request.body
    assert text == "fine"
    assert not {"temperature", "top_p"} & set(body)
    assert body.get("max_completion_tokens", body.get("max_tokens")) == sent
    assert not {"max_completion_tokens", "max_tokens"} <= set(body)
    assert any("no temperature" in note for note in notes)


def test_a_predictors_own_temperature_is_dropped_for_a_reasoning_model(tmp_path: Path) -> None:
    with answering(respond) as server:
        settings = ModelSettings("openai/gpt-5", role="evolver", api_base=server.url)
        with open_models(
            {"evolver": settings},
            ledger=LedgerSettings(tmp_path / "ledger.sqlite"),
            budget=Budget(),
            on_part=lambda *_: None,
            say=lambda _: None,
        ) as models:
            lm = models.lms["evolver"]
            lm(messages=MESSAGES, temperature=0.9, max_tokens=50)
            lm.copy(temperature=0.3)(messages=MESSAGES)
        assert all("temperature" not in request.body for request in server.requests)


def test_thinking_of_each_provider_is_kept_apart(tmp_path: Path) -> None:
    import sqlite3

    for model in ("anthropic/claude-sonnet-4-5", "ollama_chat/m"):
        folder = tmp_path / model.partition("/")[0]
        folder.mkdir()
        ask(model, folder)
        with sqlite3.connect(folder / "ledger.sqlite") as db:
            assert db.execute("SELECT text, thinking FROM calls").fetchone() == ("fine", "Hm.")
