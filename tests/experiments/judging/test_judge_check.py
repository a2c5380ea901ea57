"""`autoevol judge-check`, and witnesses in `autoevol metric-check`."""

import json
from pathlib import Path

import pytest

from autoevol.experiments.judging.labelled import read_labelled
from tests.experiments.judging.test_metric_check import HARDER, row, write_rows
from tests.support.command_line import run_cli


def test_the_exam_says_for_what_a_model_is_admitted(workplace: Path) -> None:
    shown = run_cli("judge-check", "scripted/world", expected=0).out
    for rule in ("nothing_added", "impossible", "unsolvable", "same_answer"):
        assert rule in shown
    assert "east asian" in shown
    figures = json.loads(run_cli("judge-check", "scripted/world", "--json", expected=0).out)
    assert figures["impossible"]["groups"]["other"]["is_fit"]
    assert figures["same_answer"]["balanced_accuracy"] is None


def test_an_exam_is_paid_for_once(workplace: Path) -> None:
    run_cli("judge-check", "scripted/world", "--rule", "unsolvable", "--json", expected=0)
    size = Path("runs/judge-check/ledger.sqlite").stat().st_size
    run_cli("judge-check", "scripted/world", "--rule", "unsolvable", "--json", expected=0)
    assert Path("runs/judge-check/ledger.sqlite").stat().st_size == size


@pytest.mark.parametrize("rule", ["equal", "unchanged", "nothing"])
def test_a_rule_without_an_exam_is_refused(rule: str, workplace: Path) -> None:
    refused = run_cli("judge-check", "scripted/world", "--rule", rule, expected=2)
    assert refused.err.startswith(f"--rule: {rule} has no exam")
    assert not Path("runs").exists()


def test_labels_of_a_run_are_an_exam_of_the_judge(workplace: Path) -> None:
    """A good row is sound for every question, a bad one is broken where its kind says so."""
    marks = [
        {**row(id=str(n)), "key": str(n), "label": "good", "seed": f"List {n} trees."}
        for n in range(12)
    ]
    kinds = ["unchanged"] * 3 + ["contradiction_or_unsolvable"] * 2 + ["refusal"]
    marks += [
        {**row(id=f"b{n}", failed=True, kinds=[kind]), "key": f"b{n}", "label": "bad"}
        for n, kind in enumerate(kinds)
    ]
    undone = [{"key": "0", "id": "0", "label": None}]
    file = write_rows(*marks, *undone)
    arguments = ("judge-check", "scripted/world", "--labels", str(file), "--json")
    result = run_cli(*arguments, expected=0)
    figures = json.loads(result.out)
    assert {rule: (f["sound"], f["broken"]) for rule, f in figures.items()} == {
        "nothing_added": (11, 3),
        "impossible": (11, 2),
    }
    assert result.err.splitlines()[0] == (
        "11 good rows; bad ones: 3 that add no demand, 2 that nobody can do; "
        "1 of other kinds, or of none, left out"
    )
    shown = run_cli(*arguments[:-1], expected=0).out
    assert "nothing_added" in shown


def test_labels_without_a_broken_row_admit_no_judge(workplace: Path) -> None:
    good = [row(id=str(n), seed=f"List {n} trees.") for n in range(12)]
    # What is a new task, or an easier one, need not demand more than its seed.
    new = [row(id=f"n{n}", seed=f"List {n} birds.", kind="breadth") for n in range(3)]
    file = write_rows(*good, *new, row(id="b", failed=True, kinds=["refusal"]))
    arguments = ("judge-check", "scripted/world", "--labels", str(file), "--json")
    figures = json.loads(run_cli(*arguments, expected=0).out)
    assert {rule: (f["sound"], f["broken"]) for rule, f in figures.items()} == {
        "nothing_added": (12, 0),
        "impossible": (15, 0),
    }
    groups = [group for f in figures.values() for group in f["groups"].values()]
    assert [group["is_fit"] for group in groups] == [False] * len(groups)
    assert groups


def test_marks_and_labelled_rows_in_one_file_are_all_read(workplace: Path) -> None:
    mark = {**row(id="a"), "key": "a", "label": "good"}
    undone = {"key": "b", "id": "b", "label": None}
    file = write_rows(row(id="c"), mark, undone)
    assert sorted(labelled.id for labelled in read_labelled(file)) == ["a", "c"]


def test_a_solver_has_no_exam_on_labels(workplace: Path) -> None:
    file = str(write_rows(row()))
    arguments = ("judge-check", "scripted/world", "--labels", file, "--rule", "unsolvable")
    refused = run_cli(*arguments, expected=2)
    assert refused.err.startswith("--labels: unsolvable is the solver's")


def test_a_judge_clears_suspects_and_fails_them(workplace: Path) -> None:
    names = ("trees", "rivers", "birds", "cities", "tools", "songs", "games", "spices") * 5
    file = write_rows(
        *(
            row(
                id=str(number),
                seed=f"List {number + 3} {name}.",
                evolved=f"List {number + 3} of the {name}.",
                failed=True,
                kinds=["unchanged"],
            )
            for number, name in enumerate(names)
        )
    )
    arguments = ("metric-check", str(file), "--json")
    without = json.loads(run_cli(*arguments, expected=0).out)
    judged = json.loads(run_cli(*arguments, "--judge", "scripted/world", expected=0).out)
    assert without["strict+judge"] == without["strict"] == judged["strict"]
    assert (without["strict"]["recall"], without["strict"]["recall_failed"]) == (1, 0)
    # The scripted judge quotes a demand in all but one suspect of twenty, and finds none in that.
    assert 0 < judged["strict+judge"]["recall"] < 0.5
    assert judged["strict+judge"]["recall_failed"] == judged["strict+judge"]["recall"]


def test_a_solver_is_asked_where_there_is_one(workplace: Path) -> None:
    file = write_rows(*(row(id=str(n), evolved=f"{HARDER} Use {n} words.") for n in range(20)))
    arguments = ("metric-check", str(file), "--json")
    without = json.loads(run_cli(*arguments, expected=0).out)
    result = run_cli(*arguments, "--solver", "scripted/world", expected=0)
    solved = json.loads(result.out)
    assert "unsolvable: admitted" in result.err
    # The scripted solver is right less often the longer a task is: its solutions disagree.
    assert solved["strict+solver"]["specificity"] < without["strict+solver"]["specificity"] == 1
