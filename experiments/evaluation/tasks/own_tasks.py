"""Files of the user's as tasks: `checks:FILE`, `loss:FILE`, `open:FILE`."""

from collections.abc import Callable, Iterator
from pathlib import Path

from autoevol.experiments.data.formats.rows import row_from
from autoevol.experiments.data.formats.source import open_source
from autoevol.experiments.evaluation.tasks.grading import grade_checks
from autoevol.experiments.evaluation.tasks.items import Item, Message, Task
from autoevol.experiments.files.paths import local_path
from autoevol.program.checks.check import CheckError, checks_of
from autoevol.program.errors import ConfigError
from autoevol.program.records import Row


def own_task(name: str) -> Task:
    """Return a file as a task.

    Args:
        name: `KIND:FILE`.

    Raises:
        ConfigError: The file cannot be read, or no row of it makes a question.
    """
    kind, _, path = name.partition(":")
    file = local_path(path, name)
    items = tuple(OWN[kind](name, [row_from(row) for row in open_source(Path(file)).rows]))
    if not items:
        raise ConfigError(name, _NEEDS[kind])
    if kind == "checks":
        return Task(name, "answer", items, grade_checks, needs_sandbox=True)
    return Task(name, "loss" if kind == "loss" else "open", items)


def _conversation(row: Row) -> list[tuple[tuple[Message, ...], str]]:
    """Return what comes before each answer of a row, and the answer; "" where there is none."""
    messages: list[Message] = [{"role": "system", "content": row.system}] if row.system else []
    questions = row.turns or (row.prompt,)
    answers = [*(row.answers if row.turns else (row.response,))]
    answers += [""] * (len(questions) - len(answers))
    pairs = []
    for question, answer in zip(questions, answers, strict=True):
        messages = [*messages, {"role": "user", "content": question}]
        pairs.append((tuple(messages), answer))
        messages = [*messages, {"role": "assistant", "content": answer}]
    return pairs


def _checks(name: str, rows: list[Row]) -> Iterator[Item]:
    for row in rows:
        try:
            checks = checks_of(row.meta.get("checks"))
        except CheckError as error:
            raise ConfigError(f"{name}: row {row.id}", str(error)) from error
        if checks:
            # Of a conversation the checks are about its last answer.
            messages, answer = _conversation(row)[-1]
            # The row's own answer is shown to nobody; a study looks for it in its arms.
            key = {"checks": [check.as_json() for check in checks], "reference": answer}
            yield Item(row.id, messages, key)


def _answers(name: str, rows: list[Row]) -> Iterator[Item]:
    for row in rows:
        for turn, (messages, answer) in enumerate(_conversation(row), 1):
            if answer.strip():
                identity = row.id if turn == 1 else f"{row.id}:{turn}"
                yield Item(identity, messages, {"answer": answer})


def _open(name: str, rows: list[Row]) -> Iterator[Item]:
    for row in rows:
        # A conversation with answers is gone on with; its own last answer is not shown.
        messages, _ = _conversation(row)[-1]
        yield Item(row.id, messages)


OWN: dict[str, Callable[[str, list[Row]], Iterator[Item]]] = {
    "checks": _checks,
    "loss": _answers,
    "open": _open,
}
_NEEDS = {
    "checks": "has no row with checks (a column `checks`)",
    "loss": "has no row with an answer",
    "open": "has no row",
}
