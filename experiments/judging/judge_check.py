"""Asking a judge model about labelled rows, through the engine: each call is paid once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dspy.utils.exceptions import AdapterParseError

from autoevol.experiments.judging.labelled import Labelled
from autoevol.experiments.judging.session import judge_named, judge_session
from autoevol.experiments.terminal.progress import ProgressBar
from autoevol.metrics import RULE_SETS, RULES
from autoevol.program.blocks import run_blocks
from autoevol.program.evolution.judges import QUESTIONS, Fitness, Judge
from autoevol.program.listeners import Phase
from autoevol.program.roles import Role

MAX_TOKENS = 256


@dataclass(frozen=True, slots=True)
class JudgeVerdicts:
    """What a judge said.

    Attributes:
        broken: For each row's id, the judge's rules that it breaks.
        unreadable: Answers that did not parse; their rows count as passed.
        fitness: How it did on the controls, by rule; a rule it is not fit for flags nothing.
    """

    broken: Mapping[str, frozenset[str]]
    unreadable: int
    fitness: Mapping[str, Fitness]


def judge_rules() -> list[str]:
    """Return the judge's rules that a rule set asks for."""
    named = {rule for members in RULE_SETS.values() for rule in members}
    return [rule for rule in QUESTIONS if rule in named and RULES[rule].detect is None]


def judged(
    rows: Sequence[Labelled],
    model: str,
    ledger: Path,
    *,
    bar: ProgressBar,
    say: Callable[[str], None],
) -> JudgeVerdicts:
    """Ask the judge about each row that has an evolved text.

    Args:
        rows: Labelled rows.
        model: A litellm name, or `local/NAME`.
        ledger: Finished calls; a second check pays nothing.
        bar: Shows the progress.
        say: Takes one line for people.

    Raises:
        ConfigError: The model cannot be used.
        WeightsError: A local model cannot be fetched or loaded.
        StoppedError: The user wishes to stop; the same command pays no call twice.
    """

    async def work(judge: Role, in_flight: int) -> JudgeVerdicts:
        return await _Bench(judge, bar).verdicts(rows, in_flight)

    settings = judge_named(model, max_tokens=MAX_TOKENS)
    bar.on_phase(Phase("judge", len(rows)))
    return judge_session(settings, ledger, work, bar=bar, say=say)


class _Bench:
    """Asks about rows, many side by side."""

    def __init__(self, judge: Role, bar: ProgressBar) -> None:
        self.judge = Judge(judge)
        self.bar = bar
        self.broken: dict[str, frozenset[str]] = {}
        self.unreadable = 0

    async def verdicts(self, rows: Sequence[Labelled], in_flight: int) -> JudgeVerdicts:
        async def work(block: Sequence[Labelled]) -> None:
            for row in block:
                self.broken[row.id] = await self._of(row)
                self.bar.advance(failed=bool(self.broken[row.id]))

        for rule in judge_rules():
            await self.judge.is_fit(rule)
        await run_blocks(rows, work, size=1, in_flight=in_flight)
        return JudgeVerdicts(self.broken, self.unreadable, self.judge.fitness)

    async def _of(self, row: Labelled) -> frozenset[str]:
        if not (row.case.evolved or "").strip():
            return frozenset()
        return frozenset([rule for rule in judge_rules() if await self._says(rule, row)])

    async def _says(self, rule: str, row: Labelled) -> bool:
        try:
            return await self.judge.evidence(rule, row.rewrite) is not None
        except AdapterParseError:
            self.unreadable += 1
            return False
