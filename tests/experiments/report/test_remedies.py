"""What helps against lost rows, and the rows that show what a run made."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from autoevol.experiments.artifacts.funnel import REASONS_WITHOUT_A_RULE
from autoevol.experiments.config.documentation.reference import config_reference
from autoevol.experiments.report.examples import LostRow, examples_in, lost_in
from autoevol.experiments.report.next_steps import next_steps
from autoevol.experiments.report.remedies import REMEDIES, losses, remedy_of
from autoevol.metrics import RULES
from tests.support.command_line import run_cli

COMMANDS = {"autoevol preview"}


def test_every_rule_has_a_remedy() -> None:
    assert {*REMEDIES} == {*RULES, *REASONS_WITHOUT_A_RULE}


def test_remedies_name_keys_that_a_config_has() -> None:
    named = {name for text in REMEDIES.values() for name in re.findall("`([^`]+)`", text)}
    keys = {re.split(": ?", name)[0] for name in named - COMMANDS}
    of_a_role = {re.sub(r"^models\.[a-z_]+\.", "models.ROLE.", key) for key in keys}
    assert of_a_role <= documented_keys()


def documented_keys() -> set[str]:
    """Return the dotted names of all keys, from the tables of the config's reference."""
    section, keys = "", set()
    for line in config_reference().splitlines():
        if heading := re.fullmatch("## (.+)", line):
            section = heading[1].strip("`")
        elif key := re.match(r"\| `([^`]+)`", line):
            keys.add(f"{section}.{key[1]}")
    return keys


def test_the_greatest_losses_are_named_with_what_helps() -> None:
    summary = {"failures_by_rule": {"evolve": {"unchanged": 3}, "respond": {"truncated": 5}}}
    first, second = losses(summary)
    assert (first.stage, first.rule, first.rows) == ("respond", "truncated", 5)
    assert "max_tokens" in first.remedy
    assert first.meaning == RULES["truncated"].meaning
    assert second.rule == "unchanged"
    assert losses(summary, count=1) == [first]


def test_what_a_run_does_already_is_not_advised() -> None:
    greedy = {"models": {"evolver": {"temperature": 0.0}}, "evolve": {"attempts": 1}}
    adding = {"methods": ["deepen"], "attempts": 2}
    assert "temperature" in remedy_of("lost_details", {})
    assert "temperature" not in remedy_of("lost_details", greedy)
    # Without a value the provider's own holds, which is rarely 0.
    unset = {"models": {"evolver": {"temperature": None}}}
    assert "temperature" in remedy_of("lost_details", unset)
    assert "constraints, deepen" in remedy_of("lost_details", greedy)
    assert "constraints, deepen" not in remedy_of("lost_details", {**greedy, "evolve": adding})
    assert "attempts" not in remedy_of("unchanged", {"evolve": adding})
    # Something is left to do in any case.
    assert "constraints, deepen" not in remedy_of(
        "lost_details", {"evolve": {"schedule": ["deepen", ["constraints", {"name": "deepen"}]]}}
    )
    done = {**greedy, "evolve": {"methods": [{"name": "e0-shown"}], "attempts": 3}}
    assert [rule for rule in REMEDIES if not remedy_of(rule, done)] == []


def test_a_run_without_a_search_is_not_told_to_start_one(write_config: Any) -> None:
    config = write_config(8, optimizer={"name": "none"}, evolve={"methods": ["weak"]})
    run_cli("run", str(config), "--out", "runs/a", expected=0)
    stored = yaml.safe_load(Path("runs/a/config.yaml").read_text("utf-8"))
    assert "`evolve.methods: [e0-shown]`" in remedy_of("answered", stored)
    assert "optimizer" not in remedy_of("answered", stored)
    shown = {**stored, "evolve": {**stored["evolve"], "methods": ["e0-shown"]}}
    assert "e0-shown" not in remedy_of("answered", shown)


def test_lost_rows_are_shown_with_their_reasons(tmp_path: Path) -> None:
    assert lost_in(tmp_path) == []
    reasons = [{"rule": "unchanged", "evidence": "the same"}, {"rule": "echo", "evidence": "x"}]
    rows = [{**evolved(n), "reasons": reasons} for n in range(5)]
    (tmp_path / "failures.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    reasons_of = (("unchanged", "the same"), ("echo", "x"))
    lost = [LostRow("seed", after, reasons_of) for after in ("text 0", "text 1")]
    assert lost_in(tmp_path, count=2) == lost
    # What failed most rows stands first, as in the account above.
    (first,) = lost_in(tmp_path, first=["echo"], count=1)
    assert [rule for rule, _ in first.reasons] == ["echo", "unchanged"]


def test_a_run_without_failures_has_no_loss() -> None:
    assert losses({"failures_by_rule": {"evolve": {}}}) == losses({}) == []


def write(folder: Path, rows: list[dict[str, Any]]) -> None:
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "evolved.jsonl").write_text("".join(lines), encoding="utf-8")


def evolved(number: int, **columns: Any) -> dict[str, Any]:
    row = {"id": f"r{number:02d}", "round": 1, "origin": "seed", "instruction": f"text {number}"}
    return {**row, **columns}


def test_examples_are_drawn_from_sound_rows_in_the_order_of_the_file(tmp_path: Path) -> None:
    suspect = {"suspected_by": [{"rule": "reworded", "evidence": "few words"}]}
    rows = [evolved(n, **(suspect if n % 2 else {})) for n in range(40)]
    write(tmp_path, [*rows, evolved(40, filtered_by="dedup")])
    drawn = [example.id for example in examples_in(tmp_path)]
    assert len(drawn) == 3
    assert drawn == sorted(drawn)
    assert all(int(name[1:]) % 2 == 0 and name != "r40" for name in drawn)
    assert drawn == [example.id for example in examples_in(tmp_path)]
    assert drawn != [example.id for example in examples_in(tmp_path, seed=1)]


def test_suspected_rows_are_shown_where_there_are_no_others(tmp_path: Path) -> None:
    write(tmp_path, [evolved(1, suspected_by=[{"rule": "reworded", "evidence": "x"}])])
    assert [example.id for example in examples_in(tmp_path)] == ["r01"]


def test_turns_and_answers_are_shown_whole_and_a_run_without_rows_shows_none(
    tmp_path: Path,
) -> None:
    assert examples_in(tmp_path) == []
    write(tmp_path, [evolved(1, turns=["a", "b"], answers=["c", "d"])])
    (example,) = examples_in(tmp_path)
    assert (example.before, example.after, example.response) == ("seed", "a\n\nb", "c\n\nd")


def summary(**figures: Any) -> dict[str, Any]:
    zeros = {"rows_out": 0, "rows_failed": 0, "rows_unscored": 0, "rounds": [{}]}
    return {**zeros, **figures}


def test_what_to_do_next_begins_with_what_was_lost() -> None:
    lost = summary(
        rows_out=5,
        rows_failed=3,
        rows_unscored=2,
        rows_suspected=4,
        heldout_verdict="too few rows to tell",
        failures_by_rule={"evolve": {"unchanged": 3}},
    )
    steps = next_steps(lost, Path("runs/x"))
    starts = ("3 of 3 failed", "The calls of 2", "The held-out rows", "4 kept rows", "Fine-tune")
    assert [step.why.startswith(start) for step, start in zip(steps, starts, strict=False)] == [
        True
    ] * len(starts)
    assert [step.command for step in steps if step.command] == [
        "autoevol view runs/x",
        "autoevol train runs/x --model NAME",
        "autoevol ui",
    ]


def test_commands_hold_for_a_folder_with_a_space() -> None:
    (empty,) = next_steps(summary(), Path("my runs/x"))
    assert empty.command == "autoevol view 'my runs/x'"


def test_a_run_that_kept_nothing_or_searched_alone_says_what_fits() -> None:
    (empty,) = next_steps(summary(), Path("runs/x"))
    assert empty.why.startswith("No row was kept")
    (searched,) = next_steps(summary(rounds=[]), Path("runs/x"))
    best = "runs/x/methods/best.md"
    assert searched.command == (
        f"autoevol evolve runs/x/config.yaml --method {best} --out runs/x-evolved"
    )
    (tried,) = next_steps(summary(rounds=[]), Path("runs/x"), {"data": {"limit": 30}})
    assert tried.command.endswith(" --set data.limit=null")


def test_one_remedy_is_given_once_and_a_run_out_of_mlflow_is_not_compared_there() -> None:
    lost = summary(
        rows_out=5,
        rows_failed=3,
        failures_by_rule={"evolve": {"answered": 3, "no_request": 2, "unchanged": 1}},
    )
    first, second, *rest = next_steps(lost, Path("runs/x"), is_tracked=False)
    assert "`answered`" in first.why
    assert "`no_request`" in first.why
    assert first.why.count("e0-shown") == 1
    assert "`unchanged`" in second.why
    assert "autoevol ui" not in [step.command for step in rest]
