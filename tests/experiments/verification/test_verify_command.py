"""`autoevol verify`: the nine stages on a scripted model whose true funnel is known."""

import asyncio
import html
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mlflow
import pytest
import yaml

from autoevol.experiments.models.transports import scripted
from autoevol.experiments.models.transports.protocol import Message
from autoevol.experiments.sandbox import open_sandbox
from autoevol.program.checks.check import checks_of
from autoevol.program.checks.checking import findings
from tests.support.command_line import run_cli
from tests.support.verifying import SMALL, verifier

STAGES = ["propose", "write", "write", "cross-validate", "cross-validate", "contradict", "join"]
END = ["verify", "grade", "rows", "pairs"]


@pytest.fixture(autouse=True)
def _scripted(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(scripted.SCRIPTS, "verifier", verifier)
    lines = [json.dumps({"id": f"q{n}", "instruction": f"Name {n} fruits."}) for n in range(1, 6)]
    (workplace / "queries.jsonl").write_text("\n".join(lines) + "\n")
    (workplace / "constraints.txt").write_text("- Use the word fig at least twice.\n\n# a remark\n")


def _config(**section: Any) -> str:
    verify = {
        **SMALL,
        "proposals": 2,
        "queries": 3,
        "responses": 6,
        **section,
    }
    config = {
        "name": "verified",
        "models": {"evolver": {"model": "scripted/verifier"}},
        "data": {"path": "queries.jsonl"},
        "evolve": {"rounds": 0},
        "verify": verify,
    }
    Path("verify.yaml").write_text(yaml.safe_dump(config))
    return "verify.yaml"


def _lines(name: str) -> list[dict[str, Any]]:
    text = Path("runs/verified", name).read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _funnel() -> list[dict[str, Any]]:
    return list(json.loads(Path("runs/verified/funnel.json").read_text("utf-8")))


def test_every_constraint_and_answer_is_in_the_funnel() -> None:
    run_cli("verify", _config(), expected=0)
    funnel = _funnel()
    assert [count["stage"] for count in funnel] == STAGES + END
    for count in funnel:
        assert count["entered"] == count["left"] + sum(count["lost"].values())

    constraints = {line["text"].split()[3]: line for line in _lines("constraints.jsonl")}
    assert constraints["fig"]["source"] == "seed"
    assert constraints["fig"]["lost_at"] == constraints["apple"]["lost_at"] == ""
    assert constraints["pear"]["lost_at"] in ("write", "cross-validate")
    assert (constraints["plum"]["lost_at"], constraints["plum"]["reason"]) == (
        "contradict",
        "contradiction",
    )
    proposed = funnel[0]
    # One seed, and two replies of the same five lines: one is short, one a repetition.
    assert (proposed["entered"], proposed["left"]) == (11, 4)
    assert proposed["lost"] == {"duplicate": 6, "length": 1}
    assert funnel[STAGES.index("join")]["left"] == 2 * 3


def test_a_judge_that_fails_its_exam_is_not_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def alarmist(messages: Sequence[Message], draw: int) -> str:
        asked.append(messages[0]["content"])
        is_comparison = asked[-1].startswith("You compare two orders")
        return "contradiction" if is_comparison else verifier(messages, draw)

    monkeypatch.setitem(scripted.SCRIPTS, "verifier", alarmist)
    shown = run_cli("verify", _config(), expected=0).out
    assert "is not heard" in shown
    assert "flags 16 of 16 sound and 16 of 16 broken" in " ".join(shown.split())
    assert "contradict" not in [count["stage"] for count in _funnel()]
    assert not any(system.startswith("You read a Python function") for system in asked)
    assert json.loads(Path("runs/verified/exam.json").read_text())["is_fit"] is False


def test_rows_keep_their_checks() -> None:
    run_cli("verify", _config(), expected=0)
    rows = _lines("verified.jsonl")
    assert rows
    for row in rows:
        assert row["pass_rate"] == 1
        assert row["grade"] == 9
        assert row["constraint"] in row["instruction"]
        assert row["response"].count(row["constraint"].split()[3]) >= 2
    shown = json.loads(run_cli("check", "runs/verified/verified.jsonl", "--json", expected=0).out)
    assert shown["strict_rows"]["kept"] == shown["strict_rows"]["checked"] == len(rows)


@pytest.mark.parametrize("kinds", [0, 12])
def test_verified_rows_pass_in_python_itself(kinds: int) -> None:
    own = {"constraints": None, "proposals": 0, "kinds": kinds} if kinds else {}
    run_cli("verify", _config(**own), expected=0)
    rows = _lines("verified.jsonl")
    assert rows

    async def results() -> list[bool | None]:
        async with open_sandbox("none", allow_unsandboxed=True) as python:
            pairs = [(check, row["response"]) for row in rows for check in checks_of(row["checks"])]
            return [finding.strict for finding in await findings(python, pairs)]

    assert set(asyncio.run(results())) == {True}


def test_rejected_answers_pass_nothing() -> None:
    run_cli("verify", _config(), expected=0)
    pairs = _lines("pairs.jsonl")
    assert pairs
    for pair in pairs:
        assert pair["rejected"][0]["content"].startswith("One ")
        assert not pair["chosen"][0]["content"].startswith("One ")


def test_shipped_kinds_need_no_written_verifier() -> None:
    run_cli("verify", _config(constraints=None, proposals=0, kinds=8, grade_above=None), expected=0)
    funnel = {count["stage"]: count for count in _funnel()}
    assert funnel["propose"]["entered"] == funnel["write"]["entered"] == 0
    assert funnel["join"]["left"] == 8 * 3
    constraints = _lines("constraints.jsonl")
    assert {line["source"] for line in constraints} == {"shipped"}
    for row in _lines("verified.jsonl"):
        assert row["checks"][0]["kind"] == row["checks"][0]["kind"].strip() != "code"


def test_the_same_command_makes_no_call_and_the_same_files() -> None:
    config = _config()
    run_cli("verify", config, expected=0)
    names = ("constraints.jsonl", "verified.jsonl", "pairs.jsonl", "funnel.json")
    before = [Path("runs/verified", name).read_bytes() for name in names]
    scripted.SCRIPTS["verifier"] = _raises
    run_cli("verify", config, expected=0)
    assert before == [Path("runs/verified", name).read_bytes() for name in names]


def _raises(*_: Any) -> str:
    raise AssertionError("a call was made")


def test_mlflow_has_the_funnel() -> None:
    config = _config()
    client = mlflow.MlflowClient()
    earlier = {run.info.run_id for run in _runs(client)}
    run_cli("verify", config, expected=0)
    run_cli("verify", config, expected=0)
    (run,) = [run for run in _runs(client) if run.info.run_id not in earlier]
    assert run.data.metrics["funnel/join_tasks"] == 6
    assert 0 < run.data.metrics["pass_rate/code"] < 1
    files = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert run.data.metrics["exam/contradiction"] == 1
    assert files >= {
        "exam.json",
        "funnel.json",
        "verified.jsonl",
        "constraints_table.json",
        "stages.png",
    }


def _runs(client: Any) -> list[Any]:
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    return list(client.search_runs(experiments, "tags.run_kind = 'verify'"))


def test_the_page_shows_rows_stages_and_what_helps() -> None:
    mark = "<script>alert(1)</script>"
    Path("constraints.txt").write_text(f"Use the word fig at least twice. {mark}\n")
    shown = run_cli("verify", _config(), expected=0).out
    page = Path("runs/verified/verified.html").read_text("utf-8")
    assert mark not in page
    assert html.escape(mark) in page
    assert _lines("verified.jsonl")[0]["id"] in page
    assert page.count("data:image/png;base64,") == 2
    assert "Most was lost at" in page
    assert "Most was lost at" in shown


def test_a_set_of_nothing_has_a_page() -> None:
    own = {"constraints": None, "proposals": 1, "samples": 1, "least_cases": 3, "grade_above": None}
    scripted.SCRIPTS["verifier"] = lambda messages, draw: "I cannot."
    run_cli("verify", _config(**own), expected=0)
    assert "verified data" in Path("runs/verified/verified.html").read_text("utf-8")
    assert _lines("verified.jsonl") == []


def test_a_dry_run_prints_the_calls() -> None:
    shown = run_cli("verify", _config(), "--dry-run", expected=0).out
    assert "calls at most" in shown
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"least_functions": 5}, "least_functions is 5, but samples writes 4"),
        ({"least_cases": 13}, "least_cases is 13, but 4 samples write about 12"),
        ({"constraints": None, "proposals": 0}, "needs constraints, proposals or kinds"),
        ({"constraints": "missing.txt"}, "verify.constraints"),
        ({"preset": "unheard"}, "verify.preset"),
        ({"preset": [1]}, "verify.preset"),
        ({"sandbox": "docker"}, "verify.sandbox"),
        ({"sandbox": "none"}, "--allow-unsandboxed"),
        ({"positive": 0}, "verify.positive"),
        ({"agreement": 1.5}, "verify.agreement"),
        ({"samples": True}, "verify.samples"),
    ],
)
def test_a_wrong_setting_is_one_line(section: dict[str, Any], words: str) -> None:
    result = run_cli("verify", _config(**section), expected=2)
    assert words in result.err
    assert len(result.err.strip().splitlines()) == 1


def test_a_config_without_the_section_is_one_line() -> None:
    text = Path(_config()).read_text()
    tree = {key: value for key, value in yaml.safe_load(text).items() if key != "verify"}
    Path("verify.yaml").write_text(yaml.safe_dump(tree))
    assert "has no section `verify`" in run_cli("verify", "verify.yaml", expected=2).err


def test_an_empty_file_of_constraints_is_one_line() -> None:
    Path("constraints.txt").write_text("# nothing\n")
    assert "holds no constraint" in run_cli("verify", _config(), expected=2).err
