"""IFD of rows: which tokens are scored, which rows are not and why; checked by a model's loss."""

import asyncio
import json
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from mlflow import MlflowClient

from autoevol.experiments.config.experiment import load_config
from autoevol.experiments.models.local.weights import SHIPPED, cached_path
from autoevol.experiments.pretrained.loading import BATCH_TOKENS, Tokens, batches
from autoevol.experiments.run.planning.estimate import estimate
from autoevol.experiments.run.planning.plan import make_plan
from autoevol.experiments.scores.causal_lm import CausalModel, LogProbs, open_causal
from autoevol.experiments.scores.ifd import ifd_scores
from autoevol.experiments.scores.results import SetScores
from autoevol.program.listeners import Listeners, Phase
from autoevol.program.records import Outcome, Row
from tests.support.command_line import run_cli
from tests.support.tiny_models import NEEDS_TORCH, save_llama, save_tokenizer

WriteConfig = Callable[..., Path]
NO_SEARCH = {"optimizer": {"name": "none"}, "evolve": {"methods": ["weak"], "rounds": 1}}
RUN = Path("runs/test")
ROWS = [
    Row("a", "a", "Name the largest river of Europe.", response="The Volga is it."),
    Row("b", "b", "Compare two.", response="A lake is the largest. The river is it. Name it."),
    Row("c", "c", "Name a lake of Europe.", response="Danube."),
]


class Bytes:
    """A model of letters: one is likelier (loss 1) after an equal letter earlier in the text."""

    start = 0

    def __init__(self, max_tokens: int = 1000) -> None:
        self.max_tokens = max_tokens
        self.texts: list[Tokens] = []

    def tokens(self, text: str) -> Tokens:
        return tuple(text.encode())

    def log_probs(self, texts: Sequence[Tokens]) -> list[LogProbs]:
        self.texts += texts
        return [
            np.array([-1.0 if text[i] in text[:i] else -2.0 for i in range(1, len(text))])
            for text in texts
        ]


def scored(rows: Sequence[Row], model: Any, listeners: Listeners | None = None) -> SetScores:
    rounds: dict[int, list[Row]] = {}
    for row in rows:
        rounds.setdefault(row.round, []).append(row)
    return asyncio.run(ifd_scores(rounds, model, listeners or Listeners()))


def test_the_answers_tokens_are_the_same_with_and_without_the_instruction() -> None:
    model = Bytes()
    scores = scored([Row("a", "a", "ab", response="bc")], model)
    assert sorted(model.texts) == [(0, *b"ab\nbc"), (0, *b"bc")]
    assert scores.by_row["a"] == {"ifd": 1.5 / 2, "ic_ifd": 1.5 / (2 * 2)}
    assert scores.by_round[0]["ifd"]["mean"] == 0.75


def test_an_input_belongs_to_the_instruction_and_all_turns_to_a_conversation() -> None:
    model = Bytes()
    talk = Row("t", "t", "ab", turns=("ab", "cd"), answers=("x", "y"), response="x")
    scored([Row("i", "i", "ab", input="cd", response="x"), talk], model)
    assert (0, *b"ab\n\ncd\nx") in model.texts
    assert (0, *b"ab\n\ncd\nx\n\ny") in model.texts


def test_what_cannot_be_scored_is_counted_with_its_reason_and_in_no_mean() -> None:
    rows = [
        Row("good", "good", "ab", response="bc"),
        Row("mute", "mute", "ab"),
        Row("blank", "blank", "ab", response=" \n"),
        Row("long", "long", "a" * 30, response="b"),
        Row("bare", "bare", "", response="bc"),
    ]
    scores = scored(rows, Bytes(max_tokens=20))
    assert scores.problems == {
        "mute": "no answer",
        "blank": "no answer",
        "long": "too long: 32 tokens of 20 before the answer",
        "bare": "no instruction",
    }
    assert [*scores.by_row] == ["good", "bare"]
    assert [*scores.by_row["bare"]] == ["ifd"]
    figures = scores.by_round[0]
    assert (figures["unscored"], figures["ifd"]["scored"], figures["ic_ifd"]["scored"]) == (4, 2, 1)


def test_the_end_of_a_long_answer_is_cut_off_and_said() -> None:
    model = Bytes(max_tokens=8)
    scores = scored([Row("a", "a", "ab", response="bcdefgh")], model)
    assert sorted(model.texts) == [(0, *b"ab\nbcde"), (0, *b"bcde")]
    assert scores.by_round[0]["cut"] == 1
    assert scores.evidence["a"] == "cut: the last 3 tokens of the answer were not scored"


def test_an_answer_that_is_likelier_alone_is_counted_as_misleading() -> None:
    class Contrary(Bytes):
        def log_probs(self, texts: Sequence[Tokens]) -> list[LogProbs]:
            return [np.full(len(text) - 1, -float(len(text))) for text in texts]

    scores = scored([Row("a", "a", "ab", response="cd")], Contrary())
    assert scores.by_row["a"]["ifd"] == 2.0
    assert scores.by_round[0]["misleading"] == 1
    assert scores.evidence["a"].startswith("misleading")


def test_rounds_have_figures_of_their_own_and_every_row_is_heard_of_once() -> None:
    rows = [Row(f"{n}.{i}", f"{i}", "ab" * n, round=n, response="bc") for n in (1, 2) for i in "xy"]
    phases, outcomes = list[Phase](), list[Outcome]()
    scores = scored(
        [*rows, Row("m", "m", "a", round=2)],
        Bytes(),
        Listeners(on_phase=phases.append, on_row=outcomes.append),
    )
    assert {n: figures["ifd"]["scored"] for n, figures in scores.by_round.items()} == {1: 2, 2: 2}
    assert [(phase.name, phase.total) for phase in phases] == [("score: ifd", 5)]
    assert sorted(outcome.row.id for outcome in outcomes) == sorted(
        [*(row.id for row in rows), "m"]
    )
    assert [outcome.row.id for outcome in outcomes if outcome.status == "failed"] == ["m"]


def test_no_rows_are_no_crash() -> None:
    assert scored([], Bytes()).by_round == {}


def test_batches_hold_every_text_once_and_no_more_tokens_than_they_should() -> None:
    lengths = [5, 700, 3, 2000, 300, 300, 300, 300, 0]
    numbered = list(batches(lengths))
    assert sorted(number for batch in numbered for number in batch) == list(range(len(lengths)))
    sizes = [len(batch) * max(lengths[number] for number in batch) for batch in numbered]
    assert [size for size in sizes if size > BATCH_TOKENS] == [2000]
    assert len(numbered) < len(lengths)


def by_labels(model: CausalModel, row: Row) -> dict[str, float]:
    """Return the figures as Cherry_LLM asks for the losses: `labels`, one text at a time."""
    import torch

    def loss(context: Tokens, own: Tokens) -> float:
        ids = torch.tensor([[model.start, *context, *own]])
        labels = ids.clone()
        labels[:, : 1 + len(context)] = -100
        return float(model.loaded.model(ids, labels=labels).loss.detach())

    tokenizer = model.loaded.tokenizer
    texts = (row.prompt, "\n", row.response)
    question, line, answer = (tuple(tokenizer(text).input_ids) for text in texts)
    ifd = loss((*question, *line), answer) / loss((), answer)
    return {"ifd": ifd, "ic_ifd": ifd / loss((), question)}


@NEEDS_TORCH
def test_figures_are_those_of_a_models_own_loss(tmp_path: Path) -> None:
    model = open_causal(str(save_llama(tmp_path)), "here", max_tokens=64)
    scores = scored(ROWS, model)
    for row in ROWS:
        assert scores.by_row[row.id] == pytest.approx(by_labels(model, row), rel=1e-4)
    assert len({own["ifd"] for own in scores.by_row.values()}) == len(ROWS)


@NEEDS_TORCH
def test_a_batch_says_what_its_texts_say_one_by_one(tmp_path: Path) -> None:
    model = open_causal(str(save_llama(tmp_path)), "here", max_tokens=64)
    texts = [
        (model.start, *model.tokens(text)) for row in ROWS for text in (row.text, row.response)
    ]
    texts.append((model.start,))
    together = model.log_probs(texts)
    for text, batched in zip(texts, together, strict=True):
        (alone,) = model.log_probs([text])
        assert batched.shape == alone.shape == (len(text) - 1,)
        assert batched == pytest.approx(alone, abs=1e-5)
        assert (batched < 0).all()


@NEEDS_TORCH
def test_a_model_takes_no_more_tokens_than_it_has_places(tmp_path: Path) -> None:
    folder = str(save_llama(tmp_path, positions=16))
    assert open_causal(folder, "here", max_tokens=64).max_tokens == 16
    assert open_causal(folder, "here", max_tokens=8).max_tokens == 8


def test_without_the_extra_it_is_said_before_anything_is_written(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    Path("one.jsonl").write_text('{"instruction": "Name a river.", "output": "The Po."}\n')
    before = sorted(Path().rglob("*"))
    result = run_cli("score", "one.jsonl", "--scores", "ifd", expected=2)
    assert "one.jsonl: scores.scorer: local/smollm2-135m-instruct needs torch" in result.err
    assert "autoevol[scores]" in result.err
    assert len(result.err.strip().splitlines()) == 1
    assert sorted(Path().rglob("*")) == before


@NEEDS_TORCH
@pytest.mark.parametrize(
    ("scorer", "needle"),
    [
        ("no/model", "no/model cannot be loaded"),
        ("local/none.gguf", "no such file: none.gguf"),
        ("local/none", "unknown local model 'none'"),
        ("local/broken.gguf", "local/broken.gguf cannot be loaded"),
        ("empty", "empty cannot be loaded"),
        ("classifier", "classifier is no causal language model: "),
        ("bert", "bert is no causal language model: "),
    ],
)
def test_a_model_that_cannot_score_is_one_line_and_nothing_is_written(
    scorer: str, needle: str, workplace: Path
) -> None:
    Path("one.jsonl").write_text('{"instruction": "Name a river.", "output": "The Po."}\n')
    Path("broken.gguf").write_bytes(b"GGUF or not" * 9)
    Path("empty").mkdir()
    save_llama(workplace / "classifier", classes=1)
    save_bert(workplace / "bert")
    before = sorted(Path().rglob("*"))
    options = ("--scores", "ifd", "--set", f"scores.scorer={scorer}")
    result = run_cli("score", "one.jsonl", *options, expected=2)
    assert f"one.jsonl: scores.scorer: {needle}" in result.err
    assert len(result.err.strip().splitlines()) == 1
    assert sorted(Path().rglob("*")) == before


def save_bert(folder: Path) -> None:
    from transformers import BertConfig, BertForMaskedLM

    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    BertForMaskedLM(BertConfig(vocab_size=save_tokenizer(folder), **sizes)).save_pretrained(folder)


def test_rows_without_any_response_are_not_scored(workplace: Path) -> None:
    Path("one.jsonl").write_text('{"instruction": "Name a river."}\n')
    result = run_cli("score", "one.jsonl", "--scores", "ifd", expected=2)
    assert "one.jsonl: no row has a response, so ifd has nothing to score" in result.err


def test_a_run_without_responses_cannot_ask_for_it(write_config: WriteConfig) -> None:
    evolve = {"methods": ["weak"], "respond": False}
    config = write_config(12, optimizer={"name": "none"}, evolve=evolve, scores={"names": ["ifd"]})
    result = run_cli("run", str(config), expected=2)
    assert "ifd needs responses, evolve.respond is false" in result.err
    assert not RUN.exists()


def test_the_forecast_counts_no_call_for_it(write_config: WriteConfig) -> None:
    def calls(**sections: Any) -> list[Any]:
        config = load_config(write_config(10, **NO_SEARCH, **sections))
        return estimate(make_plan(config, "test.yaml"))

    assert calls(scores={"names": ["ifd"]}) == calls()


@NEEDS_TORCH
def test_a_run_scores_its_rows_and_keeps_the_top_of_them(write_config: WriteConfig) -> None:
    scores = {"names": ["ifd"], "scorer": str(save_llama(Path("tiny"), positions=2048))}
    filters: list[Any] = [{"top_ic_ifd": 0.5}]
    config = write_config(12, **NO_SEARCH, scores=scores, filters=filters)
    run_cli("run", str(config), expected=0)

    stored = json.loads((RUN / "scores.json").read_text())
    assert stored["settings"]["ifd"]["judge"] == scores["scorer"]
    seeds, evolved = stored["rounds"]
    assert seeds["ifd"] == {"ifd": {}, "ic_ifd": {}, "misleading": 0, "cut": 0, "unscored": 12}
    store = yaml.safe_load(Path("mlflow.yaml").read_text())["tracking_uri"]
    run_id = json.loads((RUN / "summary.json").read_text())["mlflow_run_id"]
    points = MlflowClient(store, store).get_metric_history(run_id, "score/ic_ifd")
    assert [(point.step, point.value) for point in points] == [
        (1, evolved["ifd"]["ic_ifd"]["mean"])
    ]
    rows = [json.loads(line) for line in (RUN / "evolved.jsonl").read_text().splitlines()]
    assert evolved["ifd"]["ic_ifd"]["scored"] == len(rows)
    assert all(math.isfinite(row["scores"]["ifd"]) for row in rows)
    kept = [row["scores"]["ic_ifd"] for row in rows if row["filtered_by"] is None]
    gone = [row["scores"]["ic_ifd"] for row in rows if row["filtered_by"] == "top"]
    assert len(kept) == len(rows) // 2
    assert min(kept) >= max(gone)


@NEEDS_TORCH
@pytest.mark.local
def test_the_shipped_weights_tell_an_answer_from_one_to_another_question() -> None:
    if not cached_path(SHIPPED["smollm2-135m-instruct"]).is_file():
        pytest.skip("the weights of smollm2-135m-instruct are not in the cache")
    model = open_causal("local/smollm2-135m-instruct", "here", max_tokens=2048)
    exchanges = [
        ("Name the largest river of Europe.", "The Volga is the largest river of Europe."),
        ("Write a poem about the sea.", "The waves roll in, the gulls cry over the sea."),
    ]
    (q1, a1), (q2, a2) = exchanges
    own = [Row("1", "1", q1, response=a1), Row("2", "2", q2, response=a2)]
    other = [Row("3", "3", q1, response=a2), Row("4", "4", q2, response=a1)]
    scores = scored([*own, *other], model)
    ifd = {name: figures["ifd"] for name, figures in scores.by_row.items()}
    assert ifd["1"] < 0.8 * ifd["4"]
    assert ifd["2"] < 0.8 * ifd["3"]
    assert model.loaded.tokenizer.decode([model.start]) == "<|endoftext|>"
    for row in (*own, *other):
        assert scores.by_row[row.id] == pytest.approx(by_labels(model, row), rel=1e-4)
