"""From a file to a run in two commands: `init` writes a config that fits the data."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow
import pyarrow.parquet
import pytest
import yaml

from autoevol.experiments.config.documentation.schema import EDITOR_LINE, config_schema
from autoevol.experiments.config.shipped import shipped_names
from tests.support.command_line import rows_of, run_cli, summary_of

MODEL = ("--model", "scripted/world", "--yes")


def alpaca(count: int = 4) -> list[dict[str, Any]]:
    return [
        {"instruction": f"Name {n} trees.", "output": f"Oak {n}.", "t": n} for n in range(count)
    ]


def write_json(name: str, tree: Any) -> str:
    Path(name).write_text(json.dumps(tree), "utf-8")
    return name


def write_table(encoding: str) -> str:
    rows = ["Frage;Antwort;Thema", *(f"Wie heißt Fluß {n}?;Rhein {n};é" for n in range(4)), ";;"]
    Path("own.csv").write_text("\r\n".join(rows), encoding, newline="")
    return "own.csv"


def write_talks() -> str:
    talk = [
        {"from": "system", "value": "Be short."},
        {"from": "human", "value": "Name a tree."},
        {"from": "gpt", "value": "Oak."},
    ]
    tool = {"conversations": [{"from": "human", "value": "a"}, {"from": "tool", "value": "b"}]}
    return write_json("own.json", [*({"conversations": talk} for _ in range(3)), tool])


def write_parquet() -> str:
    talk = [{"role": "user", "content": "Name a tree."}, {"role": "assistant", "content": "Oak."}]
    table = pyarrow.Table.from_pylist([{"messages": talk}] * 3)
    pyarrow.parquet.write_table(table, "own.parquet")
    return "own.parquet"


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda: write_json("own.json", alpaca()), id="Alpaca"),
        pytest.param(write_talks, id="ShareGPT with system prompts and a tool"),
        pytest.param(lambda: write_table("utf-8-sig"), id="CSV of a spreadsheet"),
        pytest.param(lambda: write_table("cp1252"), id="CSV of an older Windows"),
        pytest.param(
            lambda: write_json("own.json", [{"prompt": "Why?", "completion": "So."}] * 3),
            id="prompt and completion",
        ),
        pytest.param(write_parquet, id="Parquet with messages"),
        pytest.param(lambda: write_json("own.json", ["Name a tree.", "Why?"]), id="texts"),
    ],
)
def test_data_is_evolved_at_the_first_command_after_init(
    write: Callable[[], str], workplace: Path
) -> None:
    data = write()
    printed = run_cli("init", data, *MODEL, expected=0).out
    assert "next: autoevol preview own.yaml, then autoevol run own.yaml" in printed
    text = Path("own.yaml").read_text("utf-8")
    assert text.splitlines()[0] == EDITOR_LINE
    jsonschema.validate(yaml.safe_load(text), config_schema())
    assert json.loads(Path("autoevol.schema.json").read_text("utf-8")) == config_schema()
    run_cli("run", "own.yaml", expected=0)
    summary = summary_of(Path("runs/own"))
    assert summary["rows_in"] >= 2
    assert summary["rows_rejected"] == (1 if "skip" in text else 0)
    exported = rows_of(Path("runs/own/exports/messages.jsonl"))
    assert len(exported) == summary["rows_out"] or not summary["rows_out"]


def test_bad_rows_are_counted_and_left_out_by_the_config(workplace: Path) -> None:
    write_json("own.json", [*alpaca(5), {"instruction": " ", "output": ""}])
    printed = run_cli("init", "own.json", *MODEL, expected=0).out
    assert "1 records make no row; the first: own.json row 6" in printed
    assert yaml.safe_load(Path("own.yaml").read_text())["data"]["invalid"] == "skip"


def test_sizes_follow_the_rows(workplace: Path) -> None:
    for count, searches in ((20, False), (60, True)):
        write_json("own.json", alpaca(count))
        run_cli("init", "own.json", *MODEL, "--out", f"{count}.yaml", expected=0)
        assert ("optimizer" in yaml.safe_load(Path(f"{count}.yaml").read_text())) is searches


@pytest.mark.parametrize("system", shipped_names())
def test_a_shipped_system_is_taken_for_ones_own_data(system: str, workplace: Path) -> None:
    write_json("own.json", alpaca(40))
    run_cli("init", "own.json", *MODEL, "--system", system, expected=0)
    planned = run_cli("run", "own.yaml", "--dry-run", expected=0).out
    assert "own · 40 rows" in planned


def test_a_missing_key_is_said_and_the_config_is_there(workplace: Path) -> None:
    write_json("own.json", alpaca())
    printed = run_cli("init", "own.json", "--model", "openai/gpt-4o-mini", expected=0).out
    assert "before it can run: own.yaml: models.evolver: set OPENAI_API_KEY" in printed
    assert Path("own.yaml").exists()


def test_nothing_is_overwritten(workplace: Path) -> None:
    write_json("own.json", alpaca())
    Path("own.yaml").write_text("mine")
    refused = run_cli("init", "own.json", *MODEL, expected=2)
    assert "own.yaml" in refused.err
    assert Path("own.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("tree", "needle"),
    [([{"a": 1, "b": 2}], "no known format"), ([], "no rows"), ([{"instruction": ""}], "no row")],
)
def test_data_without_an_instruction_is_refused(tree: Any, needle: str, workplace: Path) -> None:
    refused = run_cli("init", write_json("own.json", tree), *MODEL, expected=2)
    assert needle in refused.err
    assert not Path("own.yaml").exists()


def test_without_data_a_project_is_made_and_runs(workplace: Path) -> None:
    run_cli("init", "--out", "project", expected=0)
    names = {file.relative_to("project").as_posix() for file in Path("project").rglob("*.*")}
    assert {"config.yaml", "mlflow.yaml", ".env.example", "data/seeds_en_ko.jsonl"} <= names
    Path("project/config.yaml").write_text("mine")
    run_cli("init", "--out", "project", expected=0)
    assert Path("project/config.yaml").read_text() == "mine"


def test_init_writes_the_settings_of_mlflow_where_there_are_none(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autoevol.experiments.tracking.config._ROOT", workplace / "elsewhere")
    Path("mlflow.yaml").unlink(missing_ok=True)
    first = run_cli("init", write_json("own.json", alpaca()), *MODEL, expected=0)
    assert "wrote mlflow.yaml" in first.out
    Path("mlflow.yaml").write_text("experiment: mine\n")
    second = run_cli("init", write_json("other.json", alpaca()), *MODEL, expected=0)
    assert "mlflow.yaml" not in second.out.replace("MLflow", "")
    assert Path("mlflow.yaml").read_text() == "experiment: mine\n"
