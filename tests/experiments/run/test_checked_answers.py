"""Constraints added to rows, and answers held against their checks, in an ordinary run."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from autoevol.experiments.models.transports import scripted
from autoevol.experiments.models.transports.protocol import Message
from autoevol.experiments.sandbox import bubblewrap
from autoevol.program.checks.check import checks_of
from autoevol.program.checks.constraining import constrained
from autoevol.program.evolution.attempt import Attempt
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.verifying import disagreement
from autoevol.program.records import Row
from autoevol.program.row_ids import RowIds
from autoevol.signatures import shipped_methods
from autoevol.signatures.constraints import constraint_kinds
from tests.support.command_line import run_cli

WriteConfig = Callable[..., Path]
ENGLISH = "Write a short note about the river and say how long it is."
KOREAN = "강에 대해 짧은 글을 쓰고 길이가 얼마인지 말하세요."


def _row(text: str, **others: Any) -> Row:
    return Row("a.1", "a", text, parent_id="a", round=1, **others)


@pytest.mark.parametrize("text", [ENGLISH, KOREAN])
@pytest.mark.parametrize("count", [1, 2])
def test_a_row_gets_constraints_in_its_language_and_their_checks(text: str, count: int) -> None:
    families = set()
    for draw in range(60):
        row = constrained(_row(text), count, draw)
        checks = checks_of(row.meta["checks"])
        assert len(checks) == count
        assert row.instruction == f"{text}\n\n{' '.join(check.text for check in checks)}"
        if text == KOREAN:
            assert all(re.search("[가-힣]", check.text) for check in checks)
        else:
            assert not any(constraint_kinds()[c.kind].family == "language" for c in checks)
        families |= {constraint_kinds()[check.kind].family for check in checks}
        assert row == constrained(_row(text), count, draw)
    assert len(families) >= 5


def test_checks_of_a_seed_are_not_its_rewrites() -> None:
    checks = [{"kind": "no_commas", "options": {}, "text": ""}]
    source = Row("a", "a", ENGLISH, meta={"checks": checks, "topic": "rivers"})
    blank = Attempt(source, Evolver(shipped_methods()["e0-direct"]), 5).blank("model", RowIds())
    assert blank.meta == {"checks_of_seed": checks, "topic": "rivers"}


def test_two_constraints_go_together() -> None:
    pairs = set()
    for draw in range(400):
        first, second = checks_of(constrained(_row(ENGLISH), 2, draw).meta["checks"])
        assert constraint_kinds()[first.kind].family != constraint_kinds()[second.kind].family
        pairs.add(frozenset({first.kind, second.kind}))
    assert frozenset({"no_digits", "numbers_ascending"}) not in pairs
    assert frozenset({"quoted", "json_keys"}) not in pairs
    assert len(pairs) > 60


@pytest.mark.parametrize(
    "row",
    [
        _row("Напишите короткую заметку о реке."),
        _row("Schreiben Sie eine kurze Notiz über den Fluss und sagen Sie, wie lang er ist."),
        _row(ENGLISH, turns=(ENGLISH, "And why?")),
        _row(""),
    ],
)
def test_other_rows_stay_as_they_are(row: Row) -> None:
    assert constrained(row, 1, 5) is row


def _answering(answer: Callable[[str, int], str]) -> Any:
    """Return the scripted world with answers of its own."""

    def script(messages: Sequence[Message], draw: int) -> str:
        if messages[0]["content"].startswith("Answer the instruction"):
            return answer(messages[-1]["content"], draw)
        return scripted.world(messages, draw)

    return script


def _lines(folder: str, name: str) -> list[dict[str, Any]]:
    text = Path(folder, name).read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _run(write_config: WriteConfig, *arguments: str, expected: int = 0, **sections: Any) -> Any:
    # A greedy model has one answer to an instruction, however often it is asked.
    model = {"model": "scripted/world", "temperature": 0.7}
    merged = {"optimizer": {"name": "none"}, "models": {"evolver": model}, **sections}
    config = write_config(40, **merged)
    return run_cli("run", str(config), "--out", "runs/a", *arguments, expected=expected)


def test_answers_that_break_a_constraint_fail(
    write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "In short, one two three four five six. And seven, eight!"
    monkeypatch.setitem(scripted.SCRIPTS, "world", _answering(lambda user, draw: text))
    _run(
        write_config,
        evolve={"methods": ["e0-direct"], "checks": 1},
        answer={"check": "constraints"},
        failure={"rules": ["paper"]},
    )
    kept, failed = _lines("runs/a", "evolved.jsonl"), _lines("runs/a", "failures.jsonl")
    verified = [row for row in failed if row["failed_at"] == "respond"]
    assert kept
    assert verified
    for row in kept:
        (check,) = row["meta"]["checks"]
        assert row["instruction"].endswith(check["text"])
    rules = {reason["rule"] for row in verified for reason in row["reasons"]}
    assert rules == {"verifier_failed"}
    shown = json.loads(run_cli("check", "runs/a/evolved.jsonl", "--json", expected=0).out)
    assert shown["strict_rows"]["kept"] == shown["strict_rows"]["checked"] == len(kept)


def _constraints(*lines: dict[str, Any]) -> str:
    Path("constraints.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return "constraints.jsonl"


SHORT = {
    "id": "c1",
    "text": "Keep the answer short.",
    "functions": ["def evaluate(response):\n    return len(response) < 30"] * 2,
    "lost_at": "",
}
LOST = {"id": "c2", "text": "Be kind.", "functions": [], "lost_at": "write"}


def test_rows_get_constraints_that_a_set_verified(
    write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(user: str, draw: int) -> str:
        return "Short." if draw % 2 else "An answer of more than thirty characters."

    monkeypatch.setitem(scripted.SCRIPTS, "world", _answering(answer))
    file = _constraints(LOST, SHORT)
    evolve = {"methods": ["e0-direct"], "checks": 1, "constraints": file}
    sections: dict[str, Any] = {
        "answer": {"check": "constraints"},
        "failure": {"rules": ["paper"]},
    }
    _run(write_config, evolve=evolve, **sections)
    kept, failed = _lines("runs/a", "evolved.jsonl"), _lines("runs/a", "failures.jsonl")
    assert kept
    for row in kept:
        assert row["instruction"].endswith("\n\nKeep the answer short.")
        assert [check["code"] for check in row["meta"]["checks"]] == SHORT["functions"]
        assert row["response"] == "Short."
    rules = {r["rule"] for row in failed if row["failed_at"] == "respond" for r in row["reasons"]}
    assert rules == {"verifier_failed"}
    # Other constraints make other rows.
    _constraints({**SHORT, "text": "Keep it very short."})
    result = _run(write_config, evolve=evolve, expected=2, **sections)
    assert "another content" in result.err


@pytest.mark.parametrize(
    ("lines", "evolve", "words"),
    [
        ([SHORT], {"checks": 2}, "set checks: 1"),
        ([SHORT], {"checks": 0}, "set checks: 1"),
        ([LOST], {}, "holds no constraint that passed all stages"),
        ([{**SHORT, "functions": [""]}], {}, "constraints.jsonl:1: checks[0] needs code"),
        ([{**SHORT, "functions": "x"}], {}, "the list of its verifiers"),
        ([{"text": " "}], {}, "the constraint in words"),
        ([SHORT], {"constraints": "missing.jsonl"}, "there is no file missing.jsonl"),
    ],
)
def test_a_wrong_file_of_constraints_is_one_line(
    write_config: WriteConfig, lines: list[Any], evolve: dict[str, Any], words: str
) -> None:
    own = {"checks": 1, "constraints": _constraints(*lines), **evolve}
    result = _run(write_config, evolve=own, expected=2)
    assert words in result.err
    assert len(result.err.strip().splitlines()) == 1
    assert not Path("runs/a").exists()


def test_a_further_answer_may_keep_the_constraint(
    write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(user: str, draw: int) -> str:
        return "one two three. four five six." if draw % 2 else "ONE, TWO! 3"

    monkeypatch.setitem(scripted.SCRIPTS, "world", _answering(answer))
    kept = []
    for attempts in (1, 6):
        _run(
            write_config,
            "--fresh",
            evolve={"methods": ["e0-direct"], "checks": 1},
            answer={"check": "constraints", "attempts": attempts},
            failure={"rules": ["paper"]},
        )
        kept.append(len(_lines("runs/a", "evolved.jsonl")))
    assert kept[1] > kept[0] > 0


def test_answers_have_to_agree(write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(user: str, draw: int) -> str:
        number = draw % 2 if "1 largest" in user else 7
        return f"They are counted step by step.\nAnswer: {number}"

    monkeypatch.setitem(scripted.SCRIPTS, "world", _answering(answer))
    _run(
        write_config,
        evolve={"methods": ["e0-direct"]},
        answer={"check": "agreement", "samples": 4},
        failure={"rules": ["paper"]},
    )
    kept = _lines("runs/a", "evolved.jsonl")
    assert kept
    others = [row for row in kept if " 1 largest" not in row["instruction"]]
    assert all(row["response"].endswith("Answer: 7") for row in others)


def test_the_turns_of_a_conversation_agree_with_their_own_answers(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(user: str, draw: int) -> str:
        return "Answer: 104" if "100" in user else "Answer: 4"

    monkeypatch.setitem(scripted.SCRIPTS, "world", _answering(answer))
    turns = ["What is 2 + 2?", "And what is 100 plus that?"]
    rows = [
        {"id": f"c{n}", "turns": turns, "answers": ["Answer: 4", f"Answer: {104 + n % 2}"]}
        for n in range(4)
    ]
    Path("talks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    model = {"model": "scripted/world", "temperature": 0.7}
    config = {
        "name": "talks",
        "models": {"evolver": model},
        "data": {"path": "talks.jsonl"},
        "evolve": {"rounds": 0},
        "answer": {"check": "agreement", "samples": 3},
        "failure": {"rules": ["paper"]},
    }
    Path("talks.yaml").write_text(yaml.safe_dump(config))
    run_cli("run", "talks.yaml", "--out", "runs/a", expected=0)
    kept = {row["id"] for row in _lines("runs/a", "evolved.jsonl")}
    assert len(kept) == 2
    reasons = [row["reasons"] for row in _lines("runs/a", "failures.jsonl")]
    assert {reason["rule"] for row in reasons for reason in row} == {"wrong_result"}


def _programming(answer: str, draw: int) -> str:
    """Answer tasks with right and wrong programs in turn; poems hold none."""
    if "poem" in answer:
        return "A river runs, and so do I."
    body = "return n * 2" if "twice" in answer and draw % 3 else "return n"
    return f"It is short.\n```python\ndef double(n):\n    {body}\n```"


def _test_writer(reply: str) -> Any:
    def script(messages: Sequence[Message], draw: int) -> str:
        if messages[0]["content"].startswith("You write tests"):
            assert "return" not in messages[-1]["content"].partition("interface")[2]
            return reply
        return str(_answering(_programming)(messages, draw))

    return script


TESTS = "```python\nassert double(2) == 4\nassert double(0) == 0\nassert double(-3) == -6\n```"


def _answer_tasks(**answer: int) -> None:
    config = {
        "name": "tested",
        "models": {"evolver": {"model": "scripted/world", "temperature": 0.7}},
        "data": {"path": "tasks.jsonl"},
        "evolve": {"rounds": 0},
        "answer": {"check": "tests", **answer},
        "failure": {"rules": ["paper"]},
    }
    Path("tested.yaml").write_text(yaml.safe_dump(config))
    run_cli("run", "tested.yaml", "--out", "runs/a", expected=0)


def _tested_rows(monkeypatch: pytest.MonkeyPatch, reply: str) -> dict[str, dict[str, Any]]:
    monkeypatch.setitem(scripted.SCRIPTS, "world", _test_writer(reply))
    texts = {"a": "Return twice n.", "b": "Return half of n.", "c": "Write a poem."}
    own = {"tests": "own", "checks": "please check"}  # columns of the user's
    rows = [{"id": key, "instruction": text, **own} for key, text in texts.items()]
    Path("tasks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    _answer_tasks(samples=5)
    lines = [*_lines("runs/a", "evolved.jsonl"), *_lines("runs/a", "failures.jsonl")]
    return {line["id"]: line for line in lines}


def test_programs_are_kept_that_agree_with_tests_written_apart(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = _tested_rows(monkeypatch, TESTS)
    assert "return n * 2" in rows["a"]["response"]
    assert rows["a"]["scores"]["tests_passed"] == 1
    assert rows["a"]["meta"]["verified_tests"] == TESTS.splitlines()[1:-1]
    assert rows["a"]["meta"]["tests"] == "own"
    (reason,) = rows["b"]["reasons"]
    assert reason == {
        "rule": "tests_failed",
        "evidence": "1 of 3 tests pass, not: assert double(2) == 4",
    }
    assert "verified_tests" not in rows["c"]["meta"]
    assert rows["c"].get("reasons") is None


def test_a_second_attempt_does_not_escape_the_tests(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replies: list[str] = []

    def script(messages: Sequence[Message], draw: int) -> str:
        if messages[0]["content"].startswith("You write tests"):
            return TESTS
        replies.append("Multiply it." if replies else _programming("Return half.", draw))
        return replies[-1]

    monkeypatch.setitem(scripted.SCRIPTS, "world", script)
    Path("tasks.jsonl").write_text(json.dumps({"id": "a", "instruction": "Return twice n."}) + "\n")
    _answer_tasks(attempts=2)
    assert _lines("runs/a", "evolved.jsonl") == []
    assert len(replies) == 2


def test_programs_without_tests_are_not_kept(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = _tested_rows(monkeypatch, "I would rather write a poem.")
    assert rows["a"]["reasons"][0]["rule"] == "no_tests"
    assert rows["c"].get("reasons") is None


@pytest.mark.parametrize("as_text", [False, True])
def test_rows_that_bring_checks_are_held_against_them(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, as_text: bool
) -> None:
    monkeypatch.setitem(scripted.SCRIPTS, "world", _answering(lambda user, draw: "Yes, it is."))

    def checks(kind: str) -> Any:
        own = [{"kind": kind}]
        return json.dumps(own) if as_text else own

    rows = [
        {"id": kind, "instruction": "Say whether tea is a drink.", "checks": checks(kind)}
        for kind in ("no_digits", "no_commas", "unheard_of")
    ]
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = {
        "name": "checked",
        "models": {"evolver": {"model": "scripted/world"}},
        "data": {"path": "rows.jsonl"},
        "evolve": {"rounds": 0},
        "answer": {"check": "constraints"},
        "failure": {"rules": ["paper"]},
    }
    Path("checked.yaml").write_text(yaml.safe_dump(config))
    run_cli("run", "checked.yaml", "--out", "runs/a", expected=0)
    assert [row["id"] for row in _lines("runs/a", "evolved.jsonl")] == ["no_digits"]
    failed = {row["id"]: row["reasons"][0]["rule"] for row in _lines("runs/a", "failures.jsonl")}
    assert failed == {"no_commas": "verifier_failed", "unheard_of": "unreadable_checks"}


def test_disagreement_says_what_the_others_say() -> None:
    answers = ["Answer: 7", "7 in all.\nAnswer: 7", "Answer: 8", "no idea"]
    first, second, third, fourth = disagreement([*answers[:3], "Answer: 7"], "")
    assert (first, second, fourth) == (None, None, None)
    assert third
    assert (third.rule, third.evidence) == ("wrong_result", "8; 3 of 4 say 7")
    split = disagreement(answers, "")
    assert {reason.rule for reason in split if reason} == {"no_agreement"}
    first, second = disagreement(["Answer: 8", "Answer: 9"], "So it is 9.\nAnswer: 9")
    assert second is None
    assert first
    assert first.evidence == "8; the data's answer is 9"


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"evolve": {"rounds": 2, "checks": 1}}, "save: last"),
        ({"evolve": {"rounds": 0, "checks": 1}}, "rounds is 0"),
        ({"evolve": {"checks": 3}}, "evolve.checks"),
        ({"answer": {"check": "agreement"}}, "answer.samples is 1"),
        ({"answer": {"check": "proofs"}}, "answer.check"),
        ({"answer": {"check": "tests"}, "evolve": {"respond": False}}, "evolve.respond is false"),
        ({"answer": {"check": "constraints"}}, "evolve.checks is 0"),
        ({"evolve": {"rounds": 0}, "answer": {"check": "constraints"}}, "no row has checks"),
        ({"answer": {"check": "constraints", "sandbox": "none"}}, "answer.sandbox"),
    ],
)
def test_a_wrong_setting_is_one_line(
    write_config: WriteConfig, sections: dict[str, Any], words: str
) -> None:
    result = _run(write_config, expected=2, **sections)
    assert words in result.err
    assert len(result.err.strip().splitlines()) == 1


def test_without_a_sandbox_nothing_is_written(
    write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bubblewrap, "_program", lambda: None)
    answer = {"check": "constraints", "sandbox": "bwrap"}
    result = _run(write_config, expected=2, evolve={"checks": 1}, answer=answer)
    assert "apt install bubblewrap" in result.err
    assert not Path("runs/a").exists()
