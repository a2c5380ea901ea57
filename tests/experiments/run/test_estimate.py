"""The forecast counts every call that a config may ask for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.config.experiment import load_config
from autoevol.experiments.run.estimate import estimate
from autoevol.experiments.run.plan import make_plan

NONE = {"name": "none"}


def calls(write_config: Callable[..., Path], **sections: Any) -> dict[tuple[str, str], int]:
    config = load_config(write_config(10, optimizer=NONE, failure={"rules": []}, **sections))
    return {(e.phase, e.role): e.calls for e in estimate(make_plan(config, "test.yaml"))}


@pytest.mark.parametrize(
    ("answer", "responder", "judge"),
    [
        ({}, 20, 0),
        ({"samples": 3}, 60, 0),
        ({"samples": 3, "attempts": 2, "choose": "judge"}, 120, 20),
        ({"samples": 1, "choose": "judge"}, 20, 0),
    ],
)
def test_every_sample_and_every_choice_among_them_is_a_call(
    answer: dict[str, Any], responder: int, judge: int, write_config: Callable[..., Path]
) -> None:
    evolve = {"methods": ["weak"], "rounds": 2}
    estimates = calls(write_config, evolve=evolve, answer=answer)
    assert estimates["evolve", "evolver"] == 20
    assert estimates["evolve", "responder"] == responder
    assert estimates.get(("evolve", "judge"), 0) == judge


def test_rows_that_are_answered_as_they_are_cost_no_rewrite(
    write_config: Callable[..., Path],
) -> None:
    estimates = calls(write_config, evolve={"methods": ["weak"], "rounds": 0})
    assert estimates == {("answer", "responder"): 10}


def test_judged_scores_ask_about_seeds_and_rewrites(write_config: Callable[..., Path]) -> None:
    evolve = {"methods": ["weak"], "rounds": 2, "respond": False}
    scores = {"names": ["length", "complexity", "tags"]}
    estimates = calls(write_config, evolve=evolve, scores=scores)
    assert estimates["scores", "judge"] == 2 * (10 + 20)
    few = calls(write_config, evolve=evolve, scores={**scores, "sample": 4})
    assert few["scores", "judge"] == 2 * 4 * 3
