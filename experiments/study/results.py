"""`study.json`, `study.html`, and the table of the terminal."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from autoevol.experiments.evaluation.tasks.items import Task
from autoevol.experiments.files.atomic import write_whole
from autoevol.experiments.report.html import embedded_files, page
from autoevol.experiments.study.choice import CHOSEN, candidates, choose
from autoevol.experiments.study.figures import CellFigures, before_training, study_figures
from autoevol.experiments.study.pictures import write_study_pictures
from autoevol.experiments.study.proxies import Proxy, proxies
from autoevol.experiments.study.work import StudyResults, shown_models
from autoevol.metrics.stats.crossed import CrossedMean
from autoevol.signatures import to_markdown

STUDY, PAGE = "study.json", "study.html"
_LEAST_SHARED = 6
"""Questions below which a difference decides nothing, whatever its interval."""

_MEANING = {
    "loss": "Nats a token of answers that the student did not write; lower is better.",
    "choose": "Share of questions whose right choice is the likeliest; higher is better.",
    "answer": "Share of answers that are right; higher is better.",
}


def write_study(results: StudyResults) -> dict[str, Any]:
    """Write `study.json`, the pictures and `study.html`; return what the first holds."""
    figures = study_figures(results)
    cheap = proxies(results, figures)
    folder, task = results.plan.config.folder, results.plan.config.decisive
    tree = {
        **_tree(results, figures, cheap),
        "verdict": verdict(results, figures),
        "chosen": _write_choice(results, figures),
    }
    write_whole(folder / STUDY, json.dumps(tree, indent=2) + "\n")
    pictures = write_study_pictures(folder, figures, task)
    write_whole(folder / PAGE, _page(results, figures, cheap, pictures))
    return tree


def _tree(
    results: StudyResults, figures: Sequence[CellFigures], cheap: Sequence[Proxy]
) -> dict[str, Any]:
    config = results.plan.config
    return {
        "name": config.name,
        "student": config.train.model,
        "seeds": list(config.train.seeds),
        "primary": config.decisive,
        "baseline": results.plan.baseline,
        "tasks": dict(results.plan.digests),
        "before": {name: _plain(mean) for name, mean in before_training(results).items()},
        "arms": _arms(results),
        "cells": [
            {
                "arm": cell.cell.arm,
                "condition": cell.cell.condition,
                "rows": cell.cell.rows,
                "tokens": cell.cell.tokens,
                "fingerprint": cell.cell.data.fingerprint,
                "folder": str(cell.cell.folder.relative_to(config.folder)),
            }
            for cell in results.cells
        ],
        "figures": [asdict(own) for own in figures],
        "proxies": [asdict(proxy) for proxy in cheap],
    }


def _plain(mean: CrossedMean | None) -> dict[str, Any] | None:
    return asdict(mean) if mean else None


def _arms(results: StudyResults) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "source": str(results.plan.target_of(name)),
            "rows": arm.rows,
            "examples": len(arm.examples),
            "left_out": dict(arm.left_out),
            "answers_cut": arm.readable.cut,
            "answered_by": shown_models(arm),
        }
        for name, arm in results.arms.items()
    ]


def _write_choice(results: StudyResults, figures: Sequence[CellFigures]) -> dict[str, str] | None:
    """Write the method that the study chooses; None: it has no methods to choose from."""
    config = results.plan.config
    if config.search is None:
        return None
    methods = candidates(config.search, str(results.plan.where))
    sign, own = _decisive(results, figures, config.equalise[0])
    better = {
        cell.arm: sign * cell.value.value for cell in own if cell.value and _beyond(cell, sign)
    }
    choice = choose(methods, better)
    write_whole(config.folder / CHOSEN, to_markdown(choice.method))
    return {"arm": choice.arm, "method": choice.method.id, "why": choice.why}


def _decisive(
    results: StudyResults, figures: Sequence[CellFigures], condition: str
) -> tuple[int, list[CellFigures]]:
    """Return 1 where more is better and else -1, and the differences of the task that decides."""
    decisive = results.plan.config.decisive
    way = next(task.way for task in results.plan.all_tasks if task.name == decisive)
    own = [
        cell
        for cell in figures
        if (cell.task, cell.condition) == (decisive, condition) and cell.difference
    ]
    return (-1 if way == "loss" else 1), own


def verdict(results: StudyResults, figures: Sequence[CellFigures]) -> str:
    """Return in a few sentences what the task that decides says; "" before there is a figure."""
    config = results.plan.config
    parts = []
    for condition in config.equalise:
        sign, own = _decisive(results, figures, condition)
        if own:
            name = "all rows" if condition == "all" else f"equal {condition}"
            is_first = condition == config.equalise[0] != config.equalise[-1]
            role = ", which decide," if is_first else ""
            parts.append(f"with {name}{role} {_compared(results.plan.baseline, own, sign)}")
    if not parts:
        return ""
    seeds = len(config.train.seeds)
    trained = "one training seed" if seeds == 1 else f"{seeds} training seeds"
    sentences = [f"By {config.decisive} and {trained}: {'; '.join(parts)}."]
    return " ".join([*sentences, *_chance(results, figures)])


def _compared(baseline: str, own: Sequence[CellFigures], sign: int) -> str:
    names = {
        "better": [cell.arm for cell in own if _beyond(cell, sign)],
        "worse": [cell.arm for cell in own if _beyond(cell, -sign)],
    }
    parts = [
        f"{' and '.join(arms)} {'is' if len(arms) == 1 else 'are'} {word} than {baseline}"
        for word, arms in names.items()
        if arms
    ]
    if not parts:
        parts = [f"no arm differs from {baseline} beyond its interval"]
    if any(cell.shared < _LEAST_SHARED for cell in own):
        parts.append(f"fewer than {_LEAST_SHARED} questions decide nothing")
    return ", ".join(parts)


def _chance(results: StudyResults, figures: Sequence[CellFigures]) -> list[str]:
    """Return what to think of differences beyond their intervals, where there are several."""
    parts = [_decisive(results, figures, name) for name in results.plan.config.equalise]
    cells = [cell for _, own in parts for cell in own]
    if len(cells) == 1 or not any(_beyond(cell, sign) for cell in cells for sign in (-1, 1)):
        return []
    return [
        f"Of 20 such intervals one leaves the truth out, and these are {len(cells)}: look at the "
        "sizes of the differences, and whether the conditions agree."
    ]


def _beyond(cell: CellFigures, sign: int) -> bool:
    if cell.difference is None or cell.shared < _LEAST_SHARED:
        return False
    return cell.difference.low > 0 if sign > 0 else cell.difference.high < 0


def study_table(results: StudyResults, task: Task) -> Table:
    """Return a task's figures, a line for each cell."""
    table = Table("arm", "equal", "rows", "mean (95 %)", "difference (95 %)", title=task.name)
    for line in _lines(results, study_figures(results), task):
        cells = [line[key] for key in ("arm", "condition", "rows", "mean", "difference")]
        table.add_row(*map(str, cells))
    return table


def _lines(
    results: StudyResults, figures: Sequence[CellFigures], task: Task
) -> list[dict[str, Any]]:
    parts = {(cell.cell.arm, cell.cell.condition): cell.cell for cell in results.cells}
    return [
        {
            "arm": own.arm,
            "condition": own.condition,
            "rows": parts[own.arm, own.condition].rows,
            "tokens": parts[own.arm, own.condition].tokens,
            "questions": own.questions,
            "mean": shown(own.value),
            "difference": shown(own.difference, sign="+"),
            "seeds": ", ".join(f"{mean:.3f}" for mean in own.value.seeds) if own.value else "",
        }
        for own in figures
        if own.task == task.name
    ]


def shown(mean: CrossedMean | None, sign: str = "") -> str:
    """Return a mean with its interval."""
    if mean is None:
        return "–"
    return f"{mean.value:{sign}.3f} ({mean.low:{sign}.3f} to {mean.high:{sign}.3f})"


def _page(
    results: StudyResults,
    figures: Sequence[CellFigures],
    cheap: Sequence[Proxy],
    pictures: Sequence[Path],
) -> str:
    config, before = results.plan.config, before_training(results)
    arms = _arms(results)
    for arm in arms:
        arm["left_out"] = ", ".join(f"{count:,} {why}" for why, count in arm["left_out"].items())
    return page(
        "study.html.j2",
        name=config.name,
        verdict=verdict(results, figures),
        student=config.train.model,
        seeds=config.train.seeds,
        baseline=results.plan.baseline,
        primary=config.decisive,
        tasks=[
            {
                "name": task.name,
                "meaning": _MEANING[task.way],
                "before": shown(before[task.name]),
                "lines": _lines(results, figures, task),
            }
            for task in results.plan.all_tasks
        ],
        arms=arms,
        proxies=[_proxy_line(proxy, [arm["name"] for arm in arms]) for proxy in cheap],
        pictures=embedded_files({file.stem: file for file in pictures}),
    )


def _proxy_line(proxy: Proxy, arms: Sequence[str]) -> dict[str, Any]:
    shown_values = {arm: f"{proxy.values[arm]:.3g}" if arm in proxy.values else "–" for arm in arms}
    text = "–" if proxy.correlation is None else f"{proxy.correlation:+.2f}"
    if proxy.low is not None and proxy.high is not None:
        text += f" ({proxy.low:+.2f} to {proxy.high:+.2f})"
    return {"name": proxy.name, "shown": shown_values, "correlation": text}
