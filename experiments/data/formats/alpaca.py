"""Alpaca's `instruction`, `input`, `output`, and its variants in LLaMA-Factory and self-instruct.

LLaMA-Factory adds `system` and `history`, pairs of earlier turns and replies. Self-instruct's seeds
keep input and output in `instances`.
"""

from typing import Any

from autoevol.experiments.data.formats.conversation import (
    Message,
    exchanges,
    is_conversation,
    row_of,
)
from autoevol.experiments.data.formats.rows import META, Notes, RowDict, new_row, plain, prompt_of
from autoevol.experiments.files.records import Record


def read_alpaca(record: Record, notes: Notes) -> RowDict:
    """Return the row of a record; a history makes it a conversation."""
    instruction, context = record.text("instruction"), record.optional_text("input")
    output, system = record.present_text("output"), record.optional_text("system")
    row = new_row(instruction, input=context, response=output)
    history = _history(record)
    if history:
        # LLaMA-Factory keeps the newest exchange outside the history, its prompt with the input.
        last = [("user", prompt_of(row)), ("assistant", output)]
        row = row_of(record, "history", [*history, *last])
    return {**row, **({"system": system} if system else {}), "id": record.name("id") or ""}


def _history(record: Record) -> list[Message]:
    pairs = record.value.get("history") or []
    if not isinstance(pairs, list):
        raise record.error("history", f"must be a list of pairs, is {type(pairs).__name__}")
    messages: list[Message] = []
    for number, pair in enumerate(pairs):
        at = f"history[{number}]"
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise record.error(at, "must be a pair of a turn and its reply")
        turn, reply = (record.checked(at, text) for text in pair)
        messages += [("user", turn), ("assistant", reply)]
    return messages


def write_alpaca(row: RowDict) -> RowDict:
    """Return `instruction`, `input`, `output`, and `system` and `history` where there are any.

    `history` has the earlier exchanges of a conversation.
    """
    system = {"system": row["system"]} if row.get("system") else {}
    if not is_conversation(row):
        return {
            "instruction": row["instruction"],
            "input": row.get("input") or "",
            "output": row.get("response") or "",
            **system,
        }
    *earlier, (turn, reply) = exchanges(row)
    history = [list(pair) for pair in earlier]
    return {"instruction": turn, "input": "", "output": reply, **system, "history": history}


def write_llama_factory(row: RowDict) -> RowDict:
    """Return Alpaca's record with `system` and `history`; both may be empty."""
    return {"system": "", "history": [], **write_alpaca(row)}


def read_self_instruct(record: Record, notes: Notes) -> RowDict:
    """Return the row of a record's first instance; further ones are counted, and go to `meta`."""
    instances: Any = record.value.get("instances")
    if not isinstance(instances, list) or not instances or not isinstance(instances[0], dict):
        raise record.error("instances", "must be a list of objects with input and output")
    if len(instances) > 1:
        notes["instances after a row's first one are in meta"] += len(instances) - 1
    first = Record(f"{record.place}: instances[0]", instances[0])
    row = new_row(
        record.text("instruction"),
        input=first.optional_text("input"),
        response=first.present_text("output"),
        id=record.name("id") or "",
    )
    others = {key: value for key, value in instances[0].items() if key not in ("input", "output")}
    meta = {"instances": plain(instances[1:])} if len(instances) > 1 else {}
    meta |= {"instance": plain(others)} if others else {}
    return {**row, META: meta} if meta else row


def write_self_instruct(row: RowDict) -> RowDict:
    """Return `id`, `instruction` and one instance."""
    instance = {"input": row.get("input") or "", "output": row.get("response") or ""}
    others = (row.get(META) or {}).get("instances") or []
    return {"id": row["id"], "instruction": row["instruction"], "instances": [instance, *others]}
