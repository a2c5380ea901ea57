"""F: whether a row fails at a stage, by pure rules first, then by a judge where a rule needs it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
from autoevol.program.evolution.judges import QUESTIONS, Judge
from autoevol.program.roles import Role


@dataclass(frozen=True)
class FailureMetric:
    """F of the paper (section 3.3), per stage, with reasons.

    Attributes:
        evolve: Rules on the rewritten instruction.
        respond: Rules on the response; the paper's own rules all belong here.
        judge: Decides the rules that no text pattern can; None: no rule needs it.
    """

    evolve: tuple[Rule, ...]
    respond: tuple[Rule, ...]
    judge: Judge | None = None

    async def reasons(self, stage: Stage, case: Case) -> tuple[Reason, ...]:
        """Return the rules that `case` breaks.

        The judge sees only what the pure rules let pass, one question after the other, until one
        of them fails the case: a failed row costs no further call.

        Raises:
            AdapterParseError: The judge's reply does not parse, so F has no verdict.
            LMError: A call to the judge failed for good.
        """
        rules = self.evolve if stage == "evolve" else self.respond
        reasons = broken(rules, case)
        if fails(reasons) or self.judge is None:
            return reasons
        return (*reasons, *await self._judge_reasons(self.judge, rules, case))

    def for_evolver(self, evolver: EvolverClass) -> "FailureMetric":
        """Return the metric with the rules that can speak of an evolver's rows."""
        return replace(self, evolve=for_evolver(self.evolve, evolver))

    async def prepare(self) -> None:
        """Test the judge on the controls before the first row needs it.

        Raises:
            LMError: A call to the judge failed for good.
        """
        for rule in self.evolve:
            if self.judge is not None and rule.detect is None:
                await self.judge.is_fit(rule.name)

    async def _judge_reasons(
        self, judge: Judge, rules: Sequence[Rule], case: Case
    ) -> tuple[Reason, ...]:
        names = {rule.name for rule in rules if rule.needs_judge(case)}
        # The set's own order differs from process to process, and the calls would differ with it.
        for name in QUESTIONS:
            evidence = await judge.evidence(name, case) if name in names else None
            if evidence is not None:
                return (Reason(name, evidence),)
        return ()


def failure_metric(
    evolve: Sequence[str],
    respond: Sequence[str],
    *,
    thresholds: Thresholds | None = None,
    judge: Role | None = None,
    has_suspicions: bool = True,
) -> FailureMetric:
    """Return the metric made of two lists of rule sets and rules.

    Args:
        evolve: Names for the stage; a leading "-" removes.
        respond: The same.
        thresholds: Numbers that replace the rules' own.
        judge: Decides the rules without a detector.
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
        judge=Judge(judge) if judge else None,
    )
