"""Scores as tables for people: headings in words, means with intervals, unscored rows."""

import math
from typing import Any

from autoevol.experiments.report.score_tables import ScoreSection, judges, score_sections
from autoevol.experiments.scores.stored import StoredScores

GRADED = {"mean": 3.25, "interval": [2.5, 4.0], "median": 3.0, "scored": 1200, "unscored": 2}


def section_of(name: str, *rounds: dict[str, Any], **settings: Any) -> ScoreSection:
    figures = {number: {"rows": 9, name: by_name} for number, by_name in enumerate(rounds)}
    (section,) = score_sections(StoredScores(figures, {name: settings}))
    return section


def test_a_mean_has_its_interval_and_its_rows() -> None:
    section = section_of("grade", {"unscored": 9}, GRADED, judge="openai/judge", sample=50)
    assert section.title == "Grade of the response, 1 to 10"
    assert section.note == "judge: openai/judge · seeds drawn: 50"
    assert section.rounds == ["seeds", "round 1"]
    assert section.lines == [
        ("mean, 95 % interval", ["–", "3.25 (2.5–4)"]),
        ("median", ["–", "3"]),
        ("rows scored / unscored", ["0 / 9", "1,200 / 2"]),
    ]


def test_levels_have_their_names_and_small_sets_no_interval() -> None:
    figures = {**GRADED, "interval": None, "levels": {"very easy": 3, "hard": 1}}
    lines = dict(section_of("difficulty", figures).lines)
    assert lines["mean, 95 % interval"] == ["3.25"]
    assert (lines["very easy"], lines["hard"]) == (["3"], ["1"])


def test_a_score_without_labels_is_still_shown() -> None:
    section = section_of(
        "reward_gap", {"share": 0.1234, "of": {"rows": 1234567}}, embedding="static"
    )
    assert section.title == "Reward gap"
    assert section.note == "embedding: static"
    assert section.lines == [("share", ["0.123"]), ("of.rows", ["1,234,567"])]


def test_tags_are_counted_without_a_mean() -> None:
    figures = {"complexity": 2.5, "diversity": None, "coverage": 0.5, "unscored": 1}
    section = section_of("tags", figures, judge="j", embedding="static")
    assert section.lines[0] == ("tags of a row, mean", ["2.5"])
    assert section.lines[-1] == ("rows unscored", ["1"])
    assert section.note == "judge: j · embedding: static"


def test_the_source_of_figures_is_called_judge_model_or_embedding() -> None:
    assert section_of("neighbours", {"mnd": 1.1}, judge="static").note == "embedding: static"
    assert (
        section_of("ifd", {"cut": 0}, judge="small", sample=9).note
        == "model: small · seeds drawn: 9"
    )


def test_large_numbers_stay_readable_and_nan_is_a_dash() -> None:
    lines = dict(section_of("length", {"words": 1234.5, "response_words": math.nan}).lines)
    assert lines["words of an instruction, mean"] == ["1,234"]
    assert lines["words of a response, mean"] == ["–"]


def test_each_judge_is_named_once() -> None:
    settings = {"grade": {"judge": "a"}, "chain": {"judge": "a"}, "tags": {"judge": "b"}, "x": {}}
    settings["ifd"] = {"judge": "no judge"}
    assert judges(StoredScores({}, settings)) == ["a", "b"]


def test_a_score_of_several_means_shows_each_with_its_interval() -> None:
    figures = {"ifd": GRADED, "ic_ifd": {**GRADED, "mean": 0.5}, "misleading": 3, "unscored": 1}
    lines = dict(section_of("ifd", figures).lines)
    assert lines["IC-IFD: mean, 95 % interval"] == ["0.5 (2.5–4)"]
    assert lines["rows with IFD above 1"] == ["3"]
    assert not [label for label in lines if "interval." in label]
