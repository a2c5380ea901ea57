"""The card of an exported data set: its rows, methods, failure rates, models and licences."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from autoevol.experiments.config.experiment import EVOLVING, ExperimentConfig
from autoevol.experiments.data.formats.rows import RowDict
from autoevol.experiments.models.local.weights import SHIPPED

UNKNOWN = "unknown"
SEED_LICENCES = {"autoevol-seeds": "CC0-1.0"}
"""Licences of seeds, by the first part of `root`; those of other seeds are unknown."""

_MOST_ROOTS = 50
_MOST_CHARACTERS = 80
_TEMPLATE = Path(__file__).with_name("card.md.j2")
_RATES = {
    "failure_rate_initial": "initial method, dev rows",
    "failure_rate_best": "best method, dev rows",
    "failure_rate_heldout_initial": "initial method, held-out rows",
    "failure_rate_heldout_best": "best method, held-out rows",
}


@dataclass(frozen=True, slots=True)
class _Source:
    """A model or a root of seeds, as a line of a table."""

    name: str
    rows: int = 0
    licence: str = UNKNOWN


def dataset_card(
    config: ExperimentConfig,
    summary: Mapping[str, Any] | None,
    rows: Sequence[RowDict],
    left_out: Mapping[str, int],
) -> str:
    """Return the card as Markdown.

    Args:
        config: The run's.
        summary: The run's figures; None if it is not finished.
        rows: The exported rows.
        left_out: Number of rows left out, by reason.
    """
    # The card is Markdown, so nothing is escaped as HTML.
    environment = jinja2.Environment(
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, autoescape=False
    )
    return environment.from_string(_TEMPLATE.read_text("utf-8")).render(
        name=config.name,
        size=len(rows),
        rounds=sorted(Counter(row["round"] for row in rows).items()),
        methods=Counter(row["method"] or "(seed)" for row in rows).most_common(),
        models=_models(config, rows, (summary or {}).get("calls_by_role")),
        seeds=_seeds(rows),
        left_out=left_out,
        summary=summary,
        rates=_rates(summary or {}),
        rules=config.failure,
        decontamination=_decontamination(summary or {}),
    )


def _models(
    config: ExperimentConfig, rows: Sequence[RowDict], calls_by_role: Mapping[str, int] | None
) -> list[tuple[str, _Source]]:
    """Return the models that took part, with their roles; names in rows precede the config's.

    Args:
        config: The run's.
        rows: The exported rows.
        calls_by_role: None: unknown, so every role is listed.
    """
    keys = {"evolver": "model_evolve", "responder": "model_respond"}
    models = []
    for role in EVOLVING:
        # A role without a call, such as a judge that no rule asks, had no part in the data.
        if calls_by_role is not None and not calls_by_role.get(role):
            continue
        key = keys.get(role)
        counts = Counter(row[key] for row in rows if row[key]) if key else Counter[str]()
        names = [*counts] or [str(getattr(config.models, role).model)]
        models += [(role, _Source(name, counts[name], _licence_of(name))) for name in names]
    return models


def _licence_of(model: str) -> str:
    weights = SHIPPED.get(model.removeprefix("local/"))
    return weights.licence if weights else UNKNOWN


def _seeds(rows: Sequence[RowDict]) -> list[_Source]:
    """Return the roots of the rows, commonest first; the rare ones are one line."""
    counts = Counter(row["root"] or UNKNOWN for row in rows)
    sources = [
        _Source(_cell(root), count, SEED_LICENCES.get(root.split("/")[0], UNKNOWN))
        for root, count in counts.most_common(_MOST_ROOTS)
    ]
    others = len(counts) - len(sources)
    other_rows = len(rows) - sum(source.rows for source in sources)
    return [*sources, *([_Source(f"{others} others", other_rows)] if others else [])]


def _cell(text: str) -> str:
    """Return a text that fits a cell of a Markdown table."""
    return " ".join(text.replace("|", "/").split())[:_MOST_CHARACTERS]


def _rates(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the failure rates that were measured, each with its interval."""
    return [
        (
            label,
            f"{rate['rate']:.1%} ({rate['failed']} of {rate['scored']}, "
            f"95 % {rate['low']:.1%}–{rate['high']:.1%})",
        )
        for key, label in _RATES.items()
        if (rate := summary.get(key))
    ]


def _decontamination(summary: Mapping[str, Any]) -> str:
    """Return what the summary says about overlap with benchmarks."""
    result = summary.get("decontamination")
    if not result:
        return "not checked"
    return result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)
