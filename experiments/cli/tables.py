"""The tables of `run` and `score`: a run's plan, a run's summary, the scores of a set."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Column, Table
from rich.text import Text

from autoevol.experiments.artifacts.admissions import admission_lines
from autoevol.experiments.artifacts.resume import CONFIG
from autoevol.experiments.config.loading import read_yaml
from autoevol.experiments.files.paths import command_line
from autoevol.experiments.files.trees import flat_numbers
from autoevol.experiments.report.examples import examples_in
from autoevol.experiments.report.next_steps import next_steps
from autoevol.experiments.run.planning.estimate import (
    at_most,
    estimate,
    saved_by_batches,
)
from autoevol.experiments.run.planning.expectation import CostEstimate
from autoevol.experiments.run.planning.plan import Plan
from autoevol.experiments.scores.results import ScoreResults
from autoevol.experiments.terminal.console import as_text, console, say
from autoevol.experiments.terminal.phase_line import duration
from autoevol.experiments.terminal.samples import outcome_panel, shortened, verdict

if TYPE_CHECKING:  # it loads aiohttp, which a dry run does without
    from autoevol.experiments.run.preview import Preview

_FILES = {
    "kept": "evolved.jsonl",
    "failed": "failures.jsonl",
    "unscored": "unscored.jsonl",
    "method": "methods/best.md",
    "report": "report.html",
}
_LONGEST_EXAMPLE = 300
"""Characters of a text among the examples."""


def show_plan(plan: Plan) -> None:
    """Print what a run would do, and the most that it may cost."""
    rows = len(plan.splits.seeds)
    name = Text(plan.config.name, style="bold")
    console.print(Text.assemble(name, f" · {rows} rows → {plan.config.folder}"))
    console.print(_methods_line(plan))
    # By default rich cuts off the end of a long model name.
    model = Column("model", overflow="fold")
    lines = estimate(plan)
    is_begun = any(line.is_seen for line in lines)
    # A run that has not begun has everything left, and no speed.
    rest = ("left", "time left") if is_begun else ()
    table = Table("phase", "role", model, "calls", "tokens in", "tokens out", "USD", *rest)
    for line in lines:
        cost = "price unknown" if line.cost_usd is None else f"{line.cost_usd:.2f}"
        table.add_row(
            line.phase,
            line.role,
            plan.models[line.role].model,
            f"{line.calls:,}",
            f"{line.tokens_in:,}",
            f"{line.tokens_out:,}",
            cost,
            *((f"{line.left:,}", duration(line.seconds)) if is_begun else ()),
        )
    console.print(table)
    console.print(remainder(lines) or "The progress line shows the time, from the first calls on.")
    tokens = (
        "tokens are the average of the calls so far"
        if is_begun
        else "replies are shorter than max_tokens"
    )
    console.print(
        f"An upper bound without repairs and retries: {tokens}; failed rewrites are not answered, "
        "and rows that pass are not tried again."
    )
    _show_bounds(plan, lines)
    if any(line.cost_usd is None for line in lines):
        console.print("Set models.ROLE.price for a model whose price litellm does not know.")


def _show_bounds(plan: Plan, lines: Sequence[CostEstimate]) -> None:
    """Print what the run may call and cost in all, and what usual rows make of it."""
    most, expected = at_most(plan, lines), sum(line.expected for line in lines)
    if most.calls < sum(line.calls for line in lines):
        console.print("The models of the search share `optimizer.max_calls`.")
    price = ""
    if most.cost_usd is not None:
        figure = f"{most.cost_usd:.2f} USD"
        price = f", about {figure} at the tokens so far" if most.is_seen else f" and {figure}"
        saved = saved_by_batches(plan, lines)
        price += f" ({most.cost_usd - saved:.2f} USD as batches)" if saved else ""
    console.print(
        f"At most {most.calls:,} calls{price}; expected, on usual rows: about {expected:,}."
    )


def _methods_line(plan: Plan) -> str:
    """Return what is searched or applied, and the rows of a search's splits."""
    splits, config = plan.splits, plan.config
    if plan.start:
        return (
            f"{config.optimizer.name} from {plan.start.name}: train {len(splits.train)}, "
            f"dev {len(splits.dev)}, fresh {len(splits.fresh)}, held-out {len(splits.heldout)} rows"
        )
    if not config.evolve.rounds:
        return "no round: the rows are answered as they are"
    names = ", ".join(method.name for method in plan.methods)
    return f"no search: {names} as they are (a section `optimizer` searches)"


def remainder(lines: Sequence[CostEstimate]) -> str:
    """Return a sentence on what a run that has begun still has to do; "": it has not begun."""
    if not any(line.is_seen for line in lines):
        return ""
    left, calls = sum(line.left for line in lines), sum(line.calls for line in lines)
    seconds = sum(line.seconds or 0.0 for line in lines)
    # The roles of a phase overlap, so their times add up to a bound.
    time = f"about {duration(seconds)} at the speed so far"
    return f"at most {left:,} of {calls:,} calls are left, {time}"


def show_summary(summary: dict[str, Any], folder: Path) -> None:
    """Print what came out of a run, and where: figures, rows, losses, files, the next command."""
    table = Table(show_header=False, title=str(folder))
    for name, value in _lines(summary):
        table.add_row(name, value)
    console.print(table)
    _show_examples(folder)
    _show_files(folder)
    if not summary.get("mlflow_run_id"):
        say(f"not tracked in MLflow; `{command_line('track', folder)}` logs it")
    is_tracked = bool(summary.get("mlflow_run_id"))
    for step in next_steps(summary, folder, read_yaml(folder / CONFIG), is_tracked=is_tracked):
        console.print(f"\n{step.why}", markup=False, highlight=False)
        if step.command:
            say(f"    {step.command}")


def _show_examples(folder: Path) -> None:
    """Print some kept rows, before and after."""
    examples = examples_in(folder)
    for example in examples:
        grid = Table.grid(Column(style="dim", no_wrap=True), Column(overflow="fold"))
        grid.padding = (0, 1)
        rewritten, answered = ("before", example.before), ("response", example.response)
        first = rewritten if example.before else ("instruction", example.after)
        last = ("after", example.after) if example.before else answered
        for label, text in (first, last):
            grid.add_row(label, Text(as_text(shortened(text, _LONGEST_EXAMPLE))))
        console.print(grid, "")


def _show_files(folder: Path) -> None:
    exports = sorted((folder / "exports").glob("*")) if (folder / "exports").is_dir() else []
    files = [(what, folder / name) for what, name in _FILES.items()]
    for what, file in (files[0], *(("export", file) for file in exports), *files[1:]):
        if file.exists():
            console.print(f"{what:9}{file}", soft_wrap=True, markup=False)


def show_preview(preview: "Preview") -> None:
    """Print rows before and after, with F's verdicts and the evidence."""
    for note in preview.notes:
        say(note)
    for outcome in preview.outcomes:
        console.print(outcome_panel(outcome))
    tally = Counter(verdict(outcome) for outcome in preview.outcomes)
    say(", ".join(f"{count} {verdict}" for verdict, count in tally.items()) or "no row")


def score_table(results: ScoreResults) -> Table:
    """Return a table with a line for each figure and a column for each round."""
    rounds = sorted(results.figures)
    table = Table("score", *(f"round {number}" if number else "seeds" for number in rounds))
    by_round = {number: flat_numbers(results.figures[number]) for number in rounds}
    names = dict.fromkeys(name for figures in by_round.values() for name in figures)
    for name in names:
        cells = (by_round[number].get(name) for number in rounds)
        table.add_row(name, *("–" if cell is None else f"{cell:.4g}" for cell in cells))
    return table


def _lines(summary: dict[str, Any]) -> list[tuple[str, str]]:
    search = _search_lines(summary) if summary["failure_rate_initial"] else []
    rows, *rest = _run_lines(summary)
    return [rows, *search, *rest]


def _search_lines(summary: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("failure rate on dev, initial → best", _change(summary, "initial", "best")),
        (
            "failure rate on held-out, initial → best",
            _change(summary, "heldout_initial", "heldout_best"),
        ),
        ("verdict on held-out rows", summary["heldout_verdict"] or "–"),
        ("confirmation, failure rate on fresh rows", _confirmation(summary)),
        ("search", summary.get("search_skipped") or "done"),
        ("steps (accepted)", f"{summary['steps']} ({summary['accepted_steps']})"),
    ]


def _run_lines(summary: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        _rows_line(summary),
        *_rejected_lines(summary),
        *_surplus_lines(summary),
        *_suspect_lines(summary),
        *_unknown_lines(summary),
        *_abstention_lines(summary),
        *(
            (f"witness of {rule}", words)
            for rule, words in admission_lines(summary.get("judge_fitness") or {})
        ),
        *(
            (f"stopped at {stage}", _stopped(rules, summary["rows_failed"]))
            for stage, rules in summary.get("failures_by_rule", {}).items()
            if rules
        ),
        ("calls", _calls(summary)),
        *([("failed tries", _faults(summary))] if summary["faults"] else []),
        ("tokens in / out", f"{summary['tokens_in']:,} / {summary['tokens_out']:,}"),
        ("cost", _cost(summary)),
        ("time", f"{summary['wall_s']:.0f} s"),
    ]


def _rows_line(summary: dict[str, Any]) -> tuple[str, str]:
    if not summary["rounds"]:
        return "rows", f"{summary['rows_in']}, of which the search used its splits"
    figures = [str(summary[f"rows_{k}"]) for k in ("in", "out", "failed", "unscored")]
    return "rows in / out / failed / unscored", " / ".join(figures)


def _stopped(rules: dict[str, int], failed: int) -> str:
    text = ", ".join(f"{rule} {rows}" for rule, rows in rules.items())
    return f"{text} (a row may break several)" if sum(rules.values()) > failed else text


def _rejected_lines(summary: dict[str, Any]) -> list[tuple[str, str]]:
    rejected = summary.get("rows_rejected", 0)
    return [("records that make no row", f"{rejected} (rejected.jsonl)")] if rejected else []


def _surplus_lines(summary: dict[str, Any]) -> list[tuple[str, str]]:
    surplus = summary.get("rows_surplus", 0)
    return [("kept beyond the target", f"{surplus} (surplus.jsonl)")] if surplus else []


def _abstention_lines(summary: dict[str, Any]) -> list[tuple[str, str]]:
    why = summary.get("teach_abstains")
    return [("failure.teach abstained", why)] if why else []


def _unknown_lines(summary: dict[str, Any]) -> list[tuple[str, str]]:
    unknown = summary.get("rows_unknown", 0)
    return [("kept, unknown if they teach", f"{unknown}")] if unknown else []


def _suspect_lines(summary: dict[str, Any]) -> list[tuple[str, str]]:
    by_rule = summary.get("suspected_by_rule") or {}
    if not by_rule:
        return []
    kept, dropped = summary["rows_suspected"], summary["rows_failed_suspected"]
    rules = ", ".join(f"{rule} {n['kept'] + n['dropped']}" for rule, n in by_rule.items())
    return [("suspected, kept / dropped", f"{kept} / {dropped} ({rules})")]


def _confirmation(summary: dict[str, Any]) -> str:
    finalists = summary.get("second_look") or []
    lines = (
        f"{finalist['method']} {finalist['fresh']['rate']:.0%}"
        + (" (chosen)" if finalist.get("is_best") else "")
        for finalist in finalists
    )
    return "\n".join(lines) or "–"


def _change(summary: dict[str, Any], before: str, after: str) -> str:
    first, last = summary[f"failure_rate_{before}"], summary[f"failure_rate_{after}"]
    return f"{_rate(first)} → {_rate(last)}" if first and last else "–"


def _rate(rate: dict[str, Any]) -> str:
    return (
        f"{rate['rate']:.0%} ({rate['failed']} of {rate['scored']}, "
        f"95 % {rate['low']:.0%}–{rate['high']:.0%})"
    )


def _calls(summary: dict[str, Any]) -> str:
    by_role = ", ".join(f"{role} {n}" for role, n in summary["calls_by_role"].items())
    replayed = summary["calls_replayed"]
    from_ledger = f"; {replayed} from an earlier try" if replayed else ""
    shared = summary.get("calls_shared", 0)
    from_others = f"; {shared} more are other cells'" if shared else ""
    discarded = summary["calls_discarded"]
    unused = f"; {discarded} more paid and not used" if discarded else ""
    return f"{summary['calls']} ({by_role}{from_ledger}{from_others}{unused})"


def _cost(summary: dict[str, Any]) -> str:
    """Return the cost, and what it is worth; keys that an older run lacks say nothing."""
    unpriced, estimated = summary.get("calls_unpriced", 0), summary.get("calls_estimated", 0)
    least, cost = summary.get("cost_usd_known"), summary["cost_usd"]
    if cost is None:
        return f"at least {least} USD; {unpriced} calls of unknown price" if least else "unknown"
    about = f"about {cost} USD; the tokens of {estimated} calls are estimated"
    return about if estimated else f"{cost} USD"


def _faults(summary: dict[str, Any]) -> str:
    return ", ".join(f"{kind} {n}" for kind, n in summary["faults"].items())
