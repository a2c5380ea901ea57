"""Data as people have it goes through a run: every text, column and turn is found again."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from tests.support.command_line import rows_of, run_cli, summary_of

RUN = Path("runs/test")
PLAIN = {"optimizer": {"name": "none"}, "failure": {"rules": []}}
FORMATS = ("alpaca", "sharegpt", "messages", "llama_factory", "trl", "parquet", "hf")


def turns(number: int, *, system: bool = False) -> list[dict[str, str]]:
    orders = [{"role": "system", "content": f"Be short, {number}."}] if system else []
    return [
        *orders,
        {"role": "user", "content": f"Name tree {number}."},
        {"role": "assistant", "content": f"Oak {number}."},
        {"role": "user", "content": f"And one more than {number}."},
        {"role": "assistant", "content": f"Elm {number}."},
    ]


def alpaca(number: int) -> dict[str, Any]:
    return {
        "instruction": f"Add the numbers of list {number}.",
        "input": f"1, 2, {number}",
        "output": f"The sum of list {number}.",
        "topic": f"sums {number}",
        "level": number,
    }


def sharegpt(number: int) -> dict[str, Any]:
    names = {"system": "system", "user": "human", "assistant": "gpt"}
    talk = [{"from": names[m["role"]], "value": m["content"]} for m in turns(number, system=True)]
    return {"id": f"talk-{number}", "conversations": talk, "source": f"chat {number}"}


def write_alpaca() -> tuple[str, Any]:
    records = [alpaca(n) for n in range(4)]
    Path("own.json").write_text(json.dumps(records))
    return "own.json", records


def write_sharegpt() -> tuple[str, Any]:
    tool = {
        "id": "tool",
        "conversations": [
            {"from": "human", "value": "How warm is it?"},
            {"from": "function_call", "value": '{"name": "weather"}'},
            {"from": "observation", "value": "19 degrees"},
            {"from": "gpt", "value": "It is 19 degrees."},
        ],
    }
    greeted = {
        "conversations": [{"from": "gpt", "value": "Hello!"}, *sharegpt(9)["conversations"][1:]]
    }
    records = [*(sharegpt(n) for n in range(3)), tool, greeted]
    Path("own.json").write_text(json.dumps(records))
    return "own.json", records


def write_csv(encoding: str) -> tuple[str, Any]:
    records = [{k: str(v) for k, v in alpaca(n).items()} | {"note": "für später"} for n in range(3)]
    lines = [";".join(records[0]), *(";".join(record.values()) for record in records), ";;;;;", ""]
    Path("own.csv").write_text("\r\n".join(lines), encoding, newline="")
    return "own.csv", records


def write_trl() -> tuple[str, Any]:
    records = [
        {"prompt": f"Why {n}?", "completion": f"Since {n}.", "split": f"s{n}"} for n in range(3)
    ]
    Path("own.jsonl").write_text("\n".join(map(json.dumps, records)))
    return "own.jsonl", records


def write_parquet() -> tuple[str, Any]:
    records = [{"messages": turns(n, system=n > 1), "license": f"cc {n}"} for n in range(3)]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(records), "own.parquet")
    return "own.parquet", records


def texts_in(value: Any) -> Iterator[str]:
    """Yield every text and number, but for the names of roles."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in ("role", "from"):
                yield from texts_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts_in(item)
    elif value is not None:
        yield str(value)


def exported(name: str) -> list[dict[str, Any]]:
    if name == "parquet":
        rows = pyarrow.parquet.read_table(RUN / "exports" / "rows.parquet").to_pylist()
        return [{**row, "meta": json.loads(row["meta"] or "{}")} for row in rows]
    if name == "hf":
        import datasets

        return list(datasets.load_from_disk(str(RUN / "exports" / "hf"))["train"])
    return rows_of(RUN / "exports" / f"{name}.jsonl")


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(write_alpaca, id="Alpaca"),
        pytest.param(write_sharegpt, id="ShareGPT with system prompts, a tool and a greeting"),
        pytest.param(lambda: write_csv("utf-8-sig"), id="CSV of a spreadsheet"),
        pytest.param(lambda: write_csv("cp1252"), id="CSV of an older Windows"),
        pytest.param(lambda: write_csv("utf-16"), id="CSV in UTF-16"),
        pytest.param(write_trl, id="prompt and completion"),
        pytest.param(write_parquet, id="Parquet with messages"),
    ],
)
def test_every_text_of_the_input_is_in_every_export_or_among_the_rejected(
    write: Callable[[], tuple[str, Any]], write_config: Callable[..., Path]
) -> None:
    path, records = write()
    config = write_config(
        **PLAIN,
        data={"path": path, "invalid": "skip"},
        output={"formats": list(FORMATS), "with_seeds": True},
    )
    run_cli("run", str(config), expected=0)
    rejected = rows_of(RUN / "rejected.jsonl") if (RUN / "rejected.jsonl").exists() else []
    summary = summary_of(RUN)
    assert summary["rows_in"] + summary["rows_rejected"] == len(records)
    assert summary["rows_out"] == summary["rows_in"]
    wanted = Counter(texts_in(records)) - Counter(
        text for line in rejected for text in texts_in(line["record"])
    )
    for name in FORMATS:
        found = " ".join(texts_in(exported(name)))
        # Ids are no part of a format for trainers.
        missing = [t for t in wanted if t not in found and not t.startswith("talk-")]
        assert not missing, f"{name}: {missing}"


def test_the_rewrites_keep_system_prompt_and_columns(write_config: Callable[..., Path]) -> None:
    path, records = write_sharegpt()
    config = write_config(**PLAIN, data={"path": path, "invalid": "skip"})
    printed = run_cli("run", str(config), expected=0).out
    assert (
        "own.json: 4 rows in ShareGPT form, 4 of several turns, 3 with a system prompt" in printed
    )
    rows = {row["seed_id"]: row for row in rows_of(RUN / "evolved.jsonl")}
    assert rows["talk-1"]["system"] == "Be short, 1."
    assert rows["talk-1"]["meta"] == {"source": "chat 1"}
    assert len(rows["talk-1"]["turns"]) == len(rows["talk-1"]["answers"]) == 2
    (rejected,) = rows_of(RUN / "rejected.jsonl")
    assert rejected["record"] == records[3]
    assert "function_call" in rejected["problem"]


def test_answers_are_filled_where_they_are_missing_alone(write_config: Callable[..., Path]) -> None:
    """In the file of another system, too: its answers are paid for already."""
    columns = ["instruction", "generation", "root", "trace", "origin", "output"]
    data = [
        ["Why?", 0, "r", "r", "Why?", "Since."],
        ["Why so?", 1, "r", "r4", "Why?", "IDK"],
    ]
    Path("whole.json").write_text(json.dumps({"columns": columns, "data": data}))
    config = write_config(
        **PLAIN,
        data={"path": "whole.json"},
        evolve={"rounds": 0},
        answer={"only_missing": True},
    )
    run_cli("run", str(config), expected=0)
    assert summary_of(RUN)["calls"] == 1
    run_cli("convert", str(RUN / "evolved.jsonl"), "filled.json", "--to", "koevol", expected=0)
    filled = json.loads(Path("filled.json").read_text())
    assert filled["columns"] == columns
    assert [row[:5] for row in filled["data"]] == [row[:5] for row in data]
    assert filled["data"][0] == data[0]
    assert filled["data"][1][5] not in ("IDK", "")


def test_filling_answers_needs_a_place_for_them(write_config: Callable[..., Path]) -> None:
    Path("own.jsonl").write_text('{"instruction": "Why?", "remark": "Since."}\n')
    sections = {"evolve": {"rounds": 0}, "answer": {"only_missing": True}}
    config = write_config(**PLAIN, **sections, data={"path": "own.jsonl"})
    refused = run_cli("run", str(config), expected=2)
    assert "answer.only_missing" in refused.err
    assert "data.fields.response" in refused.err
    assert not RUN.exists()


def test_a_further_round_over_a_runs_rows_is_the_run_with_one_round_more(
    write_config: Callable[..., Path],
) -> None:
    shared = {**PLAIN, "evolve": {"methods": ["weak"], "rounds": 1}}
    run_cli("run", str(write_config(5, **shared)), "--out", "one", expected=0)
    more = run_cli(
        *("run", str(write_config(5, **shared)), "--out", "more"),
        *("--set", "data.path=one/evolved.jsonl"),
        expected=0,
    )
    assert "go on in round 2 with their lineage" in more.out
    twice = {**shared, "evolve": {"methods": ["weak"], "rounds": 2}}
    run_cli("run", str(write_config(5, **twice)), "--out", "two", expected=0)
    second = [row for row in rows_of(Path("two/evolved.jsonl")) if row["round"] == 2]
    assert rows_of(Path("more/evolved.jsonl")) == second
