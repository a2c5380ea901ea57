"""A run's rows in the formats of trainers: the right rows, counted, and nothing overwritten."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

import datasets
import pandas
import pytest
import yaml

from autoevol.experiments.artifacts.labels.keys import key_of
from autoevol.experiments.config.experiment import ExportName
from autoevol.experiments.data.formats.rows import new_row
from autoevol.experiments.models.transports import scripted
from autoevol.experiments.models.transports.protocol import Message
from autoevol.experiments.training.examples import read_examples
from tests.support.command_line import rows_of, run_cli

WriteConfig = Callable[..., Path]
TURNS = {"turns": ["Name a tree.", "Another."], "answers": ["Oak.", "Elm."]}
ALL = [name for name in get_args(ExportName) if not name.startswith("koevol")]
"""Those that can hold the rows of any method."""

RUN = Path("runs/test")


def lines(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]


def evolved(number: int, round_number: int, **more: Any) -> dict[str, Any]:
    defaults = {
        "id": f"s{number}.{round_number}",
        "seed_id": f"s{number}",
        "round": round_number,
        "origin": f"Seed {number}?",
    }
    text = f"Question {number} of round {round_number}?"
    return new_row(text, **{**defaults, "response": "Yes.", "method": "weak", **more})


ROWS = [
    evolved(1, 1, root="autoevol-seeds/math"),
    evolved(1, 2, root="my|set"),
    evolved(2, 1, filtered_by="near_duplicate"),
    evolved(3, 1, response=" "),
    evolved(4, 2, **TURNS),
    evolved(5, 2, turns=["Why?", "So?"], answers=["Yes.", ""]),
]


@pytest.fixture
def run_folder(workplace: Path) -> str:
    """Return a run's folder with six rows, three of which can be exported."""
    seeds = [{"id": "s1", "instruction": "Seed 1?", "response": "One."}, {"instruction": "Seed 2?"}]
    Path("seeds.jsonl").write_text("\n".join(map(json.dumps, seeds)))
    tree = {
        "name": "trial",
        "models": {"evolver": {"model": "local/qwen2.5-coder-1.5b-instruct"}},
        "data": {"path": "seeds.jsonl"},
        "optimizer": {"name": "none"},
        "evolve": {"methods": ["weak"], "rounds": 2},
    }
    folder = Path("runs/trial")
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(tree))
    write_rows(ROWS)
    return str(folder)


def write_rows(rows: list[dict[str, Any]]) -> None:
    Path("runs/trial/evolved.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def exported(folder: str, *options: str, name: str = "alpaca") -> list[dict[str, Any]]:
    run_cli("export", folder, "--format", name, "--overwrite", *options, expected=0)
    return lines(f"{folder}/exports/{name}.jsonl")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param([], ["1 of round 1", "1 of round 2", "Another."], id="all"),
        pytest.param(["--rounds", "all"], ["1 of round 1", "1 of round 2", "Another."], id="said"),
        pytest.param(["--rounds", "1"], ["1 of round 1"], id="one"),
        pytest.param(["--rounds", "2,1"], ["1 of round 1", "1 of round 2", "Another."], id="mix"),
        pytest.param(["--rounds", "last"], ["1 of round 2", "Another."], id="last"),
        pytest.param(
            ["--rounds", "1", "--with-seeds"], ["Seed 1?", "1 of round 1"], id="with seeds"
        ),
    ],
)
def test_the_requested_rows_are_exported(
    run_folder: str, options: list[str], expected: list[str]
) -> None:
    instructions = [row["instruction"] for row in exported(run_folder, *options)]
    assert len(instructions) == len(expected)
    assert all(part in text for part, text in zip(expected, instructions, strict=True))


def test_rows_left_out_are_reported(run_folder: str) -> None:
    output = run_cli("export", run_folder, "--format", "trl", "--rounds", "1", expected=0).out
    assert "trl.jsonl: 1 rows" in output
    assert "left out of the exports: 3 of other rounds, 1 filtered, 1 without response" in output
    assert "not finished" in output


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "alpaca",
            {
                "instruction": "Another.",
                "input": "",
                "output": "Elm.",
                "history": [["Name a tree.", "Oak."]],
            },
        ),
        (
            "llama_factory",
            {
                "system": "",
                "history": [["Name a tree.", "Oak."]],
                "instruction": "Another.",
                "input": "",
                "output": "Elm.",
            },
        ),
        (
            "trl",
            {
                "prompt": [
                    {"role": "user", "content": "Name a tree."},
                    {"role": "assistant", "content": "Oak."},
                    {"role": "user", "content": "Another."},
                ],
                "completion": [{"role": "assistant", "content": "Elm."}],
            },
        ),
    ],
)
def test_a_conversation_is_exported_whole(
    run_folder: str, name: str, expected: dict[str, Any]
) -> None:
    assert exported(run_folder, name=name)[-1] == {"id": "s4.2", **expected}


def test_parquet_holds_rows_and_messages(run_folder: str) -> None:
    run_cli("export", run_folder, "--format", "parquet", expected=0)
    table = pandas.read_parquet(f"{run_folder}/exports/rows.parquet")
    assert table["id"].tolist() == ["s1.1", "s1.2", "s4.2"]
    assert list(table["messages"][0]) == [
        {"role": "user", "content": "Question 1 of round 1?"},
        {"role": "assistant", "content": "Yes."},
    ]


def test_hf_is_a_data_set_with_an_honest_card(run_folder: str) -> None:
    run_cli("export", run_folder, "--format", "hf", "--rounds", "1,2", expected=0)
    data_set = datasets.load_from_disk(f"{run_folder}/exports/hf")
    card = Path(run_folder, "exports/hf/README.md").read_text()
    assert data_set["train"]["round"] == [1, 2, 2]
    assert data_set["train"][2]["messages"][3] == {"role": "assistant", "content": "Elm."}
    for line in (
        "3 rows of instruction data",
        "| 2 | 2 |",
        "Left out: 1 filtered, 2 without response.",
        "| evolver | local/qwen2.5-coder-1.5b-instruct |  | Apache-2.0 |",
        "| autoevol-seeds/math | 1 | CC0-1.0 |",
        "| my/set | 1 | unknown |",
        "Not measured: the run was not finished.",
        "Overlap with benchmarks: not checked.",
    ):
        assert line in card
    assert yaml.safe_load(card.split("---")[1])["license"] == "unknown"


def test_the_card_repeats_what_the_summary_says(run_folder: str) -> None:
    rate = {"rate": 0.25, "low": 0.07, "high": 0.59, "failed": 2, "scored": 8}
    counts = {"rows_in": 9, "rows_out": 6, "rows_failed": 3, "rows_unscored": 0}
    summary = {**counts, "failure_rate_initial": rate, "best_method_id": "abc", "calls_by_role": {}}
    summary["decontamination"] = "0 of 6 rows overlap with GSM8K"
    Path(run_folder, "summary.json").write_text(json.dumps(summary))
    run_cli("export", run_folder, "--format", "hf", expected=0)
    card = Path(run_folder, "exports/hf/README.md").read_text()
    assert "- initial method, dev rows: 25.0% (2 of 8, 95 % 7.0%–59.0%)" in card
    assert "From 9 seeds, 6 rows were kept; 3 failed, 0 could not be scored." in card
    assert "Overlap with benchmarks: 0 of 6 rows overlap with GSM8K." in card


def test_dataset_info_keeps_other_entries(run_folder: str) -> None:
    Path("data").mkdir()
    mine = {"identity": {"file_name": "identity.json"}}
    Path("data/dataset_info.json").write_text(json.dumps(mine))
    run_cli("export", run_folder, "--format", "llama_factory", "--out", "data", expected=0)
    entries = json.loads(Path("data/dataset_info.json").read_text())
    assert entries["identity"] == mine["identity"]
    assert entries["autoevol_trial"] == {
        "file_name": "llama_factory.jsonl",
        "formatting": "alpaca",
        "columns": {
            "prompt": "instruction",
            "query": "input",
            "response": "output",
            "system": "system",
            "history": "history",
        },
    }


@pytest.mark.parametrize(
    ("text", "needle"),
    [
        pytest.param('{"autoevol_trial": {"file_name": "x"}}', "autoevol_trial", id="entry"),
        pytest.param("[]", "must be an object", id="list"),
        pytest.param("{", "JSON", id="JSON"),
    ],
)
def test_a_foreign_dataset_info_is_not_clobbered(run_folder: str, text: str, needle: str) -> None:
    Path("data").mkdir()
    Path("data/dataset_info.json").write_text(text)
    refused = run_cli("export", run_folder, "--format", "llama_factory", "--out", "data")
    assert refused.code == 2
    assert needle in refused.err
    assert [path.name for path in Path("data").iterdir()] == ["dataset_info.json"]
    assert Path("data/dataset_info.json").read_text() == text


@pytest.mark.parametrize("name", ALL)
def test_existing_files_are_replaced_only_on_demand(run_folder: str, name: str) -> None:
    arguments = ("export", run_folder, "--format", name)
    run_cli(*arguments, expected=0)
    write_rows(ROWS[:1])
    before = snapshot()
    refused = run_cli(*arguments, expected=2)
    assert "exists already; --overwrite" in refused.err
    assert snapshot() == before
    run_cli(*arguments, "--overwrite", expected=0)
    assert snapshot() != before


def snapshot() -> dict[str, bytes]:
    files = (path for path in Path("runs").rglob("*") if path.is_file())
    return {path.as_posix(): path.read_bytes() for path in files}


def test_a_folder_of_something_else_is_never_replaced(run_folder: str) -> None:
    Path("out/hf").mkdir(parents=True)
    Path("out/hf/thesis.tex").write_text("years of work")
    options = ("--format", "hf", "--out", "out", "--overwrite")
    refused = run_cli("export", run_folder, *options, expected=2)
    assert "something else" in refused.err
    assert Path("out/hf/thesis.tex").is_file()


@pytest.mark.parametrize(
    ("options", "needles"),
    [
        pytest.param([], ["--format", "alpaca", "hf"], id="no format"),
        pytest.param(["--format", "alpacca"], ["--format alpacca", "alpaca"], id="format"),
        pytest.param(["--format", "trl", "--rounds", "3"], ["--rounds 3", "is 2"], id="round"),
        pytest.param(["--format", "trl", "--rounds", "x"], ["--rounds x", "1,2,3"], id="rounds"),
        pytest.param(["--format", "trl", "--rounds", "0"], ["--rounds 0"], id="seeds' round"),
        pytest.param(["--public"], ["--public", "--push-to-hub"], id="public"),
        pytest.param(["--push-to-hub", "me/x"], ["HF_TOKEN"], id="no token"),
        pytest.param(["--push-to-hub", "me"], ["OWNER/NAME"], id="name"),
    ],
)
def test_a_wrong_option_is_refused_and_nothing_lost(
    run_folder: str, options: list[str], needles: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    before = snapshot()
    refused = run_cli("export", run_folder, *options, expected=2)
    assert all(needle in refused.err for needle in needles), refused.err
    assert snapshot() == before


@pytest.mark.parametrize(
    ("rows", "needle"),
    [
        pytest.param([], "no row with a response", id="empty"),
        pytest.param([evolved(1, 1, response="")], "no row with a response", id="unanswered"),
        pytest.param(
            [{**evolved(1, 1), "response": ["x"]}], "evolved.jsonl:1: response", id="list"
        ),
    ],
)
def test_a_run_without_rows_is_refused(
    run_folder: str, rows: list[dict[str, Any]], needle: str
) -> None:
    write_rows(rows)
    assert needle in run_cli("export", run_folder, "--format", "trl", expected=2).err


def test_a_folder_that_is_no_run_is_refused(workplace: Path) -> None:
    refused = run_cli("export", ".", "--format", "trl", expected=2)
    assert "no evolved.jsonl" in refused.err


def test_a_run_writes_what_its_config_asks_for(write_config: WriteConfig) -> None:
    output = {"formats": ALL, "rounds": "last"}
    evolve = {"methods": ["weak"], "rounds": 2}
    config = write_config(
        optimizer={"name": "none"}, evolve=evolve, output=output, failure={"rules": []}
    )
    printed = run_cli("run", str(config), expected=0).out
    folder = Path("runs/test/exports")
    assert {path.name for path in folder.iterdir()} == {
        *("alpaca.jsonl", "sharegpt.jsonl", "messages.jsonl", "llama_factory.jsonl"),
        *("trl.jsonl", "rows.parquet", "rows.csv", "hf", "dataset_info.json", "auto_evol.json"),
    }
    assert len(lines("runs/test/exports/trl.jsonl")) == 30
    assert "30 of other rounds" in " ".join(printed.split())
    assert "From 30 seeds, 60 rows were kept" in (folder / "hf/README.md").read_text()
    (folder / "trl.jsonl").unlink()
    again = [str(config), "--set", "output.rounds=[1, 2]"]
    run_cli("run", *again, expected=0)
    assert len(lines("runs/test/exports/trl.jsonl")) == 60


def test_a_run_without_kept_rows_exports_empty_files(
    write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def echo(messages: Sequence[Message], draw: int) -> str:
        return messages[-1]["content"].split("\n\n")[0]

    monkeypatch.setitem(scripted.SCRIPTS, "echo", echo)
    config = write_config(
        optimizer={"name": "none"},
        failure={"rules": ["unchanged"]},
        evolve={"methods": ["weak"]},
        output={"formats": ALL},
        models={"evolver": {"model": "scripted/echo"}},
    )
    printed = run_cli("run", str(config), expected=0).out
    assert lines("runs/test/exports/alpaca.jsonl") == []
    assert "exports/hf: 0 rows, not written" in " ".join(printed.split())
    assert not Path("runs/test/exports/hf").exists()


@pytest.mark.parametrize(
    ("output", "needles"),
    [
        ({"rounds": "first"}, ["output.rounds", "all, last", "'first'"]),
        ({"rounds": [0]}, ["output.rounds"]),
        ({"rounds": []}, ["output.rounds"]),
        ({"rounds": [2]}, ["output.rounds names round 2", "evolve.rounds is 1"]),
        ({"formats": ["jsonl"]}, ["output.formats", "'jsonl'"]),
    ],
)
def test_a_wrong_output_is_refused(
    write_config: WriteConfig, output: dict[str, Any], needles: list[str]
) -> None:
    refused = run_cli("run", str(write_config(output=output)), expected=2)
    assert all(needle in refused.err for needle in needles), refused.err


def test_a_suspicion_travels_through_parquet(workplace: Path) -> None:
    lineage = {"seed_id": "s", "parent_id": "s", "round": 1}
    suspicion = {"rule": "restated", "evidence": "57% of its words kept", "finding": "suspicion"}
    rows = [
        {**lineage, "id": "a", "instruction": "Name a river.", "suspected_by": [suspicion]},
        {**lineage, "id": "b", "instruction": "Name a lake."},
    ]
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run_cli("convert", "rows.jsonl", "rows.parquet", expected=0)
    run_cli("convert", "rows.parquet", "back.jsonl", expected=0)
    back = [json.loads(line) for line in Path("back.jsonl").read_text().splitlines()]
    assert back[0]["suspected_by"] == [suspicion]
    assert "suspected_by" not in back[1]


def test_koevols_files_need_methods_that_have_a_digit(write_config: WriteConfig) -> None:
    config = write_config(4, optimizer={"name": "none"}, output={"formats": ["koevol"]})
    refused = run_cli("run", str(config), expected=2)
    assert "koevol has a digit for each method, 'weak' has none" in refused.err
    assert not RUN.exists()


def test_koevols_files_have_every_row_with_its_seed(finish: Callable[..., Path]) -> None:
    """Answered or not, and of breadth methods, too, whose rows begin lineages of our own."""
    methods = ["breadth", "deepen", "constraints"]
    finish(
        12,
        optimizer={"name": "none"},
        evolve={"methods": methods, "rounds": 2, "children": 2},
        failure={"evolve": ["strict"], "respond": []},
    )
    names = ("--format", "koevol", "--format", "koevol_failures", "--format", "auto_evol")
    run_cli("export", str(RUN), *names, "--with-seeds", expected=0)
    seeds = {f"List the {i} largest rivers of Europe." for i in range(1, 13)}
    table = json.loads((RUN / "exports" / "koevol.json").read_text())
    rows = [dict(zip(table["columns"], values, strict=True)) for values in table["data"]]
    evolved, failed = rows_of(RUN / "evolved.jsonl"), rows_of(RUN / "failures.jsonl")
    assert len(rows) == len(seeds) + len(evolved)
    assert {row["origin"] for row in rows} == seeds
    assert all(len(row["trace"]) - 1 == row["generation"] for row in rows)
    assert any(row["trace"].startswith("r0") for row in rows), "no row of a breadth method"
    table = json.loads((RUN / "exports" / "koevol_failures.json").read_text())
    assert table["columns"] == ["parent", "child", "generation", "root", "trace", "origin"]
    lost = [row for row in failed if row["failed_at"] == "evolve"]
    assert lost
    assert [values[1] for values in table["data"]] == [row["instruction"] for row in lost]
    texts = seeds | {row["instruction"] for row in evolved}
    assert all(values[0] in texts and values[5] in seeds for values in table["data"])
    columns = json.loads((RUN / "exports" / "auto_evol.json").read_text())
    assert set(columns["root"]) == seeds
    assert len(columns["instruction"]) == len(rows)


def test_seeds_are_found_from_another_folder(
    finish: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(4, optimizer={"name": "none"}, failure={"rules": []})
    folder = RUN.absolute()
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    run_cli("export", str(folder), "--format", "koevol", "--with-seeds", expected=2)
    run_cli("export", str(folder), "--format", "auto_evol", "--with-seeds", expected=0)
    columns = json.loads((folder / "exports" / "auto_evol.json").read_text())
    assert len(columns["instruction"]) == 8


def test_rows_that_somebody_marked_bad_are_left_out(run_folder: str) -> None:
    rows = rows_of(Path(run_folder, "evolved.jsonl"))
    marks = [
        {"key": key_of(rows[0]), "label": "bad"},
        {"key": key_of(rows[1]), "label": "bad"},
        {"key": key_of(rows[1]), "label": "good"},
    ]
    text = "".join(json.dumps(mark) + "\n" for mark in marks)
    Path(run_folder, "labels.jsonl").write_text(text)
    shown = run_cli("export", run_folder, "--format", "messages", expected=0).out
    assert "1 marked bad" in shown
    assert len(lines(f"{run_folder}/exports/messages.jsonl")) == 2
    both = ("export", run_folder, "--format", "messages", "--with-bad", "--overwrite")
    run_cli(*both, expected=0)
    assert len(lines(f"{run_folder}/exports/messages.jsonl")) == 3
    assert {example.row for example in read_examples(Path(run_folder)).examples} == {
        row["id"] for row in (rows[1], rows[4], rows[5])
    }


def test_a_spreadsheet_gets_before_after_and_response(run_folder: str) -> None:
    rows = [
        evolved(1, 1, origin="Seed 1?", input="+1"),
        evolved(2, 1, origin="Seed 2?", response='=HYPERLINK("x")\n가'),
    ]
    write_rows(rows)
    run_cli("export", run_folder, "--format", "csv", expected=0)
    file = Path(run_folder, "exports/rows.csv")
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    table = pandas.read_csv(file, keep_default_na=False)
    assert [*table.columns] == ["before", "after", "input", "response", "round", "method", "id"]
    assert [*table["before"]] == ["Seed 1?", "Seed 2?"]
    assert [*table["after"]] == ["Question 1 of round 1?", "Question 2 of round 1?"]
    assert [*table["input"]] == ["'+1", ""]
    assert [*table["response"]] == ["Yes.", '\'=HYPERLINK("x")\n가']


def test_seeds_of_another_folder_are_not_exported_as_the_runs(
    finish: Callable[..., Path], workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(12, optimizer={"name": "none"})
    other = workplace / "other"
    other.mkdir()
    seeds = (workplace / "seeds.jsonl").read_text().replace("largest rivers", "oldest towns")
    (other / "seeds.jsonl").write_text(seeds)
    monkeypatch.chdir(other)

    refused = run_cli("export", "../runs/test", "--format", "alpaca", "--with-seeds", expected=2)

    assert "data.path: seeds.jsonl is not what the run read: seed 'seed-" in refused.err
