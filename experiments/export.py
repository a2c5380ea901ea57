"""Kept rows in the formats that trainers read."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from experiments.writing import write_whole

Format = Callable[[dict[str, Any]], dict[str, Any]]


def alpaca(row: dict[str, Any]) -> dict[str, Any]:
    """Return `instruction`, `input`, `output`."""
    return {"instruction": row["instruction"], "input": row["input"], "output": row["response"]}


def messages(row: dict[str, Any]) -> dict[str, Any]:
    """Return OpenAI's `messages`."""
    return {
        "messages": [
            {"role": "user", "content": _prompt(row)},
            {"role": "assistant", "content": row["response"]},
        ]
    }


def sharegpt(row: dict[str, Any]) -> dict[str, Any]:
    """Return ShareGPT's `conversations`."""
    return {
        "conversations": [
            {"from": "human", "value": _prompt(row)},
            {"from": "gpt", "value": row["response"]},
        ]
    }


FORMATS: dict[str, Format] = {"alpaca": alpaca, "messages": messages, "sharegpt": sharegpt}


def export(folder: Path, names: list[str]) -> None:
    """Write `exports/NAME.jsonl` for each format; rows that a filter marked are left out."""
    for name in names:
        lines = (json.dumps(FORMATS[name](row), ensure_ascii=False) for row in _kept(folder))
        write_whole(folder / f"exports/{name}.jsonl", "".join(f"{line}\n" for line in lines))


def _kept(path: Path) -> Iterator[dict[str, Any]]:
    with (path / "evolved.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            row: dict[str, Any] = json.loads(line)
            if row["filtered_by"] is None:
                yield row


def _prompt(row: dict[str, Any]) -> str:
    return f"{row['instruction']}\n\n{row['input']}" if row["input"] else str(row["instruction"])
