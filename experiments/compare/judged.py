"""A judge model's verdicts on the pairs of two sets, and their figures."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table

from autoevol.experiments.artifacts.folder import alone_in
from autoevol.experiments.compare.request import CompareRequest
from autoevol.experiments.compare.sides import pairs_of
from autoevol.experiments.files.atomic import whole_file
from autoevol.experiments.files.json_text import as_json
from autoevol.experiments.judging.session import judge_named, judge_session
from autoevol.experiments.models.ledger import LedgerSettings
from autoevol.experiments.terminal.progress import ProgressBar
from autoevol.metrics.quality.lexical import lengths
from autoevol.metrics.quality.preference import first_share, longer_share, position_bias, tally
from autoevol.metrics.stats.intervals import Estimate
from autoevol.program.listeners import Phase
from autoevol.program.roles import Role
from autoevol.program.scoring.comparison import Compared, compare_pairs


@dataclass(frozen=True, slots=True)
class Comparison:
    """The judge's verdicts on all pairs, in the order of their ids."""

    request: CompareRequest
    verdicts: Sequence[Compared]

    def figures(self) -> dict[str, Any]:
        """Return outcomes with intervals, the sign test, and the judge's biases."""
        counts = tally(verdict.outcome for verdict in self.verdicts)
        # Equal texts are a tie without a call: they say nothing of the judge's biases.
        judged = [verdict for verdict in self.verdicts if verdict.ours_first or verdict.ours_second]
        words = [lengths([verdict.pair.ours, verdict.pair.theirs]) for verdict in judged]
        longer = longer_share(
            (verdict.outcome, ours, theirs)
            for verdict, (ours, theirs) in zip(judged, words, strict=True)
        )
        return {
            "won": counts.won,
            "tied": counts.tied,
            "lost": counts.lost,
            "unscored": counts.unscored,
            "win": _estimate(counts.win),
            "tie": _estimate(counts.tie),
            "lose": _estimate(counts.lose),
            "p_value": counts.p_value,
            "longer_wins": _estimate(longer),
            **self._position_bias(judged),
        }

    def _position_bias(self, judged: Sequence[Compared]) -> dict[str, Any]:
        if self.request.order == "drawn":
            # Asked in one order only, a pair has one of the two verdicts and no conflict.
            first = [verdict.ours_first or verdict.ours_second for verdict in judged]
            return {"first_preferred": _estimate(first_share(first))}
        bias = position_bias((verdict.ours_first, verdict.ours_second) for verdict in judged)
        return {
            "conflicts": _estimate(bias.conflict),
            "first_preferred_in_conflicts": _estimate(bias.first_of_conflicts),
        }

    def as_data(self) -> dict[str, Any]:
        """Return the request and the figures as plain data."""
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
            for verdict in self.verdicts:
                file.write(as_json(_line(verdict)) + "\n")


def compare(request: CompareRequest, *, bar: ProgressBar, say: Callable[[str], None]) -> Comparison:
    """Ask the judge about every pair and write its verdicts.

    Raises:
        ConfigError: No rows make a pair, or the judge cannot be used; nothing is written.
        StoppedError: The user stopped the command; the same command pays for no call twice.
    """
    pairs = pairs_of(request.ours, request.theirs, request.what)[: request.limit]
    settings = judge_named(request.judge)
    verdicts: list[Compared] = []

    def on_compared(verdict: Compared) -> None:
        verdicts.append(verdict)
        bar.advance(failed=bool(verdict.problem))

    async def work(judge: Role, in_flight: int) -> None:
        await compare_pairs(pairs, judge, on_compared, order=request.order, in_flight=in_flight)

    with alone_in(request.out):
        bar.on_phase(Phase("compare", len(pairs)))
        judge_session(
            settings, LedgerSettings(request.out / "ledger.sqlite"), work, bar=bar, say=say
        )
        # Verdicts arrive in the order of the replies; files must not depend on it.
        comparison = Comparison(request, sorted(verdicts, key=lambda verdict: verdict.pair.id))
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


def _estimate(estimate: Estimate | None) -> dict[str, float] | None:
    """Return an estimate as plain data."""
    if estimate is None:
        return None
    low, high = estimate.interval
    return {"value": round(estimate.value, 4), "low": round(low, 4), "high": round(high, 4)}


def _line(verdict: Compared) -> dict[str, Any]:
    return {
        **asdict(verdict.pair),
        "ours_first": verdict.ours_first,
        "ours_second": verdict.ours_second,
        "outcome": verdict.outcome,
        **({"problem": verdict.problem} if verdict.problem else {}),
    }
