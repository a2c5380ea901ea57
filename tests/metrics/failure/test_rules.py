"""Rule sets compose, thresholds are checked, and a config can say both."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autoevol.metrics import RULE_SETS, RULES, Case, broken, compose
from autoevol.metrics.failure.rules import ALWAYS
from tests.conftest import REPOSITORY
from tests.support.command_line import run_cli
from tests.support.rules_broken import HARDER, SOURCE


def test_rule_sets_compose() -> None:
    names = [rule.name for rule in compose(["strict", "-unchanged", "copied_template"], "evolve")]
    assert "unchanged" not in names
    assert "copied_template" in names
    assert "replied" in names


def test_no_config_can_remove_the_rules_that_every_row_needs() -> None:
    assert [rule.name for rule in compose(["-unparsed", "-empty"], "evolve")] == list(ALWAYS)


def test_an_unknown_rule_is_named() -> None:
    with pytest.raises(KeyError, match="strickt"):
        compose(["strickt"], "evolve")


@pytest.mark.parametrize("name", RULE_SETS)
def test_every_rule_set_names_rules_that_exist(name: str) -> None:
    assert set(RULE_SETS[name]) <= set(RULES)


def test_strict_asks_no_model() -> None:
    assert all(RULES[name].detect is not None for name in RULE_SETS["strict"])
    assert any(RULES[name].detect is None for name in RULE_SETS["strict+judge"])


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_a_rule_says_what_it_detects(rule: Any) -> None:
    assert rule.meaning.endswith((".", "?"))


def test_a_threshold_changes_a_verdict() -> None:
    case = Case(SOURCE, HARDER)
    assert broken(compose(["bloated"], "evolve"), case) == ()
    tight = compose(["bloated"], "evolve", {"bloated": {"times": 1.5, "spare_words": 2}})
    assert [reason.rule for reason in broken(tight, case)] == ["bloated"]


def test_a_whole_number_stays_one() -> None:
    (*_, rule) = compose(["repeated"], "evolve", {"repeated": {"run": 4.0}})
    assert broken((rule,), Case(SOURCE, "go to the sea " * 9))


@pytest.mark.parametrize(
    ("thresholds", "needle"),
    [
        pytest.param({"bloatd": {"times": 2}}, "bloatd", id="rule"),
        pytest.param({"bloated": {"time": 2}}, "times, spare_words", id="name"),
        pytest.param({"repeated": {"run": 2.5}}, "whole number", id="fraction"),
        pytest.param({"repeated": {"run": float("inf")}}, "finite", id="infinite"),
        pytest.param({"unparsed": {"x": 1}}, "its thresholds: none", id="rule without any"),
        pytest.param(
            {"too_hard": {"x": 1}}, "failure.learnable has its numbers", id="rule of stage teach"
        ),
    ],
)
def test_a_wrong_threshold_is_one_line(
    write_config: Callable[..., Path], thresholds: dict[str, Any], needle: str
) -> None:
    config = write_config(20, failure={"rules": ["strict"], "thresholds": thresholds})
    result = run_cli("run", str(config), expected=2)
    assert "failure.thresholds" in result.err
    assert needle in result.err
    assert len(result.err.strip().splitlines()) == 1


def test_a_misspelt_rule_has_a_suggestion(write_config: Callable[..., Path]) -> None:
    result = run_cli("run", str(write_config(20, failure={"rules": ["answerd"]})), expected=2)
    assert "failure.rules" in result.err
    assert "'answered'" in result.err


def documented() -> dict[str, list[str]]:
    text = (REPOSITORY / "docs" / "failure-metric.md").read_text("utf-8")
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| `")]
    return {cells[0].strip(" `"): [cell.strip() for cell in cells[1:]] for cells in rows}


@pytest.mark.parametrize("name", RULE_SETS["strict"])
def test_the_docs_say_what_a_rule_is(name: str) -> None:
    rule, (stage, kinds, finding, _, numbers) = RULES[name], documented()[name]
    stages = ("evolve", "respond") if stage == "both" else (stage,)
    every = ("depth", "breadth", "down")
    assert stages == rule.stages
    assert finding == rule.finding
    assert (every if kinds == "all" else tuple(kinds.split(", "))) == rule.method_kinds
    assert numbers == ", ".join(f"`{key}: {value:g}`" for key, value in rule.thresholds.items())


def test_the_docs_name_every_rule_set_and_every_question() -> None:
    judged = [name for name, rule in RULES.items() if rule.detect is None]
    assert {*RULE_SETS, *judged} <= set(documented())
