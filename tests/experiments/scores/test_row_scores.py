"""Growth, shortfalls and named operations of rows, counted by hand."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from autoevol.experiments.cli.tables import score_table
from autoevol.experiments.scores.results import ScoreResults
from autoevol.experiments.scores.row_scores import growth_scores, keyword_scores, quality_scores
from autoevol.program.records import Row
from tests.support.command_line import run_cli

SEED = Row("a", "a", "Name a river.", origin="Name a river.")


def rewrite(name: str, text: str, *, parent: str = "a", number: int = 1, **values: Any) -> Row:
    return Row(name, "a", text, parent_id=parent, round=number, **values)


def words(count: int) -> str:
    return " ".join(f"word{n}" for n in range(count))


def test_growth_is_against_the_parent_not_the_seed() -> None:
    first = rewrite("a.1", words(13))
    second = rewrite("a.2", words(15), parent="a.1", number=2)
    scores = growth_scores({0: [SEED], 1: [first], 2: [second]})
    assert scores.by_row == {"a.1": {"grown_words": 10}, "a.2": {"grown_words": 2}}
    assert [*scores.by_round] == [1, 2]
    assert (scores.by_round[1]["mean"], scores.by_round[1]["within_budget"]) == (10, 1.0)
    assert (scores.by_round[2]["mean"], scores.by_round[2]["within_budget"]) == (2, 0.0)


def test_a_new_lineage_adds_nothing_to_what_inspired_it() -> None:
    new = Row("a.1", "a.1", words(30), parent_id="a", round=1)
    scores = growth_scores({0: [SEED], 1: [new, rewrite("b.1", words(13))]})
    assert scores.by_row == {"b.1": {"grown_words": 10}}


def test_six_rewrites_have_an_interval_and_shrinking_counts_below_zero() -> None:
    rows = [rewrite(f"r{n}", words(n + 1)) for n in range(6)]
    figures = growth_scores({0: [SEED], 1: rows}).by_round[1]
    assert figures["mean"] == 0.5
    low, high = figures["interval"]
    assert low < 0.5 < high
    assert figures["unscored"] == 0


def test_a_rewrite_whose_parent_is_gone_is_unscored_but_in_round_one_the_seeds_text_is_known() -> (
    None
):
    orphans = [
        rewrite("a.1", words(13), parent="gone", origin="Name a river."),
        rewrite("a.2", words(13), parent="gone", number=2, origin="Name a river."),
        rewrite("a.3", "!!", parent="a.1", number=3),
    ]
    scores = growth_scores({row.round: [row] for row in orphans})
    assert scores.by_row == {"a.1": {"grown_words": 10}}
    assert scores.problems == {"a.2": "its parent is not there", "a.3": "no words"}
    assert scores.by_round[2] == {"within_budget": None, "unscored": 1}


def test_a_response_that_lacks_something_is_counted_by_kind_with_what_shows_it() -> None:
    rows = [
        Row("good", "g", "Name a river.", response="The Danube flows through ten countries."),
        Row("colon", "c", "Name a river.", response="The rivers of Europe by length:"),
        Row("blank", "b", "Name a river.", response=" "),
        Row("mute", "m", "Name a river."),
    ]
    scores = quality_scores({0: rows})
    assert {name: values["shortfall"] for name, values in scores.by_row.items()} == {
        **{"good": 0.0, "colon": 1.0, "blank": 1.0},
    }
    assert scores.evidence["colon"].startswith("cut off: announces at its end")
    assert [*scores.evidence] == ["colon", "blank"]
    assert scores.problems == {"mute": "no answer"}
    figures = scores.by_round[0]
    assert (figures["responses"], figures["rate"], figures["unscored"]) == (3, 2 / 3, 1)
    kinds = ("empty", "cut_off", "empty_promise", "too_short")
    assert [figures[kind] for kind in kinds] == [1, 1, 0, 0]


def test_each_answer_of_a_conversation_is_looked_at() -> None:
    talk = Row("t", "t", "One.", turns=("One.", "Two."), response="It is one.")
    whole = replace(talk, id="w", answers=("It is one.", "It is two."))
    broken = replace(talk, id="b", answers=("It is one.", "Here are the numbers in order:"))
    scores = quality_scores({0: [whole, broken]})
    assert [scores.by_row[name]["shortfall"] for name in "wb"] == [0.0, 1.0]


def test_without_responses_there_is_no_rate() -> None:
    figures = quality_scores({0: [SEED]}).by_round[0]
    assert (figures["responses"], figures["rate"], figures["unscored"]) == (0, None, 1)


def test_operations_are_counted_once_a_row_and_the_commonest_are_named() -> None:
    rows = [
        rewrite("a.1", "x", thinking="Add constraints. Add a constraint. Increase depth."),
        rewrite("a.2", "y", thinking="Adding constraints."),
        rewrite("a.3", "z", thinking="Nothing to see."),
        rewrite("a.4", "z"),
    ]
    scores = keyword_scores({1: rows})
    figures = scores.by_round[1]
    assert (figures["operations"], figures["scored"], figures["unscored"]) == (2, 3, 1)
    assert [line.split(": ")[1] for line in figures["top"]] == ["2", "1"]
    assert figures["top"][1] == "increase depth: 1"
    assert scores.by_row["a.3"] == {"operations": 0.0}
    assert scores.problems == {"a.4": "no thinking text"}
    assert "increase depth" in scores.evidence["a.1"]
    assert scores.note == ""


def test_ten_operations_at_most_are_named() -> None:
    verbs = "add increase require introduce replace include specify extend modify combine change"
    text = " ".join(
        f"{verb.capitalize()} {noun}." for verb in verbs.split() for noun in ("units", "proofs")
    )
    figures = keyword_scores({1: [rewrite("a.1", "x", thinking=text)]}).by_round[1]
    assert figures["operations"] > 10
    assert len(figures["top"]) == 10


def test_a_set_that_nobody_thought_about_is_said_and_has_no_zero(workplace: Path) -> None:
    Path("one.jsonl").write_text('{"instruction": "Name a river."}\n')
    shown = run_cli("score", "one.jsonl", "--scores", "keywords", expected=0)
    assert "keywords: no row has a thinking text" in " ".join(shown.err.split())
    figures = json.loads(Path("runs/score-one/scores.json").read_text())["rounds"][0]
    assert figures["keywords"] == {"operations": None, "top": [], "scored": 0, "unscored": 1}


def test_lists_are_no_figures_of_the_table() -> None:
    results = ScoreResults({1: []})
    results.add_set("keywords", keyword_scores({1: [rewrite("a.1", "x", thinking="Add units.")]}))
    assert [*score_table(results).columns[0].cells] == [
        *("keywords.operations", "keywords.scored", "keywords.unscored")
    ]


def test_a_run_is_scored_by_growth_and_quality_without_a_word(
    write_config: Callable[..., Path],
) -> None:
    sections: dict[str, Any] = {
        "optimizer": {"name": "none"},
        "evolve": {"methods": ["weak"], "rounds": 2},
    }
    run_cli("run", str(write_config(12, **sections)), expected=0)
    run_cli("score", "runs/test", expected=0)
    rows = [json.loads(line) for line in Path("runs/test/evolved.jsonl").read_text().splitlines()]
    seeds, first, second = json.loads(Path("runs/test/scores.json").read_text())["rounds"]
    assert "growth" not in seeds
    texts = {row["id"]: row["instruction"] for row in rows}
    longer = [
        len(row["instruction"].split()) - len(texts.get(row["parent_id"], row["origin"]).split())
        for row in rows
    ]
    assert [row["scores"]["grown_words"] for row in rows] == longer
    scored = [figures["growth"]["scored"] for figures in (first, second)]
    assert scored == [sum(row["round"] == n for row in rows) for n in (1, 2)]
    assert first["quality"]["responses"] == scored[0]
    assert {row["scores"]["shortfall"] for row in rows} <= {0.0, 1.0}
