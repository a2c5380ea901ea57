"""Tasks of lm-evaluation-harness, run by the harness itself on a model in this process.

Code that an answer holds is never run by it: its programming tasks are refused.
"""

import contextlib
import hashlib
import io
import json
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoevol.experiments.config.evaluate import EvaluateConfig
from autoevol.experiments.evaluation.tasks.catalogue import HARNESS
from autoevol.experiments.evaluation.tasks.grading import EXTRA
from autoevol.experiments.evaluation.tasks.items import ItemResult
from autoevol.experiments.evaluation.weights import WeightsModel, batch_memory
from autoevol.metrics.selection.contamination import is_long
from autoevol.program.draws import draw_number
from autoevol.program.errors import ConfigError

_FIGURES = (
    "acc_norm",
    "acc",
    "exact_match",
    "prompt_level_strict_acc",
    "em",
    "f1",
)
"""Of the figures of an item, the one that counts: the first that it has."""

_QUESTIONS = ("question", "query", "problem", "prompt", "goal", "instruction", "text", "passage")
"""Fields in which tasks keep their questions."""


def run_harness(name: str, model: WeightsModel, config: EvaluateConfig) -> list[ItemResult]:
    """Run a task; return the result of each question.

    Args:
        name: `lm_eval:NAME`.
        model: In this process.
        config: Questions of a task, the folder of task files, the chat template.

    Raises:
        ConfigError: The harness is not installed, has no such task, cannot have its questions, or
            would run code.
    """
    check_harness(name)
    import lm_eval
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager, get_task_dict

    own = name.removeprefix(HARNESS)
    with _errors(name), batch_memory(config), _quiet():
        manager = TaskManager(include_path=config.harness_tasks)
        tasks = _leaves(get_task_dict([own], manager)) if config.limit else []
        outcome = lm_eval.simple_evaluate(
            model=HFLM(
                pretrained=model.loaded.model,
                tokenizer=model.loaded.tokenizer,
                batch_size=config.batch,
                max_length=model.loaded.max_tokens,
            ),
            tasks=[own],
            samples=_drawn(tasks, config.limit) if config.limit else None,
            task_manager=manager,
            apply_chat_template=config.harness_chat,
            confirm_run_unsafe_code=False,
            bootstrap_iters=0,
            random_seed=0,
        )
    samples = [(task, sample) for task, own in outcome["samples"].items() for sample in own]
    return _results(samples)


def _drawn(tasks: Sequence[Any], limit: int) -> dict[str, list[int]]:
    """Return the numbers of the questions of each task that are given."""
    names = {task.config.task: len(task.eval_docs) for task in tasks}
    return {
        name: sorted(range(count), key=lambda n: draw_number("evaluate", name, n))[:limit]
        for name, count in names.items()
    }


@dataclass(frozen=True, slots=True)
class HarnessQuestions:
    """The questions of a task, or of all tasks of a group.

    Attributes:
        count: How many there are.
        prompts: As the task puts them, and long right answers.
        fields: The texts of each question that its fields hold alone.
        digest: Hash of texts and right answers, and of how they are asked.
    """

    count: int
    prompts: tuple[str, ...]
    fields: tuple[str, ...]
    digest: str


def harness_questions(name: str, config: EvaluateConfig) -> HarnessQuestions:
    """Return the questions of a task of the harness.

    Raises:
        ConfigError: As `run_harness`.
    """
    if config.harness_tasks and not Path(config.harness_tasks).is_dir():
        raise ConfigError("evaluate.harness_tasks", f"no such folder: {config.harness_tasks}")
    check_harness(name)
    from lm_eval.tasks import TaskManager, get_task_dict

    with _errors(name), _quiet():
        manager = TaskManager(include_path=config.harness_tasks)
        tasks = _leaves(get_task_dict([name.removeprefix(HARNESS)], manager))
        docs = [(task, doc) for task in tasks for doc in task.eval_docs]
        prompts = [str(task.doc_to_text(doc)) for task, doc in docs]
        drawn = [config.limit, "drawn"] if config.limit else None
        content = [prompts, [str(doc) for _, doc in docs], drawn, config.harness_chat]
        targets = [answer for task, doc in docs if is_long(answer := str(task.doc_to_target(doc)))]
        fields = tuple(text for _, doc in docs for text in _fields(doc))
    digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()
    return HarnessQuestions(len(docs), (*prompts, *targets), fields, digest[:32])


def _fields(doc: Mapping[str, Any]) -> list[str]:
    """Return the texts of a document by themselves, without what a prompt says around them."""
    values = (doc.get(name) for name in _QUESTIONS)
    return [value for value in values if isinstance(value, str) and value.strip()]


def _leaves(tree: Mapping[Any, Any]) -> list[Any]:
    """Return the tasks of a tree of groups."""
    parts = [_leaves(v) if isinstance(v, Mapping) else [v] for v in tree.values()]
    return [task for part in parts for task in part]


def check_harness(name: str) -> None:
    """Return if lm-evaluation-harness is installed.

    Raises:
        ConfigError: It is not.
    """
    try:
        import lm_eval  # noqa: F401
    except ImportError as error:
        raise ConfigError(name, f"needs lm-evaluation-harness: {EXTRA}") from error


def _results(samples: Sequence[tuple[str, Mapping[str, Any]]]) -> list[ItemResult]:
    # A task with several filters has a sample for each; the last one reads the answer most freely.
    results = {f"{task}-{sample['doc_id']}": _result(task, sample) for task, sample in samples}
    return list(results.values())


def _result(task: str, sample: Mapping[str, Any]) -> ItemResult:
    figure = next((name for name in _FIGURES if name in sample), "")
    value = sample.get(figure)
    score = float(value) if isinstance(value, int | float) else None
    answer = str(sample.get("filtered_resps", ""))[:2000]
    evidence = figure if score is not None else "no figure that is known here"
    return ItemResult(f"{task}-{sample['doc_id']}", score, answer, evidence)


@contextlib.contextmanager
def _errors(name: str) -> Iterator[None]:
    """Turn what the harness raises for a task that it cannot run into one line."""
    try:
        yield
    # Tasks are programs of other people's: a template, a YAML file or a function may fail anyhow.
    except ConfigError:
        raise
    except Exception as error:
        reason = next(filter(None, str(error).strip().splitlines()), type(error).__name__)
        if "unsafe code" in str(error).lower():
            reason = "it runs code of answers; the tasks humaneval and mbpp run it in a sandbox"
        raise ConfigError(f"--tasks {name}", f"the harness cannot run it: {reason}") from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hide what the harness prints."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    sink = io.StringIO()
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(sink),
            contextlib.redirect_stderr(sink),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
