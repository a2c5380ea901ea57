"""The respond stage: tries, samples, and conversations."""

import asyncio
from collections.abc import Sequence
from typing import Any

import dspy
import pytest
from dspy.utils.exceptions import AdapterParseError

from autoevol.program.evolution.answering import AnswerSettings
from autoevol.program.evolution.attempt import Attempt
from autoevol.program.evolution.best_answer import best_answer
from autoevol.program.evolution.evaluation import trajectories
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.failure import failure_metric
from autoevol.program.evolution.pipeline import Pipeline
from autoevol.program.evolution.rewriting import RewriteOptions
from autoevol.program.listeners import Listeners
from autoevol.program.records import Outcome, Row
from autoevol.program.roles import Role, Roles
from autoevol.signatures import Method

SORRY = "I'm sorry, but I cannot help with that."


class Replies(dspy.BaseLM):
    """Evolves by adding a sentence, answers by a script; keeps the prompts of the answers."""

    def __init__(self, answers: Sequence[str]) -> None:
        super().__init__("scripted")
        self.answers = list(answers)
        self.prompts: list[list[dict[str, Any]]] = []
        self.evolving: list[list[str]] = []

    async def acall(self, prompt: Any = None, *, messages: Any = None, **kw: Any) -> list[str]:
        system, user = messages[0]["content"], messages[-1]["content"]
        if system == "Rewrite.":
            self.evolving.append([_shown(message["content"]) for message in messages[1:]])
            row = _shown(user)
            return [f"{row} Then compare two other approaches and justify every decision."]
        if "numbered answers" in system:
            return ["**2**"]
        self.prompts.append(messages)
        return [self.answers[len(self.prompts) - 1]]


def _shown(content: str) -> str:
    """Return a text as it stands between its label and the closing line."""
    return content.removeprefix("Instruction:\n").rsplit("\n\n", 1)[0]


def attempt(row: Row, answers: Sequence[str], **more: Any) -> tuple[Outcome, Replies]:
    model = Replies(answers)
    context = more.pop("context", "none")
    roles = Roles(*(Role(model, "m") for _ in range(4)))
    pipeline = Pipeline(
        roles,
        failure_metric(["strict"], ["strict"]),
        answer=AnswerSettings(**more),
        rewriting=RewriteOptions(context=context),
    )
    attempts = [Attempt(row, Evolver(Method("m", "Rewrite.")), draw=7)]
    return asyncio.run(pipeline.attempt_block(attempts))[0], model


def row(*turns: str) -> Row:
    first = turns[0] if turns else "List the largest rivers of Europe."
    return Row("a", "a", first, turns=turns)


def test_a_failed_answer_is_asked_for_again_and_the_rewrite_stays() -> None:
    outcome, model = attempt(row(), [SORRY, "The Volga is the longest."], attempts=2)
    assert outcome.status == "kept"
    assert outcome.row.response == "The Volga is the longest."
    assert (len(model.evolving), len(model.prompts)) == (1, 2)


def test_the_last_failure_is_the_rows() -> None:
    outcome, _ = attempt(row(), [SORRY, SORRY], attempts=2)
    assert (outcome.status, outcome.failed_at) == ("failed", "respond")


@pytest.mark.parametrize(
    ("choose", "response"),
    [("majority", "There are 5 of them."), ("judge", "There are 5 of them.")],
)
def test_the_best_of_the_sound_samples_is_kept(choose: str, response: str) -> None:
    answers = ["There are 4 of them.", SORRY, "There are 5 of them.", "In all that makes 5."]
    outcome, model = attempt(row(), answers, samples=4, choose=choose)
    assert outcome.row.response == response
    assert len(model.prompts) == 4


def test_a_conversation_is_evolved_and_answered_turn_by_turn() -> None:
    talk = row("List three rivers.", "Which one is the longest?")
    outcome, model = attempt(talk, ["Volga, Danube, Rhine.", "The Volga is."])
    evolved = outcome.row
    assert outcome.status == "kept"
    assert len(evolved.turns) == 2
    assert evolved.instruction == evolved.turns[0]
    assert evolved.answers == ("Volga, Danube, Rhine.", "The Volga is.")
    assert evolved.response == "Volga, Danube, Rhine."
    contents = [message["content"] for message in model.prompts[1][1:]]
    assert contents == [evolved.turns[0], "Volga, Danube, Rhine.", evolved.turns[1]]
    assert model.evolving == [[talk.turns[0]], [talk.turns[1]]]


def test_a_turn_can_be_evolved_with_the_turns_before_it() -> None:
    talk = row("List three rivers.", "Which one is the longest?")
    outcome, model = attempt(talk, ["Volga, Danube, Rhine.", "The Volga is."], context="previous")
    first, second = talk.turns
    assert model.evolving == [[first], [first, outcome.row.turns[0], second]]


def test_a_conversation_fails_with_the_number_of_its_turn() -> None:
    talk = row("List three rivers.", "Which one is the longest?", "Why?")
    outcome, model = attempt(talk, ["Volga, Danube, Rhine.", SORRY])
    assert (outcome.status, outcome.failed_at) == ("failed", "respond")
    assert outcome.reasons[0].evidence.startswith("turn 2: ")
    assert len(model.prompts) == 2


def test_a_turn_that_fails_ends_the_conversation_at_evolve() -> None:
    talk = row("List three rivers.", "How long is it?")
    model_row = talk.turns[1]

    class Stubborn(Replies):
        async def acall(self, prompt: Any = None, *, messages: Any = None, **kw: Any) -> list[str]:
            if model_row in messages[-1]["content"]:
                return [model_row]
            return await super().acall(prompt, messages=messages, **kw)

    roles = Roles(*(Role(Stubborn([]), "m") for _ in range(4)))
    pipeline = Pipeline(roles, failure_metric(["strict"], ["strict"]))
    attempts = [Attempt(talk, Evolver(Method("m", "Rewrite.")), draw=7)]
    outcome = asyncio.run(pipeline.attempt_block(attempts))[0]
    assert outcome.failed_at == "evolve"
    assert str(outcome.reasons[0]).startswith("same_text: turn 2: ")


@pytest.mark.parametrize(
    ("reply", "best"),
    [("2", 1), ("**2**.", 1), ("[[ ## best ## ]] = 2", 1), ("7", 0), ("1 or 2", None), ("?", None)],
)
def test_the_best_answer_is_the_only_number_of_the_reply(reply: str, best: int | None) -> None:
    class Chooser(dspy.BaseLM):
        async def acall(self, *_: Any, **__: Any) -> list[str]:
            return [reply]

    role = Role(Chooser("scripted"), "m")
    chosen = best_answer(role, "Name a river.", ["The Po.", "The Ob."], draw=1)
    if best is None:
        with pytest.raises(AdapterParseError, match="no single number"):
            asyncio.run(chosen)
    else:
        assert asyncio.run(chosen) == best


@pytest.mark.parametrize(("evolves", "material"), [(True, "new material"), (False, "3, 5, 9")])
def test_an_input_can_follow_its_instruction(evolves: bool, material: str) -> None:
    class WithInput(Replies):
        async def acall(self, prompt: Any = None, *, messages: Any = None, **kw: Any) -> list[str]:
            if "Evolved instruction:" in messages[-1]["content"]:
                assert "3, 5, 9" in messages[-1]["content"]
                return ["new material"]
            return await super().acall(prompt, messages=messages, **kw)

    model = WithInput(["Three of them are odd."])
    roles = Roles(*(Role(model, "m") for _ in range(4)))
    pipeline = Pipeline(
        roles,
        failure_metric(["strict"], ["strict"]),
        rewriting=RewriteOptions(evolves_input=evolves),
    )
    source = Row("a", "a", "Which of these numbers are odd?", input="3, 5, 9")
    attempts = [Attempt(source, Evolver(Method("m", "Rewrite.")), draw=7)]
    outcome = asyncio.run(pipeline.attempt_block(attempts))[0]
    assert outcome.row.input == material
    assert model.prompts[0][-1]["content"].endswith(f"\n\n{material}")


def test_an_input_that_comes_back_empty_fails_the_row() -> None:
    class Mute(Replies):
        async def acall(self, prompt: Any = None, *, messages: Any = None, **kw: Any) -> list[str]:
            is_input = "Evolved instruction:" in messages[-1]["content"]
            return [""] if is_input else await super().acall(prompt, messages=messages, **kw)

    roles = Roles(*(Role(Mute([]), "m") for _ in range(4)))
    pipeline = Pipeline(
        roles, failure_metric(["strict"], ["strict"]), rewriting=RewriteOptions(evolves_input=True)
    )
    source = Row("a", "a", "Which of these numbers are odd?", input="3, 5, 9")
    attempts = [Attempt(source, Evolver(Method("m", "Rewrite.")), draw=7)]
    outcome = asyncio.run(pipeline.attempt_block(attempts))[0]
    assert [str(reason) for reason in outcome.reasons] == ["unparsed: the input"]
    assert outcome.failed_at == "evolve"


def test_a_conversations_trajectory_shows_all_of_its_turns() -> None:
    talk = row("List three rivers.", "Which one is the longest?")
    roles = Roles(*(Role(Replies([]), "m") for _ in range(4)))
    pipeline = Pipeline(roles, failure_metric(["strict"], ["strict"]), responds=False)
    evolver = Evolver(Method("m", "Rewrite."))
    shown = asyncio.run(
        trajectories(evolver, [talk], pipeline, Listeners(), length=2, phase="mini-batch")
    )
    assert len(shown[0].stages) == 3
    assert all("rivers" in stage and "longest" in stage for stage in shown[0].stages)


IN_ROLE = "You are a librarian. A reader asks for a book that is lent out. Reply."


@pytest.mark.parametrize(
    ("answers", "samples", "status", "suspicions"),
    [
        pytest.param([SORRY], 1, "kept", ["declined_in_role"], id="only suspected"),
        pytest.param([SORRY, "It is lent out."], 2, "kept", [], id="a sound sample is better"),
        pytest.param(
            ["IDK", SORRY], 2, "kept", ["declined_in_role"], id="better than a failed one"
        ),
        pytest.param(["IDK"], 1, "failed", [], id="failed in a role, too"),
    ],
)
def test_a_suspected_answer_is_kept_where_there_is_no_better_one(
    answers: list[str], samples: int, status: str, suspicions: list[str]
) -> None:
    outcome, _ = attempt(row(IN_ROLE), answers, samples=samples)
    assert outcome.status == status
    assert [reason.rule for reason in outcome.row.suspected_by] == suspicions


def test_a_suspected_answer_does_not_end_a_conversation() -> None:
    talk = row(IN_ROLE, "And tomorrow?")
    outcome, _ = attempt(talk, [SORRY, "It is back tomorrow."])
    assert outcome.status == "kept"
    assert len(outcome.row.answers) == 2
    assert outcome.row.suspected_by[0].evidence.startswith("turn 1: ")
