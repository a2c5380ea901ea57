"""Scores of a set that ask no model, on rows whose figures can be computed by hand."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from autoevol.experiments.scores.embedding import UnitVectors, embedder
from autoevol.experiments.scores.files import read_benchmarks
from autoevol.experiments.scores.set_scores import (
    length_scores,
    lexical_scores,
    neighbour_scores,
    overlap_scores,
)
from autoevol.program.errors import ConfigError
from autoevol.program.records import Row

SEEDS = [Row("a", "a", "Name a river."), Row("b", "b", "Name a lake.", response="Lake Constance.")]
EVOLVED = [
    Row("a.1", "a", "Name a river.", round=1),
    Row("b.1", "b", "Compare two lakes in size and age.", round=1),
]
ROUNDS = {0: SEEDS, 1: EVOLVED}


def on_a_line(texts: Sequence[str]) -> UnitVectors:
    return np.array([[float(len(text)), 0.0] for text in texts], dtype=np.float32)


def test_lengths_are_means_by_round_and_words_by_row() -> None:
    scores = length_scores(ROUNDS)
    assert scores.by_round == {
        0: {"words": 3.0, "response_words": 2.0},
        1: {"words": 5.0, "response_words": None},
    }
    assert scores.by_row["b.1"] == {"words": 7.0}


def test_wording_is_told_round_by_round() -> None:
    figures = lexical_scores(ROUNDS).by_round
    assert figures[0]["distinct_1"] == pytest.approx(4 / 6)
    assert figures[1]["distinct_1"] == 1.0


def test_neighbours_are_those_of_the_same_round() -> None:
    scores = neighbour_scores(ROUNDS, on_a_line)
    figures = {"mnd": 1.0, "mnd_median": 1.0, "close_neighbours": 0, "unscored": 0}
    assert scores.by_round[0] == figures
    assert scores.by_row["a.1"] == {"mnd": 21.0}


def test_one_row_has_no_neighbour_and_equal_rows_are_no_distance_apart() -> None:
    alone = neighbour_scores({0: SEEDS[:1]}, on_a_line)
    none = {"mnd": None, "mnd_median": None, "close_neighbours": 0, "unscored": 1}
    assert alone.by_round[0] == none
    assert alone.by_row == {}
    equal = [Row(f"r{n}", f"r{n}", "Name a river.") for n in range(3)]
    assert neighbour_scores({0: equal}, on_a_line).by_round[0] == {
        "mnd": 0.0,
        "mnd_median": 0.0,
        "close_neighbours": 3,
        "unscored": 0,
    }


def test_a_rewrite_that_says_what_its_seed_says_is_the_copy() -> None:
    scores = overlap_scores(ROUNDS, {}, sizes=[8], alike=0.7)
    assert scores.by_round == {0: {"rows": 2, "copies": 0}, 1: {"rows": 2, "copies": 1}}
    assert scores.evidence == {"a.1": "says what a says"}


def test_a_leak_is_counted_by_benchmark_and_size_and_shows_the_words() -> None:
    text = "Please compare two lakes in size and age and then name their outlets in order."
    scores = overlap_scores(ROUNDS, {"exam": [text]}, sizes=[5, 13], alike=0.7)
    assert scores.by_round[1] == {"rows": 2, "copies": 1, "exam_5": 1, "exam_13": 0}
    assert scores.evidence["b.1"] == "in exam: compare two lakes in size"


def test_rows_that_are_no_copies_have_a_figure_as_well() -> None:
    scores = overlap_scores(ROUNDS, {}, sizes=[8], alike=0.7)
    assert {key: values["copies"] for key, values in scores.by_row.items()} == {
        **dict.fromkeys(("a", "b", "b.1"), 0.0),
        "a.1": 1.0,
    }


def test_two_benchmarks_of_one_name_are_refused(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "test (1).jsonl").write_text('{"question": "Why?"}\n')
    files = [f"{tmp_path}/{folder}/test (1).jsonl" for folder in ("one", "two")]
    assert [*read_benchmarks(files[:1], "here")] == ["test-1-"]
    with pytest.raises(ConfigError, match="two benchmarks are called 'test-1-'"):
        read_benchmarks(files, "here")


def test_a_benchmark_file_in_another_form_is_named_with_its_row(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.jsonl"
    good.write_text('{"question": "How many?"}\n')
    bad.write_text('{"question": "How many?"}\n{"task": 3}\n')
    assert read_benchmarks([str(good)], "here") == {"good": ["How many?"]}
    with pytest.raises(
        ConfigError, match=r"bad\.jsonl:2: must have one of the keys .*; it has task"
    ):
        read_benchmarks([str(bad)], "here")


def test_the_static_model_comes_with_its_weights() -> None:
    vectors = embedder("static", "here")(["Sort the list.", "Order the items.", "A red boat."])
    assert vectors.shape == (3, 256)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-3)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]


def test_an_embedding_model_that_is_not_there_is_the_users_to_mend() -> None:
    with pytest.raises(ConfigError, match=r"scores\.embedding: no/model"):
        embedder("no/model", "x.yaml: scores.embedding")
