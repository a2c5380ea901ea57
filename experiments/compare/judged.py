"""`autoevol compare`: runs side by side, and two sets before a judge."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.table import Table

from autoevol.experiments.artifacts.folder import alone_in
from autoevol.experiments.compare.request import CompareRequest
from autoevol.experiments.compare.sides import pairs_of
from autoevol.experiments.files.atomic import whole_file
from autoevol.experiments.judging.session import judge_named, judge_session
from autoevol.experiments.terminal.progress import ProgressBar
from autoevol.metrics.quality.lexical import lengths
from autoevol.metrics.quality.preference import first_share, longer_share, position_bias, tally
from autoevol.metrics.stats.intervals import Estimate
from autoevol.program.listeners import Phase
from autoevol.program.roles import Role
from autoevol.program.scoring.comparison import Compared, compare_pairs


@dataclass
class Comparison:
    """What the judge said of all pairs."""

    request: CompareRequest
    found: list[Compared] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """Return outcomes with intervals, the sign test, and what else than quality decided."""
        counted = tally(each.outcome for each in self.found)
        asked = [each for each in self.found if each.ours_first or each.ours_second]
        words = [lengths([each.pair.ours, each.pair.theirs]) for each in asked]
        longer = longer_share(
            (each.outcome, mine, yours) for each, (mine, yours) in zip(asked, words, strict=True)
        )
        return {
            "won": counted.won,
            "tied": counted.tied,
            "lost": counted.lost,
            "unscored": counted.unscored,
            "win": _plain(counted.win),
            "tie": _plain(counted.tie),
            "lose": _plain(counted.lose),
            "p_value": counted.p_value,
            "longer_wins": _plain(longer),
            **self._position(asked),
        }

    def _position(self, asked: Sequence[Compared]) -> dict[str, Any]:
        if self.request.order == "drawn":
            verdicts = [each.ours_first or each.ours_second for each in asked]
            return {"first_preferred": _plain(first_share(verdicts))}
        bias = position_bias((each.ours_first, each.ours_second) for each in asked)
        return {
            "conflicts": _plain(bias.conflict),
            "first_preferred_in_conflicts": _plain(bias.first_of_conflicts),
        }

    def told(self) -> dict[str, Any]:
        """Return what was asked and the figures, as plain data."""
        request = self.request
        return {
            "ours": str(request.ours.path),
            "theirs": str(request.theirs.path),
            "judge": request.judge,
            "what": request.what,
            "order": request.order,
            **self.figures(),
        }

    def write(self) -> None:
        """Write every pair with its verdicts."""
        with whole_file(self.request.out / "pairs.jsonl") as file:
            for each in self.found:
                file.write(json.dumps(_line(each), ensure_ascii=False) + "\n")


def compare(request: CompareRequest, *, bar: ProgressBar, say: Callable[[str], None]) -> Comparison:
    """Ask the judge about every pair and write its verdicts.

    Raises:
        ConfigError: No rows belong together, or the judge cannot be used; nothing is written.
        StoppedError: The user wishes to stop; the same command pays no call twice.
    """
    pairs = pairs_of(request.ours, request.theirs, request.what)[: request.limit]
    settings = judge_named(request.judge)
    comparison = Comparison(request)

    def on_compared(each: Compared) -> None:
        comparison.found.append(each)
        bar.advance(failed=bool(each.problem))

    async def work(judge: Role, in_flight: int) -> None:
        await compare_pairs(pairs, judge, on_compared, order=request.order, in_flight=in_flight)

    with alone_in(request.out):
        bar.on_phase(Phase("compare", len(pairs)))
        judge_session(settings, request.out / "ledger.sqlite", work, bar=bar, say=say)
        comparison.found.sort(key=lambda each: each.pair.id)
        comparison.write()
    return comparison


def comparison_table(comparison: Comparison) -> Table:
    """Return wins, ties and losses with intervals, and the judge's biases."""
    request, figures = comparison.request, comparison.figures()
    table = Table(
        f"{request.ours.name} against {request.theirs.name}, {request.what}",
        f"by {request.judge}",
    )
    for name in ("won", "tied", "lost", "unscored"):
        table.add_row(name, str(figures[name]))
    for name, value in figures.items():
        if isinstance(value, dict):
            table.add_row(name, f"{value['value']:.0%} ({value['low']:.0%}–{value['high']:.0%})")
    table.add_row("p, sign test", f"{figures['p_value']:.3g}")
    return table


def _plain(estimate: Estimate | None) -> dict[str, float] | None:
    if estimate is None:
        return None
    low, high = estimate.interval
    return {"value": round(estimate.value, 4), "low": round(low, 4), "high": round(high, 4)}


def _line(each: Compared) -> dict[str, Any]:
    return {
        **asdict(each.pair),
        "ours_first": each.ours_first,
        "ours_second": each.ours_second,
        "outcome": each.outcome,
        **({"problem": each.problem} if each.problem else {}),
    }
