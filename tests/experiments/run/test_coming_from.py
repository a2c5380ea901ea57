"""The commands of docs/coming-from.md, on the originals' own files; theirs read what comes out."""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas
import pytest

from tests.conftest import REPOSITORY
from tests.support.command_line import rows_of, run_cli

TASKS = [f"List the {n} largest rivers of Europe." for n in range(1, 9)]
ALPACA = [{"instruction": task, "input": "", "output": f"The Rhine, {task}"} for task in TASKS]
HF_ROWS = [{"instruction": task, "root": "kmmlu/law"} for task in TASKS]
HOSTED = "openai/gpt-4o-mini"
KOEVOL = ["instruction", "generation", "root", "trace", "origin", "output"]
LINES = (REPOSITORY / "docs/coming-from.md").read_text("utf-8")


def write(name: str, tree: Any) -> None:
    Path(name).write_text(json.dumps(tree, ensure_ascii=False), "utf-8")


def split(rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Return rows as koevol's scripts write them: pandas' split form."""
    return {"columns": KOEVOL, "data": [list(row) for row in rows]}


def do(*commands: str) -> None:
    """Run command lines of the page, with the scripted model in the place of the hosted one."""
    for command in commands:
        assert command in LINES, f"the page has no line {command!r}"
        words = shlex.split(command.replace(HOSTED, "scripted/world"))
        run_cli(*words[1:], expected=0)


def koevol_table(file: str) -> pandas.DataFrame:
    return pandas.read_json(file, orient="split", dtype={"trace": "str"})


def test_auto_evol_instruct(workplace: Path) -> None:
    Path("seeds.jsonl").write_text("\n".join(map(json.dumps, HF_ROWS)))
    run_cli(
        *("run", "auto-evol-ko", "--data", "seeds.jsonl", "--model", "scripted/world"), expected=0
    )
    do("autoevol export runs/auto-evol-ko --format auto_evol")
    # `load_json` of its evaluation scripts: one list for each column, all of one length.
    columns = json.loads(Path("runs/auto-evol-ko/exports/auto_evol.json").read_text("utf-8"))
    assert list(columns) == ["instruction", "response", "root", "reference"]
    assert len({len(values) for values in columns.values()}) == 1
    assert set(columns["root"]) <= set(TASKS)
    assert set(columns["reference"]) == {"kmmlu/law"}


def test_koevol_from_its_seeds_to_its_tables(workplace: Path) -> None:
    write("seed_instruction.json", split([[t, 0, "kmmlu/law", "r", t, "IDK"] for t in TASKS]))
    run_cli(
        *("run", "koevol", "--data", "seed_instruction.json", "--model", "scripted/world"),
        expected=0,
    )
    do("autoevol export runs/koevol --format koevol --format koevol_failures --with-seeds")
    whole = koevol_table("runs/koevol/exports/koevol.json")
    assert list(whole.columns) == KOEVOL
    assert set(whole["generation"]) == {0, 1, 2}
    assert (whole["trace"].str.len() - 1 == whole["generation"]).all()
    assert set(whole["origin"]) == set(TASKS)
    assert (whole["root"] == "kmmlu/law").all()
    assert (whole["output"].str.len() > 0).all()
    failures = koevol_table("runs/koevol/exports/koevol_failures.json")
    assert list(failures.columns) == ["parent", "child", "generation", "root", "trace", "origin"]
    assert len(failures) == len(rows_of(Path("runs/koevol/failures.jsonl")))


def test_koevol_fills_the_answers_that_are_missing(workplace: Path) -> None:
    rows = [[TASKS[0], 0, "ko", "r", TASKS[0], "IDK"], ["Why?", 1, "ko", "r3", TASKS[0], "So."]]
    write("whole_generations.json", split(rows))
    do(
        "autoevol run koevol --data whole_generations.json --model openai/gpt-4o-mini "
        "--set evolve.rounds=0 --set answer.only_missing=true --out runs/filled"
    )
    run_cli("export", "runs/filled", "--format", "koevol", expected=0)
    table = koevol_table("runs/filled/exports/koevol.json")
    assert table.iloc[1].tolist() == rows[1]
    assert table.iloc[0].tolist()[:5] == rows[0][:5]
    assert table.iloc[0]["output"] not in ("IDK", "")


@pytest.mark.parametrize(
    ("name", "file", "commands"),
    [
        pytest.param(
            "wizardlm",
            "alpaca_data.json",
            (
                "autoevol run wizardlm --data alpaca_data.json --model openai/gpt-4o-mini",
                "autoevol convert runs/wizardlm/evolved.jsonl OUT.json --to alpaca",
            ),
            id="WizardLM",
        ),
        pytest.param(
            "A",
            "FILE.json",
            (
                "autoevol run slm-evol --data FILE.json --model openai/gpt-4o-mini --out runs/A",
                "autoevol convert runs/A/evolved.jsonl OUT.json --to alpaca",
            ),
            id="HypherX",
        ),
    ],
)
def test_alpaca_lists(workplace: Path, name: str, file: str, commands: Sequence[str]) -> None:
    write(file, ALPACA)
    do(*commands)
    rows = json.loads(Path("OUT.json").read_text("utf-8"))
    assert len(rows) == len(rows_of(Path("runs") / name / "evolved.jsonl"))
    assert all({"instruction", "input", "output"} <= set(row) for row in rows)
    assert all(isinstance(value, str) for row in rows for value in row.values())


def test_evol_teacher_merges_rounds_and_seeds(workplace: Path) -> None:
    write("code_alpaca.json", ALPACA)
    do("autoevol run wizardcoder --data code_alpaca.json --model openai/gpt-4o-mini")
    rows = rows_of(Path("runs/wizardcoder/exports/alpaca.jsonl"))
    texts = [row["instruction"] for row in rows]
    assert set(TASKS) <= set(texts)
    assert len(rows) == len(TASKS) + len(rows_of(Path("runs/wizardcoder/evolved.jsonl")))


def test_h2o_wizardlm_begins_from_a_list_of_strings(workplace: Path) -> None:
    write("SEEDS.json", TASKS)
    do(
        "autoevol run h2o --data SEEDS.json --model openai/gpt-4o-mini "
        "--set 'evolve.schedule=[[constraints, deepen, concretize, reasoning, "
        "slightly-harder, switch-topic]]'"
    )
    rows = rows_of(Path("runs/h2o/evolved.jsonl"))
    assert {row["root"] for row in rows} == {""}
    assert any(row["response"] for row in rows)


def test_the_papers_own_scripts(workplace: Path) -> None:
    write("data.json", ALPACA)
    model = ("--data", "data.json", "--model", "scripted/world")
    run_cli("optimize", "auto-evol", *model, expected=0)
    best = "runs/auto-evol/methods/best.md"
    run_cli("evolve", "auto-evol", *model, "--method", best, "--out", "runs/whole", expected=0)
    assert {row["seed_id"] for row in rows_of(Path("runs/whole/evolved.jsonl"))}
