"""The terminal's tables of a matrix: estimates before it is run, figures afterwards."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from autoevol.experiments.matrix.plan import MatrixPlan, PlannedCell
from autoevol.experiments.matrix.results import figures_of, line_of
from autoevol.experiments.run.planning.estimate import Most, at_most, estimate
from autoevol.experiments.terminal.console import console, say

_WIDEST = 1000
"""Characters of the widest table: a line that the terminal wraps is better than half a name."""


def show_estimates(planned: MatrixPlan) -> None:
    """Print how much each cell asks of its models at most, and the sum of those to be run."""
    rows = len(planned.cells[0].plan.splits.seeds)
    cells = f"{len(planned.cells)} cells, {len(planned.cells) - len(planned.pending)} finished"
    name = Text(planned.name, style="bold")
    console.print(Text.assemble(name, f" · {cells} · {rows} rows → {planned.folder}"))
    table = Table(_folded("cell"), "calls", "tokens in", "tokens out", "USD")
    pending: list[Most] = []
    for cell in planned.cells:
        if cell.summary is None:
            pending.append(at_most(cell.plan, estimate(cell.plan)))
            table.add_row(cell.cell.name, *_shown(pending[-1:]))
        else:
            table.add_row(cell.cell.name, "finished", "", "", "")
    table.add_section()
    table.add_row("sum", *_shown(pending))
    console.print(table)
    console.print(
        "Upper bounds without repairs and retries; `budget` caps each cell by itself. To see one "
        "cell in detail, set its values with --set, and leave out the matrix (--set matrix=null)."
    )


def show_cells(planned: MatrixPlan) -> None:
    """Print the figures of the cells, a line for each; a narrow terminal cuts no name."""
    heads = ("kept", "failed", "lost", "held-out", "calls", "tokens", "USD", "min")
    columns = [Column(head, justify="right", no_wrap=True) for head in heads]
    table = Table(Column("cell", no_wrap=True), *columns, box=SIMPLE_HEAD)
    for line in figures_of(planned):
        table.add_row(line["cell"], *_cells(line))
    width = Console(width=_WIDEST, markup=False).measure(table).maximum
    Console(width=max(width, console.width), markup=False).print(table)
    say(
        "lost: share of the scored rewrites that failed; held-out: failure rate of the initial → "
        "best method; 95 % intervals"
    )


def outcome_line(planned: PlannedCell) -> str:
    """Return a finished cell's figures in one line."""
    kept, failed, lost, heldout, calls, tokens, usd, minutes = _cells(line_of(planned))
    return (
        f"{planned.cell.name}: {kept} rows kept, {failed} failed ({lost}), held-out {heldout}, "
        f"{calls} calls, tokens {tokens}, {usd} USD, {minutes} min"
    )


def _folded(name: str) -> Column:
    return Column(name, overflow="fold")


def _shown(most: Sequence[Most]) -> tuple[str, ...]:
    """Return the sums of what cells use at most: calls, tokens in and out, USD."""
    counts = (
        sum(one.calls for one in most),
        sum(one.tokens_in for one in most),
        sum(one.tokens_out for one in most),
    )
    costs = [one.cost_usd for one in most if one.cost_usd is not None]
    cost = f"{sum(costs):.2f}" if len(costs) == len(most) else "price unknown"
    return (*(f"{count:,}" for count in counts), cost)


def _cells(line: Mapping[str, Any]) -> tuple[str, ...]:
    heldout = "–"
    if line["heldout_initial"] is not None:
        heldout = f"{_rate(line, 'heldout_initial')} → {_rate(line, 'heldout_best')}"
    return (
        str(line["rows_out"]),
        str(line["rows_failed"]),
        _rate(line, "lost"),
        heldout,
        f"{line['calls']:,}",
        f"{line['tokens_in']:,} → {line['tokens_out']:,}",
        "unknown" if line["cost_usd"] is None else f"{line['cost_usd']:.4g}",
        f"{line['wall_s'] / 60:.1f}",
    )


def _rate(line: Mapping[str, Any], name: str) -> str:
    if line[name] is None:
        return "–"
    mean, low, high = (100 * line[f"{name}{end}"] for end in ("", "_low", "_high"))
    return f"{mean:.0f} % ({low:.0f}–{high:.0f})"
