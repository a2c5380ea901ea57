"""What a person reads of a matrix: the cells before it is run, and what they came to."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table

from autoevol.experiments.matrix.plan import Planned, PlannedCell
from autoevol.experiments.matrix.results import figures_of, line_of
from autoevol.experiments.run.estimate import CostEstimate, estimate
from autoevol.experiments.terminal.console import console, say

_WIDEST = 1000
"""Columns; a longer line than the screen is better than half a name."""


def show_estimates(planned: Planned) -> None:
    """Print what each cell would ask of its models at most, and the sum of those to be run."""
    rows = len(planned.cells[0].plan.splits.seeds)
    cells = f"{len(planned.cells)} cells, {len(planned.cells) - len(planned.pending)} finished"
    console.print(f"[bold]{planned.name}[/] · {cells} · {rows} rows → {planned.folder}")
    table = Table(_folded("cell"), "calls", "tokens in", "tokens out", "USD")
    for each in planned.cells:
        if each.summary is None:
            table.add_row(each.cell.name, *_sums(estimate(each.plan)))
        else:
            table.add_row(each.cell.name, "finished", "", "", "")
    table.add_section()
    lines = [line for each in planned.pending for line in estimate(each.plan)]
    table.add_row("sum", *_sums(lines))
    console.print(table)
    console.print(
        "At most, repairs and retries aside; `budget` caps each cell by itself. One cell in "
        "detail: set its values with --set, without the matrix (--set matrix=null)."
    )


def show_cells(planned: Planned) -> None:
    """Print what the cells came to, a line for each; a narrow screen folds no name."""
    heads = ("kept", "failed", "lost", "held-out", "calls", "tokens", "USD", "min")
    columns = [Column(head, justify="right", no_wrap=True) for head in heads]
    table = Table(Column("cell", no_wrap=True), *columns, box=SIMPLE_HEAD)
    for line in figures_of(planned):
        table.add_row(line["cell"], *_cells(line))
    width = Console(width=_WIDEST).measure(table).maximum
    Console(width=max(width, console.width)).print(table)
    say("lost: of the scored rewrites; held-out: initial → best method; 95 % intervals")


def told_of(each: PlannedCell) -> str:
    """Return a finished cell's figures in one line."""
    kept, failed, lost, heldout, calls, tokens, usd, minutes = _cells(line_of(each))
    return (
        f"{each.cell.name}: {kept} rows kept, {failed} failed ({lost}), held-out {heldout}, "
        f"{calls} calls, tokens {tokens}, {usd} USD, {minutes} min"
    )


def _folded(name: str) -> Column:
    return Column(name, overflow="fold")


def _sums(lines: Sequence[CostEstimate]) -> tuple[str, ...]:
    counts = (
        sum(line.calls for line in lines),
        sum(line.tokens_in for line in lines),
        sum(line.tokens_out for line in lines),
    )
    costs = [line.cost_usd for line in lines]
    known = [cost for cost in costs if cost is not None]
    cost = f"{sum(known):.2f}" if len(known) == len(costs) else "price unknown"
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
