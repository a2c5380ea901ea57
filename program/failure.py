"""F: whether a row failed at a stage, by pure rules first, then by a judge where a rule asks."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import dspy

from metrics import Case, Reason, Rule, Stage, broken, compose
from program.draws import draw_number
from program.roles import Role, ask
from signatures import JudgeEquality


@dataclass(frozen=True)
class FailureMetric:
    """F of the paper (section 3.3), per stage, with reasons.

    Attributes:
        evolve: Rules on the rewritten instruction.
        respond: Rules on the response; the paper's own rules all belong here.
        judge: Decides the rules that no text pattern can; needed only where `evolve` has one.
    """

    evolve: tuple[Rule, ...]
    respond: tuple[Rule, ...]
    judge: Role | None = None
    _equality: dspy.Predict = field(default_factory=lambda: dspy.Predict(JudgeEquality))

    async def reasons(self, stage: Stage, case: Case) -> tuple[Reason, ...]:
        """Return the rules that `case` breaks; the judge is asked only about what is still sound.

        Raises:
            AdapterParseError: The judge's reply does not parse, so F cannot be told.
            LMError: A call to the judge failed for good.
        """
        rules = self.evolve if stage == "evolve" else self.respond
        found = broken(rules, case)
        if found or self.judge is None or all(rule.detect is not None for rule in rules):
            return found
        return await self._judged(self.judge, case)

    async def _judged(self, judge: Role, case: Case) -> tuple[Reason, ...]:
        verdict = await ask(
            self._equality,
            judge,
            draw=draw_number("equal", case.source),
            first_instruction=case.source,
            second_instruction=case.evolved,
        )
        return (Reason("equal", "the judge calls it so"),) if verdict.are_equal else ()


def failure_metric(
    evolve: Sequence[str], respond: Sequence[str], *, judge: Role | None = None
) -> FailureMetric:
    """Return the metric made of two lists of rule sets and rules.

    Raises:
        KeyError: A name is neither a rule nor a rule set.
    """
    return FailureMetric(compose(evolve, "evolve"), compose(respond, "respond"), judge)
