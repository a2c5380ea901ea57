"""The forecast counts every call that a config may ask for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.config.experiment import load_config
from autoevol.experiments.run.planning.estimate import at_most, estimate
from autoevol.experiments.run.planning.plan import make_plan
from tests.support.command_line import rows_of, run_cli, summary_of
from tests.support.loopback import Answer, ReceivedRequest, answering, good_reply

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


def test_a_run_that_has_begun_says_what_is_left_and_for_how_long(
    write_config: Callable[..., Path],
) -> None:
    def respond(request: ReceivedRequest) -> Answer:
        return 200, good_reply(request)

    with answering(respond) as server:
        evolver = {"model": "openai/m", "api_base": server.url, "concurrency": 2}
        config = write_config(
            10,
            models={"evolver": evolver},
            optimizer=NONE,
            evolve={"methods": ["weak"], "respond": False},
            budget={"calls": 4},
        )
        run_cli("run", str(config), "--yes", expected=3)
        planned = run_cli("run", str(config), "--dry-run", expected=0)
        resumed = run_cli("run", str(config), "--yes", "--set", "budget.calls=100", expected=0)
    for text in (planned.out, resumed.out):
        assert "at most 6 of 10 calls are left, about" in text


@pytest.mark.parametrize(
    ("sections", "key"),
    [
        ({"evolve": {"methods": ["weak"], "children": 3}}, "evolve.children"),
        ({"answer": {"samples": 3}}, "answer.samples"),
    ],
)
def test_the_plan_warns_of_copies_at_temperature_0(
    sections: dict[str, Any], key: str, write_config: Callable[..., Path]
) -> None:
    model = {"model": "scripted/world"}
    for temperature, is_warned in ((0.0, True), (0.7, False)):
        models = {"evolver": {**model, "temperature": temperature}}
        config = write_config(10, models=models, optimizer=NONE, **sections)
        planned = run_cli("run", str(config), "--dry-run", expected=0)
        assert (f"{key}: at temperature 0" in planned.out) == is_warned


def test_an_identical_greedy_question_is_paid_once(write_config: Callable[..., Path]) -> None:
    for temperature, calls in ((0.0, 4), (0.7, 12)):
        with answering(lambda request: (200, good_reply(request))) as server:
            evolver = {"model": "openai/m", "api_base": server.url, "temperature": temperature}
            config = write_config(
                4,
                models={"evolver": evolver},
                optimizer=NONE,
                evolve={"methods": ["weak"], "children": 3, "respond": False},
                output={"dir": f"runs/{temperature}"},
            )
            run_cli("run", str(config), "--yes", expected=0)
            assert len(server.requests) == calls
        assert len(rows_of(Path(f"runs/{temperature}/evolved.jsonl"))) == 12


def expected(write_config: Callable[..., Path], **sections: Any) -> tuple[int, int]:
    """Return the expected calls, and the most."""
    config = load_config(write_config(30, **sections))
    lines = estimate(make_plan(config, "test.yaml"))
    assert all(0 <= line.expected <= line.calls for line in lines)
    return sum(line.expected for line in lines), sum(line.calls for line in lines)


def test_without_a_search_and_retries_every_row_is_evolved(
    write_config: Callable[..., Path],
) -> None:
    evolve = {"methods": ["weak"], "respond": False}
    sections = {"optimizer": NONE, "evolve": evolve, "failure": {"rules": []}}
    assert expected(write_config, **sections) == (30, 30)


def test_fewer_calls_are_expected_than_the_bound_where_races_and_failures_save_some(
    write_config: Callable[..., Path],
) -> None:
    few, bound = expected(write_config)
    assert few < bound
    short, _ = expected(write_config, optimizer={"steps": 1})
    assert short < few


def test_the_budget_of_a_search_bounds_its_estimate(write_config: Callable[..., Path]) -> None:
    def planned(**search: Any) -> tuple[dict[str, int], int]:
        plan = make_plan(load_config(write_config(30, optimizer=search)), "test.yaml")
        lines = estimate(plan)
        names = dict.fromkeys(line.phase for line in lines)
        phases = {name: sum(e.calls for e in lines if e.phase == name) for name in names}
        return phases, at_most(plan, lines).calls

    free, most = planned(steps=10)
    assert most == sum(free.values())
    bound, fewer = planned(steps=10, max_calls=60)
    # A step that has begun is finished.
    assert most - fewer == free["search"] - (60 + -(-free["search"] // 10))
    others = {name: calls for name, calls in free.items() if name != "search"}
    assert bound == {**others, "search": bound["search"]}
    assert planned(steps=10, max_calls=10_000) == (free, most)


def test_the_dearest_calls_are_counted_where_a_budget_leaves_some(
    write_config: Callable[..., Path],
) -> None:
    def costs(**search: Any) -> tuple[float, float]:
        model = {"model": "hosted_vllm/m", "api_base": "http://127.0.0.1:1/v1"}
        price = {"input": 0, "output": 1}
        evolver = {**model, "max_tokens": 1_000_000, "price": price}
        optimizer = {**model, "max_tokens": 3_000_000, "price": price}
        models = {"evolver": evolver, "optimizer": optimizer}
        file = write_config(
            30, models=models, optimizer={"steps": 10, **search}, evolve={"respond": False}
        )
        plan = make_plan(load_config(file), "test.yaml")
        lines = estimate(plan)
        return at_most(plan, lines).cost_usd or 0.0, sum(line.cost_usd or 0.0 for line in lines)

    most, total = costs()
    assert most == pytest.approx(total)
    plenty, _ = costs(max_calls=100_000)
    assert plenty == pytest.approx(total)
    less, capped = costs(max_calls=60)
    assert less < capped < total
    # A call of the optimizer costs 3 USD and a rewrite 1: all that it may make are among them.
    rewrites = (most - less) / 1.0
    assert rewrites == pytest.approx(round(rewrites)), "only rewrites were saved"


@pytest.mark.parametrize(
    "search",
    [
        pytest.param({"name": "auto_evol", "steps": 10, "max_calls": 60}, id="budget"),
        pytest.param({"name": "auto_evol", "steps": 2, "then": "gepa"}, id="then gepa"),
        pytest.param({"name": "gepa", "steps": 1, "candidates": 1}, id="gepa, small"),
        pytest.param({"name": "gepa", "steps": 3, "candidates": 2}, id="gepa"),
        pytest.param({"name": "miprov2", "steps": 1, "candidates": 1}, id="miprov2, small"),
        pytest.param({"name": "miprov2", "steps": 3, "candidates": 3}, id="miprov2"),
        pytest.param(
            {"name": "miprov2", "steps": 8, "candidates": 6, "max_calls": 20}, id="miprov2, budget"
        ),
        pytest.param({"name": "gepa", "steps": 8, "max_calls": 20}, id="gepa, budget"),
    ],
)
def test_no_search_makes_more_calls_than_its_bound(
    search: dict[str, Any], write_config: Callable[..., Path]
) -> None:
    own = {"batch_size": 3, "headroom": False, **search}
    models = {"evolver": {"model": "scripted/world", "temperature": 0.5}}
    file = write_config(30, optimizer=own, models=models)
    plan = make_plan(load_config(file), "test.yaml")
    lines = estimate(plan)
    run_cli("run", str(file), "--yes", expected=0)
    calls = summary_of(Path("runs/test"))["calls_by_role"]
    bounds = {role: sum(line.calls for line in lines if line.role == role) for role in calls}
    assert all(calls[role] <= bounds[role] for role in calls), (calls, bounds)
    most = at_most(plan, lines)
    assert sum(calls.values()) <= most.calls
    assert most.cost_usd == 0, "the scripted model is free"


def test_a_run_of_the_quickstarts_size_makes_about_the_expected_calls(
    write_config: Callable[..., Path],
) -> None:
    """With these sizes the quickstart made 71, 74, 82 and 85 calls in runs on the 1.5B model."""
    from autoevol.experiments.config.shipped import CONFIGS

    sizes = ("data.limit=24", *(f"data.{part}_size=8" for part in ("train", "dev", "heldout")))
    file = CONFIGS / "quickstart.yaml"
    config = load_config(file, [*sizes, "optimizer.candidates=3"])
    lines = estimate(make_plan(config, str(file)))
    assert 78 / 1.25 <= sum(line.expected for line in lines) <= 78 * 1.25


def test_a_start_anew_has_all_calls_left(finish: Callable[..., Path]) -> None:
    config = finish(6, optimizer={"name": "none"}, evolve={"methods": ["weak"]})
    planned = " ".join(run_cli("run", str(config), "--fresh", "--dry-run", expected=0).out.split())
    assert "left" not in planned
    assert "At most 12 calls" in planned
