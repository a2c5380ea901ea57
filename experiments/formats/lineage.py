"""Ids and parents for rows of formats that know only the seed's text."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Lineage:
    """Gives each row an id by its seed's text and its round, as a run of ours would."""

    _seeds: dict[str, str] = field(default_factory=dict)
    _ids: dict[tuple[str, tuple[str, ...]], str] = field(default_factory=dict)
    _taken: Counter[str] = field(default_factory=Counter)

    def place(self, origin: str, generation: int, trace: tuple[str, ...]) -> dict[str, Any]:
        """Return `id`, `seed_id`, `parent_id`, `round`, `method` and `trace` of the next row.

        Args:
            origin: The seed's text.
            generation: 0 for a seed.
            trace: Names of the methods on the way from the seed, one for each generation.
        """
        seed = self._seeds.setdefault(origin, f"row-{len(self._seeds) + 1:06d}")
        identity = self._unique(f"{seed}.{generation}" if generation else seed)
        parent = seed if generation == 1 else self._ids.get((origin, trace[:-1]))
        self._ids.setdefault((origin, trace), identity)
        return {
            "id": identity,
            "seed_id": seed if generation else identity,
            "parent_id": parent if generation else None,
            "round": generation,
            "method": trace[-1] if trace else None,
            "trace": trace,
        }

    def _unique(self, identity: str) -> str:
        self._taken[identity] += 1
        count = self._taken[identity]
        return identity if count == 1 else f"{identity}-{count}"
