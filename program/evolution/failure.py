"""F: whether a row fails at a stage, by pure rules first, then by a judge where a rule needs it."""

from collections.abc import Sequence
from dataclasses import dataclass

from autoevol.metrics import Case, Reason, Rule, Stage, Thresholds, broken, compose
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
        if reasons or self.judge is None:
            return reasons
        return await self._judge_reasons(self.judge, rules, case)

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
) -> FailureMetric:
    """Return the metric made of two lists of rule sets and rules.

    Raises:
        KeyError: A name is neither a rule nor a rule set.
        ValueError: A threshold is unknown.
    """
    return FailureMetric(
        evolve=compose(evolve, "evolve", thresholds),
        respond=compose(respond, "respond", thresholds),
        judge=Judge(judge) if judge else None,
    )
