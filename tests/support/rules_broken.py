"""Asking rules about cases, for the detectors' tests."""

from typing import Any

from autoevol.metrics import Case, broken, compose, for_evolver
from autoevol.metrics.failure.evolvers import EvolverClass

SOURCE = "List five things to check before buying a used bicycle."
HARDER = (
    "List five things to check before buying a used bicycle, rank them by cost of repair, "
    "and name one tool for each check."
)


def rules_broken(
    source: str, text: str | None, *, evolver: EvolverClass = "copies", **more: Any
) -> list[str]:
    """Return the names of the strict rules that a rewrite breaks."""
    rules = for_evolver(compose(["strict"], "evolve"), evolver)
    return [reason.rule for reason in broken(rules, Case(source, text, **more))]


def reply_rules_broken(prompt: str, response: str, **more: Any) -> list[str]:
    """Return the names of the strict rules that a response breaks."""
    case = Case(prompt, prompt, response, **more)
    return [reason.rule for reason in broken(compose(["strict"], "respond"), case)]
