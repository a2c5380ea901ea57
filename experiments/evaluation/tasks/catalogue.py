"""All tasks by name."""

import hashlib
import json
from collections import Counter
from dataclasses import replace

from autoevol.experiments.evaluation.tasks.benchmarks import (
    ANSWERED,
    CHOSEN,
    OPEN,
    READ,
    published_task,
)
from autoevol.experiments.evaluation.tasks.items import Task
from autoevol.experiments.evaluation.tasks.own_tasks import OWN, own_task
from autoevol.program.draws import draw_number
from autoevol.program.errors import ConfigError

HARNESS = "lm_eval:"


def open_task(name: str) -> Task:
    """Return a task with its items in a drawn order.

    Raises:
        ConfigError: There is no such task, or its questions cannot be had.
    """
    published = [*ANSWERED, *OPEN, *READ, *CHOSEN]
    if name in published:
        task = published_task(name)
    elif name.partition(":")[0] in OWN and ":" in name:
        task = own_task(name)
    else:
        raise ConfigError(
            f"--tasks {name}",
            f"no such task; must be one of {', '.join(published)}, "
            f"{', '.join(f'{kind}:FILE' for kind in OWN)}, {HARNESS}NAME",
        )
    counts = Counter(item.id for item in task.items)
    if twice := next((identity for identity, count in counts.items() if count > 1), None):
        raise ConfigError(name, f"two questions have the id {twice}")
    # By the id: a smaller set is a part of a larger one, and no file's order matters.
    items = sorted(task.items, key=lambda item: (draw_number("evaluate", item.id), item.id))
    return replace(task, items=tuple(items))


def limited_task(name: str, limit: int | None) -> tuple[Task, Task]:
    """Return a task with its first questions, and the whole one.

    Raises:
        ConfigError: As `open_task`.
    """
    task = open_task(name)
    return replace(task, items=task.items[:limit]), task


def fingerprint(task: Task) -> str:
    """Return the hash of a task's questions and of what grades them."""
    digest = hashlib.sha256()
    for item in sorted(task.items, key=lambda item: item.id):
        content = [item.id, [dict(m) for m in item.messages], dict(item.key)]
        digest.update(json.dumps(content, sort_keys=True).encode())
    return digest.hexdigest()[:32]
