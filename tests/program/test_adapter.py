"""How prompts look and how replies are read."""

import asyncio
from typing import Any

import dspy
import pytest
from dspy.utils.exceptions import AdapterParseError

from autoevol.metrics import Case, broken, compose
from autoevol.program.adapter import PlainAdapter, RepairingChatAdapter, adapter_for, strip_wrapping
from autoevol.signatures import (
    EvolveInstruction,
    EvolveInstructionStepwise,
    JudgeEquality,
    OptimizeMethod,
    RespondToInstruction,
)


def test_the_method_comes_first_and_the_row_last() -> None:
    demos = [{"instruction": "Name a river.", "evolved_instruction": "Name a river and why."}]

    turns = PlainAdapter().format(EvolveInstruction, demos, {"instruction": "Name a tree."})

    assert [turn["role"] for turn in turns] == ["system", "user", "assistant", "user"]
    assert turns[0]["content"] == EvolveInstruction.instructions
    assert turns[2]["content"] == "Name a river and why."
    assert turns[3]["content"] == (
        "Instruction:\nName a tree.\n\nMake this instruction harder; do not answer it."
    )
    assert not any("[[ ##" in turn["content"] for turn in turns)


def test_all_rows_share_everything_but_the_last_turn() -> None:
    demos = [{"instruction": "a", "evolved_instruction": "b"}]
    first, second = (
        PlainAdapter().format(EvolveInstruction, demos, {"instruction": text}) for text in "xy"
    )
    assert first[:-1] == second[:-1]


def test_the_responder_sees_the_bare_instruction() -> None:
    turns = PlainAdapter().format(RespondToInstruction, [], {"instruction": "Name a tree."})
    assert turns[-1]["content"] == "Name a tree."


def test_several_inputs_are_labelled() -> None:
    inputs = {"method": "Do it.", "feedback": "general: better", "word_limit": 50}
    text = PlainAdapter().format(OptimizeMethod, [], inputs)[-1]["content"]
    assert text.startswith("Method:\nDo it.\n\nFeedback:\ngeneral: better\n\nWord limit:\n50\n\n")


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param(" Name a tree. ", "Name a tree.", id="space"),
        pytest.param("#Rewritten Instruction#:\nName a tree.", "Name a tree.", id="header"),
        pytest.param("**Harder instruction:** Name a tree.", "Name a tree.", id="bold header"),
        pytest.param("Instruction:\nName a tree.", "Name a tree.", id="echoed label"),
        pytest.param("Here is a harder one:\n\nName a tree.", "Name a tree.", id="preamble"),
        pytest.param("```\nName a tree.\n```", "Name a tree.", id="fence around all"),
        pytest.param('"Name a tree."', "Name a tree.", id="quotation marks around all"),
        pytest.param("Fix this:\n```\nx\n```", "Fix this:\n```\nx\n```", id="fence inside"),
        pytest.param('"a" and "b"', '"a" and "b"', id="two quotations"),
        pytest.param(
            "Write instructions: one a line.", "Write instructions: one a line.", id="colon"
        ),
    ],
)
def test_wrapping_is_stripped_and_nothing_else(reply: str, expected: str) -> None:
    assert strip_wrapping(reply) == expected


@pytest.mark.parametrize(
    "answer",
    [
        "```python\na = 1\n```\nThen:\n```python\nb = 2\n```",
        "```python\na = 1\n```",
        "Sure, here it is:\nyes",
        '"To be"',
        "Answer: 4",
    ],
)
def test_a_response_is_taken_as_it_is(answer: str) -> None:
    assert PlainAdapter().parse(RespondToInstruction, answer) == {"response": answer}


def test_two_fences_are_not_one_around_all() -> None:
    text = "```\na\n```\nand\n```\nb\n```"
    assert strip_wrapping(text) == text


def test_an_empty_reply_does_not_parse() -> None:
    with pytest.raises(AdapterParseError):
        PlainAdapter().parse(EvolveInstruction, "  ```\n\n```  ")


@pytest.mark.parametrize(
    ("signature", "name", "kind"),
    [
        pytest.param(EvolveInstruction, None, PlainAdapter, id="one text output"),
        pytest.param(EvolveInstructionStepwise, None, RepairingChatAdapter, id="two outputs"),
        pytest.param(JudgeEquality, None, RepairingChatAdapter, id="an output that is no text"),
        pytest.param(EvolveInstruction, "chat", RepairingChatAdapter, id="by name"),
    ],
)
def test_the_adapter_fits_the_signature(signature: Any, name: Any, kind: type) -> None:
    assert isinstance(adapter_for(signature, name), kind)


def test_plain_refuses_several_outputs() -> None:
    with pytest.raises(ValueError, match="one text output"):
        PlainAdapter().format(EvolveInstructionStepwise, [], {"instruction": "x"})


class Scripted(dspy.BaseLM):
    """A model that gives its replies in turn and keeps the prompts."""

    def __init__(self, *replies: str) -> None:
        super().__init__("scripted")
        self.replies = list(replies)
        self.prompts: list[list[dict[str, Any]]] = []

    def __call__(self, prompt: Any = None, *, messages: Any = None, **_: Any) -> list[str]:
        self.prompts.append(messages)
        return [self.replies.pop(0)]

    async def acall(self, prompt: Any = None, *, messages: Any = None, **_: Any) -> list[str]:
        return self(messages=messages)


GOOD = "[[ ## are_equal ## ]]\nTrue\n\n[[ ## completed ## ]]"


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("name", ["chat", "json", "xml"])
def test_an_unparsable_reply_is_repaired_once(name: Any, asynchronous: bool) -> None:
    parsable = {"chat": GOOD, "json": '{"are_equal": true}', "xml": "<are_equal>True</are_equal>"}
    lm = Scripted("I think so.", parsable[name])
    judge = dspy.Predict(JudgeEquality)
    inputs = {"first_instruction": "a", "second_instruction": "b"}

    with dspy.context(lm=lm, adapter=adapter_for(JudgeEquality, name)):
        verdict = asyncio.run(judge.acall(**inputs)) if asynchronous else judge(**inputs)

    assert verdict.are_equal is True
    assert len(lm.prompts) == 2
    assert lm.prompts[1][-2] == {"role": "assistant", "content": "I think so."}
    assert "are_equal" in lm.prompts[1][-1]["content"]


def test_a_second_unparsable_reply_is_an_error() -> None:
    lm = Scripted("I think so.", "I still do.")
    with (
        dspy.context(lm=lm, adapter=adapter_for(JudgeEquality, "chat")),
        pytest.raises(AdapterParseError),
    ):
        dspy.Predict(JudgeEquality)(first_instruction="a", second_instruction="b")
    assert len(lm.prompts) == 2


def test_a_header_written_twice_leaves_residue_that_fails_the_row() -> None:
    signature = EvolveInstructionStepwise
    reply = (
        "[[ ## thinking ## ]]\nlist\n\n[[ ## evolved_instruction ## ]]\n{evolved_instruction}\n\n"
        "[[ ## evolved_instruction ## ]]\nThe real one?\n\n[[ ## completed ## ]]"
    )
    parsed = adapter_for(signature, "chat").parse(signature, reply)
    case = Case("Name a tree.", parsed["evolved_instruction"])
    assert "field_residue" in {
        reason.rule for reason in broken(compose(["strict"], "evolve"), case)
    }
