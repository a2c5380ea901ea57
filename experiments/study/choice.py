"""A final choice among the methods of a search, by what their rows teach a student.

Source: Auto Evol-Instruct, arXiv 2406.00770, section 2: e* = argmax Q(X_e), which the paper itself
replaces by the failure rate. Here Q decides, once, among a few methods.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from autoevol.experiments.artifacts.resume import CONFIG, stored_config
from autoevol.experiments.artifacts.search_record import SearchRecord, read_record
from autoevol.experiments.config.study import ArmConfig, SearchConfig, StudyConfig
from autoevol.experiments.files.atomic import write_whole
from autoevol.program.errors import ConfigError
from autoevol.signatures import Method, to_markdown

METHODS, CHOSEN = "methods", "chosen.md"
START = "start"


@dataclass(frozen=True, slots=True)
class Choice:
    """The method that a study chooses.

    Attributes:
        arm: Of the method.
        method: It.
        why: In a few words.
    """

    arm: str
    method: Method
    why: str


def candidates(search: SearchConfig, where: str) -> dict[str, Method]:
    """Return the methods that take part, by the arm's name, the initial one first.

    Args:
        search: Names the run.
        where: The key, for messages.

    Raises:
        ConfigError: The folder holds no search, or one that found nothing else.
    """
    folder = Path(search.run)
    record = read_record(folder)
    if record is None or record.start is None:
        raise ConfigError(f"{where}.run", f"{folder} holds no search")
    others = _best_first(record)[: search.methods - 1]
    if not others:
        raise ConfigError(f"{where}.run", f"{folder}: the search measured no other method")
    if not stored_config(folder).evolve.respond:
        raise ConfigError(f"{where}.run", f"{folder} answers no rows, and a student needs answers")
    named = {f"method-{number}": record.methods[name] for number, name in enumerate(others, 1)}
    return {START: record.methods[record.start], **named}


def _best_first(record: SearchRecord) -> list[str]:
    """Return the ids of the other methods: the search's own choice, then the fewest failures."""
    measured = sorted(record.front, key=lambda m: m.rate.failed / max(1, m.rate.scored))
    ids = [*record.applied[:1], *(one.method for one in measured)]
    return [name for name in dict.fromkeys(ids) if name != record.start]


@contextmanager
def method_arms(config: StudyConfig, where: str, *, keeps: bool) -> Iterator[StudyConfig]:
    """Yield a study with an arm for each method of its search, whose files are there meanwhile.

    Args:
        config: The study.
        where: Its file.
        keeps: Leave the files there, unless planning fails.

    Raises:
        ConfigError: As `candidates`, or an arm has the name of a method's.
    """
    if config.search is None:
        yield config
        return
    methods = candidates(config.search, f"{where}: search")
    if taken := next((name for name in methods if name in config.arms), None):
        raise ConfigError(f"{where}: arms.{taken}", "is the name of a method's arm of search")
    folder = config.folder / METHODS
    is_new = not folder.exists()
    for name, method in methods.items():
        write_whole(folder / f"{name}.md", to_markdown(method))
    limit = (f"data.limit={config.search.rows}",) if config.search.rows else ()
    own = {
        name: ArmConfig(
            config=str(Path(config.search.run) / CONFIG),
            set=limit,
            method=str(folder / f"{name}.md"),
        )
        for name in methods
    }
    is_planned = False
    try:
        yield config.model_copy(update={"arms": {**own, **config.arms}})
        is_planned = True
    finally:
        if is_new and not (is_planned and keeps):
            _remove(folder)


def _remove(folder: Path) -> None:
    """Remove the methods' folder, and the study's if nothing else is in it."""
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        folder.parent.rmdir()


def choose(methods: Mapping[str, Method], better: Mapping[str, float]) -> Choice:
    """Return the choice among the methods of a search.

    Args:
        methods: By arm, the initial one first and the search's own choice next.
        better: Means of the arms that are better than the initial method beyond their interval,
            higher is better.
    """
    own = [arm for arm in better if arm in methods]
    if own:
        best = max(own, key=lambda arm: better[arm])
        return Choice(best, methods[best], "its rows teach more than the initial method's")
    kept = next(arm for arm in methods if arm != START)
    why = "the search's own: no method's rows teach more beyond the interval"
    return Choice(kept, methods[kept], why)
