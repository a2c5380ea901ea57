"""The card of an exported data set: what is in it, who made it, what is not known."""

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
"""Licences of seeds, by the first part of `root`; of others nothing is known here."""

_SHOWN = 50
_WIDEST = 80
_TEMPLATE = Path(__file__).with_name("card.md.j2")
_RATES = {
    "failure_rate_initial": "initial method, dev rows",
    "failure_rate_best": "best method, dev rows",
    "failure_rate_heldout_initial": "initial method, held-out rows",
    "failure_rate_heldout_best": "best method, held-out rows",
}


@dataclass(frozen=True, slots=True)
class _Part:
    """A line of a table."""

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
        summary: The run's figures; None while it is not finished.
        rows: What is exported.
        left_out: How many rows are not, by the reason.
    """
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
        decontamination=_told((summary or {}).get("decontamination")),
    )


def _models(
    config: ExperimentConfig, rows: Sequence[RowDict], asked: Mapping[str, int] | None
) -> list[tuple[str, _Part]]:
    """Return the models that took part; what the rows name goes before what the config says.

    Args:
        config: The run's.
        rows: What is exported.
        asked: Calls by role; None: unknown, so that every role is listed.
    """
    by_role = {"evolver": "model_evolve", "responder": "model_respond"}
    found = []
    for role in (role for role in EVOLVING if asked is None or asked.get(role)):
        key = by_role.get(role)
        named = Counter(row[key] for row in rows if row[key]) if key else Counter[str]()
        names = [*named] or [str(getattr(config.models, role).model)]
        found += [(role, _Part(name, named[name], _licence_of(name))) for name in names]
    return found


def _licence_of(model: str) -> str:
    weights = SHIPPED.get(model.removeprefix("local/"))
    return weights.licence if weights else UNKNOWN


def _seeds(rows: Sequence[RowDict]) -> list[_Part]:
    counts = Counter(row["root"] or UNKNOWN for row in rows)
    shown = [
        _Part(_cell(root), count, SEED_LICENCES.get(root.split("/")[0], UNKNOWN))
        for root, count in counts.most_common(_SHOWN)
    ]
    others = len(counts) - len(shown)
    left = len(rows) - sum(part.rows for part in shown)
    return [*shown, *([_Part(f"{others} others", left)] if others else [])]


def _cell(text: str) -> str:
    """Return a text that breaks no table."""
    return " ".join(text.replace("|", "/").split())[:_WIDEST]


def _rates(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the failure rates that were measured, each with its interval."""
    return [
        (
            told,
            f"{rate['rate']:.1%} ({rate['failed']} of {rate['scored']}, "
            f"95 % {rate['low']:.1%}–{rate['high']:.1%})",
        )
        for key, told in _RATES.items()
        if (rate := summary.get(key))
    ]


def _told(found: Any) -> str:
    """Return what the summary says of decontamination."""
    if not found:
        return "not checked"
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
