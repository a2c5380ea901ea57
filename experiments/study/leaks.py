"""Rows that share words with a question: such an arm would learn its exam."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autoevol.experiments.evaluation.tasks.items import Item, Task
from autoevol.experiments.training.examples import Example
from autoevol.metrics.selection.contamination import Benchmark, is_long
from autoevol.program.errors import ConfigError

_ANSWERS = ("answer", "reference")
"""Keys of an item that hold an answer in full."""

_SOLUTION = 13
"""Words below which a solution is what many would write."""


@dataclass(frozen=True, slots=True)
class Leak:
    """A row that shares words with a question.

    Attributes:
        row: Its id.
        task: Of the question.
        words: The first that they share, in normal form.
    """

    row: str
    task: str
    words: str


@dataclass(frozen=True, slots=True)
class ExamTexts:
    """What no row of an arm may hold of a task.

    Attributes:
        said: What the model reads, system prompts aside, and long right answers.
        bare: Questions and solutions as published. A short one is a part of many texts, and only a
            row that consists of it holds it.
    """

    said: tuple[str, ...]
    bare: tuple[str, ...] = ()


def leaks(examples: Sequence[Example], questions: Mapping[str, ExamTexts], size: int) -> list[Leak]:
    """Return the rows that share words with any question or its right answer.

    Args:
        examples: Of an arm.
        questions: Texts of each task; see `texts_of`.
        size: Consecutive words that must be shared.
    """
    # Each text by itself: a short question leaks where a row consists of it.
    pairs = [(example.row, text) for example in examples for text in _texts(example)]
    texts = [text for _, text in pairs]
    indices = [
        (name, index)
        for name, own in questions.items()
        for index in (Benchmark(own.said, size=size), Benchmark(own.bare, size=size, least=size))
    ]
    return [
        Leak(pairs[hit.row][0], name, hit.run)
        for name, index in indices
        for hit in index.contamination(texts).hits
    ]


def _texts(example: Example) -> list[str]:
    said = [message["content"] for message in example.prompt if message["role"] != "system"]
    return [*said, example.completion]


def texts_of(task: Task) -> ExamTexts:
    """Return what no row may hold of a task.

    A short answer ("42") is left out: it is in many rows that know nothing of the task.
    """
    said = [text for item in task.items if not item.published for text in _said(item)]
    answers = (str(item.key.get(name) or "") for item in task.items for name in _ANSWERS)
    long = [answer for answer in answers if is_long(answer)]
    return ExamTexts((*said, *long), bare_texts([item.published for item in task.items]))


def bare_texts(published: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return questions with their long solutions; a question that several items ask is left out.

    Args:
        published: Of each item its question, then its solutions.
    """
    counts = Counter(texts[0] for texts in published if texts)
    solutions = (text for texts in published for text in texts[1:] if is_long(text, _SOLUTION))
    return (*(question for question, count in counts.items() if count == 1), *solutions)


def _said(item: Item) -> list[str]:
    return [message["content"] for message in item.messages if message["role"] != "system"]


def without_leaks(
    arm: str, examples: Sequence[Example], leaking: Sequence[Leak], *, drops: bool, where: str
) -> tuple[Example, ...]:
    """Return the examples of the rows that leak nothing.

    Args:
        arm: Its name.
        examples: Of the arm.
        leaking: Its rows that share words.
        drops: Leave them out.
        where: The study's file.

    Raises:
        ConfigError: There are leaks, and they are not to be dropped.
    """
    if leaking and not drops:
        first = leaking[0]
        rows = len({leak.row for leak in leaking})
        raise ConfigError(
            f"{where}: arms.{arm}",
            f"{rows:,} rows share words with a question, the first is {first.row} with "
            f'{first.task}: "{first.words}"; leaks: drop leaves them out',
        )
    rows_out = {leak.row for leak in leaking}
    return tuple(example for example in examples if example.row not in rows_out)
