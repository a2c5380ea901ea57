"""All tasks of a request, question by question; what is finished is not done again."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autoevol.experiments.artifacts.folder import alone_in
from autoevol.experiments.evaluation.endpoint import ROLE, EndpointModel, endpoint_settings
from autoevol.experiments.evaluation.model import Answer, EvaluatedModel
from autoevol.experiments.evaluation.request import EvaluatePlan, write_identity
from autoevol.experiments.evaluation.results import read_results, write_results
from autoevol.experiments.evaluation.tasks.items import Item, ItemResult, Task
from autoevol.experiments.evaluation.weights import open_weights
from autoevol.experiments.judging.session import model_session
from autoevol.experiments.models.ledger import LedgerSettings
from autoevol.experiments.sandbox import open_sandbox
from autoevol.experiments.terminal.progress import ProgressBar
from autoevol.program.listeners import Phase
from autoevol.program.roles import Role
from autoevol.program.sandbox import Sandbox

Results = Mapping[str, Mapping[str, ItemResult]]
"""By task and by the question's id."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A plan at work.

    Attributes:
        plan: The request.
        model: The model.
        bar: Shows the progress.
        say: Gets a line where a sandbox is left out.
    """

    plan: EvaluatePlan
    model: EvaluatedModel
    bar: ProgressBar
    say: Callable[[str], None]

    async def run(self) -> dict[str, dict[str, ItemResult]]:
        """Return the results of all questions, those of earlier commands included."""
        async with self._sandbox() as sandbox:
            return {task.name: await self._of_task(task, sandbox) for task in self.plan.tasks}

    @contextlib.asynccontextmanager
    async def _sandbox(self) -> AsyncIterator[Sandbox | None]:
        if not any(task.needs_sandbox for task in self.plan.tasks):
            yield None
            return
        async with open_sandbox(self.plan.config.sandbox, say=self.say) as sandbox:
            yield sandbox

    async def _of_task(self, task: Task, sandbox: Sandbox | None) -> dict[str, ItemResult]:
        file = self.plan.file_of(task.name)
        held = read_results(file)
        held |= await self._graded_again(task, held, sandbox)
        missing = [item for item in task.items if item.id not in held]
        self.bar.on_phase(Phase(task.name, len(missing)))
        unanswered: dict[str, ItemResult] = {}
        for block in _blocks(missing, self.model.block):
            results, problems = await self._of_block(task, block, sandbox)
            write_results(file, results)
            held |= {result.id: result for result in results}
            unanswered |= {result.id: result for result in problems}
            for _ in block:
                self.bar.advance(failed=False)
        return {item.id: held.get(item.id) or unanswered[item.id] for item in task.items}

    async def _graded_again(
        self, task: Task, held: Mapping[str, ItemResult], sandbox: Sandbox | None
    ) -> dict[str, ItemResult]:
        """Return results of answers that could not be graded before, and can be now."""
        if task.grade is None:
            return {}
        answered = [
            (item, held[item.id].answer)
            for item in task.items
            if item.id in held and held[item.id].score is None
        ]
        results = await task.grade(answered, sandbox) if answered else []
        scored = [result for result in results if result.score is not None]
        if scored:
            write_results(self.plan.file_of(task.name), scored)
        return {result.id: result for result in scored}

    async def _of_block(
        self, task: Task, block: Sequence[Item], sandbox: Sandbox | None
    ) -> tuple[list[ItemResult], list[ItemResult]]:
        """Return the results of some questions, and those that the model could not be asked."""
        if task.way == "loss":
            return await self._losses(block), []
        if task.way == "choose":
            return await self._choices(block), []
        answers = await self.model.answers(block)
        pairs = list(zip(block, answers, strict=True))
        answered = [(item, answer.text) for item, answer in pairs if not answer.problem]
        problems = [
            ItemResult(item.id, None, evidence=answer.problem)
            for item, answer in pairs
            if answer.problem
        ]
        if task.grade is None:
            return [ItemResult(item.id, None, text, "open") for item, text in answered], problems
        return (await task.grade(answered, sandbox) if answered else []), problems

    async def _losses(self, block: Sequence[Item]) -> list[ItemResult]:
        answers = [str(item.key["answer"]) for item in block]
        log_probs = await self.model.log_probs(block, answers)
        return [_loss(item, values) for item, values in zip(block, log_probs, strict=True)]

    async def _choices(self, block: Sequence[Item]) -> list[ItemResult]:
        pairs = [(item, str(choice)) for item in block for choice in item.key["choices"]]
        log_probs = await self.model.log_probs(*zip(*pairs, strict=True))
        scores = iter(zip(pairs, log_probs, strict=True))
        return [_choice(item, [next(scores) for _ in item.key["choices"]]) for item in block]


def _loss(item: Item, values: Sequence[float]) -> ItemResult:
    if not values:
        return ItemResult(item.id, None, evidence="no token, or the template refuses it")
    loss = -sum(values) / len(values)
    if not math.isfinite(loss):
        return ItemResult(item.id, None, evidence="the model gives no number")
    return ItemResult(item.id, loss, weight=len(values))


def _choice(item: Item, scores: Sequence[tuple[tuple[Item, str], Sequence[float]]]) -> ItemResult:
    """Return the result of a question with choices: by letter, a long choice is no less likely."""
    means = [sum(values) / max(1, len(choice)) for (_, choice), values in scores]
    if not all(map(math.isfinite, means)):
        return ItemResult(item.id, None, evidence="the model gives no number")
    best = means.index(max(means))
    right = int(item.key["right"])
    answer, wanted = (str(item.key["choices"][number]).strip() for number in (best, right))
    return ItemResult(item.id, float(best == right), answer, "" if best == right else wanted)


def _blocks(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    # Conversations of like length share a block, so that little of it is padding.
    ordered = sorted(items, key=lambda item: sum(len(m["content"]) for m in item.messages))
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


def run_evaluation(
    plan: EvaluatePlan, bar: ProgressBar, say: Callable[[str], None]
) -> dict[str, dict[str, ItemResult]]:
    """Give all questions that have no result yet; return all results.

    Raises:
        ConfigError: The model or a sandbox cannot be used.
        StoppedError: The user stopped the command, or the endpoint stays unavailable; the same
            command resumes.
    """
    if _is_answered(plan):
        return _graded(plan, bar, say)
    opened: Any = None
    if plan.kind == "weights":
        bar.on_phase(Phase("load the model", 0))
        opened = open_weights(plan.source, plan.config, "autoevol evaluate")
    with alone_in(plan.folder):
        write_identity(plan)
        if opened is not None:
            return asyncio.run(Evaluation(plan, opened, bar, say).run())
        return _called(plan, bar, say)


def _called(
    plan: EvaluatePlan, bar: ProgressBar, say: Callable[[str], None]
) -> dict[str, dict[str, ItemResult]]:
    settings = endpoint_settings(plan.source, plan.config, "autoevol evaluate")

    async def work(roles: Mapping[str, Role], in_flight: int) -> dict[str, dict[str, ItemResult]]:
        model = EndpointModel(roles[ROLE], settings.in_flight)
        return await Evaluation(plan, model, bar, say).run()

    ledger = LedgerSettings(plan.folder / "ledger.sqlite")
    return model_session({ROLE: settings}, ledger, work, bar=bar, say=say)


def _is_answered(plan: EvaluatePlan) -> bool:
    return all(
        {item.id for item in task.items} <= read_results(plan.file_of(task.name)).keys()
        for task in plan.tasks
    )


def _graded(
    plan: EvaluatePlan, bar: ProgressBar, say: Callable[[str], None]
) -> dict[str, dict[str, ItemResult]]:
    """Return all results; answers without a score are graded again, and no model is opened."""
    held = {task.name: read_results(plan.file_of(task.name)) for task in plan.tasks}
    is_graded = all(
        held[task.name][item.id].score is not None
        for task in plan.tasks
        if task.grade
        for item in task.items
    )
    if is_graded:
        return {t.name: {item.id: held[t.name][item.id] for item in t.items} for t in plan.tasks}
    with alone_in(plan.folder):
        return asyncio.run(Evaluation(plan, _NoModel(), bar, say).run())


class _NoModel:
    """Stands for the model where every question has its answer."""

    block = 1

    async def answers(self, items: Sequence[Item]) -> list[Answer]:
        raise RuntimeError("no question is left to ask")

    async def log_probs(self, items: Sequence[Item], texts: Sequence[str]) -> list[list[float]]:
        raise RuntimeError("no question is left to ask")
