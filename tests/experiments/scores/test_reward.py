"""Rewards of rows by a reward model: what it is shown and not shown, and their length bias."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.pretrained.loading import Tokens
from autoevol.experiments.scores.results import SetScores, length_correlation
from autoevol.experiments.scores.reward import Message, UnscorableError, open_reward, reward_scores
from autoevol.program.listeners import Listeners
from autoevol.program.records import Outcome, Row
from tests.support.command_line import run_cli
from tests.support.tiny_models import NEEDS_TORCH, save_llama

ANSWERS = [
    "The Volga is it.",
    "A lake is the largest. The river is it. Name it.",
    "Danube.",
    "Two.",
]
ROWS = [Row(f"r{n}", f"r{n}", "Name a river.", response=answer) for n, answer in enumerate(ANSWERS)]


class Counter:
    """A model whose reward is the number of letters; it takes 60 of them."""

    batch_tokens = 100

    def tokens(self, messages: Sequence[Message]) -> Tokens:
        text = "".join(f"{message['role'][0]}:{message['content']}|" for message in messages)
        if len(text) > 60:
            raise UnscorableError(f"too long: {len(text)} tokens of 60")
        return tuple(text.encode())

    def rewards(self, texts: Sequence[Tokens]) -> list[float]:
        self.last = [bytes(text).decode() for text in texts]
        return [float("nan") if "?" in text else float(len(text)) for text in self.last]


def scored(rows: Sequence[Row], model: Any, listeners: Listeners | None = None) -> SetScores:
    return asyncio.run(reward_scores({0: rows}, model, listeners or Listeners()))


def test_rewards_are_means_by_round_beside_their_correlation_with_length() -> None:
    rows = [Row(f"{n}", f"{n}", "ab", response=" ".join("x" * n)) for n in (1, 2, 3)]
    scores = scored(rows, Counter())
    assert scores.by_row == {"1": {"reward": 9.0}, "2": {"reward": 11.0}, "3": {"reward": 13.0}}
    figures = scores.by_round[0]
    assert (figures["mean"], figures["scored"], figures["unscored"]) == (11.0, 3, 0)
    assert figures["length_correlation"] == pytest.approx(1.0)


def test_a_row_that_cannot_be_shown_is_unscored_and_heard_of_with_the_others() -> None:
    talk = Row("talk", "t", "a", turns=("a", "b"), answers=("x",), response="x")
    rows = [
        Row("good", "g", "ab", response="x"),
        Row("mute", "m", "ab"),
        talk,
        Row("long", "l", "ab", response="x" * 60),
        Row("odd", "o", "ab", response="?"),
    ]
    outcomes = list[Outcome]()
    scores = scored(rows, Counter(), Listeners(on_row=outcomes.append))
    assert [*scores.by_row] == ["good"]
    assert scores.problems == {
        **dict.fromkeys(("mute", "talk"), "no answer"),
        "long": "too long: 68 tokens of 60",
        "odd": "the model gives no number",
    }
    assert scores.by_round[0]["unscored"] == 4
    assert sorted(outcome.row.id for outcome in outcomes) == sorted(row.id for row in rows)
    assert [outcome.row.id for outcome in outcomes if outcome.status == "kept"] == ["good"]


def test_a_conversation_is_shown_turn_by_turn() -> None:
    model = Counter()
    scored([Row("t", "t", "a", turns=("a", "b"), answers=("x", "y"), response="x")], model)
    assert model.last == ["u:a|a:x|u:b|a:y|"]


@pytest.mark.parametrize(
    ("scores", "expected"), [([3.0, 2.0, 1.0], -1.0), ([1.0, None, 2.0], None), ([1.0] * 3, None)]
)
def test_length_is_that_of_all_answers(scores: list[float | None], expected: float | None) -> None:
    rows = [
        Row("1", "1", "a", response="x"),
        Row("2", "2", "a", response="x", turns=("a", "b"), answers=("x", "y")),
        Row("3", "3", "a", response="x y z"),
    ]
    assert length_correlation(rows, scores) == expected


@NEEDS_TORCH
def test_the_reward_is_the_logit_of_the_row_in_the_models_template(tmp_path: Path) -> None:
    import torch
    import transformers

    folder = save_llama(tmp_path, classes=1)
    scores = scored(ROWS, open_reward(str(folder), "here", max_tokens=64))
    kind: Any = transformers
    model = kind.AutoModelForSequenceClassification.from_pretrained(folder)
    tokenizer = kind.AutoTokenizer.from_pretrained(folder)
    for row in ROWS:
        text = f"user \n {row.prompt} </s> assistant \n {row.response} </s> "
        ids = torch.tensor([tokenizer(text).input_ids])
        logit = float(model(ids).logits.detach()[0, 0])
        assert scores.by_row[row.id]["reward"] == pytest.approx(logit, abs=1e-4)
    assert len({own["reward"] for own in scores.by_row.values()}) == len(ROWS)


@NEEDS_TORCH
@pytest.mark.parametrize("pad", [None, 0])
def test_a_batch_says_what_its_rows_say_one_by_one(pad: int | None, tmp_path: Path) -> None:
    model = open_reward(str(save_llama(tmp_path, classes=1)), "here", max_tokens=64)
    model.loaded.model.config.pad_token_id = pad
    assert (model.batch_tokens == 0) == (pad is None)
    together = scored(ROWS, model)
    for row in ROWS:
        alone = scored([row], model).by_row[row.id]
        assert together.by_row[row.id] == pytest.approx(alone, abs=1e-5)


@NEEDS_TORCH
@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{{ raise_exception('roles must alternate') }}", "refuses it: roles must alternate"),
        ("{{ messages[0].content * 99 }}", "too long: "),
    ],
)
def test_a_row_that_the_template_or_the_model_does_not_take_is_unscored(
    template: str, problem: str, tmp_path: Path
) -> None:
    model = open_reward(str(save_llama(tmp_path, classes=1)), "here", max_tokens=64)
    model.loaded.tokenizer.chat_template = template
    scores = scored(ROWS, model)
    assert not scores.by_row
    assert all(problem in why for why in scores.problems.values())
    assert scores.by_round[0] == {"length_correlation": None, "unscored": len(ROWS)}


@NEEDS_TORCH
def test_a_file_is_scored_by_a_reward_model(workplace: Path) -> None:
    save_llama(Path("tiny"), classes=1)
    rows = [{"instruction": row.instruction, "output": row.response} for row in ROWS]
    Path("mine.json").write_text(json.dumps(rows))
    options = ("--scores", "reward", "--set", "scores.reward_model=tiny")
    run_cli("score", "mine.json", *options, expected=0)
    stored = json.loads(Path("runs/score-mine/scores.json").read_text())
    assert stored["settings"]["reward"]["judge"] == "tiny"
    figures = stored["rounds"][0]["reward"]
    assert (figures["scored"], figures["unscored"]) == (len(ROWS), 0)
    assert -1 <= figures["length_correlation"] <= 1


@NEEDS_TORCH
@pytest.mark.parametrize(
    ("model", "needle"),
    [
        ("causal", "causal is no sequence classifier: it has no weights for score.weight"),
        ("three", "three is no reward model: it has 3 labels, not one"),
        ("mute", "mute has no chat template"),
        ("no/model", "no/model cannot be loaded"),
    ],
)
def test_a_model_that_gives_no_reward_is_one_line(model: str, needle: str, workplace: Path) -> None:
    save_llama(Path("causal"))
    save_llama(Path("three"), classes=3)
    save_llama(Path("mute"), classes=1)
    Path("mute/chat_template.jinja").unlink()
    Path("one.jsonl").write_text('{"instruction": "Name a river.", "output": "The Po."}\n')
    before = sorted(Path().rglob("*"))
    options = ("--scores", "reward", "--set", f"scores.reward_model={model}")
    result = run_cli("score", "one.jsonl", *options, expected=2)
    assert f"one.jsonl: scores.reward_model: {needle}" in result.err
    assert len(result.err.strip().splitlines()) == 1
    assert sorted(Path().rglob("*")) == before


def test_without_a_model_named_there_is_none(workplace: Path) -> None:
    Path("one.jsonl").write_text('{"instruction": "Name a river.", "output": "The Po."}\n')
    result = run_cli("score", "one.jsonl", "--scores", "reward", expected=2)
    assert "one.jsonl: scores: reward needs reward_model" in result.err
    assert not Path("runs").exists()
