"""Rows that share words with a question: such an arm would learn its exam."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autoevol.experiments.evaluation.tasks.items import Task
from autoevol.experiments.training.examples import Example
from autoevol.metrics.selection.contamination import Benchmark
from autoevol.program.errors import ConfigError


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


def leaks(
    examples: Sequence[Example], questions: Mapping[str, Sequence[str]], size: int
) -> list[Leak]:
    """Return the rows that share words with any question or its right answer.

    Args:
        examples: Of an arm.
        questions: Texts of each task; see `texts_of`.
        size: Consecutive words that must be shared.
    """
    texts = [_text(example) for example in examples]
    return [
        Leak(examples[hit.row].row, name, hit.run)
        for name, own in questions.items()
        for hit in Benchmark(own, size=size).contamination(texts).hits
    ]


def _text(example: Example) -> str:
    return "\n".join([*(message["content"] for message in example.prompt), example.completion])


def texts_of(task: Task) -> list[str]:
    """Return a task's questions, and the answers of which a loss is taken."""
    questions = [item.question for item in task.items]
    return questions + [str(item.key["answer"]) for item in task.items if "answer" in item.key]


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
