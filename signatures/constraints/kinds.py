"""The wording of constraints that code can check, and the values that their options are drawn from.

`kinds.yaml` holds them, one entry a kind; the checks are in `metrics/constraints/`.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from autoevol.signatures.strict_yaml import load_yaml

_FILE = Path(__file__).parent / "kinds.yaml"


@dataclass(frozen=True, slots=True)
class ConstraintKind:
    """A kind of constraint.

    Attributes:
        name: Of the kind.
        family: The file in `metrics/constraints/` with the function that checks it.
        function: Of that file.
        options: The values that each option is drawn from, by name.
        wording: What a model is asked for, by language; options stand in it as {name}.
    """

    name: str
    family: str
    function: str
    options: Mapping[str, Sequence[Any]]
    wording: Mapping[str, str]

    def drawn(self, rng: random.Random) -> dict[str, Any]:
        """Return a value for each option."""
        return {name: rng.choice(list(values)) for name, values in self.options.items()}

    def text(self, options: Mapping[str, Any], language: str = "en") -> str:
        """Return the constraint in words; in English where the language has none of its own."""
        wording = self.wording.get(language, self.wording["en"])
        return wording.format_map({name: _shown(value) for name, value in options.items()})


@cache
def constraint_kinds() -> Mapping[str, ConstraintKind]:
    """Return all kinds by name."""
    entries = load_yaml(_FILE.read_text(encoding="utf-8"))
    return {name: _kind(name, entry) for name, entry in entries.items()}


def _kind(name: str, entry: Mapping[str, Any]) -> ConstraintKind:
    return ConstraintKind(
        name,
        entry["family"],
        entry.get("function", name),
        entry.get("options", {}),
        {language: entry[language] for language in ("en", "ko") if language in entry},
    )


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
