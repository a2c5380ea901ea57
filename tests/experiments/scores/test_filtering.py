"""Filters after evolving: rows stay in the file, marked with the filter that took them out."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.config.scoring.filters import (
    Band,
    Decontaminate,
    Dedup,
    DiverseSubset,
    FilterConfig,
    Top,
)
from autoevol.experiments.scores.filtering import Mark, filtered, open_filters
from autoevol.program.records import Row
from tests.support.command_line import run_cli

WriteConfig = Callable[..., Path]
RUN = Path("runs/test")
SEEDS = [Row("s", "s", "Name the longest river of Asia.")]


def rows(*texts: str, **figures: list[float]) -> list[Row]:
    return [
        Row(f"r{n}", "s", text, round=1, scores={name: held[n] for name, held in figures.items()})
        for n, text in enumerate(texts)
    ]


def marks_of(evolved: list[Row], *filters: FilterConfig, seeds: Sequence[Row] = ()) -> list[Mark]:
    return filtered(evolved, seeds, open_filters(filters, "here"))


def test_copies_of_seeds_and_of_earlier_rows_go() -> None:
    evolved = rows("Name the longest river of Asia!", "Compare two lakes.", "Compare two lakes.")
    marks = marks_of(evolved, Dedup(name="dedup"), seeds=SEEDS)
    assert [(mark.id, mark.near, mark.value) for mark in marks] == [
        ("r0", "s", 1.0),
        ("r2", "r1", 1.0),
    ]


def test_the_same_instruction_with_another_input_is_no_copy() -> None:
    evolved = [
        Row(f"r{n}", "x", "Translate it.", input=word, round=1) for n, word in enumerate("abc")
    ]
    assert marks_of(evolved, Dedup(name="dedup")) == []


def test_each_filter_sees_what_the_one_before_has_left() -> None:
    evolved = rows("One.", "Two.", "Three.", "Four.", words=[1.0, 2.0, 3.0, 4.0])
    marks = marks_of(
        evolved,
        Band(name="band", score="words", low=1, high=3),
        Top(name="top", score="words", part=0.5),
    )
    assert {mark.id: (mark.filter, mark.cause) for mark in marks} == {
        "r0": ("band", "out of band"),
        "r3": ("band", "out of band"),
        "r1": ("top", "not at the top"),
    }


def test_a_row_without_the_figure_cannot_pass_a_filter_by_it() -> None:
    evolved = [*rows("One.", words=[2.0]), Row("bare", "s", "Two.", round=1)]
    marks = marks_of(evolved, Band(name="band", score="words", low=0, high=9))
    assert [(mark.id, mark.cause, mark.value) for mark in marks] == [("bare", "unscored", None)]


def test_a_leak_names_the_words_it_shares(tmp_path: Path) -> None:
    file = tmp_path / "exam.jsonl"
    file.write_text('{"question": "How many eggs does the old hen lay in one week?"}\n')
    evolved = rows("Tell me how many eggs does the old hen lay.", "Name a hen.")
    config = Decontaminate(name="decontaminate", benchmarks=[str(file)], runs=6)
    (mark,) = marks_of(evolved, config)
    assert (mark.id, mark.evidence) == ("r0", "how many eggs does the old")


def test_of_rows_that_are_near_each_other_the_best_scored_stays() -> None:
    evolved = rows(
        "Sort the list of names.",
        "Sort the list of the names.",
        "Paint a boat.",
        words=[1.0, 2.0, 0.5],
    )
    by_score = DiverseSubset(name="diverse_subset", score="words", tau=0.8)
    in_order = DiverseSubset(name="diverse_subset", least=0.5)
    assert [(m.id, m.near) for m in marks_of(evolved, by_score)] == [("r0", "r1")]
    assert [(m.id, m.near) for m in marks_of(evolved, in_order)] == [("r1", "r0")]


def test_a_run_counts_marks_and_exports_what_stands(write_config: WriteConfig) -> None:
    filters: list[Any] = ["dedup", {"top": {"score": "words", "part": 0.5}}]
    config = write_config(
        20,
        optimizer={"name": "none"},
        evolve={"methods": ["weak"], "rounds": 2},
        scores={"names": ["length"]},
        filters=filters,
        output={"formats": ["alpaca"]},
    )
    run_cli("run", str(config), expected=0)

    summary = json.loads((RUN / "summary.json").read_text())
    evolved = [json.loads(line) for line in (RUN / "evolved.jsonl").read_text().splitlines()]
    marks = [json.loads(line) for line in (RUN / "filtered.jsonl").read_text().splitlines()]
    counts = Counter(row["filtered_by"] for row in evolved)
    assert len(evolved) == summary["rows_out"]
    assert summary["rows_filtered"] == {"dedup": counts["dedup"], "top": counts["top"]}
    assert counts["top"] > 0
    assert {mark["id"]: mark["filter"] for mark in marks} == {
        row["id"]: row["filtered_by"] for row in evolved if row["filtered_by"]
    }
    exported = (RUN / "exports/alpaca.jsonl").read_text().splitlines()
    assert len(exported) == counts[None]
    again = run_cli("run", str(config), expected=0)
    assert "alpaca" in again.out


@pytest.mark.parametrize(
    ("filters", "needle"),
    [
        (["dedupe"], "filters.0"),
        ([{"dedup": {"alik": 0.5}}], "'alike'"),
        (
            [{"band": {"score": "mnd", "low": 1, "high": 5}}],
            "filters.0 needs 'mnd'",
        ),
        ([{"dedup": 0.9}], "filters.0"),
        ([{"diverse_subset": {"most": 5}}], "most has no effect without score"),
        ([{"top": {"score": "words"}}], "filters.0.top.part: is required"),
        ([{"decontaminate": {"benchmarks": []}}], "filters.0.decontaminate.benchmarks"),
        ([{"decontaminate": {"benchmarks": ["none.jsonl"]}}], "filters.0.benchmarks"),
    ],
)
def test_a_mistaken_filter_is_said_before_the_first_call(
    filters: list[Any], needle: str, write_config: WriteConfig
) -> None:
    config = write_config(12, optimizer={"name": "none"}, filters=filters)
    before = sorted(Path().rglob("*"))
    result = run_cli("run", str(config), expected=2)
    assert needle in result.err
    assert len(result.err.strip().splitlines()) == 1
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize(
    ("sections", "needle"),
    [
        ({"filters": [{"decontaminate": {"benchmarks": ["none.jsonl"]}}]}, "filters.0.benchmarks"),
        ({"filters": [{"decontaminate": {"benchmarks": ["exam.jsonl"]}}]}, "exam.jsonl:1"),
        ({"scores": {"names": ["overlap"], "benchmarks": ["exam.jsonl"]}}, "exam.jsonl:1"),
    ],
)
def test_a_dry_run_reads_the_benchmarks(
    sections: dict[str, Any], needle: str, write_config: WriteConfig
) -> None:
    Path("exam.jsonl").write_text('{"riddle": "What is it?"}\n')
    config = write_config(12, optimizer={"name": "none"}, **sections)
    assert needle in run_cli("run", str(config), "--dry-run", expected=2).err


def test_filters_that_are_added_to_a_finished_run_act_without_a_call(
    write_config: WriteConfig,
) -> None:
    sections: dict[str, Any] = {"optimizer": {"name": "none"}, "evolve": {"methods": ["weak"]}}
    run_cli("run", str(write_config(20, **sections)), expected=0)
    assert json.loads((RUN / "summary.json").read_text())["rows_filtered"] == {}

    band = {"band": {"score": "added_words", "low": 0, "high": 1}}
    config = str(write_config(20, **sections, filters=[band]))
    run_cli("run", config, expected=0)
    summary = json.loads((RUN / "summary.json").read_text())
    assert summary["rows_filtered"] == {"band": summary["rows_out"]}
    assert summary["calls"] == summary["calls_replayed"]
    before = (RUN / "summary.json").read_bytes()
    run_cli("run", config, expected=0)
    assert (RUN / "summary.json").read_bytes() == before
