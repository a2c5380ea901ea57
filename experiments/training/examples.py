"""Rows as prompts and completions: what a student reads, and what it is to write."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.row_files import EVOLVED
from autoevol.experiments.data.formats.rows import row_from
from autoevol.experiments.data.formats.source import open_source
from autoevol.experiments.export.run_export import run_selection
from autoevol.program.draws import draw_number
from autoevol.program.errors import ConfigError
from autoevol.program.records import Row

Message = dict[str, str]
"""`role` and `content`."""


@dataclass(frozen=True, slots=True)
class Example:
    """What a student learns from one answer.

    Attributes:
        row: Id of the row.
        turn: Number of the answer in it, from 1.
        prompt: The conversation up to the answer.
        completion: The answer, which alone counts in the loss.
    """

    row: str
    turn: int
    prompt: tuple[Message, ...]
    completion: str

    def as_dict(self) -> dict[str, Any]:
        """Return the example in TRL's conversational form."""
        answer = [{"role": "assistant", "content": self.completion}]
        return {"prompt": list(self.prompt), "completion": answer}


@dataclass(frozen=True, slots=True)
class ExampleSet:
    """The examples of a set, in the order in which a smaller set takes them.

    Attributes:
        left_out: Rows that make no example, by reason.
        responders: Names of the models that wrote answers, as far as the rows tell.
    """

    examples: tuple[Example, ...]
    left_out: dict[str, int]
    responders: frozenset[str] = frozenset()

    @property
    def fingerprint(self) -> str:
        """Hash of the examples' content and order."""
        digest = hashlib.sha256()
        for example in self.examples:
            digest.update(json.dumps([example.prompt, example.completion]).encode())
        return digest.hexdigest()[:32]


def read_examples(target: Path) -> ExampleSet:
    """Return the examples of the rows that a run exports, or of a file, in a drawn order.

    A run's own config says which rounds are exported, and whether its seeds are. Rows that a filter
    took out, or that somebody has marked bad in `autoevol view`, are left out.

    Raises:
        ConfigError: The target cannot be read, or no row of it has an answer.
    """
    left_out: Counter[str] = Counter()
    examples: list[Example] = []
    responders: set[str] = set()
    for row in _rows(target, left_out):
        own = [*_of(row, left_out)]
        examples += own
        responders |= {row.model_respond} if own and row.model_respond else set()
    if not examples:
        raise ConfigError(str(target), "has no row with an answer to train on")
    # By the row's id: where a set grows, a smaller part of it stays mostly the same.
    examples.sort(key=lambda example: (draw_number("train", example.row), example.row))
    return ExampleSet(tuple(examples), dict(left_out), frozenset(responders))


def _rows(target: Path, left_out: Counter[str]) -> Iterator[Row]:
    """Yield the rows of a file, or those that a run exports."""
    if not (target / EVOLVED).is_file():
        yield from map(row_from, open_source(target).rows)
        return
    yield from map(row_from, run_selection(target).rows(left_out, unanswered=True))


def _of(row: Row, left_out: Counter[str]) -> Iterable[Example]:
    """Yield an example for each answer of a row."""
    questions = row.turns or (row.prompt,)
    answers = row.answers if row.turns else (row.response,)
    messages: list[Message] = [{"role": "system", "content": row.system}] if row.system else []
    for number, (question, answer) in enumerate(zip(questions, answers, strict=False), 1):
        messages.append({"role": "user", "content": question})
        if not answer.strip():
            left_out["without an answer"] += 1
            return
        yield Example(row.id, number, tuple(messages), answer)
        messages.append({"role": "assistant", "content": answer})


def question_examples(row: Row) -> list[Example]:
    """Return a row's questions, each with the answer that it may have."""
    questions = row.turns or (row.prompt,)
    answers = [*(row.answers if row.turns else (row.response,))]
    answers += [""] * (len(questions) - len(answers))
    return [
        Example(row.id, number, ({"role": "user", "content": question},), answer)
        for number, (question, answer) in enumerate(zip(questions, answers, strict=True), 1)
    ]


def first_rows(examples: Sequence[Example], rows: int | None) -> tuple[Example, ...]:
    """Return the examples of so many rows, the first in order; None: all."""
    if rows is None:
        return tuple(examples)
    names = list(dict.fromkeys(example.row for example in examples))
    chosen = {*names[:rows]}
    return tuple(example for example in examples if example.row in chosen)
