"""The shipped configs: published systems and the quickstart, each by the name of its file."""

import difflib
from pathlib import Path

from autoevol.program.errors import ConfigError

KOEVOL_METHODS = ("breadth", "complicate", "concretize", "constraints", "deepen", "reasoning")
"""The methods of koevol; a method's digit in a trace is its index here."""

_RECORDED = {
    "quickstart": "Recorded on 2026-11-28, not in this run: `autoevol run gain` looks for a better "
    "method on the shipped 1.5B model, and in none of three searches was the gain beyond its "
    "interval. A larger search went from 31 to 21 failed rows of 50 held-out ones, which are too "
    "few to tell (docs/search.md).",
}
"""Results of longer runs that belong beside those of a shipped config, by its name."""

CONFIGS = Path(__file__).resolve().parents[1] / "configs"


def shipped_names() -> list[str]:
    """Return the names of the shipped configs, sorted."""
    return sorted(file.stem for file in CONFIGS.glob("*.yaml"))


def config_file(name: Path) -> Path:
    """Return the file of a config: a path, or the name of a shipped one.

    Raises:
        ConfigError: There is neither.
    """
    if name.exists():
        return name
    names = shipped_names()
    if str(name) in names:
        return CONFIGS / f"{name}.yaml"
    if name.suffix or name.parent != Path():
        return name  # a mistyped path; its reader says so
    close = difflib.get_close_matches(str(name), names, n=1)
    hint = f"did you mean {close[0]}?" if close else f"shipped configs are {', '.join(names)}"
    raise ConfigError(str(name), f"no such file, and no shipped config of that name; {hint}")


def recorded_beside(file: Path) -> str:
    """Return what longer runs have shown, for the end of a shipped config's run; "": nothing."""
    return _RECORDED.get(file.stem, "") if is_shipped(file) else ""


def is_shipped(file: Path) -> bool:
    """Tell whether a config's file is one that ships."""
    return file.resolve().parent == CONFIGS
