"""`autoevol check`: rows of a file, their checks in the sandbox, figures, files and MLflow."""

import json
from pathlib import Path
from typing import Any

import mlflow
import pytest

from autoevol.experiments.sandbox import bubblewrap
from tests.support.command_line import run_cli
from tests.support.kept_constraints import CASES

pytestmark = pytest.mark.usefixtures("workplace")

CODE = "def evaluate(response):\n    return response.endswith('.')"
LOOP = "def evaluate(response):\n    while True:\n        pass"


def _row(name: str, response: str, *checks: Any) -> dict[str, Any]:
    return {"id": name, "instruction": "Write.", "response": response, "checks": list(checks)}


def _file(folder: Path, rows: list[dict[str, Any]]) -> str:
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(file)


def _check(file: str, *arguments: str) -> dict[str, Any]:
    return dict(json.loads(run_cli("check", file, "--json", *arguments, expected=0).out))


def test_every_shipped_kind_is_told_apart(tmp_path: Path) -> None:
    rows = [
        _row(f"{name}-{side}-{n}", text, {"kind": name, "options": dict(case.options)})
        for name, case in CASES.items()
        for side, texts in (("keeps", case.keeps), ("breaks", case.breaks))
        for n, text in enumerate(texts)
    ]
    figures = _check(_file(tmp_path, rows))
    assert figures["rows_unreadable"] == figures["checks_without_result"] == 0
    assert figures["strict_rows"]["kept"] == sum(len(case.keeps) for case in CASES.values())
    for name, case in CASES.items():
        accuracy = figures["by_kind"][name]["strict"]
        assert (accuracy["kept"], accuracy["checked"]) == (
            len(case.keeps),
            len(case.keeps) + len(case.breaks),
        )


def test_odd_rows_are_counted(tmp_path: Path) -> None:
    rows = [
        _row("kept", "Yes.", {"code": CODE}),
        _row("loose", "Here it is:\n**yes**", {"kind": "lower_case"}),
        _row("stuck", "Yes.", {"code": LOOP}, {"code": CODE}),
        _row("unheard", "Yes.", {"kind": "unheard_of"}),
        {**_row("broken", "Yes."), "checks": "[{"},
        {**_row("text", "Yes."), "checks": json.dumps([{"code": CODE}])},
        {"id": "none", "instruction": "Write.", "response": "Yes."},
    ]
    figures = _check(_file(tmp_path, rows))
    assert figures["rows"] == 7
    assert figures["rows_without_checks"] == 1
    assert figures["rows_unreadable"] == 2
    assert figures["rows_without_result"] == 1
    assert figures["checks_without_result"] == 1
    assert (figures["strict_rows"]["kept"], figures["strict_rows"]["checked"]) == (2, 3)
    assert figures["loose_rows"]["kept"] == 3

    lines = Path("runs/check-rows/checks.jsonl").read_text("utf-8").splitlines()
    written = {line["id"]: line for line in map(json.loads, lines)}
    assert len(written) == 7
    assert "timeout" in written["stuck"]["checks"][0]["problem"]
    assert written["stuck"]["checks"][1]["strict"] is True
    assert "unheard_of" in written["unheard"]["problem"]


def test_a_conversation_is_checked_by_its_last_answer(tmp_path: Path) -> None:
    messages = [
        {"role": role, "content": text}
        for role, text in (("user", "A"), ("assistant", "no"), ("user", "B"), ("assistant", "Yes."))
    ]
    file = _file(tmp_path, [{"messages": messages, "checks": [{"code": CODE}]}])
    assert _check(file)["strict_rows"]["kept"] == 1


def test_the_table_and_the_files_are_shown(tmp_path: Path) -> None:
    rows = [_row("a", "Yes.", {"code": CODE}), _row("b", "Yes.", {"kind": "unheard_of"})]
    shown = run_cli("check", _file(tmp_path, rows), "--out", str(tmp_path / "out"), expected=0).out
    assert "strict (95 %)" in shown
    assert "unheard_of" in shown
    assert (tmp_path / "out" / "checks.json").is_file()


def test_mlflow_has_one_run_a_content(tmp_path: Path) -> None:
    file = _file(tmp_path, [_row("a", "Yes.", {"code": CODE}), _row("b", "no", {"code": CODE})])
    earlier = {run.info.run_id for run in _runs()}
    _check(file)
    _check(file)
    (run,) = [run for run in _runs() if run.info.run_id not in earlier]
    assert run.info.status == "FINISHED"
    assert run.data.metrics["check/strict_rows"] == 0.5
    assert (
        run.data.metrics["check/strict_rows_low"] < 0.5 < run.data.metrics["check/strict_rows_high"]
    )
    assert run.data.metrics["check_kind/code"] == 0.5
    files = {file.path for file in mlflow.MlflowClient().list_artifacts(run.info.run_id)}
    assert files >= {"checks.jsonl", "checks.json", "checked.json"}


def _runs() -> list[Any]:
    client = mlflow.MlflowClient()
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    return list(client.search_runs(experiments, "tags.run_kind = 'check'"))


def test_a_file_without_checks_is_one_line(tmp_path: Path) -> None:
    result = run_cli("check", _file(tmp_path, [{"instruction": "A", "response": "B"}]), expected=2)
    assert "has no row with checks" in result.err
    assert len(result.err.strip().splitlines()) == 1
    assert not Path("runs").exists()


def test_no_sandbox_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "_program", lambda: None)
    file = _file(tmp_path, [_row("a", "Yes.", {"code": CODE})])
    result = run_cli("check", file, "--sandbox", "bwrap", expected=2)
    assert result.err.startswith("sandbox: ")
    assert "apt install bubblewrap" in result.err
    assert not Path("runs").exists()


def test_a_file_of_rows_is_never_run_unconfined(tmp_path: Path) -> None:
    file = _file(tmp_path, [_row("a", "Yes.", {"code": CODE})])
    run_cli("check", file, "--sandbox", "none", expected=2)
    run_cli("check", file, "--allow-unsandboxed", expected=2)
