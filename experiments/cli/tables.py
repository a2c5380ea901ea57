"""What a person reads on the terminal: the plan, the summary, the tables of models and methods."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Column, Table

from autoevol.experiments.files.trees import flat_numbers
from autoevol.experiments.models.local.weights import SHIPPED, cached_path
from autoevol.experiments.run.estimate import estimate
from autoevol.experiments.run.plan import Plan
from autoevol.experiments.scores.results import ScoreResults
from autoevol.experiments.terminal.console import console
from autoevol.signatures import Method

_FILES = {
    "method": "methods/best.md",
    "data": "evolved.jsonl",
    "dropped": "failures.jsonl",
    "unscored": "unscored.jsonl",
    "report": "report.html",
}


def show_plan(plan: Plan) -> None:
    """Print what a run would do and what it may cost at most."""
    splits = plan.splits
    console.print(f"[bold]{plan.config.name}[/] · {len(splits.seeds)} rows → {plan.config.folder}")
    if plan.start:
        console.print(
            f"{plan.config.optimizer.name} from {plan.start.name}: train {len(splits.train)}, "
            f"dev {len(splits.dev)}, fresh {len(splits.fresh)}, held-out {len(splits.heldout)} rows"
        )
    model = Column("model", overflow="fold")
    table = Table("phase", "role", model, "calls", "tokens in", "tokens out", "USD")
    lines = estimate(plan)
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
        )
    console.print(table)
    tokens = (
        "tokens as the calls made so far have used, on average"
        if any(line.is_seen for line in lines)
        else "replies are shorter than max_tokens"
    )
    console.print(
        f"At most, repairs and retries aside: {tokens}; failed rewrites are not answered, and rows "
        "that pass are not tried again."
    )
    if any(line.cost_usd is None for line in lines):
        console.print("Prices that litellm does not know can be set: models.ROLE.price.")


def show_summary(summary: dict[str, Any], folder: Path) -> None:
    """Print the figures of a run and where to look closer."""
    table = Table(show_header=False, title=str(folder))
    for name, value in _lines(summary):
        table.add_row(name, value)
    console.print(table)
    for what, name in _FILES.items():
        if (folder / name).exists():
            console.print(f"{what:9}{folder / name}", soft_wrap=True)
    console.print("compare  `autoevol ui` shows this run and its candidates in MLflow")


def show_methods(methods: Sequence[Method]) -> None:
    """Print a line for each method."""
    table = Table(
        Column("name", no_wrap=True), "kind", "domain", "system", "parameters", "digit", "words"
    )
    for method in methods:
        words = len(method.instructions.split())
        about = (method.name, method.kind, method.domain, method.system)
        table.add_row(*about, ", ".join(method.parameters), method.digit, str(words))
    console.print(table)


def show_models() -> None:
    """Print a line for each shipped local model."""
    table = Table("name", "licence", "MB", "RAM MB", "tok/s in/out", "slots", "cached", "for")
    for weights in SHIPPED.values():
        prompt, generated = weights.tokens_per_s
        table.add_row(
            f"local/{weights.name}",
            weights.licence,
            f"{weights.size / 1e6:.0f}",
            str(weights.ram_mb),
            f"{prompt}/{generated}",
            str(weights.slots),
            "yes" if cached_path(weights).is_file() else "no",
            weights.note,
        )
    console.print(table)
    console.print("Also: local/PATH.gguf, local/hf:OWNER/REPO/FILE.gguf. Speeds: 2 CPU cores.")


def score_table(book: ScoreResults) -> Table:
    """Return a line for each figure and a column for each round."""
    rounds = sorted(book.figures)
    table = Table("score", *(f"round {number}" if number else "seeds" for number in rounds))
    by_round = {number: flat_numbers(book.figures[number]) for number in rounds}
    names = dict.fromkeys(name for figures in by_round.values() for name in figures)
    for name in names:
        cells = (by_round[number].get(name) for number in rounds)
        table.add_row(name, *("–" if cell is None else f"{cell:.4g}" for cell in cells))
    return table


def _lines(summary: dict[str, Any]) -> list[tuple[str, str]]:
    lines = [
        ("failure rate on dev, initial → best", _change(summary, "initial", "best")),
        (
            "failure rate on held-out, initial → best",
            _change(summary, "heldout_initial", "heldout_best"),
        ),
        ("verdict on held-out rows", summary["heldout_verdict"] or "–"),
        ("second look, failure rate on fresh rows", _second_look(summary)),
        ("search", summary.get("search_skipped") or "done"),
        ("steps (accepted)", f"{summary['steps']} ({summary['accepted_steps']})"),
        (
            "rows in / out / failed / unscored",
            " / ".join(str(summary[f"rows_{k}"]) for k in ("in", "out", "failed", "unscored")),
        ),
        *(
            (f"stopped at {stage}", ", ".join(f"{rule} {n}" for rule, n in rules.items()))
            for stage, rules in summary.get("failures_by_rule", {}).items()
            if rules
        ),
        ("calls", _calls(summary)),
        ("tries that gave nothing", _faults(summary)),
        ("tokens in / out", f"{summary['tokens_in']:,} / {summary['tokens_out']:,}"),
        ("method tokens from the prefix cache", _share(summary["method_tokens_cached"])),
        ("cost", "unknown price" if summary["cost_usd"] is None else f"{summary['cost_usd']} USD"),
        ("time", f"{summary['wall_s']:.0f} s"),
    ]
    return lines if summary["failure_rate_initial"] else lines[6:]


def _second_look(summary: dict[str, Any]) -> str:
    looked = summary.get("second_look") or []
    return (
        "\n".join(
            f"{each['method']} {each['fresh']['rate']:.0%}"
            + (" (chosen)" if each.get("is_best") else "")
            for each in looked
        )
        or "–"
    )


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
    note = f"; {replayed} from an earlier try" if replayed else ""
    paid = summary["calls_discarded"]
    more = f"; {paid} more paid and not used" if paid else ""
    return f"{summary['calls']} ({by_role}{note}{more})"


def _faults(summary: dict[str, Any]) -> str:
    faults = ", ".join(f"{kind} {n}" for kind, n in summary["faults"].items())
    return faults or "none"


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"
