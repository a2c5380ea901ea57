"""Figures of scores hold what the book says; nothing is drawn of what was not measured."""

from pathlib import Path

import pytest

from experiments.score_book import ScoreBook
from experiments.score_figures import (
    draw_distances,
    draw_levels,
    draw_means,
    draw_words,
    write_figures,
)
from metrics.difficulty import LEVELS
from program.records import Row


def book() -> ScoreBook:
    rounds = {0: [Row("a", "a", "A."), Row("b", "b", "B.")], 1: [Row("a.1", "a", "C.", round=1)]}
    found = ScoreBook(rounds)
    for number, levels, mean in ((0, (3, 1, 0, 0, 0), 20.0), (1, (0, 0, 1, 0, 1), 55.0)):
        found.figures[number] = {
            "difficulty": {"levels": dict(zip(LEVELS, levels, strict=True)), "unscored": 0},
            "complexity": {"mean": mean, "interval": (mean - 5, mean + 9), "unscored": 0},
            "length": {"words": 4.0 + number, "response_words": 9.0 if number else None},
        }
    for identity, distance in (("a", 0.3), ("b", 0.3), ("a.1", 1.1)):
        found.values[identity] = {"neighbours": {"mnd": distance}}
    return found


def test_levels_are_shares_that_add_up() -> None:
    (axes,) = draw_levels(book()).axes
    heights = [[bar.get_height() for bar in bars] for bars in axes.containers]
    assert heights == [[0.75, 0.0], [0.25, 0.0], [0.0, 0.5], [0.0, 0.0], [0.0, 0.5]]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(LEVELS)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["seeds", "round 1"]


def test_means_stand_with_their_intervals_one_panel_a_score() -> None:
    (axes,) = draw_means(book()).axes
    line, _, (bars,) = axes.containers[0]
    assert [*line.get_ydata()] == [20.0, 55.0]
    assert [[*segment[:, 1]] for segment in bars.get_segments()] == [[15.0, 29.0], [50.0, 64.0]]
    assert axes.get_title() == "complexity"


def test_a_mean_without_an_interval_is_a_point() -> None:
    found = book()
    for figures in found.figures.values():
        figures["complexity"]["interval"] = None
    (axes,) = draw_means(found).axes
    assert [*axes.containers[0][0].get_ydata()] == [20.0, 55.0]


def test_distances_and_words_have_a_line_for_each_round_or_text() -> None:
    (distances,) = draw_distances(book()).axes
    assert [text.get_text() for text in distances.get_legend().get_texts()] == ["seeds", "round 1"]
    (words,) = draw_words(book()).axes
    assert [[*line.get_ydata()] for line in words.get_lines()] == [[4.0, 5.0], [9.0]]


def test_what_was_not_measured_is_not_drawn(tmp_path: Path) -> None:
    assert write_figures(ScoreBook({0: []}, {0: {"rows": 0}}), tmp_path) == []
    assert [path.name for path in write_figures(book(), tmp_path)] == [
        "score_difficulty.png",
        "score_means.png",
        "score_distances.png",
        "score_words.png",
    ]
    assert all(path.stat().st_size > 5_000 for path in tmp_path.iterdir())


@pytest.fixture(autouse=True)
def _closed() -> object:
    yield
    from matplotlib import pyplot

    pyplot.close("all")
