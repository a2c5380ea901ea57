"""`autoevol metric-check` on labelled rows, and the labelled rows that ship."""

import json
from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.judging.labelled import LabelledRow, read_labelled
from autoevol.experiments.judging.metric_check import broken_rules, check_rule_sets
from autoevol.metrics import SETS_ON_TEXTS
from autoevol.metrics.text.languages.phrases import PHRASES
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
    texts = {"id": "a", "seed": "List five trees.", "evolved": HARDER, "response": "Oak: barrels."}
    labels = {"failed": False, "kinds": [], "response_failed": False, "response_kinds": []}
    return {**texts, **labels, "lang": "en", **more}


def write_rows(*rows: dict[str, Any]) -> Path:
    file = Path("labelled.jsonl")
    file.write_text("".join(json.dumps(record) + "\n" for record in rows))
    return file


@pytest.fixture(scope="module")
def tuning_rows() -> list[LabelledRow]:
    """Return the rows that the rules were tuned on."""
    return read_labelled(LABELLED / "tune.jsonl")


def test_the_json_is_keyed_by_rule_set(workplace: Path) -> None:
    failed = row(id="b", evolved="List five trees.", failed=True, kinds=["unchanged"])
    file = write_rows(row(), failed, row(id="c", response="IDK", response_failed=True))
    agreements = json.loads(run_cli("metric-check", str(file), "--json", expected=0).out)
    assert set(agreements) == set(SETS_ON_TEXTS)
    assert agreements["strict"]["recall"] == 1
    assert agreements["strict"]["specificity"] == 1
    assert agreements["strict"]["recall_by_kind"] == {"unchanged": 1}
    assert agreements["joonavel"]["recall"] == 0.5
    assert agreements["paper"]["recall"] == 0
    assert agreements["strict"]["groups"]["lang en"]["rows"] == 3


def test_the_tables_fit_80_columns(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    file = str(LABELLED / "tune.jsonl")
    lines = run_cli("metric-check", file, expected=0).out.splitlines()
    assert not any("…" in line for line in lines), "nothing is cut"
    assert any("contradiction_or_unsolvable" in line for line in lines)


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


def test_of_the_marks_of_a_run_the_last_of_each_row_counts(workplace: Path) -> None:
    marks = [
        row(id="a", key="1", label="bad", failed=True),
        row(id="b", key="2", label="bad", failed=True),
        {"key": "2", "id": "b", "label": None},
        # Two rows of one id, of an older run.
        row(id="a", key="3", label="good", seed=""),
        row(id="a", key="1", label="good"),
    ]
    file = write_rows(*marks)
    with file.open("a") as lines:
        lines.write('{"key": "4", "lab\n')
    rows = read_labelled(file)
    assert [(row.id, row.failed, row.case.source) for row in rows] == [
        ("a", False, "List five trees."),
        ("a", False, ""),
    ]


def test_a_column_that_is_called_label_makes_no_mark(workplace: Path) -> None:
    file = write_rows(row(label="good"), row(label="good", id="b", key=1))
    assert len(read_labelled(file)) == 2


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
        pytest.param('["x"]', "labelled.jsonl:1: must be an object", id="list"),
        pytest.param('{"seed": "x", "failed": true, "kinds": 5}', "kinds must be", id="kinds"),
        pytest.param(
            '{"seed": "x", "failed": true, "kinds": [[]]}', "kinds[0]", id="kind in kinds"
        ),
        pytest.param('{"seed": "x", "failed": true, "method": []}', "method must be", id="method"),
        pytest.param("[" * 9999, "labelled.jsonl:1", id="deep"),
        pytest.param('{"failed": ' + "1" * 5000 + "}", "labelled.jsonl:1", id="long number"),
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
    assert len({labelled["id"] for labelled in rows}) == len(rows)
    for labelled in rows:
        assert set(labelled["kinds"]) | set(labelled["response_kinds"]) <= KINDS
        assert labelled["failed"] == bool(labelled["kinds"]), labelled["id"]
        assert labelled["response_failed"] == bool(labelled["response_kinds"]), labelled["id"]
        assert labelled["lang"] in ("en", "ko")
        assert labelled["domain"] in ("general", "math", "code")


def test_no_seed_is_on_both_sides_of_the_split(
    tuning_rows: list[LabelledRow],
) -> None:
    heldout_rows = read_labelled(LABELLED / "heldout.jsonl")
    tune, heldout = (
        {labelled.case.source for labelled in rows} for rows in (tuning_rows, heldout_rows)
    )
    assert not tune & heldout


def test_strict_sees_far_more_than_the_published_rules(tuning_rows: list[LabelledRow]) -> None:
    agreements = check_rule_sets(tuning_rows)
    accuracies = {name: figures["balanced_accuracy"] for name, figures in agreements.items()}
    others = [value for name, value in accuracies.items() if not name.startswith("strict")]
    assert accuracies["strict"] > max(others) + 0.2
    assert agreements["strict"]["specificity"] >= 0.95


def test_free_wording_in_sixteen_languages_passes_and_its_failures_do_not() -> None:
    rows = read_labelled(LABELLED / "languages.jsonl")
    strict = check_rule_sets(rows)["strict"]
    # F was mended on these rows: a detector that breaks one of them has lost a language.
    assert strict["specificity"] == 1
    assert strict["recall"] >= 0.8
    assert strict["suspected_good"] <= 0.25
    assert {key for key in strict["groups"] if key.startswith("lang")} == {
        f"lang {code}" for code in (*PHRASES, "en", "ko")
    }


def test_the_worst_source_and_the_kinds_of_finding_stand_in_the_json(workplace: Path) -> None:
    dull = "Enumerate a quintet of arboreal organisms."
    good = [row(id=f"g{n}", source="a", evolved=f"{HARDER} Use {n + 2} words.") for n in range(20)]
    bad = [row(id=f"b{n}", source="b", evolved=dull, failed=True) for n in range(20)]
    file = write_rows(*good, *bad)
    strict = json.loads(run_cli("metric-check", str(file), "--json", expected=0).out)["strict"]
    assert strict["worst_source"] == {"source": "a", "specificity": 1, "good_rows": 20}
    # Of `b`, an evolver that rewords, F has suspicions alone, and the defaults keep them.
    assert (strict["recall"], strict["recall_failed"], strict["bad_kept"]) == (1, 0, 1)
    assert (strict["suspected_precision"], strict["kept_good"]) == (1, 1)
    dropped = run_cli("metric-check", str(file), "--json", "--evolver", "copies", expected=0).out
    assert json.loads(dropped)["strict"]["kept_good"] == 1
    shown = run_cli("metric-check", str(file), "--by", "source", expected=0).out
    assert "rewords" in shown
    assert "least specificity over sources" in shown


def test_a_row_may_bring_its_method_and_kind(workplace: Path) -> None:
    method = "Rewrite the order so that nobody but a clockmaker can follow it."
    leak = row(evolved=f"{method} List five trees.", method=method, kind="down")
    case = read_labelled(write_rows(leak))[0].case
    assert (case.method, case.method_kind) == (method, "down")
    texts = row(demonstrations=["Name six rivers.", "Name two lakes."])
    assert "two lakes" in read_labelled(write_rows(texts))[0].case.demonstrations


def test_rules_look_at_their_own_stage(workplace: Path) -> None:
    rows = read_labelled(write_rows(row(response="Please provide the list.")))
    assert [reason.rule for reason in broken_rules("strict", rows[0])] == ["asks_for_input"]


def test_freer_wording_in_sixteen_languages_passes_too() -> None:
    rows = read_labelled(LABELLED / "free_wording.jsonl")
    strict = check_rule_sets(rows)["strict"]
    # F was mended on these rows as well.
    assert strict["specificity"] == 1
    assert strict["recall"] >= 0.8
    assert strict["suspected_good"] <= 0.16
    for kind in ("prompt_leak", "language_drift"):
        assert strict["recall_by_kind"][kind] == 1
