"""Alpaca's `instruction`, `input`, `output`, with what LLaMA-Factory and self-instruct make of it.

LLaMA-Factory adds `system` and `history`, pairs of earlier turns and replies. Self-instruct's seeds
keep input and output in `instances`.
"""

from typing import Any

from autoevol.experiments.data.formats.conversation import exchanges, is_conversation, row_of
from autoevol.experiments.data.formats.rows import Notes, RowDict, new_row, prompt_of
from autoevol.experiments.files.records import Record


def read_alpaca(record: Record, notes: Notes) -> RowDict:
    """Return the row of a record; a history makes it a conversation."""
    instruction, given = record.text("instruction"), record.optional_text("input")
    output, system = record.present_text("output"), record.optional_text("system")
    row = new_row(instruction, input=given, response=output)
    history = _history(record)
    if history:
        told = [message for pair in history for message in pair]
        last = [("user", prompt_of(row)), ("assistant", output)]
        row = row_of(record, "history", [*told, *last])
    return {**row, **({"system": system} if system else {}), "id": record.name("id") or ""}


def _history(record: Record) -> list[list[tuple[str, str]]]:
    found = record.value.get("history") or []
    if not isinstance(found, list):
        raise record.wrong("history", f"must be a list of pairs, is {type(found).__name__}")
    pairs = []
    for number, pair in enumerate(found):
        at = f"history[{number}]"
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise record.wrong(at, "must be a pair of a turn and its reply")
        said, reply = (record.sound(at, text) for text in pair)
        pairs.append([("user", said), ("assistant", reply)])
    return pairs


def write_alpaca(row: RowDict) -> RowDict:
    """Return `instruction`, `input`, `output`; of a conversation the last, the others `history`."""
    if not is_conversation(row):
        return {
            "instruction": row["instruction"],
            "input": row.get("input") or "",
            "output": row.get("response") or "",
        }
    *earlier, (said, reply) = exchanges(row)
    history = [list(pair) for pair in earlier]
    return {"instruction": said, "input": "", "output": reply, "history": history}


def write_llama_factory(row: RowDict) -> RowDict:
    """Return Alpaca's record with `system` and `history`, both of which may be empty."""
    return {"system": row.get("system") or "", "history": [], **write_alpaca(row)}


def read_self_instruct(record: Record, notes: Notes) -> RowDict:
    """Return the row of a record's first instance; further ones are counted."""
    instances: Any = record.value.get("instances")
    if not isinstance(instances, list) or not instances or not isinstance(instances[0], dict):
        raise record.wrong("instances", "must be a list of objects with input and output")
    if len(instances) > 1:
        notes["instances after a row's first one were left out"] += len(instances) - 1
    first = Record(f"{record.place}: instances[0]", instances[0])
    return new_row(
        record.text("instruction"),
        input=first.optional_text("input"),
        response=first.present_text("output"),
        id=record.name("id") or "",
    )


def write_self_instruct(row: RowDict) -> RowDict:
    """Return `id`, `instruction` and one instance."""
    instance = {"input": row.get("input") or "", "output": row.get("response") or ""}
    return {"id": row["id"], "instruction": row["instruction"], "instances": [instance]}
