"""Templates as a method: what is filled in stays, and a chat prompt keeps its form."""

import json

import pytest

from autoevol.program.errors import ConfigError
from autoevol.program.search.templates.texts import TemplateTexts
from autoevol.program.search.templates.variables import variable_flaw, variables_in

CHAT = json.dumps(
    [
        {"role": "system", "content": "Answer {{question}} as JSON: {x}"},
        {"role": "user", "content": [{"type": "image_url", "image_url": "{{image}}"}]},
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "user", "content": "더 어렵게 {{question}}"},
    ]
)


def test_variables_are_those_that_mlflow_fills_in() -> None:
    text = "{{a}} {{ b }} {{a}} {c} {{1d}} {{ e.f }} {{}} {% if g %}"
    assert variables_in(text) == ["a", "b", "e.f"]


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("New words {{ q }} and {x}, {{q}} again", None),
        ("New words {q}", "loses {{q}}"),
        ("{{q}} of {{user}}", "adds {{user}}, which the program does not fill in"),
        ("{% if q %}{{q}}{% endif %}", "changes the tags {% … %}"),
    ],
)
def test_a_text_that_cannot_be_filled_in_has_a_flaw(text: str, flaw: str | None) -> None:
    assert variable_flaw(text, "Answer: {{q}}") == flaw


def test_templates_come_back_in_the_form_that_they_came_in() -> None:
    templates = {"chat": CHAT, "text": "Say {{a}}.", "list": "[1, 2]", "words": '["a"]'}
    texts = TemplateTexts(templates)
    names = [part.name for part in texts.method.parts]
    assert names == [
        "chat, message 1 (system)",
        "chat, message 4 (user)",
        "text",
        "list",
        "words",
    ]
    assert texts.filled(texts.method)["text"] == "Say {{a}}."
    assert json.loads(texts.filled(texts.method)["chat"]) == json.loads(CHAT)
    part = texts.method.parts[1].with_instructions("Harder: {{question}}", name=names[1])
    filled = texts.filled(texts.method.with_part(1, part, name="new"))
    assert json.loads(filled["chat"])[3] == {"role": "user", "content": "Harder: {{question}}"}
    assert filled["list"] == "[1, 2]"


def test_nothing_to_change_is_refused() -> None:
    with pytest.raises(ConfigError, match="no text that could be improved"):
        TemplateTexts({"chat": json.dumps([{"role": "assistant", "content": None}])})
