"""Pictures of several runs hold the runs' figures; what cannot be compared is not drawn."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.compare.figures import (
    MOST_PANELS,
    draw_comparison,
    draw_cost,
    draw_levels,
    draw_means,
    draw_outcomes,
    draw_rounds,
    draw_rules,
)
from autoevol.experiments.compare.runs import ComparedRun
from autoevol.experiments.report.plots import png
from autoevol.experiments.scores.stored import StoredScores
from autoevol.metrics.quality.difficulty import LEVELS


def run(
    name: str,
    means: Mapping[int, float],
    *,
    failed: int = 2,
    cost: float | None = None,
    judge: str = "j",
    settings: Mapping[str, Any] | None = None,
) -> ComparedRun:
    kept = 10 - failed
    counts = {"round": 1, "entered": 10, "kept": kept, "failed": failed, "unscored": 0}
    figures = {
        number: {
            "complexity": {"mean": mean, "interval": [mean - 1, mean + 2], "unscored": 0},
            "difficulty": {"mean": 2.0, "levels": dict.fromkeys(LEVELS, 2), "unscored": 0},
        }
        for number, mean in means.items()
    }
    summary = {
        "rounds": [counts],
        "rows_out": kept,
        "rows_failed": failed,
        "tokens_in": 900 * (failed + 1),
        "tokens_out": 100,
        "cost_usd": cost,
        "failures_by_rule": {"evolve": {"answered": failed} if failed else {}, "respond": {}},
    }
    score_settings = {
        score: {"judge": judge, **(settings or {})} for score in ("complexity", "difficulty")
    }
    return ComparedRun(name, Path(name), summary, StoredScores(figures, score_settings), None, {})


RUNS = [run("weak", {0: 4.0, 1: 9.0}), run("strong", {0: 4.0, 1: 15.0, 2: 22.0}, failed=0)]


def titles(figure: Any) -> list[str]:
    return [axes.get_title(loc="left") for axes in figure.axes]


def test_outcomes_are_one_bar_with_two_intervals() -> None:
    counts = {"won": 6, "tied": 3, "lost": 1}
    ends = {"win": (0.6, 0.31, 0.83), "tie": (0.3, 0.11, 0.6), "lose": (0.1, 0.02, 0.4)}
    shares = {
        name: dict(zip(("value", "low", "high"), values, strict=True))
        for name, values in ends.items()
    }
    (axes,) = draw_outcomes({**counts, **shares}).axes
    bars, intervals = axes.containers[:3], axes.containers[3:]
    assert [bar.get_width() for (bar,) in bars] == pytest.approx([0.6, 0.3, 0.1])
    segments = [container[2][0].get_segments()[0][:, 0] for container in intervals]
    assert [pytest.approx([*segment]) for segment in segments] == [[0.31, 0.83], [0.6, 0.98]]
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == ["won 6", "tied 3", "lost 1"]
    assert draw_outcomes({"win": None}) is None


def test_each_run_has_a_panel_of_its_rounds_and_of_its_rules() -> None:
    rounds = draw_rounds(RUNS)
    assert titles(rounds) == ["weak", "strong"]
    heights = [
        [bar.get_height() for bars in axes.containers for bar in bars] for axes in rounds.axes
    ]
    assert heights == [[8, 2, 0], [10, 0, 0]]
    rules = draw_rules(RUNS)
    assert [bar.get_width() for axes in rules.axes for bar in axes.containers[0]] == [0.2, 0.0]
    assert [label.get_text() for label in rules.axes[0].get_yticklabels()] == ["answered (evolve)"]
    assert draw_rules(RUNS[1:]) is None


def test_means_have_a_line_for_each_run() -> None:
    figure = draw_means(RUNS)
    assert titles(figure)[0] == "complexity"
    lines = [container[0].get_ydata() for container in figure.axes[0].containers]
    assert [[*line] for line in lines] == [[4.0, 9.0], [4.0, 15.0, 22.0]]
    assert figure.axes[0].get_xlabel() == "round (0: seeds)"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["weak", "strong"]


def test_levels_have_a_row_for_each_run_and_a_column_for_each_round() -> None:
    figure = draw_levels(RUNS)
    assert len(figure.axes) == 6
    assert titles(figure)[:3] == ["seeds", "round 1", "round 2"]
    assert [axes.get_ylabel() for axes in figure.axes[::3]] == ["weak", "strong"]
    assert [bar.get_height() for bar in figure.axes[0].containers[0]] == [0.2] * 5
    assert [text.get_text() for text in figure.axes[2].texts] == ["no rows"]


def test_cost_is_in_tokens_until_every_run_has_a_price() -> None:
    figure = draw_cost(RUNS)
    assert titles(figure)[0] == "share of rewrites lost"
    assert "complexity, last round" in titles(figure)
    assert figure.axes[0].get_xlabel() == "tokens in and out"
    points = [container[0].get_xydata()[0] for container in figure.axes[0].containers]
    assert [[*point] for point in points] == [[2800.0, 0.2], [1000.0, 0.0]]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["weak", "strong"]
    priced = [run("a", {1: 5.0}, cost=0.5), run("b", {1: 6.0}, cost=2.0)]
    figure = draw_cost(priced)
    assert figure.axes[0].get_xlabel() == "USD"
    assert [c[0].get_xdata()[0] for c in figure.axes[0].containers] == [0.5, 2.0]


def test_scores_of_different_judges_are_not_drawn_together() -> None:
    runs = [run("a", {1: 5.0}, judge="one"), run("b", {1: 6.0}, judge="another")]
    assert draw_means(runs) is None
    assert draw_levels(runs) is None
    assert titles(draw_cost(runs)) == ["share of rewrites lost"]


def test_scores_of_other_settings_are_not_drawn_together_but_of_other_samples() -> None:
    runs = [run("a", {1: 5.0}, settings={"x": 1}), run("b", {1: 6.0}, settings={"x": 2})]
    assert draw_means(runs) is None
    runs = [run("a", {1: 5.0}, settings={"sample": 1}), run("b", {1: 6.0}, settings={"sample": 2})]
    assert draw_means(runs) is not None


def test_a_run_by_another_judge_hides_nothing_of_the_others() -> None:
    runs = [run("other", {1: 9.0}, judge="another"), *RUNS]
    means = draw_means(runs)
    assert [text.get_text() for text in means.legends[0].get_texts()] == ["weak", "strong"]
    assert len(means.axes[0].containers) == 2
    assert [axes.get_ylabel() for axes in draw_levels(runs).axes[::3]] == ["weak", "strong"]
    cost = draw_cost(runs)
    assert [len(axes.containers) for axes in cost.axes[:2]] == [3, 2]


@pytest.mark.parametrize("name", ["a$x_{$b", "$x$", "_x"])
def test_names_are_shown_as_they_are(name: str) -> None:
    runs = [run(name, {1: 5.0}), run("b", {1: 6.0})]
    legend = draw_means(runs).legends[0]
    assert [text.get_text() for text in legend.get_texts()] == [name, "b"]
    drawn = draw_comparison(runs)
    assert all(png(figure).startswith(b"\x89PNG") for figure in drawn.values())
    assert not any(text.get_parse_math() for text in legend.get_texts())


def test_two_runs_of_one_name_are_two_lines_in_the_legend() -> None:
    legend = draw_means([run("x", {1: 5.0}), run("x", {1: 6.0})]).legends[0]
    colours = [str(line.get_color()) for line in legend.legend_handles]
    assert len({*colours}) == 2


def test_a_picture_has_so_many_panels_at_most_and_says_so() -> None:
    runs = [run(f"r{n}", {1: 5.0 + n}) for n in range(200)]
    for draw in (draw_rounds, draw_rules, draw_levels):
        figure = draw(runs)
        assert len(figure.axes) == MOST_PANELS
        assert figure.get_suptitle() == f"the first {MOST_PANELS} of 200 runs"
        assert max(figure.get_size_inches()) * 150 < 1 << 16
    assert draw_rounds(RUNS).get_suptitle() == ""


def test_all_pictures_of_many_runs_can_be_made() -> None:
    runs = [run(f"실행 {n}", {0: 1.0, 1: 2.0 + n}, failed=n) for n in range(7)]
    drawn = draw_comparison(runs)
    assert [*drawn] == ["rounds", "rules", "cost", "levels", "means"]
    assert all(png(figure).startswith(b"\x89PNG") for figure in drawn.values())
    assert draw_comparison([]) == {}
