"""Pictures of scores hold what the files say; what was not measured is not drawn."""

from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.report.plots import write_pictures
from autoevol.experiments.report.score_figures import (
    draw_confidence,
    draw_distances,
    draw_levels,
    draw_means,
    draw_words,
    score_figures,
)
from autoevol.experiments.report.score_means import score_means
from autoevol.experiments.scores.stored import StoredScores
from autoevol.metrics.quality.difficulty import LEVELS


def stored_scores(interval: bool = True) -> StoredScores:
    figures: dict[int, dict[str, Any]] = {}
    for number, levels, mean in ((0, (3, 1, 0, 0, 0), 20.0), (1, (0, 0, 1, 0, 1), 55.0)):
        figures[number] = {
            "rows": 4,
            "difficulty": {"levels": dict(zip(LEVELS, levels, strict=True)), "unscored": 0},
            "complexity": {
                "mean": mean,
                "interval": (mean - 5, mean + 9) if interval else None,
                "unscored": 0,
            },
            "length": {"words": 4.0 + number, "response_words": 9.0 if number else None},
        }
    distances = {0: [0.4, 0.42, 0.44, 0.46], 1: [1.1, 1.2, 1.0]}
    return StoredScores(figures, {}, {"mnd": distances, "ifd": {1: [0.4, 0.6, 0.5]}})


def legend_of(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_levels_are_shares_that_add_up() -> None:
    (axes,) = draw_levels(stored_scores()).axes
    heights = [[bar.get_height() for bar in bars] for bars in axes.containers]
    assert heights == [[0.75, 0.0], [0.25, 0.0], [0.0, 0.5], [0.0, 0.0], [0.0, 0.5]]
    assert legend_of(axes) == [*reversed(LEVELS)]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["seeds", "round 1"]


def test_means_are_drawn_with_their_intervals_one_panel_a_score() -> None:
    (axes,) = draw_means(stored_scores()).axes
    line, _, (bars,) = axes.containers[0]
    assert [*line.get_ydata()] == [20.0, 55.0]
    assert [[*segment[:, 1]] for segment in bars.get_segments()] == [[15.0, 29.0], [50.0, 64.0]]
    assert axes.get_title(loc="left") == "complexity"


def test_a_mean_without_an_interval_is_a_point() -> None:
    (axes,) = draw_means(stored_scores(interval=False)).axes
    assert [*axes.containers[0][0].get_ydata()] == [20.0, 55.0]


def test_distances_have_a_histogram_and_words_a_line_for_each_round_or_text() -> None:
    (distances,) = draw_distances(stored_scores()).axes
    assert legend_of(distances) == ["seeds", "round 1"]
    assert distances.get_xlabel() == "distance to the nearest neighbour (MND)"
    outlines = [outline.get_xy() for outline in distances.patches]
    filled = [[x for x, height in points if height > 0] for points in outlines]
    ends = [end for xs in filled for end in (min(xs), max(xs))]
    assert ends == pytest.approx([0.4, 0.46, 1.0, 1.2], abs=0.04)
    (words,) = draw_words(stored_scores()).axes
    assert [[*line.get_ydata()] for line in words.get_lines()] == [[4.0, 5.0], [9.0]]


def test_log_probabilities_get_a_panel_each_and_equal_values_a_bar() -> None:
    (axes,) = draw_confidence(stored_scores()).axes
    assert axes.get_xlabel().startswith("IFD")
    same = StoredScores(numbers={"confidence": {1: [-0.5, -0.5]}, "ifd": {0: [0.1, 0.2, 0.4]}})
    ifd, confidence = draw_confidence(same).axes
    assert confidence.get_xlabel().startswith("confidence")
    assert legend_of(confidence) == ["round 1"]
    assert legend_of(ifd) == ["seeds"]


def test_what_was_not_measured_is_not_drawn(tmp_path: Path) -> None:
    assert score_figures(StoredScores({0: {"rows": 0}})) == {}
    written = write_pictures(score_figures(stored_scores()), tmp_path)
    names = ("difficulty", "means", "distances", "confidence", "words")
    assert [*written] == [f"score_{name}" for name in names]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written.values())
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.png" for name in written}


def test_a_name_in_another_script_is_drawn_without_a_warning(tmp_path: Path) -> None:
    figure = draw_words(stored_scores())
    figure.axes[0].set_title("한국어 모음")
    assert write_pictures({"name": figure, "none": None}, tmp_path).keys() == {"name"}


def test_every_mean_of_a_score_has_a_panel() -> None:
    mean = {"mean": 0.5, "interval": [0.4, 0.6], "scored": 9}
    figures = {"rows": 9, "ifd": {"ifd": mean, "ic_ifd": mean, "cut": 0}, "grade": mean}
    scores = StoredScores({1: figures, 2: figures})
    assert score_means(scores) == ["ifd.ifd", "ifd.ic_ifd", "grade"]
    figure = draw_means(scores)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["ifd", "ic_ifd", "grade"]


def test_a_single_round_is_a_number_and_no_chart() -> None:
    stored = stored_scores()
    alone = StoredScores({1: stored.figures[1]}, {}, {})
    assert draw_levels(alone) is draw_means(alone) is draw_words(alone) is None
