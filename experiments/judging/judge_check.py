"""A judge's answers about labelled rows; the ledger stores each call, so it is paid once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dspy.utils.exceptions import AdapterParseError

from autoevol.experiments.judging.labelled import LabelledRow
from autoevol.experiments.judging.session import judge_named, judge_session
from autoevol.experiments.models.ledger import LedgerSettings
from autoevol.experiments.terminal.progress import ProgressBar
from autoevol.metrics import RULE_SETS, RULES
from autoevol.program.blocks import run_blocks
from autoevol.program.evolution.judges import QUESTIONS, Fitness, Judge
from autoevol.program.listeners import Phase
from autoevol.program.roles import Role

MAX_TOKENS = 256


@dataclass(frozen=True, slots=True)
class JudgeVerdicts:
    """A judge's answers about all rows.

    Attributes:
        broken: For each row's id, the judge rules that the row breaks.
        unreadable: Answers that did not parse; the row counts as passed.
        fitness: The judge's results on the controls, by rule; a rule that the judge is not fit for
            flags no row.
    """

    broken: Mapping[str, frozenset[str]]
    unreadable: int
    fitness: Mapping[str, Fitness]


def judge_rules() -> list[str]:
    """Return the judge rules that a rule set contains."""
    members = {rule for rules in RULE_SETS.values() for rule in rules}
    return [rule for rule in QUESTIONS if rule in members and RULES[rule].detect is None]


def judge_rows(
    rows: Sequence[LabelledRow],
    model: str,
    ledger: Path,
    *,
    bar: ProgressBar,
    say: Callable[[str], None],
) -> JudgeVerdicts:
    """Ask the judge about every row that has an evolved text.

    Args:
        rows: Labelled rows.
        model: A litellm name, or `local/NAME`.
        ledger: Stores finished calls; a second check pays for none of them.
        bar: Shows the progress.
        say: Prints one line.

    Raises:
        ConfigError: The model cannot be used.
        WeightsError: A local model cannot be fetched or loaded.
        StoppedError: The user stopped the command; the same command pays for no call twice.
    """

    async def work(judge: Role, in_flight: int) -> JudgeVerdicts:
        return await _RowJudge(judge, bar).verdicts(rows, in_flight)

    settings = judge_named(model, max_tokens=MAX_TOKENS)
    bar.on_phase(Phase("judge", len(rows)))
    return judge_session(settings, LedgerSettings(ledger), work, bar=bar, say=say)


class _RowJudge:
    """Asks a judge about rows, several side by side."""

    def __init__(self, judge: Role, bar: ProgressBar) -> None:
        self.judge = Judge(judge)
        self.bar = bar
        self.broken: dict[str, frozenset[str]] = {}
        self.unreadable = 0

    async def verdicts(self, rows: Sequence[LabelledRow], in_flight: int) -> JudgeVerdicts:
        async def work(block: Sequence[LabelledRow]) -> None:
            for row in block:
                self.broken[row.id] = await self._broken_rules(row)
                self.bar.advance(failed=bool(self.broken[row.id]))

        for rule in judge_rules():
            await self.judge.is_fit(rule)
        await run_blocks(rows, work, size=1, in_flight=in_flight)
        return JudgeVerdicts(self.broken, self.unreadable, self.judge.fitness)

    async def _broken_rules(self, row: LabelledRow) -> frozenset[str]:
        if not (row.case.evolved or "").strip():
            return frozenset()
        return frozenset([rule for rule in judge_rules() if await self._is_broken(rule, row)])

    async def _is_broken(self, rule: str, row: LabelledRow) -> bool:
        try:
            return await self.judge.evidence(rule, row.rewrite) is not None
        except AdapterParseError:
            self.unreadable += 1
            return False
