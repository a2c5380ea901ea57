"""`autoevol metric-check`: rule sets against labelled rows, and the rows that ship."""

import json
from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.judging.labelled import read_labelled
from autoevol.experiments.judging.metric_check import broken_rules, check_rule_sets
from autoevol.metrics import RULE_SETS
from tests.conftest import REPOSITORY
from tests.support.command_line import run_cli

LABELLED = REPOSITORY / "data" / "labelled"
KINDS = set(
    """
    unchanged easier answered leaked_answer prompt_leak changed_task lost_information
    contradiction_or_unsolvable language_drift refusal nonsense truncated bloated empty unparsed
    echo asks_for_input dont_know continuation wrong_language
    """.split()
)
HARDER = "List five trees, and for each of them a use of its wood."


def row(**more: Any) -> dict[str, Any]:
    given = {"id": "a", "seed": "List five trees.", "evolved": HARDER, "response": "Oak: barrels."}
    labels = {"failed": False, "kinds": [], "response_failed": False, "response_kinds": []}
    return {**given, **labels, "lang": "en", **more}


def write_rows(*rows: dict[str, Any]) -> Path:
    file = Path("labelled.jsonl")
    file.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return file


def test_the_json_is_keyed_by_rule_set(workplace: Path) -> None:
    failed = row(id="b", evolved="List five trees.", failed=True, kinds=["unchanged"])
    file = write_rows(row(), failed, row(id="c", response="IDK", response_failed=True))
    found = json.loads(run_cli("metric-check", str(file), "--json", expected=0).out)
    assert set(found) == set(RULE_SETS)
    assert found["strict"]["recall"] == 1
    assert found["strict"]["specificity"] == 1
    assert found["strict"]["recall_by_kind"] == {"unchanged": 1}
    assert found["joonavel"]["recall"] == 0.5
    assert found["paper"]["recall"] == 0
    assert found["strict"]["groups"]["language en"]["rows"] == 3


def test_the_table_shows_intervals_and_kinds(workplace: Path) -> None:
    file = write_rows(row(), row(id="b", evolved=None, raw="x", failed=True, kinds=["unparsed"]))
    shown = run_cli("metric-check", str(file), expected=0).out
    assert "1.00" in shown
    assert "No judge (--judge MODEL)" in shown


def test_a_judge_is_asked_once_and_paid_once(workplace: Path) -> None:
    rows = [row(id=str(i), evolved=f"{HARDER} Use {i} words.") for i in range(60)]
    file = write_rows(*rows)
    arguments = ("metric-check", str(file), "--json", "--judge", "scripted/world")
    first = json.loads(run_cli(*arguments, expected=0).out)
    assert first["strict"]["specificity"] == 1
    assert first["wizardlm"]["specificity"] < 1
    size = Path("runs/metric-check/ledger.sqlite").stat().st_size
    assert json.loads(run_cli(*arguments, expected=0).out) == first
    assert Path("runs/metric-check/ledger.sqlite").stat().st_size == size


@pytest.mark.parametrize(
    ("line", "needle"),
    [
        pytest.param("{", "labelled.jsonl:1", id="no JSON"),
        pytest.param('{"seed": "x"}', "'failed'", id="no label"),
        pytest.param(
            '{"seed": 1, "evolved": "x", "failed": true}', "seed must be a text", id="type"
        ),
        pytest.param(
            '{"seed": "x", "evolved": "y", "failed": true, "method_kind": "deep"}',
            "method_kind",
            id="kind",
        ),
        pytest.param("", "holds no rows", id="empty"),
    ],
)
def test_a_bad_row_is_named(workplace: Path, line: str, needle: str) -> None:
    Path("labelled.jsonl").write_text(line + "\n")
    result = run_cli("metric-check", "labelled.jsonl", expected=2)
    assert needle in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize("name", ["tune", "heldout"])
def test_the_shipped_labels_are_consistent(name: str) -> None:
    lines = (LABELLED / f"{name}.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert len({each["id"] for each in rows}) == len(rows)
    for each in rows:
        assert set(each["kinds"]) | set(each["response_kinds"]) <= KINDS
        assert each["failed"] == bool(each["kinds"]), each["id"]
        assert each["response_failed"] == bool(each["response_kinds"]), each["id"]
        assert each["lang"] in ("en", "ko")
        assert each["domain"] in ("general", "math", "code")


def test_no_seed_is_on_both_sides_of_the_split() -> None:
    tune, heldout = (
        {row.case.source for row in read_labelled(LABELLED / f"{name}.jsonl")}
        for name in ("tune", "heldout")
    )
    assert not tune & heldout


def test_strict_sees_far_more_than_the_published_rules() -> None:
    found = check_rule_sets(read_labelled(LABELLED / "tune.jsonl"))
    others = [found[name]["balanced_accuracy"] for name in found if not name.startswith("strict")]
    assert found["strict"]["balanced_accuracy"] > max(others) + 0.2
    assert found["strict"]["specificity"] >= 0.95


def test_rules_look_at_their_own_stage(workplace: Path) -> None:
    rows = read_labelled(write_rows(row(response="Please provide the list.")))
    assert broken_rules("strict", rows[0]) == ("asks_for_input",)
