"""Prices and provider names, read from the files that litellm ships.

litellm itself is not imported: its import is slow, and `--dry-run` needs the prices only.
"""

import importlib.util
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per token; cached tokens are prompt tokens from the provider's prefix cache."""

    per_token_in: float
    per_token_out: float
    per_token_cached: float

    def cost(self, tokens_in: int, tokens_out: int, tokens_cached: int) -> float:
        """Return the price of a call in US dollars."""
        fresh = tokens_in - tokens_cached
        return (
            fresh * self.per_token_in
            + tokens_cached * self.per_token_cached
            + tokens_out * self.per_token_out
        )


def price_of(model: str) -> Price | None:
    """Return the price of a litellm name; None: litellm lists none."""
    # litellm lists many models without their provider's prefix.
    entry = _prices().get(model) or _prices().get(model.partition("/")[2])
    if not entry or "input_cost_per_token" not in entry:
        return None
    per_in = float(entry["input_cost_per_token"])
    per_out = float(entry.get("output_cost_per_token") or 0)
    return Price(per_in, per_out, float(entry.get("cache_read_input_token_cost") or per_in))


def is_known_name(model: str) -> bool:
    """Tell whether litellm would route `model`: a priced name, or a known provider's prefix."""
    provider, slash, rest = model.partition("/")
    return model in _prices() or bool(slash and rest and provider in _providers())


def provider_of(model: str) -> str:
    """Return the provider of a litellm name: its prefix, or where litellm routes a bare name."""
    prefix, slash, _ = model.partition("/")
    return prefix if slash else str(_prices().get(model, {}).get("litellm_provider", ""))


@cache
def _prices() -> dict[str, dict[str, Any]]:
    prices: dict[str, dict[str, Any]] = _shipped("model_prices_and_context_window_backup.json")
    return prices


@cache
def _providers() -> frozenset[str]:
    supported = _shipped("provider_endpoints_support_backup.json")["providers"]
    return frozenset(supported) | {"azure", "openai", "anthropic", "together_ai"}


def _shipped(name: str) -> Any:
    spec = importlib.util.find_spec("litellm")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("litellm is not installed")
    return json.loads((Path(spec.submodule_search_locations[0]) / name).read_text("utf-8"))
