"""Scores as tables for people: headings in words, means with intervals, unscored rows."""

import math
from typing import Any

from autoevol.experiments.report.score_tables import Section, judges, score_sections
from autoevol.experiments.scores.stored import StoredScores

GRADED = {"mean": 3.25, "interval": [2.5, 4.0], "median": 3.0, "scored": 1200, "unscored": 2}


def section_of(name: str, *rounds: dict[str, Any], **settings: Any) -> Section:
    figures = {number: {"rows": 9, name: told} for number, told in enumerate(rounds)}
    (found,) = score_sections(StoredScores(figures, {name: settings}))
    return found


def test_a_mean_stands_with_its_interval_and_its_rows() -> None:
    found = section_of("grade", {"unscored": 9}, GRADED, judge="openai/judge", sample=50)
    assert found.title == "Grade of the response, 1 to 10"
    assert found.note == "judge: openai/judge · seeds drawn: 50"
    assert found.rounds == ["seeds", "round 1"]
    assert found.lines == [
        ("mean, 95 % interval", ["–", "3.25 (2.5–4)"]),
        ("median", ["–", "3"]),
        ("rows scored / unscored", ["0 / 9", "1,200 / 2"]),
    ]


def test_levels_stand_by_their_names_and_small_sets_without_an_interval() -> None:
    told = {**GRADED, "interval": None, "levels": {"very easy": 3, "hard": 1}}
    lines = dict(section_of("difficulty", told).lines)
    assert lines["mean, 95 % interval"] == ["3.25"]
    assert (lines["very easy"], lines["hard"]) == (["3"], ["1"])


def test_a_score_that_is_not_known_here_is_shown_all_the_same() -> None:
    found = section_of("reward_gap", {"share": 0.1234, "of": {"rows": 1234567}}, embedding="static")
    assert found.title == "Reward gap"
    assert found.note == "embedding: static"
    assert found.lines == [("share", ["0.123"]), ("of.rows", ["1,234,567"])]


def test_tags_are_counted_without_a_mean() -> None:
    told = {"complexity": 2.5, "diversity": None, "coverage": 0.5, "unscored": 1}
    found = section_of("tags", told, judge="j", embedding="static")
    assert found.lines[0] == ("tags of a row, mean", ["2.5"])
    assert found.lines[-1] == ("rows unscored", ["1"])
    assert found.note == "judge: j · embedding: static"


def test_who_gave_the_figures_is_called_by_what_it_is() -> None:
    assert section_of("neighbours", {"mnd": 1.1}, judge="static").note == "embedding: static"
    assert (
        section_of("ifd", {"cut": 0}, judge="small", sample=9).note
        == "model: small · seeds drawn: 9"
    )


def test_large_numbers_stay_readable_and_what_is_none_is_a_dash() -> None:
    lines = dict(section_of("length", {"words": 1234.5, "response_words": math.nan}).lines)
    assert lines["words of an instruction, mean"] == ["1,234"]
    assert lines["words of a response, mean"] == ["–"]


def test_each_judge_is_named_once() -> None:
    settings = {"grade": {"judge": "a"}, "chain": {"judge": "a"}, "tags": {"judge": "b"}, "x": {}}
    settings["ifd"] = {"judge": "no judge"}
    assert judges(StoredScores({}, settings)) == ["a", "b"]


def test_a_score_of_several_means_shows_each_with_its_interval() -> None:
    told = {"ifd": GRADED, "ic_ifd": {**GRADED, "mean": 0.5}, "misleading": 3, "unscored": 1}
    lines = dict(section_of("ifd", told).lines)
    assert lines["IC-IFD: mean, 95 % interval"] == ["0.5 (2.5–4)"]
    assert lines["rows with IFD above 1"] == ["3"]
    assert not [label for label in lines if "interval." in label]
