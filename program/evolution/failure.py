"""F: whether a row fails at a stage, by pure rules first, then by witnesses."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from autoevol.metrics import (
    Case,
    Reason,
    Rule,
    Stage,
    Thresholds,
    broken,
    compose,
    fails,
    for_evolver,
)
from autoevol.metrics.failure.evolvers import EvolverClass
from autoevol.program.witnesses.exam import Fitness
from autoevol.program.witnesses.judge import Judge
from autoevol.program.witnesses.solver import Solver
from autoevol.program.witnesses.teaching import Lesson, Teacher


@dataclass(frozen=True)
class FailureMetric:
    """F of the paper (section 3.3), per stage, with reasons.

    Attributes:
        evolve: Rules on the rewritten instruction.
        respond: Rules on the response; the paper's own rules all belong here.
        judge: Decides rules by answering questions; None: no rule needs it.
        solver: Decides rules by solving tasks; None: no rule needs it.
        teacher: Asks what a row teaches that passed the other stages; None: nobody asks.
    """

    evolve: tuple[Rule, ...]
    respond: tuple[Rule, ...]
    judge: Judge | None = None
    solver: Solver | None = None
    teacher: Teacher | None = None

    async def lesson(self, case: Case) -> Lesson | None:
        """Return whether a row teaches; None: F does not ask.

        Raises:
            AdapterParseError: The judge's reply does not parse, so F has no verdict.
            LMError: A call to a witness failed for good.
        """
        return await self.teacher.lesson(case) if self.teacher else None

    def without_teaching(self) -> "FailureMetric":
        """Return the metric without the stage `teach`."""
        return replace(self, teacher=None)

    async def reasons(
        self, stage: Stage, case: Case, also: tuple[Reason, ...] = ()
    ) -> tuple[Reason, ...]:
        """Return the rules that `case` breaks.

        Witnesses see only what the pure rules let pass or suspect. The judge is asked first: it
        takes fewer calls.

        Args:
            stage: Selects the rules.
            case: At this stage.
            also: Reasons of the caller's own, for a case without evidence against it.

        Raises:
            AdapterParseError: The judge's reply does not parse, so F has no verdict.
            LMError: A call to a witness failed for good.
        """
        rules = self.evolve if stage == "evolve" else self.respond
        reasons = broken(rules, case)
        if not fails(reasons):
            reasons = (*reasons, *also)
        for witness in self._witnesses:
            if fails(reasons):
                break
            reasons = await witness.decided(reasons, rules, case)
        return reasons

    def __call__(self, example: Any, prediction: Any, trace: object | None = None) -> float | bool:
        """Return how good a prediction is, as a metric of DSPy: 1 is sound, 0 failed.

        The pure rules of both stages decide; witnesses are not asked. Where DSPy collects
        demonstrations (`trace` is given) a suspected one is refused as well.

        Args:
            example: With the seed as `instruction`, and its answer as `response` if there is one.
            prediction: With `evolved_instruction`, and the answer as `response` if there is one.
            trace: DSPy's.
        """
        case = Case(
            source=example.instruction,
            evolved=prediction.evolved_instruction,
            expected=example.get("response") or "",
        )
        reasons = broken(self.evolve, case)
        if prediction.get("response") is not None:
            reasons += broken(self.respond, replace(case, response=prediction.response))
        return not reasons if trace is not None else float(not fails(reasons))

    def for_evolver(self, evolver: EvolverClass) -> "FailureMetric":
        """Return the metric with the rules that can speak of an evolver's rows."""
        return replace(self, evolve=for_evolver(self.evolve, evolver))

    @property
    def fitness(self) -> dict[str, Fitness]:
        """What the witnesses showed in their exams, by rule."""
        return {
            rule: fitness
            for witness in self._witnesses
            for rule, fitness in witness.exams.fitness.items()
        }

    async def prepare(self) -> None:
        """Hold the exams of the witnesses before the first row needs them.

        Raises:
            LMError: A call to a witness failed for good.
        """
        for witness in self._witnesses:
            await witness.prepare(self.evolve)

    @property
    def _witnesses(self) -> tuple[Judge | Solver, ...]:
        return tuple(witness for witness in (self.judge, self.solver) if witness)


def failure_metric(
    evolve: Sequence[str],
    respond: Sequence[str],
    *,
    thresholds: Thresholds | None = None,
    judge: Judge | None = None,
    solver: Solver | None = None,
    has_suspicions: bool = True,
) -> FailureMetric:
    """Return the metric made of two lists of rule sets and rules.

    Args:
        evolve: Names for the stage; a leading "-" removes.
        respond: The same.
        thresholds: Numbers that replace the rules' own.
        judge: Decides the rules that ask a judge.
        solver: Decides the rules that ask a solver.
        has_suspicions: Whether findings are of two kinds; else all are evidence.

    Raises:
        KeyError: A name is neither a rule nor a rule set.
        ValueError: A threshold is unknown.
    """

    def rules(names: Sequence[str], stage: Stage) -> tuple[Rule, ...]:
        chosen = compose(names, stage, thresholds)
        if has_suspicions:
            return chosen
        return tuple(replace(rule, finding="evidence") for rule in chosen)

    return FailureMetric(
        evolve=rules(evolve, "evolve"),
        respond=rules(respond, "respond"),
        judge=judge,
        solver=solver,
    )
